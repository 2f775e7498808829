"""What a fine-tuning brings, and what it costs: a task's own measure and the loss on the old text, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gpt
from gpt import Checkpoint

from .data import TINY_SHAKESPEARE_SHA256, CorpusError, read_corpus, tiny_shakespeare
from .evaluation import mean_loss, windows_at_once
from .exercises import Exercises, windows
from .reading import Text
from .tasks import MOST_SONNET_TOKENS, SONNET_PROMPT, form

POEMS = gpt.SamplingSettings(temperature=0.8)
"""How the sonnets that are judged are written, with the seeds 1, 2, 3 ..."""


@dataclass(frozen=True)
class OldText:
    """What a checkpoint held out when it was pre-trained, to measure what is forgotten."""

    text: str
    """Empty if it cannot be had."""
    about: str
    """What it is, or why it is missing."""
    sha256: str = ""
    """Of the corpus."""


def old_text(base: Checkpoint, named: Path | None) -> OldText:
    """The last 10 % of the text that a checkpoint was pre-trained on.

    Args:
        base: its record says which text that was.
        named: a file of it; by default tiny Shakespeare, if it was that and is on this machine.

    Raises:
        CorpusError: the file that is named cannot be read.
    """
    corpus: Text
    if named is not None:
        corpus = read_corpus(named)
    else:
        known = base.training.get("corpus") or {}
        if known.get("sha256") != TINY_SHAKESPEARE_SHA256:
            name = known.get("name") or "a text without a name"
            return OldText("", f"not measured: it was {name}, which is not known here; name its file with --old-corpus")
        try:
            corpus = tiny_shakespeare(fetch=False)
        except CorpusError:
            return OldText("", f"not measured: {known['name']} is not on this machine")
    return OldText(corpus.split()[1], f"the last 10 % of {corpus.name}", corpus.sha256)


class Gain:
    """Measures a checkpoint before and after a task.

    Args:
        task: its name.
        base: what the training begins with.
        corpus: what the task learns from; what it holds out is measured with, and decides nothing.
        old: what may be forgotten.
        poems: sonnets that are written and judged.
    """

    def __init__(self, task: str, base: Checkpoint, corpus: Text, old: OldText, poems: int) -> None:
        self.task, self.corpus, self.old, self.poems = task, corpus, old, poems
        self.before = self.measure(base)

    @property
    def measured_on(self) -> str:
        """What is measured with, in words; and whether the base has read it already."""
        if not isinstance(self.corpus, Exercises):
            return f"the last {len(self.corpus.split()[1]):,} characters of {self.corpus.name}"
        replies = [exercise.reply for exercise in self.corpus.held_out]
        read = self.old.sha256 == self.corpus.sha256 and not all(r.strip("\n") in self.old.text for r in replies)
        known = ", which its pre-training has read" if read else ""
        return f"{len(replies)} of {self.corpus.name}, {sum(map(len, replies)):,} characters, held out{known}"

    def measure(self, checkpoint: Checkpoint) -> dict[str, float]:
        """``loss``, in nats a token, on what is held out; ``old_loss`` on the old text; and what a task has of its own.

        Of a sonnet: the share of poems with ``fourteen_lines``, with a closing ``couplet``, with both (``sonnets``),
        with the whole ``scheme``, and with a couplet's ``rhyme`` (:class:`train.tasks.Form`).
        """
        config = checkpoint.model.config
        if isinstance(self.corpus, Exercises):
            read = windows(self.corpus.held_out, checkpoint.tokenizer, config.block_size)
            found = {"loss": read.loss(checkpoint.model, windows_at_once(config))}
        else:
            found = {"loss": mean_loss(checkpoint, self.corpus.split()[1])}
        if self.task == "sonnet":
            found |= judged([written(checkpoint, seed) for seed in range(1, self.poems + 1)])
        if self.old.text:
            found["old_loss"] = mean_loss(checkpoint, self.old.text)
        return found

    def report(self, checkpoint: Checkpoint) -> Mapping[str, Any]:
        """What training.json says of what came out."""
        after = self.measure(checkpoint)
        return {
            "before": self.before,
            "after": after,
            "gain": self.before["loss"] - after["loss"],
            "old_text": self.old.about,
            **({"forgotten": after["old_loss"] - self.before["old_loss"]} if self.old.text else {}),
        }

    def told(self, found: Mapping[str, float]) -> str:
        """Some figures, in words."""
        said = [f"loss {found['loss']:.4f} nats a token on {self.measured_on}"]
        if "sonnets" in found:
            said.append(
                f"{found['sonnets']:.0%} of {self.poems} poems have fourteen lines and a closing couplet "
                f"({found['fourteen_lines']:.0%} fourteen lines, {found['couplet']:.0%} a couplet, "
                f"{found['scheme']:.0%} three quatrains and a couplet, {found['rhyme']:.0%} a couplet that rhymes)"
            )
        old = f"{found['old_loss']:.4f} on {self.old.about}" if "old_loss" in found else self.old.about
        return "; ".join([*said, f"old text {old}"])


def written(checkpoint: Checkpoint, seed: int) -> str:
    """A poem, to its first empty line."""
    prompt = checkpoint.tokenizer.fold(SONNET_PROMPT).text
    text = ""
    for token in gpt.generate(checkpoint, prompt, POEMS, MOST_SONNET_TOKENS, seed):
        text += token.text
        if "\n\n" in text:
            break
    return text


def judged(poems: list[str]) -> dict[str, float]:
    """The share of poems that have each property of the form."""
    forms = [form(poem) for poem in poems]
    names = ("fourteen_lines", "couplet", "scheme", "rhyme")
    shares = {name: sum(getattr(each, name) for each in forms) / len(forms) for name in names}
    return {"sonnets": sum(each.sonnet for each in forms) / len(forms), **shares}
