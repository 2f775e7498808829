"""The Prompt tab: a line is typed, and the model writes on."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

import gpt
from gpt.tokenizer import CharTokenizer

from . import lent, links
from .components.view import View
from .head import chosen
from .limits import MAX_EXAMPLE_PRODUCTS, MAX_NEW_TOKENS, MAX_TEXT_CHARACTERS, MAX_WRITERS
from .registry import Registry
from .writing import Order, Written, new_seed, write

BEGINNINGS = ("JULIET:", "First Citizen:", "Now is the")
EXAMPLE_PROMPT = "ROMEO:"
EXAMPLE_SEED = 11
DEFAULTS: dict[str, Any] = {
    "temperature": 0.8, "length": 300, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "repetition_penalty": 1.0,
    "seed": EXAMPLE_SEED, "keep_seed": False,
}  # fmt: skip


Update = dict[Any, Any]


@dataclass(frozen=True)
class PromptTab:
    """The components of the tab."""

    prompt: gr.Textbox
    write: gr.Button
    text: View
    beginnings: View
    settings: View
    stop: gr.Button
    go_on: gr.Button
    again: gr.Button


def build(registry: Registry, model: str) -> PromptTab:
    """Lay the tab out, with an example on it that this model wrote."""
    with gr.Row(elem_id="gl-prompt", equal_height=False):
        with gr.Column(elem_id="gl-prompt-text", min_width=0):
            with gr.Row(elem_id="gl-line"):
                prompt = gr.Textbox(
                    EXAMPLE_PROMPT, label="Your line", show_label=False, container=False, lines=1, max_lines=6,
                    placeholder="Type a line, or pick one of the beginnings", elem_id="gl-your-line", autofocus=True,
                    html_attributes=gr.InputHTMLAttributes(spellcheck=False, autocomplete="off", autocapitalize="off"),
                )  # fmt: skip
                write_button = gr.Button("Write", variant="primary", elem_id="gl-write", scale=0, min_width=0)
            text = View(
                example(registry, model), module="playtext.js", events=("write", "go_on", "again"), elem_id="gl-text"
            )
        with gr.Column(elem_id="gl-prompt-side", min_width=0):
            beginnings = View(
                {"texts": list(BEGINNINGS)}, module="beginnings.js", events=("begin",), elem_id="gl-begin"
            )
            View(None, module="prompt/side.js", elem_id="gl-thoughts")
            settings = View(settings_value(registry, model), module="settings.js", elem_id="gl-settings")
    with gr.Row(elem_id="gl-bar", equal_height=True):
        stop = gr.Button("Stop", elem_id="gl-stop", scale=0, min_width=0)
        go_on = gr.Button("Continue", elem_id="gl-continue", scale=0, min_width=0)
        again = gr.Button("Again", elem_id="gl-again", scale=0, min_width=0)
        View(None, module="actions.js", elem_id="gl-actions")
    return PromptTab(prompt, write_button, text, beginnings, settings, stop, go_on, again)


def wire(tab: PromptTab, head: View, registry: Registry) -> None:
    """Connect the tab.

    Every way to write asks the text's own module first: it ends what is being written, then triggers the event.
    """
    in_browser: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    for listen, way in (
        (tab.prompt.submit, "write"), (tab.write.click, "write"), (tab.go_on.click, "go_on"), (tab.again.click, "again")
    ):  # fmt: skip
        listen(None, [tab.prompt], None, js=_ask(way), **in_browser)
    tab.beginnings.begin(None, [tab.beginnings], [tab.prompt], js="(value) => value.chosen", **in_browser).then(
        None, [tab.prompt], None, js=_ask("write"), **in_browser
    )
    running = [
        listen(
            functools.partial(run, registry), [source, tab.text, tab.settings, head], [tab.text, tab.settings],
            show_progress="hidden", concurrency_limit=MAX_WRITERS, concurrency_id="write", api_visibility="private",
            trigger_mode="multiple",
        )
        for listen, run, source in (
            (tab.text.write, write_prompt, tab.prompt),
            (tab.text.go_on, write_on, tab.text),
            (tab.text.again, write_again, tab.text),
        )
    ]  # fmt: skip
    for event in running:  # also when it is cancelled
        event.then(None, None, None, js="() => document.dispatchEvent(new CustomEvent('gl:ended'))", **in_browser)
    tab.stop.click(None, None, None, cancels=running, **in_browser)


def _ask(way: str) -> str:
    event = f"new CustomEvent('gl:{way}', {{detail: {{line}}}})"
    return f"(line) => {{ document.getElementById('gl-text').dispatchEvent({event}); return []; }}"


def write_prompt(registry: Registry, prompt: str, shown: Any, settings: Any, head: Any) -> Iterator[tuple[Any, Any]]:
    """Write on from what was typed, with a new seed unless it is kept."""
    yield from _write(registry, shown, settings, head, prompt, "", new=not _kept(settings))


def write_on(registry: Registry, shown: Any, _: Any, settings: Any, head: Any) -> Iterator[tuple[Any, Any]]:
    """Continue the text where it is: with the same seed this is the text that was not interrupted."""
    yield from _write(registry, shown, settings, head, _text(shown, "prompt"), _text(shown, "text"), new=False)


def write_again(registry: Registry, shown: Any, _: Any, settings: Any, head: Any) -> Iterator[tuple[Any, Any]]:
    """The same prompt, rolled again: always with a new seed."""
    yield from _write(registry, shown, settings, head, _text(shown, "prompt"), "", new=True)


def _write(
    registry: Registry, shown: Any, settings: Any, head: Any, prompt: str, text: str, new: bool
) -> Iterator[tuple[Any, Any]]:
    """Values for the text's component and the settings'. All arguments come from the page and are checked here.

    When something cannot be done there is one sentence about it, and the text that was there stays.
    """
    run = shown.get("run") if isinstance(shown, dict) else None
    run = run if type(run) is int else None
    try:
        fields = known_settings(settings)
        if new:
            fields["seed"] = new_seed()
        order = Order.read(fields)
        name = chosen(head)
        checkpoint = registry.get(name)
        seeded: Any = fields
        for written in lent.write(registry, name, prompt, order, text):
            yield {**value(written, checkpoint, name, fields), "run": run}, seeded
            seeded = gr.skip()
    except (ValueError, OSError) as error:
        kept = {"prompt": _text(shown, "prompt"), "text": _text(shown, "text")}
        yield {**kept, "status": "error", "error": str(error), "notes": [], "run": run}, gr.skip()


def settings_value(registry: Registry, model: str) -> dict[str, Any]:
    """What the settings' component shows at first, with the bounds of its sliders."""
    return {**DEFAULTS, "max_length": MAX_NEW_TOKENS, **of_model(registry, model)}


def of_model(registry: Registry, model: str) -> dict[str, Any]:
    """What the sliders say that depends on the model: how many tokens there are to choose from, and what one is."""
    checkpoint = registry.get(model)
    unit = "character" if isinstance(checkpoint.tokenizer, CharTokenizer) else "token"
    return {"vocab_size": checkpoint.model.config.vocab_size, "unit": unit}


def known_settings(settings: Any) -> dict[str, Any]:
    """The fields of the settings' component, out of what the page sent; what has another name is left out."""
    names = (*DEFAULTS, "max_length", "vocab_size", "unit")
    return {name: settings[name] for name in names if name in settings} if isinstance(settings, dict) else {}


def value(written: Written, checkpoint: gpt.Checkpoint, model: str, fields: dict[str, Any]) -> dict[str, Any]:
    """What the text's component shows."""
    kept = {name: fields[name] for name in DEFAULTS if name in fields}
    state = {"prompt": written.prompt, "text": written.text, "model": model, "id": checkpoint.id[:12], **kept}
    return {
        "prompt": written.prompt,
        "text": written.text,
        "status": written.status,
        "notes": list(written.notes),
        "speed": round(written.characters_per_second),
        "seed": fields["seed"],
        "model": model,
        "block_size": checkpoint.model.config.block_size,
        "link": links.encode(state),
    }


def example(registry: Registry, model: str) -> dict[str, Any]:
    """A text for a page that has just been opened, written by its own model."""
    checkpoint = registry.get(model)
    return _example(checkpoint, model)


@functools.lru_cache(maxsize=16)
def _example(checkpoint: gpt.Checkpoint, model: str) -> dict[str, Any]:
    order = Order.read(DEFAULTS)
    affordable = max(MAX_EXAMPLE_PRODUCTS // checkpoint.model.config.num_parameters, 1)
    shorter = dataclasses.replace(order, max_new_tokens=min(order.max_new_tokens, affordable))
    *_, last = write(checkpoint, EXAMPLE_PROMPT, shorter)
    return {**value(last, checkpoint, model, DEFAULTS), "status": "example", "link": "", "speed": 0}


def restore(registry: Registry, state: dict[str, Any], default_model: str) -> dict[str, Any]:
    """The state of a link, each field checked again: prompt, model, settings, and the value of the text's component."""
    model, notes = links.model_of(state, registry.names(), default_model)
    checkpoint = registry.get(model)
    if not notes and state.get("id", checkpoint.id[:12]) != checkpoint.id[:12]:
        notes.append(f"This was written by another training of {model}; the same seed gives another text now.")
    fields = dict(DEFAULTS)
    for name in DEFAULTS:
        try:
            Order.read({**fields, name: state.get(name, fields[name])})
            fields[name] = state.get(name, fields[name])
        except (ValueError, TypeError):
            notes.append(f"The link's {name.replace('_', ' ')} is out of range; it is {fields[name]} now.")
    fields["keep_seed"] = bool(fields["keep_seed"])
    written = Written(_text(state, "prompt"), _text(state, "text"), "done", tuple(notes), 0.0)
    return {
        "prompt": written.prompt.strip("\n"),
        "model": model,
        "settings": fields,
        "text": value(written, checkpoint, model, fields),
    }


def _text(fields: Any, name: str) -> str:
    """A text of the page's, or nothing where a forged value has none; never more than the page keeps."""
    found = fields.get(name) if isinstance(fields, dict) else None
    return found[-MAX_TEXT_CHARACTERS:] if isinstance(found, str) else ""


def _kept(settings: Any) -> bool:
    return isinstance(settings, dict) and bool(settings.get("keep_seed"))
