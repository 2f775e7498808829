"""The training loop. It yields events, and knows no terminal and no page."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor
from torch.func import functional_call

import gpt
from gpt import GPT, Checkpoint
from gpt.card import model_card
from gpt.checkpoint import CARD, METRICS, TRAINING, locate, save, to_json
from gpt.scoring import token_losses
from gpt.tokenizer import Tokenizer

from .config import TrainConfig
from .data import Batches, Corpus
from .optim import Averages, flatten_state, make_optimizers, restore_state, set_schedule

RESUME_STATE, RESUME_INFO = "resume/state.safetensors", "resume/state.json"
SAMPLE_LENGTH = 200


class TrainingError(RuntimeError):
    """The training cannot go on; the message says why and what to do."""


@dataclasses.dataclass(frozen=True)
class Step:
    """One update was made."""

    step: int
    progress: float
    """0 to 1 of the run."""
    loss: float
    """Of this batch, in nats a token, with dropout and noise on."""
    tokens: int
    """Seen since the beginning."""
    seconds: float
    """Of training since the beginning, breaks left out."""
    tokens_per_second: float
    """Over the last steps."""
    learning_rate: float
    """Of the AdamW group."""


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """A line of metrics.jsonl: losses in nats a token, of the averaged weights, without dropout and noise."""

    step: int
    tokens: int
    seconds: float
    train_loss: float
    val_loss: float
    learning_rate: float
    sample: str


@dataclasses.dataclass(frozen=True)
class Saved:
    """The checkpoint folder was written."""

    step: int
    folder: Path
    finished: bool


Event = Step | Evaluation | Saved


@dataclasses.dataclass
class Job:
    """One training: what to train on, how, and where it goes.

    Args:
        config: everything that decides the result.
        corpus: the text.
        tokenizer: its alphabet.
        folder: the checkpoint folder.
        minutes: train for this long instead of ``config.steps``; the schedule follows the clock.
        resume: go on from ``folder``.
        should_stop: asked after each step; true saves and ends.
        command: how it was called, for the card.
    """

    config: TrainConfig
    corpus: Corpus
    tokenizer: Tokenizer
    folder: Path
    minutes: float | None = None
    resume: bool = False
    should_stop: Callable[[], bool] = lambda: False
    command: str = ""


def run(job: Job) -> Iterator[Event]:
    """Train, and yield what happens. Closing the iterator ends the training without a save.

    Raises:
        TrainingError: the loss is not a number, or ``folder`` cannot be resumed.
        CorpusError: the text is shorter than two windows.
    """
    return _Run(job).events()


class _Run:
    """The state of one training."""

    def __init__(self, job: Job) -> None:
        self.job, self.config = job, job.config
        config = job.config
        torch.manual_seed(config.seed)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = GPT(config.model, config.dropout).to(self.device)
        self.optimizers = make_optimizers(self.model, config)
        self.averages = Averages(self.model, config.ema)
        text, held_out = job.corpus.split()
        if config.evaluate_on == "selection":
            text, held_out = Corpus("", text, "").split()
        self.train_tokens = torch.tensor(job.tokenizer.encode(text))
        self.val_tokens = torch.tensor(job.tokenizer.encode(held_out))
        self.batches = Batches(
            self.train_tokens, config.model.block_size, config.batch_size, config.seed, config.token_noise,
            config.model.vocab_size,
        )  # fmt: skip
        self.step, self.seconds = 0, 0.0
        self.metrics: list[dict[str, Any]] = []
        if job.resume:
            self._restore()
        self.forward_backward = self._maybe_compile()

    @property
    def tokens(self) -> int:
        return self.step * self.config.batch_size * self.config.model.block_size

    def _progress(self) -> float:
        if self.job.minutes is not None:
            return min(1.0, self.seconds / (self.job.minutes * 60))
        return self.step / self.config.steps

    def events(self) -> Iterator[Event]:
        config = self.config
        step_seconds = 0.0
        stopped = False
        while not stopped and self.step < config.steps if self.job.minutes is None else True:
            began = time.perf_counter()
            half = 0.5 / config.steps if self.job.minutes is None else 0.5 * step_seconds / (self.job.minutes * 60)
            factor = set_schedule(self.optimizers, min(1.0, self._progress() + half), config)
            loss = self._update()
            self.step += 1
            took = time.perf_counter() - began
            # The first steps compile and warm up: a short memory forgets them.
            step_seconds = took if self.step <= 2 or not step_seconds else 0.8 * step_seconds + 0.2 * took
            self.seconds += took
            speed = config.batch_size * config.model.block_size / step_seconds
            learning_rate = config.lr * factor
            yield Step(self.step, self._progress(), loss, self.tokens, self.seconds, speed, learning_rate)
            stopped = self.job.should_stop()
            finished = self.step >= config.steps
            if self.job.minutes is not None:
                finished = self.seconds + step_seconds > self.job.minutes * 60
            if finished or self.step % config.eval_every == 0:
                began = time.perf_counter()
                evaluation = self._evaluate(learning_rate, everything=finished)
                self.metrics.append(dataclasses.asdict(evaluation))
                self.seconds += time.perf_counter() - began
                yield evaluation
            if finished or stopped or self.step % config.save_every == 0:
                began = time.perf_counter()
                self._save(finished)
                self.seconds += time.perf_counter() - began
                yield Saved(self.step, self.job.folder, finished)
            if finished or stopped:
                return

    def _update(self) -> float:
        """One step of the optimizers; returns the loss of its batch."""
        # Dropout depends on the step alone, so a resumed run draws what the unbroken one would have drawn.
        torch.manual_seed(self.config.seed * 1_000_003 + self.step)
        inputs, targets = (t.to(self.device) for t in self.batches(self.step))
        self.model.train()
        loss = self.forward_backward(inputs, targets)
        loss.backward()
        if self.config.grad_clip:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.grad_clip)
        value = loss.item()
        if not value < float("inf"):
            raise TrainingError(
                f"the loss is {value} at step {self.step + 1}: training stopped, and the last save in {self.job.folder} "
                "stays as it was; try a lower matrix_lr or lr, or another seed"
            )
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.averages.update(self.step)
        return value

    def _loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Mean loss of a batch, in nats a token."""
        with self._autocast():
            logits = self.model(inputs)  # (B, T, V)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        enabled = self.config.precision == "bfloat16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=enabled)

    def _maybe_compile(self) -> Callable[[Tensor, Tensor], Tensor]:
        wanted = self.config.compile
        return (
            torch.compile(self._loss)
            if wanted == "yes" or (wanted == "auto" and self.device.type == "cuda")
            else self._loss
        )

    def _averaged_forward(self, tokens: Tensor) -> Tensor:
        with self._autocast():
            return functional_call(self.model, dict(self.averages.weights), (tokens.to(self.device),)).float().cpu()

    def _evaluate(self, learning_rate: float, everything: bool) -> Evaluation:
        """Losses of the averaged weights, on all validation windows at the end and on the first of them before."""
        self.model.eval()
        T = self.config.model.block_size
        some = self.config.eval_windows * T + 1
        train = token_losses(self._averaged_forward, self.train_tokens[:some], T).mean().item()
        held_out = self.val_tokens if everything else self.val_tokens[:some]
        val = token_losses(self._averaged_forward, held_out, T).mean().item() if len(held_out) > 1 else float("nan")
        return Evaluation(self.step, self.tokens, self.seconds, train, val, learning_rate, self._sample())

    def _sample(self) -> str:
        """What the averaged weights write from a line break, always with the same draws."""
        model = GPT(self.config.model)
        model.load_state_dict(dict(self.averages.weights), strict=False)  # a tied head stands once
        checkpoint = Checkpoint(model.eval().requires_grad_(False), self.job.tokenizer, "", "")
        settings = gpt.SamplingSettings(temperature=0.8)
        return "".join(t.text for t in gpt.generate(checkpoint, "", settings, SAMPLE_LENGTH, seed=1))

    def _save(self, finished: bool) -> None:
        job, config = self.job, self.config
        training = self.training_record(finished)
        raw = {f"model.{name}": p.detach() for name, p in self.model.named_parameters()}
        state = {f"optimizer.{name}": t for name, t in flatten_state(self.model, self.optimizers).items()}
        averages = {f"average.{name}": t for name, t in self.averages.weights.items()} if config.ema else {}
        tensors = {name: t.cpu().contiguous() for name, t in (raw | state | averages).items()}
        save(
            job.folder,
            config.model,
            self.averages.weights,
            job.tokenizer,
            more={
                TRAINING: to_json(training),
                METRICS: "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in self.metrics).encode(),
                CARD: model_card(job.folder.name, config.model, training, self.metrics).encode(),
                RESUME_STATE: tensors,
                RESUME_INFO: to_json({"step": self.step, "seconds": self.seconds, "finished": finished}),
            },
        )

    def training_record(self, finished: bool) -> dict[str, Any]:
        """What training.json says."""
        config = self.config
        return {
            "config": config.to_dict(),
            "corpus": {"name": self.job.corpus.name, "sha256": self.job.corpus.sha256},
            "split": {
                "train_characters": len(self.job.tokenizer.decode(self.train_tokens.tolist())),
                "held_out_characters": len(self.job.tokenizer.decode(self.val_tokens.tolist())),
                "evaluate_on": config.evaluate_on,
            },
            "command": self.job.command,
            "minutes": self.job.minutes,
            "steps": self.step,
            "tokens": self.tokens,
            "seconds": round(self.seconds, 1),
            "finished": finished,
            "parameters": config.model.num_parameters,
            "final": {key: self.metrics[-1][key] for key in ("train_loss", "val_loss")} if self.metrics else None,
            "torch": str(torch.__version__),
            "python": platform.python_version(),
            "hardware": hardware(self.device),
        }

    def _restore(self) -> None:
        folder = self.job.folder
        path = locate(folder, RESUME_STATE)
        if not path.exists():
            raise TrainingError(
                f"{folder}: nothing to resume there (no {RESUME_STATE}); leave out --resume to begin anew"
            )
        training = json.loads(locate(folder, TRAINING).read_text(encoding="utf-8"))
        differences = difference(training["config"], json.loads(json.dumps(self.config.to_dict())))
        if training["corpus"]["sha256"] != self.job.corpus.sha256:
            differences.append(f"corpus: was {training['corpus']['name']}, is {self.job.corpus.name}")
        if differences:
            raise TrainingError(f"{folder} was trained otherwise and cannot be resumed: {'; '.join(differences)}")
        tensors = load_file(path)
        named = dict(self.model.named_parameters())
        with torch.no_grad():
            for name, p in named.items():
                p.copy_(tensors[f"model.{name}"])
                if self.config.ema:
                    self.averages.weights[name].copy_(tensors[f"average.{name}"])
        state = {
            n.removeprefix("optimizer."): t.to(self.device) for n, t in tensors.items() if n.startswith("optimizer.")
        }
        restore_state(self.model, self.optimizers, state)
        info = json.loads(locate(folder, RESUME_INFO).read_text(encoding="utf-8"))
        self.step, self.seconds = info["step"], info["seconds"]
        lines = locate(folder, METRICS).read_text(encoding="utf-8").splitlines()
        self.metrics = [json.loads(line) for line in lines]


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
