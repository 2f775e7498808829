"""A training: the job it was given, its state in memory, and both kept in a checkpoint folder."""

from __future__ import annotations

import dataclasses
import json
import math
import platform
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.optim import Optimizer

from gpt import GPT, Checkpoint, CheckpointError, load
from gpt.card import model_card
from gpt.checkpoint import CARD, HEADS, METRICS, STORY, TRAINING, locate, save, to_json
from gpt.heads import describe
from gpt.story import Story, read_story
from gpt.tokenizer import Tokenizer

from .config import TrainConfig
from .data import Corpus
from .distributed import ALONE, Processes
from .large import LargeCorpus
from .optim import Averages, flatten_state, restore_state

RESUME_STATE, RESUME_INFO = "resume/state.safetensors", "resume/state.json"


class TrainingError(RuntimeError):
    """The training cannot begin or go on; the message says why and what to do."""


@dataclasses.dataclass(frozen=True)
class Job:
    """One training: what to train on, how, and where it goes."""

    config: TrainConfig
    """Everything that decides the result."""
    corpus: Corpus | LargeCorpus
    """The text."""
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

    def split(self) -> tuple[str | LargeCorpus, str]:
        """The text to train on, and what is held out (see ``TrainConfig.evaluate_on``)."""
        return split(self.corpus, self.config.evaluate_on)


def split(corpus: Corpus | LargeCorpus, evaluate_on: str) -> tuple[str | LargeCorpus, str]:
    """What of a corpus is trained on, and what is held out: the end of it, or of what comes before that end."""
    return (corpus.training() if evaluate_on == "selection" else corpus).split()


@dataclasses.dataclass
class State:
    """What changes while a training runs."""

    model: GPT
    optimizers: list[Optimizer]
    averages: Averages
    step: int = 0
    """Updates made."""
    tokens_a_character: float = 1.0
    """Of the text that is held out."""
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
    init: dict[str, Any] | None = None
    """How the weights it began with were trained; None: they were random."""

    def tensors(self) -> dict[str, Tensor]:
        """Weights, optimizers' state and averages under flat names: what resume/state.safetensors holds."""
        raw = {f"model.{name}": p.detach() for name, p in self.model.named_parameters()}
        state = {f"optimizer.{name}": t for name, t in flatten_state(self.model, self.optimizers).items()}
        averages = {f"average.{name}": t for name, t in self.averages.weights.items()} if self.averages.decay else {}
        return {name: t.cpu().contiguous() for name, t in (raw | state | averages).items()}

    @torch.no_grad()
    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take back what :meth:`tensors` gave."""
        for name, p in self.model.named_parameters():
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
    try:
        save(
            job.folder,
            model,
            state.averages.weights,
            job.tokenizer,
            more={
                TRAINING: to_json(training),
                METRICS: "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in state.metrics).encode(),
                CARD: model_card(job.folder.name, model, training, state.metrics, heads).encode(),
                HEADS: to_json(heads) if heads else None,
                STORY: state.story.pack() if state.story and state.story.frames else None,
                RESUME_STATE: state.tensors(),
                RESUME_INFO: to_json(
                    {"step": state.step, "seconds": state.seconds, "finished": state.finished}
                    | ({"run": job.processes.run} if job.processes.run else {})
                ),
            },
        )
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


def as_saved(job: Job, state: State) -> Checkpoint:
    """What the folder's weights will be once they are saved, rounded as they are there."""
    weights = {name: t.to("cpu", torch.bfloat16).float() for name, t in state.averages.weights.items()}
    return Checkpoint(GPT.from_state(job.config.model, weights).eval().requires_grad_(False), job.tokenizer, "", "")


def not_finite(job: Job, what: str, step: int) -> TrainingError:
    """The error of a training whose numbers ran away at this step."""
    return TrainingError(
        f"{what} at step {step:,}: training stopped, and the last save in {job.folder}, if there is one, "
        "stays as it was; try a lower matrix_lr or lr, or another seed"
    )


@torch.no_grad()
def begin_with(job: Job, state: State) -> None:
    """Take over the weights of the checkpoint that ``config.init`` names.

    Raises:
        TrainingError: it cannot be loaded, or is of another shape or alphabet; the message names the difference.
    """
    try:
        source = load(job.config.init)
    except CheckpointError as error:
        raise TrainingError(f"init: {error}") from None
    differences = difference(source.model.config.to_dict(), job.config.model.to_dict())
    if source.tokenizer.to_json() != job.tokenizer.to_json():
        differences.append("tokenizer: another alphabet")
    if differences:
        raise TrainingError(f"init: {job.config.init} is another model: {'; '.join(differences)}")
    weights = dict(source.model.named_parameters())
    for name, p in state.model.named_parameters():
        p.copy_(weights[name])
    state.averages = Averages(state.model, job.config.ema)
    known = {name: source.training.get(name) for name in ("command", "steps", "tokens", "seconds", "init")}
    state.init = {"id": source.id, **known}


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
        before | {"minutes": training["minutes"], "corpus": _corpus(**training["corpus"])},
        job.config.to_dict() | {"minutes": job.minutes, "corpus": _corpus(job.corpus.name, job.corpus.sha256)},
    )
    if differences:
        begun = f"; it was begun with: {training['command']}" if training["command"] else ""
        raise TrainingError(f"{job.folder} was trained otherwise and cannot go on so: {'; '.join(differences)}{begun}")
    state.load(load_file(locate(job.folder, RESUME_STATE)))
    info = json.loads(_read(job.folder, RESUME_INFO))
    state.step, state.seconds, state.finished = info["step"], info["seconds"], info["finished"]
    state.init = training.get("init")
    state.metrics = [json.loads(line) for line in _read(job.folder, METRICS).splitlines()]
    state.story = read_story(job.folder, job.config.model)


def _read(folder: Path, name: str) -> str:
    return locate(folder, name).read_text(encoding="utf-8")


def _corpus(name: str, sha256: str) -> str:
    return f"{name} (sha256 {sha256[:12]}...)"


def training_record(job: Job, state: State) -> dict[str, Any]:
    """What training.json says."""
    config = job.config
    train, held_out = job.split()
    several = f"{job.processes.size} processes, each on " if job.processes.size > 1 else ""
    return {
        "config": config.to_dict(),
        "corpus": {"name": job.corpus.name, "sha256": job.corpus.sha256},
        "split": {
            "train_characters": len(train),
            "held_out_characters": len(held_out),
            "evaluate_on": config.evaluate_on,
        },
        "command": job.command,
        "minutes": job.minutes,
        "steps": state.step,
        "tokens": state.step * config.batch_size * config.model.block_size,
        "seconds": round(state.seconds, 1),
        "finished": state.finished,
        **({"init": state.init} if state.init else {}),
        "parameters": config.model.num_parameters,
        "final": _final(state),
        "code_version": CODE_VERSION,
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "hardware": several + hardware(next(state.model.parameters()).device),
    }


def _final(state: State) -> dict[str, float] | None:
    """The last losses, in nats a token, and the one of the held-out text in the unit that is fair to any tokenizer."""
    if not state.metrics:
        return None
    last = state.metrics[-1]
    bits = last["val_loss"] * state.tokens_a_character / math.log(2)
    return {"train_loss": last["train_loss"], "val_loss": last["val_loss"], "val_bits_per_character": bits}


def difference(old: dict[str, Any], new: dict[str, Any], prefix: str = "") -> list[str]:
    """What differs between two nested configs, in words."""
    lines = []
    for key in sorted(old.keys() | new.keys()):
        a, b = old.get(key), new.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            lines += difference(a, b, f"{prefix}{key}.")
        elif a != b:
            lines.append(f"{prefix}{key}: was {a}, is {b}")
    return lines


def hardware(device: torch.device) -> str:
    """The machine, in words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads"


def code_version() -> str:
    """The commit of this code, with "-dirty" where files differ from it; "unknown" outside a clone."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return "unknown"
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


CODE_VERSION = code_version()
"""Asked once, when the code is loaded: files may change while a training runs."""
