"""A training: the job it was given, its state in memory, and both kept in a checkpoint folder."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.optim import Optimizer

from gpt import GPT, Checkpoint, CheckpointError, load
from gpt.adapter import merged, save_adapter
from gpt.card import model_card
from gpt.checkpoint import CARD, HEADS, METRICS, STORY, TRAINING, locate, save, to_json
from gpt.heads import describe
from gpt.story import Story, read_story
from gpt.tokenizer import Tokenizer

from .config import TrainConfig
from .distributed import ALONE, Processes
from .large import LargeCorpus
from .optim import Averages, flatten_state, make_optimizers, restore_state
from .reading import Text
from .record import asked, difference, training_record

RESUME_STATE, RESUME_INFO = "resume/state.safetensors", "resume/state.json"


class TrainingError(RuntimeError):
    """The training cannot begin or go on; the message says why and what to do."""


@dataclasses.dataclass(frozen=True)
class Job:
    """One training: what to train on, how, and where it goes."""

    config: TrainConfig
    """Everything that decides the result."""
    corpus: Text
    """What to learn from."""
    tokenizer: Tokenizer
    """Its vocabulary is the model's."""
    folder: Path
    """The checkpoint folder."""
    minutes: float | None = None
    """Train for this long instead of ``config.steps``; the schedule follows the clock."""
    resume: bool = False
    """Go on from ``folder``."""
    should_stop: Callable[[], bool] = lambda: False
    """Asked after each step; true saves and ends."""
    should_save: Callable[[], bool] = lambda: False
    """Asked after each step; true saves and goes on."""
    command: str = ""
    """How it was called, for the card."""
    processes: Processes = ALONE
    """Those that share the work."""
    base: Checkpoint | None = None
    """What to begin with, loaded already; else what ``config.init`` names, else random weights."""
    low_rank: int = 0
    """Train no more than a low-rank adapter of ``base``, of this rank, and save that; 0 trains all weights."""
    teaching: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor] | None = None
    """What to make smaller instead of the loss: given it, logits (B, T, V), inputs and targets (B, T), a number."""
    task: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """What else decides the result, for the record and the card."""
    report: Callable[[Checkpoint], Mapping[str, Any]] = lambda _: {}
    """Asked at the end about what is saved: goes into the record with ``task``."""

    def split(self) -> tuple[str | LargeCorpus, str]:
        """The text to train on, and what is held out (see ``TrainConfig.evaluate_on``)."""
        return split(self.corpus, self.config.evaluate_on)


def split(corpus: Text, evaluate_on: str) -> tuple[str | LargeCorpus, str]:
    """What of a corpus is trained on, and what is held out: the end of it, or of what comes before that end."""
    return (corpus.training() if evaluate_on == "selection" else corpus).split()


@dataclasses.dataclass(frozen=True)
class Best:
    """The best weights so far, and how good they are on what is held out."""

    loss: float
    step: int
    weights: dict[str, Tensor]


@dataclasses.dataclass
class State:
    """What changes while a training runs."""

    model: GPT
    config: TrainConfig
    averages: Averages
    step: int = 0
    """Updates made."""
    tokens_a_character: float = 1.0
    """Of the text that is held out."""
    tokens_a_step: float = 0.0
    """How many are learnt from."""
    seconds: float = 0.0
    """Of training up to the last save, breaks left out."""
    finished: bool = False
    """The last step was made and evaluated."""
    metrics: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    """The lines of metrics.jsonl."""
    story: Story | None = None
    """What story.bin holds, once it has a frame."""
    heads: dict[str, Any] | None = None
    """What heads.json says, of a training that has ended."""
    outcome: Mapping[str, Any] | None = None
    """What came of its task, of one that has ended."""
    init: dict[str, Any] | None = None
    """How the weights it began with were trained; None: they were random."""
    best: Best | None = None
    """Of a training with patience."""
    waited: int = 0
    """Evaluations since the best one."""

    @functools.cached_property
    def optimizers(self) -> list[Optimizer]:
        """Made for the first step: torch takes seconds to load what they need, and the first loss comes without."""
        return make_optimizers(self.model, self.config)

    @property
    def tokens(self) -> int:
        """Learnt from since the beginning."""
        return round(self.step * self.tokens_a_step)

    @property
    def weights(self) -> Mapping[str, Tensor]:
        """What is saved of those that are trained: the best, or their averages."""
        return self.best.weights if self.best else self.averages.weights

    def judge(self, loss: float) -> None:
        """Keep the averages if this, their loss on what is held out, is the least so far."""
        if self.best is None or loss < self.best.loss:
            self.best = Best(loss, self.step, {name: t.clone() for name, t in self.averages.weights.items()})
            self.waited = 0
        else:
            self.waited += 1

    def take_best(self) -> None:
        """No step comes any more: the best weights take the place of the averages."""
        if self.best is not None:
            self.averages.weights = {name: t.clone() for name, t in self.best.weights.items()}

    def tensors(self) -> dict[str, Tensor]:
        """Weights, optimizers' state and averages under flat names: what resume/state.safetensors holds."""
        raw = {f"model.{name}": p.detach() for name, p in self.averages.parameters.items()}
        state = {f"optimizer.{name}": t for name, t in flatten_state(self.model, self.optimizers).items()}
        averages = {f"average.{name}": t for name, t in self.averages.weights.items()} if self.averages.decay else {}
        best = {f"best.{name}": t for name, t in self.best.weights.items()} if self.best else {}
        return {name: t.cpu().contiguous() for name, t in (raw | state | averages | best).items()}

    @torch.no_grad()
    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take back what :meth:`tensors` gave."""
        for name, p in self.averages.parameters.items():
            p.copy_(tensors[f"model.{name}"])
            if self.averages.decay:
                self.averages.weights[name].copy_(tensors[f"average.{name}"])
        prefix = "optimizer."
        state = {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
        restore_state(self.model, self.optimizers, state)


def save_training(job: Job, state: State) -> None:
    """Write the checkpoint folder, atomically, with all that is needed to go on.

    Raises:
        TrainingError: it could not be written, or the weights are not finite; the last save is still there, whole.
    """
    model = job.config.model
    training = training_record(job, state)
    heads = state.heads
    info: dict[str, Any] = {"step": state.step, "seconds": state.seconds, "finished": state.finished}
    if state.best:
        info |= {"best_loss": state.best.loss, "best_step": state.best.step, "waited": state.waited}
    if job.processes.run:
        info["run"] = job.processes.run
    more: dict[str, bytes | Mapping[str, Tensor] | None] = {
        TRAINING: to_json(training),
        METRICS: "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in state.metrics).encode(),
        CARD: model_card(job.folder.name, model, training, state.metrics, heads).encode(),
        HEADS: to_json(heads) if heads else None,
        STORY: state.story.pack() if state.story and state.story.frames else None,
        RESUME_STATE: state.tensors(),
        RESUME_INFO: to_json(info),
    }
    try:
        if job.base is not None and job.low_rank:
            save_adapter(job.folder, job.base, state.weights, more=more)
        else:
            save(job.folder, model, state.weights, job.tokenizer, more=more)
    except CheckpointError as error:  # the weights themselves cannot be saved
        raise not_finite(job, str(error), state.step) from None
    except (OSError, SafetensorError) as error:
        raise TrainingError(
            f"{job.folder}: step {state.step:,} could not be saved ({getattr(error, 'strerror', None) or error}); "
            "the last save there, if there is one, is whole: make room and go on with --resume"
        ) from None


def describe_heads(checkpoint: Checkpoint, held_out: str, corpus: str) -> dict[str, Any]:
    """What heads.json says: what each head does on the text that is held out of the corpus of this name.

    Raises:
        UnknownCharacterError: the text has characters that the model has never seen.
    """
    return describe(checkpoint, held_out, f"the {len(held_out):,} held-out characters of {corpus}")


def as_saved(job: Job, trained: Mapping[str, Tensor]) -> Checkpoint:
    """What these weights will be once they are saved, rounded as they are there: all of a model's, or an adapter's."""
    weights = {name: t.to("cpu", torch.bfloat16).float() for name, t in trained.items()}
    if job.base is not None and job.low_rank:
        weights = merged(dict(job.base.model.named_parameters()), weights)
    return Checkpoint(GPT.from_state(job.config.model, weights).eval().requires_grad_(False), job.tokenizer, "", "")


def not_finite(job: Job, what: str, step: int) -> TrainingError:
    """The error of a training whose numbers ran away at this step."""
    return TrainingError(
        f"{what} at step {step:,}: training stopped, and the last save in {job.folder}, if there is one, "
        "stays as it was; try a lower matrix_lr or lr, or another seed"
    )


@torch.no_grad()
def begin_with(job: Job, state: State) -> None:
    """Take over the weights of ``job.base``, or of the checkpoint that ``config.init`` names.

    Raises:
        TrainingError: it cannot be loaded, or is of another shape or alphabet; the message names the difference.
    """
    try:
        source = job.base or load(job.config.init)
    except CheckpointError as error:
        raise TrainingError(f"init: {error}") from None
    differences = difference(source.model.config.to_dict(), job.config.model.to_dict())
    if source.tokenizer.to_json() != job.tokenizer.to_json():
        differences.append("tokenizer: another alphabet")
    if differences:
        raise TrainingError(f"init: {job.config.init} is another model: {'; '.join(differences)}")
    weights = dict(source.model.named_parameters())
    for name, p in state.model.named_parameters():
        if name in weights:  # an adapter's own are not in its base
            p.copy_(weights[name])
    state.averages = Averages(state.model, job.config.ema)
    known = {name: source.training.get(name) for name in ("command", "steps", "tokens", "seconds", "init")}
    state.init = {"id": source.id, "source": source.source, "revision": source.revision, **known}


def last_run(folder: Path) -> str | None:
    """By which start of torchrun the folder was saved (``Processes.run``); None if by none, or if nothing is there."""
    try:
        run: str | None = json.loads(_read(folder, RESUME_INFO)).get("run")
    except (OSError, ValueError):
        return None
    return run


def resume_training(job: Job, state: State) -> None:
    """Fill a new state with what the folder holds.

    Raises:
        TrainingError: there is nothing to resume, it is damaged, or the job is another one; the message names each
            difference.
    """
    if not locate(job.folder, RESUME_STATE).exists():
        raise TrainingError(
            f"{job.folder}: nothing to resume there ({RESUME_STATE} is missing); begin anew without --resume"
        )
    try:
        _resume(job, state)
    except TrainingError:
        raise
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise TrainingError(
            f"{job.folder}: what was saved to go on from is damaged ({error}); begin anew with --overwrite"
        ) from None


def _resume(job: Job, state: State) -> None:
    training = json.loads(_read(job.folder, TRAINING))
    before = TrainConfig.from_dict(training["config"]).to_dict()
    differences = difference(
        before | {"minutes": training["minutes"], "corpus": _corpus(**training["corpus"])} | asked(training),
        job.config.to_dict()
        | {"minutes": job.minutes, "corpus": _corpus(job.corpus.name, job.corpus.sha256)}
        | asked({"task": job.task}),
    )
    if differences:
        begun = f"; it was begun with: {training['command']}" if training["command"] else ""
        raise TrainingError(f"{job.folder} was trained otherwise and cannot go on so: {'; '.join(differences)}{begun}")
    tensors = load_file(locate(job.folder, RESUME_STATE))
    state.load(tensors)
    info = json.loads(_read(job.folder, RESUME_INFO))
    if "best_loss" in info:
        weights = {name: tensors[f"best.{name}"].to(t.device) for name, t in state.averages.weights.items()}
        state.best, state.waited = Best(info["best_loss"], info["best_step"], weights), info["waited"]
    state.step, state.seconds, state.finished = info["step"], info["seconds"], info["finished"]
    state.init = training.get("init")
    state.metrics = [json.loads(line) for line in _read(job.folder, METRICS).splitlines()]
    state.story = read_story(job.folder, job.config.model)


def _read(folder: Path, name: str) -> str:
    return locate(folder, name).read_text(encoding="utf-8")


def _corpus(name: str, sha256: str) -> str:
    return f"{name} (sha256 {sha256[:12]}...)"
