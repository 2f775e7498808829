"""The page's name and sign, and Gradio's own parts in its inks. The colours are those of assets/frame.css."""

from __future__ import annotations

import re
from pathlib import Path

import gradio as gr

ASSETS = Path(__file__).parent / "assets"
TITLE = "GPT, letter by letter"
ICON = (
    '<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 viewBox=%220 0 32 32%22%3E'
    "%3Crect width=%2232%22 height=%2232%22 rx=%224%22 fill=%22%23b3201c%22/%3E%3Ctext x=%2216%22 y=%2223%22 "
    "font-family=%22Georgia,serif%22 font-size=%2224%22 text-anchor=%22middle%22 fill=%22white%22%3Eg%3C/text%3E"
    '%3C/svg%3E">'
)
"""For the head of a page of HTML."""
SERIF = ["Iowan Old Style", "Palatino Linotype", "Palatino", "URW Palladio L", "P052", "Noto Serif", "Georgia",
         "DejaVu Serif", "serif"]  # fmt: skip
SANS = ["-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Cantarell", "Ubuntu", "Liberation Sans", "DejaVu Sans",
        "sans-serif"]  # fmt: skip
MONO = ["ui-monospace", "SF Mono", "Cascadia Mono", "Consolas", "Liberation Mono", "monospace"]

_VARIABLES = {
    "page": "body_background_fill background_fill_primary background_fill_secondary block_background_fill "
    "block_label_background_fill input_background_fill input_background_fill_focus input_background_fill_hover "
    "panel_background_fill button_secondary_background_fill",
    "wash": "button_secondary_background_fill_hover",
    "ink": "body_text_color block_title_text_color block_label_text_color button_secondary_text_color "
    "button_secondary_text_color_hover slider_color",
    "ink-2": "body_text_color_subdued block_info_text_color input_placeholder_color",
    "rule": "border_color_primary block_border_color",
    "edge": "input_border_color button_secondary_border_color button_secondary_border_color_hover "
    "checkbox_border_color input_border_color_hover",
    "red": "button_primary_background_fill button_primary_background_fill_hover button_primary_border_color "
    "button_primary_border_color_hover input_border_color_focus border_color_accent loader_color link_text_color",
    "on-red": "button_primary_text_color button_primary_text_color_hover",
}


def inks() -> tuple[dict[str, str], dict[str, str]]:
    """The colours by name, light and dark, as frame.css declares them."""
    css = (ASSETS / "frame.css").read_text(encoding="utf-8")
    light, dark = re.findall(r"/\* inks, (?:light|dark) \*/(.*?)\}", css, re.DOTALL)
    return tuple(dict(re.findall(r"--gl-([\w-]+): (#\w+);", block)) for block in (light, dark))  # type: ignore[return-value]


def theme() -> gr.themes.Base:
    """No card, no shadow, no gradient; nothing is loaded from anywhere."""
    base = gr.themes.Base(font=SANS, font_mono=MONO, text_size="md", radius_size="none")
    light, dark = inks()
    values = {}
    for ink, names in _VARIABLES.items():
        for name in names.split():
            values[name] = light[ink]
            values[f"{name}_dark"] = dark[ink]
    return base.set(
        **values,
        block_border_width="0px", block_padding="0px", block_radius="0px", block_shadow="none",
        input_shadow="none", input_shadow_focus="none", input_radius="3px", input_border_width="1px",
        button_large_radius="3px", button_medium_radius="3px", button_small_radius="3px",
        button_primary_shadow="none", button_secondary_shadow="none", form_gap_width="0px", layout_gap="24px",
        button_transition="none",
    )  # fmt: skip
