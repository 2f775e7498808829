"""What every component of ours is: an empty element, a JavaScript module that fills it, a value of plain JSON."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ..assets_route import url_prefix

_BOOT = """
const root = new URL((window.gradio_config && window.gradio_config.root || window.location.origin) + '/');
import(new URL('URL', root)).then((module) => module.mount({element, props, trigger, server, watch}));
/* events: EVENTS */
"""


class View(gr.HTML):
    """A component drawn by ``assets/MODULE``, which exports ``mount({element, props, trigger, server, watch})``.

    The template is static: what a visitor typed reaches the page in ``props.value`` alone, and the module writes it by
    ``textContent``.

    Args:
        value: plain JSON.
        module: file name in ``ui/assets``.
        events: what the module triggers; each becomes a method, ``view.name(function, ...)``.
    """

    def __init__(self, value: Any = None, *, module: str = "", events: tuple[str, ...] = (), **kwargs: Any) -> None:
        if module:  # gradio builds a component again from its own config, which has js_on_load and not these two
            quoted = " ".join(f"'{event}'" for event in events)
            url = f"{url_prefix().lstrip('/')}/{module}"
            kwargs["js_on_load"] = _BOOT.replace("URL'", f"{url}'").replace("EVENTS", quoted)
            kwargs["html_template"] = "<div class='gl'></div>"
        super().__init__(value, **{"apply_default_css": False, "container": False, "padding": False, **kwargs})

    def api_info(self) -> dict[str, Any]:
        return {"type": "object"}
