"""How fast one text is written, beside the plain way and transformers, in turns within one run.

All models have random weights: speed does not depend on them. Ways compared:

- ours: ``gpt.generate``, everything that it does for a token, with weights rounded to int8 and in float32. It takes
  one thread whatever torch is told.
- plain: the loop of nanoGPT's ``generate`` - crop to the window, forward over all of it, softmax, multinomial - written
  again here over our GPT with the same weights in float32.
- transformers: ``GPT2LMHeadModel.generate`` of that shape with its cache, sampling, float32.

The others are measured with one thread and with all: how many are best depends on the machine.
"""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

import gpt
from gpt import GPT, Checkpoint, GPTConfig, SamplingSettings
from gpt.decoder import plan
from gpt.quantization import round_to_int8
from gpt.tokenizer import CharTokenizer

from .machine import machine

SHAPES = {
    "10.65M": GPTConfig.gpt2(65, 256, n_layer=6, n_head=6, n_embd=384),
    "4.75M": GPTConfig(n_layer=6, n_head=4, n_embd=256),
    "tiny": GPTConfig(n_layer=4, n_head=4, n_embd=128, block_size=64),
}
"""By name: nanoGPT's model of Shakespeare (its own count, which leaves positions out), GPT-2's recipe; the model that
ships here; that of live demonstrations, the modern recipe like the one before."""

SETTINGS = SamplingSettings(temperature=0.8)


@dataclasses.dataclass(frozen=True)
class Generate:
    """Characters a second of one stream, beside the plain way and transformers."""

    shapes: tuple[Literal["10.65M", "4.75M", "tiny"], ...] = ("10.65M", "4.75M")
    """Models to measure, by their number of parameters."""
    characters: int = 200
    """Characters to write in a run."""
    runs: int = 5
    """Runs of each way, in turns; the median counts."""

    def run(self) -> None:
        """Print the tables."""
        print(machine())
        for name in self.shapes:
            print()
            for line in report(name, measure(SHAPES[name], self.characters, self.runs), self.characters, self.runs):
                print(line, flush=True)


@dataclasses.dataclass(frozen=True)
class Way:
    """One way of writing a text."""

    name: str
    write: Callable[[int], None]
    """Writes this many characters after the prompt."""
    threads: int
    full: bool
    """The prompt fills the window; else it is one character."""


@dataclasses.dataclass(frozen=True)
class Speed:
    """A way's characters a second."""

    way: Way
    runs: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.runs)


def measure(shape: GPTConfig, characters: int, runs: int) -> list[Speed]:
    """Characters a second of each way, measured in turns: A B C A B C."""
    threads = torch.get_num_threads()
    speeds = [Speed(way, []) for way in all_ways(shape, threads)]
    bar = tqdm(total=runs * len(speeds), disable=None, leave=False)  # None: shown on a terminal only
    try:
        for _ in range(runs):
            for speed in speeds:
                bar.set_postfix_str(speed.way.name)
                torch.set_num_threads(speed.way.threads)
                speed.way.write(2)  # caches are filled, threads and allocator warm
                began = time.perf_counter()
                speed.way.write(characters)
                speed.runs.append(characters / (time.perf_counter() - began))
                bar.update()
    finally:
        bar.close()
        torch.set_num_threads(threads)
    return speeds


def all_ways(config: GPTConfig, threads: int) -> Iterator[Way]:
    """Ours with all threads; the others with one and, where there are more, with all."""
    checkpoints = {weights: random_checkpoint(config, weights) for weights in ("int8", "float32")}
    counts = {f"{n} thread{'s' if n > 1 else ''}": n for n in sorted({1, threads})}
    for full in (False, True):
        prompt = [i % config.vocab_size for i in range(config.block_size if full else 1)]
        for weights, checkpoint in checkpoints.items():
            yield Way(f"gpt.generate, {weights}", ours(checkpoint, prompt), threads, full)
        for words, count in counts.items():
            yield Way(f"plain, {words}", plain(checkpoints["float32"].model, prompt), count, full)
        if not full:  # its cache ends where the window does
            peer = transformers(config, prompt)
            for words, count in counts.items():
                yield Way(f"transformers, {words}", peer, count, full)


def random_checkpoint(config: GPTConfig, weights: str) -> Checkpoint:
    """A model of random weights, all of them: a new one of the modern recipe has projections of zero."""
    torch.manual_seed(0)
    model = GPT(config)
    for p in model.parameters():
        if p.ndim == 2:
            torch.nn.init.normal_(p, std=0.05)
    if weights == "int8":
        round_to_int8(model)
    alphabet = "".join(chr(ord("0") + i) for i in range(config.vocab_size))
    return Checkpoint(model.eval().requires_grad_(False), CharTokenizer(alphabet), id="", source="")


def ours(checkpoint: Checkpoint, prompt: list[int]) -> Callable[[int], None]:
    way = plan(checkpoint.model)  # made once a model, when it is first decoded
    if way.notice:
        raise RuntimeError(way.notice)

    def write(characters: int) -> None:
        for _ in gpt.generate(checkpoint, prompt, SETTINGS, characters):
            pass

    return write


def plain(model: GPT, prompt: list[int]) -> Callable[[int], None]:
    """The loop of ``GPT.generate`` in nanoGPT's model.py."""

    @torch.no_grad()
    def write(characters: int) -> None:
        ids = torch.tensor([prompt])
        for _ in range(characters):
            seen = ids[:, -model.config.block_size :]
            logits = model(seen)[:, -1, :] / SETTINGS.temperature
            chosen = torch.multinomial(F.softmax(logits, dim=-1), num_samples=1)
            ids = torch.cat((ids, chosen), dim=1)

    return write


def transformers(config: GPTConfig, prompt: list[int]) -> Callable[[int], None]:
    from transformers import GPT2Config, GPT2LMHeadModel  # a development dependency

    peer = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=config.vocab_size, n_positions=config.block_size, n_embd=config.n_embd, n_layer=config.n_layer,
            n_head=config.n_head, bos_token_id=None, eos_token_id=None,
        )
    ).eval()  # fmt: skip
    ids = torch.tensor([prompt])

    def write(characters: int) -> None:
        written: Tensor = peer.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=characters, do_sample=True, use_cache=True,
            temperature=SETTINGS.temperature, top_k=0, pad_token_id=0,
        )  # fmt: skip
        assert written.shape[1] == len(prompt) + characters

    return write


def report(name: str, speeds: list[Speed], characters: int, runs: int) -> Iterator[str]:
    """The lines of a table: the speed of each way, and how many times as fast the first one, ours with int8, is."""
    config = SHAPES[name]
    yield (
        f"{name}: {config.n_layer} layers, {config.n_head} heads, {config.n_embd} wide, window {config.block_size}; "
        f"{characters} characters a run, median of {runs} runs (least to most)"
    )
    for full in (False, True):
        rows = [speed for speed in speeds if speed.way.full == full]
        yield ""
        yield f"{'from a full window' if full else 'from one character':<30}{'characters/s':>12}{'int8 is':>30}"
        for speed in rows:
            spread = f"({min(speed.runs):,.0f} to {max(speed.runs):,.0f})"
            yield f"  {speed.way.name:<28}{speed.median:>12,.1f}  {spread:<18}{rows[0].median / speed.median:>9.1f}x"
