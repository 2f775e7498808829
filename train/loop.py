"""The training loop. It yields events, and knows no terminal and no page."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call

from gpt import GPT
from gpt.story import line_length

from .activations import attention_kernel, recompute_blocks
from .arithmetic import autocast, this_device
from .events import Evaluation as Evaluation
from .events import Event as Event
from .events import Saved as Saved
from .events import Step as Step
from .events import Told as Told
from .exercises import IGNORED
from .lowrank import add_low_rank
from .optim import Averages, repeats, set_schedule
from .reading import Part, Reading
from .state import Job, State, as_saved, begin_with, describe_heads, not_finite, resume_training, save_training
from .story import EVAL_TOKENS, begin, is_affordable, is_told, prompt_for, sample, tell

SAMPLE_LENGTH = 200
"""Tokens written at each evaluation."""

RANK_STRIDE = 0x9E3779B1
"""Between the dropout's seeds of two processes; they stay apart in the 32 bits that a CPU's generator looks at."""


def run(job: Job) -> Iterator[Event]:
    """Train, and yield what happens. Closing the iterator ends the training without a save.

    Of several processes (``Job.processes``) all call it; process 0 alone evaluates and saves, the others see steps.

    A job that resumes a finished training yields one :class:`Saved` and changes nothing.

    Raises:
        TrainingError: the loss is not a number, or ``folder`` cannot be resumed or written.
        CorpusError: the text is shorter than two windows, or nothing of it can be held out.
        ProcessError: another process has failed, or cannot be reached.
    """
    return _Run(job).events()


class _Run:
    """One training, from its job to its end."""

    def __init__(self, job: Job) -> None:
        self.job, self.config, self.processes = job, job.config, job.processes
        self.began = time.perf_counter()
        self.device = this_device()
        self.step_seconds = 0.0
        self.evaluation_seconds = {True: 0.0, False: 0.0}  # of the last one: for the story alone, or not
        self.told_seconds = 0.0
        self.has_story = self.config.story and line_length(self.config.model) > 0
        self.learning_rate = 0.0
        with self.processes.together():
            self._prepare()
        if self.processes.size > 1:
            self._take_over()
        self.seconds_before = self.state.seconds
        self.forward_loss = self._maybe_compile()

    def _prepare(self) -> None:
        """Read the texts and, on process 0, what the training begins with."""
        job = self.job
        self.state = new_state(job, self.device)
        # What a low-rank adapter leaves as it is is not among what a save keeps to go on from.
        if (self.config.init or job.base) and (not job.resume or job.low_rank) and self.processes.first:
            begin_with(job, self.state)
        train, self.held_out = job.split()
        self.reading = Reading(job.corpus, self.config, job.tokenizer)
        self.state.tokens_a_character = self.reading.tokens_a_character
        self.state.tokens_a_step = self.reading.tokens_a_step
        if job.resume and self.processes.first:
            resume_training(job, self.state)
        self.prompt = self.reading.prompt or prompt_for(train)
        if self.has_story and self.processes.first and self.state.story is None:
            self.state.story = begin(self.config.model, job.tokenizer, train)

    def _take_over(self) -> None:
        """All processes begin with the state of process 0, which alone needs the folder."""
        state = self.state
        state.step, state.finished = self.processes.told((state.step, state.finished))
        state.load(self.processes.copies(state.tensors()))

    def events(self) -> Iterator[Event]:
        job, config, state = self.job, self.config, self.state
        first = self.processes.first
        if state.finished:
            if first:
                yield self._saved()
            return
        if (self.has_story or config.patience) and state.step == 0 and first:
            yield self._evaluate(told=not config.patience)  # what it begins with may stay the best
        # All processes come to the same decisions, and the others wait at the next one for process 0.
        while not self._ended():
            yield self._step()
            usual = state.step % config.eval_every == 0
            # By the clock, an evaluation that would take the time of the last steps is left out.
            if (
                (usual or (self._is_told() and self._is_affordable()))
                and not self._ended(self.evaluation_seconds[not usual])
                and first
            ):
                yield self._evaluate(told=not usual)
            stopped = self.processes.any(job.should_stop()) and not self._ended()
            due = state.step % config.save_every == 0 or (first and job.should_save())
            if (stopped or (due and not self._ended())) and first:
                yield self._save()
            if stopped:
                return
        if first:
            if config.patience:
                windows = min(config.eval_windows, self.reading.held_out.windows)
                state.judge(self._mean_loss(self.reading.held_out, windows))
                state.take_best()
            yield self._evaluate(finished=True)
            state.finished = True
            yield self._save()

    @property
    def seconds(self) -> float:
        """Of training, set-up included, breaks between two runs left out."""
        return self.seconds_before + time.perf_counter() - self.began

    def _progress(self) -> float:
        if self.job.minutes is not None:
            return min(1.0, self.seconds / (self.job.minutes * 60))
        return self.state.step / self.config.steps

    def _ended(self, seconds: float = 0.0) -> bool:
        """No step is left, or by the clock (process 0's) no time for one after this many seconds, or no patience."""
        if self.config.patience and self.processes.told(self.state.waited >= self.config.patience):
            return True
        if self.job.minutes is not None:
            out_of_time = self.seconds + seconds + self.step_seconds > self.job.minutes * 60
            return self.processes.told(self.state.step > 0 and out_of_time)
        return self.state.step >= self.config.steps

    def _seconds_left(self) -> float:
        if self.job.minutes is not None:
            return max(0.0, self.job.minutes * 60 - self.seconds)
        return (self.config.steps - self.state.step) * self.step_seconds

    def _step(self) -> Step:
        """One update of the weights."""
        config, state = self.config, self.state
        began = time.perf_counter()
        # The schedule is read in the middle of the step, so that neither the first nor the last one stands still.
        half = 0.5 / config.steps if self.job.minutes is None else 0.5 * self.step_seconds / (self.job.minutes * 60)
        at = min(1.0, self._progress() + half)
        at = at if self.job.minutes is None else self.processes.told(at)
        self.learning_rate = config.lr * set_schedule(state.optimizers, at, config)
        loss = self._update(repeats(at, config))
        state.step += 1
        took = time.perf_counter() - began
        # The first steps compile and warm up: a short memory forgets them.
        self.step_seconds = took if state.step <= 2 or not self.step_seconds else 0.8 * self.step_seconds + 0.2 * took
        return Step(
            state.step, self._progress(), loss, self.state.tokens, self.seconds, self._seconds_left(),
            state.tokens_a_step / self.step_seconds, self.learning_rate,
        )  # fmt: skip

    def _update(self, repeats: float) -> float:
        """Move the weights by one batch, in which this share of the windows repeats itself; returns its loss."""
        state = self.state
        # Dropout depends on step and process alone, so a resumed run draws what the unbroken one would have drawn.
        torch.manual_seed(self.config.seed * 1_000_003 + state.step + self.processes.rank * RANK_STRIDE)
        batch = self.reading.batches(state.step, repeats)
        loss = self._backward(*(self.processes.share(t).to(self.device) for t in batch))
        # From here on all processes have the same numbers, and find the same fault in them.
        self.processes.average([loss, *(p.grad for p in state.model.parameters() if p.grad is not None)])
        self._require_finite("loss", loss)
        if self.config.grad_clip:
            norm = torch.nn.utils.clip_grad_norm_(state.model.parameters(), self.config.grad_clip)
            self._require_finite("norm of the gradient", norm)
        for optimizer in state.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        state.averages.update(state.step)
        return loss.item()

    def _backward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Leave the gradients of the mean loss of these windows (B, T), part by part; returns that loss."""
        self.state.model.train()
        parts = self.config.accumulate
        total = torch.zeros((), device=self.device)
        for part in zip(inputs.chunk(parts), targets.chunk(parts), strict=True):
            # Each part's share is that of its targets which count: a whole number of parts where all do.
            loss = self.forward_loss(*part) / ((targets != IGNORED).sum() / (part[1] != IGNORED).sum())
            loss.backward()
            total += loss.detach()
        return total

    def _require_finite(self, what: str, number: Tensor) -> None:
        if not math.isfinite(number.item()):
            raise not_finite(self.job, f"the {what} is {number.item()}", self.state.step + 1)

    def _loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Mean loss of a batch, in nats a token."""
        with autocast(self.config.precision, self.device), attention_kernel(self.config):
            logits = self.state.model(inputs)  # (B, T, V)
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)
        return loss if self.job.teaching is None else self.job.teaching(loss, logits, inputs, targets)

    def _maybe_compile(self) -> Callable[[Tensor, Tensor], Tensor]:
        wanted = self.config.compile == "yes" or (self.config.compile == "auto" and self.device.type == "cuda")
        return torch.compile(self._loss) if wanted else self._loss

    def _is_told(self) -> bool:
        return self.has_story and is_told(self.state.step)

    def _is_affordable(self) -> bool:
        """Whether there is time for an evaluation for the story alone; process 0's clock says so."""
        minutes = self.job.minutes
        if minutes is None:
            return True
        return self.processes.told(is_affordable(self.told_seconds, self._progress(), minutes))

    def _evaluate(self, *, told: bool = False, finished: bool = False) -> Evaluation:
        """Losses of the averaged weights: on windows spread over the texts, or at the end on all that is held out.

        Args:
            told: it is for the story alone.
            finished: no step comes after it.
        """
        job, state = self.job, self.state
        state.model.eval()
        seconds = self.seconds
        T = self.config.model.block_size
        every_window = self.reading.held_out.windows
        some = min(self.config.eval_windows, max(1, EVAL_TOKENS // T)) if told else self.config.eval_windows
        windows = every_window if finished else min(some, every_window)
        train = self._mean_loss(self.reading.train, some)
        val = self._mean_loss(self.reading.held_out, windows)
        for loss in (train, val):
            if not math.isfinite(loss):  # what the last update left, before it is asked to write
                raise not_finite(job, f"the loss of an evaluation is {loss}", state.step)
        if self.config.patience and not (told or finished):
            state.judge(val)
        checkpoint = as_saved(job, state.averages.weights)
        evaluation = (Told if told else Evaluation)(
            state.step, state.tokens, seconds, train, val, windows, self.learning_rate,
            sample(checkpoint, self.prompt, SAMPLE_LENGTH),
        )  # fmt: skip
        state.metrics.append(dataclasses.asdict(evaluation))
        if finished:
            state.heads = describe_heads(checkpoint, self.held_out, job.corpus.name)
            state.outcome = job.report(checkpoint)
        if state.story is not None and (finished or self._is_told()):
            state.story = tell(state.story, checkpoint, state.step, self.held_out, state.heads)
        self.evaluation_seconds[told] = self.seconds - seconds
        self.told_seconds += self.evaluation_seconds[True] if told else 0
        return evaluation

    def _mean_loss(self, part: Part, windows: int) -> float:
        return part.loss(self._averaged_forward, windows)

    def _averaged_forward(self, tokens: Tensor) -> Tensor:
        weights = dict(self.state.averages.weights)
        with autocast(self.config.precision, self.device):
            return functional_call(self.state.model, weights, (tokens.to(self.device),)).float().cpu()

    def _save(self) -> Saved:
        self.state.seconds = self.seconds
        save_training(self.job, self.state)
        return self._saved()

    def _saved(self) -> Saved:
        return Saved(self.state.step, self.job.folder, self.state.finished)


def new_state(job: Job, device: torch.device) -> State:
    """Random weights, as the seed decides, that have seen nothing."""
    config = job.config
    torch.manual_seed(config.seed)
    model = GPT(config.model, config.dropout)
    if job.low_rank:
        add_low_rank(model, job.low_rank)
    model.to(device)
    if config.checkpoint_activations:
        recompute_blocks(model, config)
    return State(model, config, Averages(model, config.ema))
