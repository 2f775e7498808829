"""The command distill: a model that learns from what several others expect.

Hinton et al. 2015, "Distilling the Knowledge in a Neural Network", without a temperature: teachers that have read the
same text are seldom sure of a character, so their probabilities say enough as they are.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
import torch.nn.functional as F
import tyro
from torch import Tensor

import gpt
from gpt import GPT, Checkpoint
from gpt.card_of_tasks import DISTILL
from gpt.scoring import token_losses
from gpt.tokenizer import Tokenizer

from .arithmetic import Precision, autocast
from .data import encode
from .distributed import joined, launcher
from .evaluation import windows_at_once
from .launch import without
from .pretraining import Pretrain, pretrain
from .state import Job, TrainingError
from .usage import UsageError


@dataclasses.dataclass(frozen=True)
class Distill(Pretrain):
    """Train a model as pretrain does, on the text and on what several teachers expect at each place: the mean of their
    probabilities. Shape and recipe are those of the preset and of the options, as for pretrain."""

    folders: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="TEACHERS... OUT")] = ()
    """The teachers, checkpoints of the same alphabet: folders, or hf:owner/name@revision; and last the folder of the
    model that learns from them."""
    out: tyro.conf.Suppress[Path | None] = None
    state_on: tyro.conf.Suppress[str | None] = None
    soft: float = 0.5
    """Share of the teachers in what is learnt, above 0 to 1; the rest is the text itself."""


def command(command: Distill, arguments: list[str]) -> None:
    """Run it, as one of torchrun's processes or alone; ``arguments`` are those of the command line.

    Raises:
        UsageError, TrainingError, CheckpointError, HubError: it cannot begin.
    """
    if len(command.folders) < 2:
        raise UsageError("folders: name at least one teacher, and last the folder of the model that learns from it")
    if not 0 < command.soft <= 1:
        raise UsageError(f"soft: {command.soft} is not a number above 0 to 1")
    *sources, out = command.folders
    called = shlex.join([*launcher(), *without(arguments, {"resume": 0})])
    with joined() as processes:
        with processes.together():
            teachers = Teachers([gpt.load(source) for source in sources], command.soft, command.config.precision)
        pretrain(dataclasses.replace(command, out=Path(out)), called, processes, teachers.complete)


class Teachers:
    """Several models that read the same tokens, and the loss against what they expect together.

    Args:
        checkpoints: at least one, of one tokenizer.
        soft: their share in the loss.
        precision: of their arithmetic.

    Raises:
        TrainingError: they have not one tokenizer.
    """

    def __init__(self, checkpoints: Sequence[Checkpoint], soft: float, precision: Precision = "float32") -> None:
        self.checkpoints, self.soft, self.precision = checkpoints, soft, precision
        self._require(checkpoints[0].tokenizer)

    def complete(self, job: Job) -> Job:
        """The same training, taught.

        Raises:
            TrainingError: a teacher reads other tokens, or a shorter window, than the model that is to learn.
        """
        self._require(job.tokenizer)
        for checkpoint in self.checkpoints:
            window = checkpoint.model.config.block_size
            if window < job.config.model.block_size:
                raise TrainingError(
                    f"{checkpoint.source}: reads {window} tokens at once, the model that is to learn "
                    f"{job.config.model.block_size}; give it --block-size {window}"
                )
        return dataclasses.replace(job, teaching=self, task=self.task(), report=lambda _: self.report(job))

    def _require(self, tokenizer: Tokenizer) -> None:
        for checkpoint in self.checkpoints:
            if checkpoint.tokenizer.to_json() != tokenizer.to_json():
                raise TrainingError(
                    f"{checkpoint.source}: reads another alphabet; teachers and pupil must read the same"
                )

    @torch.no_grad()
    def probabilities(self, inputs: Tensor) -> Tensor:
        """The mean of their probabilities (B, T, V), float32, for the token after each of inputs (B, T)."""
        total: Tensor | None = None
        for model in self._models(inputs.device):
            with autocast(self.precision, inputs.device):
                logits = model(inputs)
            p = logits.float().softmax(-1)
            total = p if total is None else total + p
        assert total is not None
        return total / len(self.checkpoints)

    def _models(self, device: torch.device) -> list[GPT]:
        return [checkpoint.model.to(device) for checkpoint in self.checkpoints]

    def __call__(self, loss: Tensor, logits: Tensor, inputs: Tensor, targets: Tensor) -> Tensor:
        """The loss to learn by: the text's, and the cross-entropy with the teachers' probabilities, by their shares."""
        taught = F.cross_entropy(logits.flatten(0, 1), self.probabilities(inputs).flatten(0, 1))
        return (1 - self.soft) * loss + self.soft * taught

    def report(self, job: Job) -> Mapping[str, Any]:
        """``teachers_loss``: their own together on what is held out, in nats a token, as the model's is measured."""
        model = job.config.model
        losses = token_losses(
            lambda rows: self.probabilities(rows).log(),
            encode(job.tokenizer, job.split()[1]),
            model.block_size,
            batch=windows_at_once(model),
        )
        return {"teachers_loss": losses.double().mean().item()}

    def task(self) -> Mapping[str, Any]:
        """What the record says of them."""
        named = [{"source": checkpoint.source, "id": checkpoint.id} for checkpoint in self.checkpoints]
        return {"name": DISTILL, "soft": self.soft, "teachers": named}
