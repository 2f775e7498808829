"""The model card, written from a checkpoint's own files."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .card_of_tasks import is_task, task_results, task_section
from .checkpoint import LIBRARY_NAME
from .config import GPTConfig
from .heads import ROLES, label

HEADS_TITLE = "## Its heads"

ON_THE_HUB = {"tinyshakespeare": "karpathy/tiny_shakespeare"}
"""Corpus -> its name among the Hub's datasets."""

FROM_NOTHING = ", written and trained from nothing"

RESTS = 0.5
"""A head rests on the first position that has more than this weight there, on average."""


def model_card(
    name: str,
    config: GPTConfig,
    training: Mapping[str, Any],
    metrics: Sequence[Mapping[str, Any]],
    heads: Mapping[str, Any] | None = None,
) -> str:
    """README.md of a checkpoint: what it is, how it was trained, its loss and how that was measured, heads, a sample.

    Args:
        name: of the model.
        config: its shape.
        training: as in training.json.
        metrics: as in metrics.jsonl; the last line is the final evaluation.
        heads: as in heads.json; without it the card says nothing of them.
    """
    from huggingface_hub import EvalResult, ModelCardData

    corpus = training["corpus"]["name"]
    token = _token(training)
    data = ModelCardData(
        language="en" if corpus in ON_THE_HUB else None,
        license="mit",
        library_name=LIBRARY_NAME,
        pipeline_tag="text-generation",
        tags=["gpt", f"{token}-level", "from-scratch"],
        datasets=[ON_THE_HUB[corpus]] if corpus in ON_THE_HUB else None,
        model_name=name,
    )
    last = metrics[-1] if metrics else None
    if last is not None and math.isfinite(last["val_loss"]):
        data.eval_results = [
            EvalResult(
                task_type="text-generation",
                dataset_type=corpus,
                dataset_name=f"{corpus}, {_held_out(training)}",
                dataset_split=training["split"]["evaluate_on"],
                metric_type="loss",
                metric_name=f"validation loss, nats a {token}",
                metric_value=round(last["val_loss"], 4),
                metric_config=f"the mean over {_windows(config, training)} {_held_out(training)}",
            )
        ]
    if is_task(training):
        data.eval_results = task_results(training)
    lines = ["---", data.to_yaml().strip(), "---", "", f"# {name}", "", _shape(config, FROM_NOTHING), ""]
    lines += _trained(training)
    if last is not None and not is_task(training):
        lines += _loss(config, training, last)
    lines += task_section(training)
    if heads:
        lines += _heads(heads)
    if last is not None:
        lines += ["## It says", "", *[f"    {line}" for line in last["sample"].strip("\n").split("\n")], ""]
    lines += [
        *_use(f"checkpoints/{name}", "ROMEO:"),
        "## Not for", "",
        f"Facts, advice, or prose of today: it has read one text, {token} by {token}, and knows nothing else. "
        "It invents names and words. Attention maps drawn from it show where it looks, not why it decides.", "",
    ]  # fmt: skip
    return "\n".join(lines)


def imported_card(config: GPTConfig, origin: str, base_model: str | None) -> str:
    """README.md of a GPT-2 that was imported.

    Args:
        config: its shape.
        origin: from where, in words.
        base_model: the repository of the Hub that it was, where it was one.
    """
    from huggingface_hub import ModelCardData

    data = ModelCardData(
        library_name=LIBRARY_NAME, pipeline_tag="text-generation", tags=["gpt", "gpt2"], base_model=base_model
    )
    lines = [
        "---", data.to_yaml().strip(), "---", "", "# GPT-2", "", _shape(config, ""), "",
        f"Imported from {origin}, where its licence and its own card are.", "",
        *_use("checkpoints/gpt2", "Once upon a time"),
        "## Not for", "",
        "Facts or advice. GPT-2 was trained on text of the open web: what it writes may be false, and may offend.", "",
    ]  # fmt: skip
    return "\n".join(lines)


def _use(source: str, prompt: str) -> list[str]:
    """How to use it, in three lines."""
    return [
        "## Use", "", "With the folder `gpt` of the project's code beside your own:", "",
        "```python", "import gpt", f'checkpoint = gpt.load("{source}")',
        f'print("".join(token.text for token in gpt.generate(checkpoint, "{prompt}")))', "```", "",
    ]  # fmt: skip


def _token(training: Mapping[str, Any]) -> str:
    """What one token is, in a word."""
    kind = (training.get("config") or {}).get("tokenizer") or "char"
    return "character" if kind == "char" else "subword"


def with_heads(card: str, heads: Mapping[str, Any]) -> str:
    """A card whose section on the heads is that of heads.json; the rest of it stays as a person may have written it.

    A card without that section gets it before the sample, or the use; one without either stays as it is.
    """
    section = "\n".join(_heads(heads)) + "\n"
    old = re.search(rf"^{HEADS_TITLE}\n.*?(?=^## |\Z)", card, re.MULTILINE | re.DOTALL)
    if old is not None:
        return card[: old.start()] + section + card[old.end() :]
    place = re.search(r"^## (It says|Use)$", card, re.MULTILINE)
    return card[: place.start()] + section + card[place.start() :] if place is not None else card


def _heads(heads: Mapping[str, Any]) -> list[str]:
    """Which heads have which role, and how many rest on the first position."""
    every = [(f"{n}.{h}", head) for n, layer in enumerate(heads["heads"]) for h, head in enumerate(layer)]
    resting = sum(head["scores"]["first"] > RESTS for _, head in every)
    by_role: dict[str, list[str]] = {}
    for name, head in sorted(every, key=lambda each: (list(ROLES).index(each[1]["role"]), label(each[1]))):
        score = f" ({head['score']:.2f})" if head["role"] != "mixed" else ""
        by_role.setdefault(label(head), []).append(name + score)
    return [
        HEADS_TITLE, "",
        f"Where they look, layer.head (score), measured on {heads['text']}; `heads.json` has all scores, and "
        "`gpt/heads.py` says what each means and from where it counts.", "",
        *[f"- {role}: {', '.join(names)}" for role, names in by_role.items()], "",
        "Heads that rest on the first position (more than half of their weight, on average from position 16 on): "
        f"{resting} of {len(every)}.", "",
    ]  # fmt: skip


def _shape(config: GPTConfig, how: str) -> str:
    recipe = "GPT-2's recipe" if config.norm == "layer" else "the modern recipe"
    activation = {"gelu": "GELU", "relu2": "squared ReLU"}[config.activation]
    parts = [f"{config.position} positions", f"{config.norm} norm", activation]
    parts += ["normalised queries and keys"] if config.qk_norm else []
    parts += ["tied head"] if config.tied_head else []
    return (
        f"A GPT of {config.num_parameters:,} parameters{how}: {config.n_layer} layers of {config.n_head} heads, "
        f"{config.n_embd} wide, a window of {config.block_size:,} tokens, "
        f"{config.vocab_size:,} tokens; {recipe} ({', '.join(parts)})."
    )


def for_hub(card: str, repo: str) -> str:
    """The card of a folder, for the repository that it is pushed to: it is loaded from there."""
    return re.sub(r'gpt\.load\("[^"\n]*"\)', f'gpt.load("hf:{repo}")', card)


def _trained(training: Mapping[str, Any]) -> list[str]:
    split = training["split"]
    lines = [
        "## Trained", "",
        f"On {training['corpus']['name']} (sha256 `{training['corpus']['sha256']}`): the first "
        f"{split['train_characters']:,} characters, {training['steps']:,} steps, {training['tokens']:,} tokens seen, "
        f"{training['seconds'] / 60:.0f} minutes on {training['hardware']}, torch {training['torch']}.", "",
    ]  # fmt: skip
    lines += _began_with(training.get("init"))
    if training["command"]:
        lines += [f"    {training['command']}", ""]
    if not training["finished"]:
        lines += ["This is a save from the middle of a training.", ""]
    return lines


def _began_with(init: Mapping[str, Any] | None) -> list[str]:
    """How the weights were trained that this training began with, the first training first."""
    trainings: list[Mapping[str, Any]] = []
    while init:
        trainings.insert(0, init)
        init = init.get("init")
    lines = []
    for n, before in enumerate(trainings):
        how = f"{before.get('steps') or 0:,} steps, {before.get('tokens') or 0:,} tokens"
        lines += [f"{'then' if n else 'Before that,'} {how}:", "", f"    {before.get('command') or 'unknown'}", ""]
    return [*lines, "and then:", ""] if lines else []


def _loss(config: GPTConfig, training: Mapping[str, Any], last: Mapping[str, Any]) -> list[str]:
    if not math.isfinite(last["val_loss"]):
        return []
    bits = (training.get("final") or {}).get("val_bits_per_character", last["val_loss"] / math.log(2))
    return [
        "## Loss", "",
        f"Held out: {last['val_loss']:.4f} nats a token at step {last['step']:,} "
        f"({bits:.3f} bits a character), the mean over {_windows(config, training)} "
        f"{_held_out(training)}; on the training text {last['train_loss']:.4f}. "
        "`python -m train evaluate` measures it again from the saved weights.", "",
    ]  # fmt: skip


def _windows(config: GPTConfig, training: Mapping[str, Any]) -> str:
    """Which windows a loss is the mean over, with the preposition that what is held out follows."""
    windows = f"windows of {config.block_size} tokens"
    return f"all {windows}, which do not overlap, of" if training["finished"] else f"some {windows}, spread over"


def _held_out(training: Mapping[str, Any]) -> str:
    split = training["split"]
    whole = "" if split["evaluate_on"] == "validation" else ", those of the validation split left out"
    return f"the last {split['held_out_characters']:,} characters{whole}"
