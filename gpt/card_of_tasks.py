"""What a model card says of a fine-tuning and of a distillation: ``task`` of training.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

DISTILL = "distill"
"""The name of the task that is a training of its own, measured as every pre-training."""


def is_task(training: Mapping[str, Any]) -> bool:
    """Whether it was a fine-tuning, which is measured before and after in a way of its own."""
    return bool(training.get("task")) and training["task"]["name"] != DISTILL


def task_section(training: Mapping[str, Any]) -> list[str]:
    """The card's lines about the task, none where there was none."""
    task = training.get("task") or {}
    if not task:
        return []
    return _fine_tuned(task, training.get("init") or {}) if is_task(training) else _teachers(task)


def task_results(training: Mapping[str, Any]) -> list[EvalResult] | None:
    """What a fine-tuning has reached, as metadata of the Hub; None before its end."""
    from huggingface_hub import EvalResult

    task = training["task"]
    if "outcome" not in task:
        return None
    return [
        EvalResult(
            task_type="text-generation",
            dataset_type=training["corpus"]["name"],
            dataset_name=task["measured_on"],
            metric_type="loss",
            metric_name="loss on what is held out, nats a token",
            metric_value=round(task["outcome"]["after"]["loss"], 4),
        )
    ]


_MEASURES = {
    "loss": "loss on what is held out, nats a token",
    "sonnets": "share of poems with fourteen lines and a closing couplet",
    "fourteen_lines": "with fourteen lines",
    "couplet": "with a closing couplet",
    "scheme": "with fourteen lines in three quatrains and a couplet",
    "rhyme": "with last lines that rhyme by their spelling",
    "old_loss": "loss on the old text, nats a token",
}
"""What is measured before and after a task, in words."""


def _fine_tuned(task: Mapping[str, Any], init: Mapping[str, Any]) -> list[str]:
    """What fine-tuning was for, and what it brought."""
    source = "@".join(filter(None, (init.get("source"), init.get("revision")))) or "its base"
    what = f"a low-rank adapter of rank {task['lora']}, loaded on top of" if task.get("lora") else "all weights of"
    speaker = f", {task['speaker']}" if task.get("speaker") else ""
    lines = ["## Fine-tuned", "", f"For the task {task['name']}{speaker}: {what} `{source}`."]
    outcome = task.get("outcome")
    if not outcome:
        return [*lines, ""]
    lines[-1] += (
        f" The weights are those of step {outcome['best_step']:,}, the best on a part that was kept apart for that. "
        f"Measured on {task['measured_on']}; the old text: {outcome['old_text']}."
    )
    lines += ["", "| | before | after |", "|---|---|---|"]
    for name, words in _MEASURES.items():
        if name in outcome["after"]:
            shown = "{:.4f}" if name.endswith("loss") else "{:.0%}"
            lines.append(
                f"| {words} | {shown.format(outcome['before'][name])} | {shown.format(outcome['after'][name])} |"
            )
    return [*lines, ""]


def _teachers(task: Mapping[str, Any]) -> list[str]:
    """From which models this one was distilled."""
    found = [f"- `{teacher['source']}` (id `{teacher['id'][:12]}`)" for teacher in task["teachers"]]
    outcome = task.get("outcome") or {}
    loss = f" Their mean has a loss of {outcome['teachers_loss']:.4f} nats a token there." if outcome else ""
    return [
        "## Distilled", "",
        f"From {len(found)} teachers: {task['soft']:.0%} of what it learns is the mean of their probabilities for the "
        f"next token, the rest is the text.{loss}", "", *found, "",
    ]  # fmt: skip
