"""How soon a loss is reached, beside nanoGPT's recipe for a CPU, in one run on the same cores.

The peer is ``config/train_shakespeare_char.py`` of nanoGPT with the options that its README gives for a CPU, written
again here: GPT-2's block without biases, batches of random windows, AdamW, warm-up and cosine, float32, no dropout.
Ours is the preset ``tiny`` in ``train.loop``, as ``python -m train`` runs it. Both see the first 90 % of tiny
Shakespeare and are evaluated on the same windows of the rest, all of it.

The clock of each runs while its weights are updated: batch, forward, backward, optimizers, averages. It stands while a
loss is measured, a sample written or a checkpoint saved.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from gpt import GPT, GPTConfig
from gpt.scoring import token_losses
from gpt.tokenizer import CharTokenizer
from train.config import PRESETS, TrainConfig
from train.data import Corpus, encode, load_corpus
from train.large import LargeCorpus
from train.loop import Evaluation, Step, run
from train.state import Job

from .machine import machine

PEER = dataclasses.replace(GPTConfig.gpt2(block_size=64, n_layer=4, n_head=4, n_embd=128), bias=False)
PEER_BATCH = 12
PEER_STEPS, PEER_WARMUP = 2000, 100
PEER_LR, PEER_MIN_LR = 1e-3, 1e-4


@dataclasses.dataclass(frozen=True)
class Point:
    """One point of a curve."""

    step: int
    seconds: float
    """Spent on updates so far."""
    loss: float
    """Over the windows held out, in nats a character."""


@dataclasses.dataclass(frozen=True)
class Train:
    """Seconds to the validation loss at which nanoGPT's recipe for a CPU ends, beside that recipe."""

    steps: int = 330
    """Steps of ours: the preset tiny, with a schedule that ends after as many."""
    peer_steps: int = PEER_STEPS
    """Steps of nanoGPT's recipe; the figure is about its own 2,000."""
    eval_every: int = 10
    """Steps of ours between evaluations; ten times as many of nanoGPT's recipe."""
    corpus: Path | None = None
    """A text file (UTF-8); by default tiny Shakespeare."""

    def run(self) -> None:
        corpus = load_corpus(self.corpus)
        print(f"{machine()}\n")
        # Ours before and after the peer, so that a machine that gets busier cannot favour it; the slower one counts.
        config = dataclasses.replace(PRESETS["tiny"], steps=self.steps, eval_every=self.eval_every)
        first = show("ours", ours(config, corpus))
        peer = show("nanoGPT's recipe", nanogpt(corpus, self.peer_steps, 10 * self.eval_every))
        second = show("ours again", ours(config, corpus))
        target = peer[-1].loss
        theirs = reached(peer, target)
        assert theirs is not None  # it ends there
        print(f"nanoGPT's recipe ends at {target:.4f}, and is there first after {theirs.seconds:.1f} s")
        arrivals = [reached(curve, target) for curve in (first, second)]
        seconds = [point.seconds for point in arrivals if point is not None]
        if len(seconds) < len(arrivals):
            print("ours does not get there")
            return
        print(
            f"ours is there after {seconds[0]:.1f} s and {seconds[1]:.1f} s: "
            f"{theirs.seconds / max(seconds):.1f} times sooner, the slower one counted"
        )


def show(name: str, curve: Iterable[Point]) -> list[Point]:
    """Print a curve as it comes; returns its points."""
    print(f"{name}\n  step   seconds   validation loss")
    points = []
    for point in curve:
        points.append(point)
        print(f"{point.step:6,} {point.seconds:9.1f}   {point.loss:.4f}", flush=True)
    print()
    return points


def reached(curve: list[Point], loss: float) -> Point | None:
    """The first point of a curve that is at this loss or below."""
    return next((point for point in curve if point.loss <= loss), None)


def ours(config: TrainConfig, corpus: Corpus | LargeCorpus) -> Iterator[Point]:
    """The curve of a training by ``train.loop``; all that is held out is measured each time."""
    tokenizer = CharTokenizer(corpus.alphabet)
    model = dataclasses.replace(config.model, vocab_size=tokenizer.vocab_size)
    windows = math.ceil(len(corpus.split()[1]) / model.block_size)
    config = dataclasses.replace(config, model=model, eval_windows=windows, save_every=config.steps, story=False)
    with tempfile.TemporaryDirectory() as folder:
        events = run(Job(config, corpus, tokenizer, Path(folder)))
        seconds, began = 0.0, time.perf_counter()
        for event in events:
            if isinstance(event, Step):
                seconds += time.perf_counter() - began
            if isinstance(event, Evaluation):
                yield Point(event.step, seconds, event.val_loss)
            began = time.perf_counter()


def nanogpt(corpus: Corpus | LargeCorpus, steps: int, eval_every: int, seed: int = 1337) -> Iterator[Point]:
    """The curve of nanoGPT's recipe."""
    tokenizer = CharTokenizer(corpus.alphabet)
    train, held_out = (encode(tokenizer, text) for text in corpus.split())
    torch.manual_seed(seed)
    config = dataclasses.replace(PEER, vocab_size=tokenizer.vocab_size)
    model = GPT(config)
    optimizer = peer_optimizer(model)
    seconds = 0.0
    for step in itertools.count(1):
        began = time.perf_counter()
        for group in optimizer.param_groups:
            group["lr"] = peer_lr(step - 1, steps)
        inputs, targets = peer_batch(train, config.block_size)
        logits = model(inputs)  # (B, T, V)
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.item()  # nanoGPT's log_interval is 1 there
        seconds += time.perf_counter() - began
        if step % eval_every == 0 or step == steps:
            yield Point(step, seconds, token_losses(model, held_out, config.block_size).mean().item())
        if step == steps:
            return


def peer_optimizer(model: GPT) -> torch.optim.AdamW:
    """nanoGPT's ``configure_optimizers``: matrices and embeddings decay, vectors do not."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": 0.1},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=PEER_LR, betas=(0.9, 0.99))


def peer_lr(step: int, steps: int) -> float:
    """nanoGPT's ``get_lr`` at a step, from 0: a line up, then a cosine down to a tenth."""
    if step < PEER_WARMUP:
        return PEER_LR * (step + 1) / (PEER_WARMUP + 1)
    share = (step - PEER_WARMUP) / max(steps - PEER_WARMUP, 1)
    return PEER_MIN_LR + 0.5 * (1 + math.cos(math.pi * share)) * (PEER_LR - PEER_MIN_LR)


def peer_batch(tokens: Tensor, block_size: int) -> tuple[Tensor, Tensor]:
    """nanoGPT's ``get_batch``: windows (B, T) from anywhere, drawn anew each time, and the tokens after."""
    starts = torch.randint(len(tokens) - block_size, (PEER_BATCH,))
    rows = torch.stack([tokens[s : s + block_size + 1] for s in starts]).long()  # (B, T + 1)
    return rows[:, :-1], rows[:, 1:]
