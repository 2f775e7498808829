"""The page: the order of the tabs and what they share."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from . import (
    api,
    ask_route,
    attention,
    download_route,
    head,
    inbrowser_route,
    lent,
    links,
    models,
    models_route,
    own_route,
    prompt,
    sampling,
    training,
)  # fmt: skip
from .assets_route import route
from .components.view import View
from .limits import MAX_UPLOAD
from .links import PARAMETER
from .registry import Registry
from .theme import ASSETS, ICON, TITLE, theme
from .visitors import Visitors

STYLES = (
    "frame.css", "views.css", "common.css", "prompt.css", "sampling.css", "attention.css", "below.css", "talk.css",
    "training.css", "own.css", "models.css",
)  # fmt: skip
"""In the page's own <style>: gradio rewrites the selectors of ``css=``, and drops what it does not know."""
TEMPORARY_FILES = (3600, 3600)
"""Seconds between clean-ups of what gradio has cached, and the age at which it goes."""


def build(registry: Registry) -> gr.Blocks:
    """The whole page, ready to launch with :func:`launch_options`.

    Raises:
        CheckpointError: the model to begin with is damaged.
        UnknownModelError: there is no model at all.
    """
    first = (registry.names() or [""])[0]
    with gr.Blocks(title=TITLE, fill_width=True, delete_cache=TEMPORARY_FILES) as page:
        top = head.build(registry, first)
        with gr.Tabs(elem_id="gl-tabs") as tabs:
            with gr.Tab("Prompt", id="prompt"):
                tab = prompt.build(registry, first)
            with gr.Tab("Sampling", id="sampling"):
                sampled = sampling.build(registry, first)
            with gr.Tab("Attention", id="attention"):
                looking = attention.build(registry, first)
            with gr.Tab("Training", id="training"):
                learned = training.build(registry, first)
            with gr.Tab("Models", id="models"):
                models.build(registry, first)
        prompt.wire(tab, top, registry)
        _wire(page, top, tab, (sampled, looking, learned), tabs, registry, first)
        api.build(registry, first)
        lent.build(registry)
    page.queue(max_size=registry.host.queue)
    registry.waiting = lambda: len(page._queue)
    return page


def _wire(
    page: gr.Blocks, top: View, tab: prompt.PromptTab, views: tuple[View, View, View], tabs: gr.Tabs,
    registry: Registry, first: str,
) -> None:  # fmt: skip
    outputs = [top, tab.prompt, tab.settings, tab.text, *views, tabs]

    def seen(name: str, **restored: Any) -> tuple[dict[str, Any], ...]:
        """What the views of Sampling, Attention and Training are told of a model, or what a link restored."""
        rooms = {"sampling": sampling, "attention": attention, "training": training}
        return tuple(restored.get(room) or module.value(registry, name) for room, module in rooms.items())

    def choose(chosen: Any, text: Any, settings: Any) -> tuple[Any, ...]:
        """Another model; an example that nobody has touched becomes one of its own."""
        name = head.chosen(chosen)
        try:
            shown = head.value(registry, name)
        except (ValueError, OSError) as error:
            return head.failed(registry, error), *[gr.skip()] * 5
        untouched = isinstance(text, dict) and text.get("status") == "example"
        settings = {**prompt.DEFAULTS, **prompt.known_settings(settings), **prompt.of_model(registry, name)}
        run = text.get("run", 0) if untouched else 0  # whatever has been asked for since stays
        text = {**prompt.example(registry, name), "after": run if type(run) is int else 0} if untouched else gr.skip()
        return shown, settings, text, *seen(name)

    def opening(name: str) -> dict[str, Any]:
        """The head's value; the page has a wish of its own after a reload, and knows by the mark that this has come."""
        return {**head.value(registry, name), "opened": True}

    def open_page(request: gr.Request) -> tuple[Any, ...]:
        """What a link holds; without one the example, and the models that are there now."""
        parameter = request.query_params.get(PARAMETER)
        early = {"after": 0}  # whatever has been asked for since stays
        nothing = (opening(first), *[gr.skip()] * 7)
        if not parameter:
            return nothing
        try:
            link = links.decode(parameter)
        except links.LinkError as error:
            shown = {
                **prompt.example(registry, first),
                **early,
                "notes": [f"The link cannot be read ({error}); this is an example."],
            }
            return (*nothing[:3], shown, *nothing[4:])
        opened = link.get("tab")
        if opened in ("attention", "training"):
            restored = (attention if opened == "attention" else training).restore(registry, link, first)
            name = restored["model"]
            rooms = seen(name, **{opened: restored})
            return opening(name), *nothing[1:4], *rooms, gr.Tabs(selected=opened)
        if opened == "sampling":
            shown = sampling.restore(registry, link, first)
            name, state = shown["model"], shown["state"]
            settings = {**prompt.settings_value(registry, name), **state["settings"], "seed": state["seed"]}
            settings["keep_seed"] = True  # whoever was given a seed wants that one
            rooms = seen(name, sampling=shown)
            return opening(name), gr.skip(), settings, gr.skip(), *rooms, gr.Tabs(selected="sampling")
        state = prompt.restore(registry, link, first)
        name = state["model"]
        settings = {**prompt.settings_value(registry, name), **state["settings"]}
        return opening(name), state["prompt"], settings, {**state["text"], **early}, *seen(name), gr.skip()

    quick: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "queue": False}
    top.choose(choose, [top, tab.text, tab.settings], [top, tab.settings, tab.text, *views], **quick)
    page.load(open_page, None, outputs, **quick)


def launch_options(registry: Registry) -> dict[str, Any]:
    """What :meth:`gradio.Blocks.launch` is to be told besides host and port: looks, our own routes, and silence."""
    if importlib.util.find_spec("matplotlib"):
        importlib.import_module("matplotlib.pyplot")  # or gradio does so in its first event, which is 0.7 s late
    return {
        "theme": theme(),
        "head": f"{ICON}<style>{''.join((ASSETS / name).read_text(encoding='utf-8') for name in STYLES)}</style>",
        "app_kwargs": {
            "routes": [
                ask_route.route(registry),
                download_route.route(registry),
                *inbrowser_route.routes(registry),
                models_route.route(registry),
                own_route.route(registry),
                route(),
            ],
            "middleware": [Middleware(Visitors, a_minute=registry.host.requests_a_minute)],
        },
        "footer_links": [],
        "max_file_size": MAX_UPLOAD,
        "run_history": False,
        "ssr_mode": False,
        "state_session_capacity": 200,
        "quiet": True,
    }
