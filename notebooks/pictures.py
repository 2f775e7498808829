"""The pictures of the notebook: letters in boxes, maps, curves, dots. Numbers in, picture out; models are unknown here.

Drawn with Pillow, which the page's libraries bring along, at twice the size at which they are shown; the colours and
the scale of the maps are those of the page.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

COLOURS = (Path(__file__).parents[1] / "ui/assets/common/colours.js").read_text(encoding="utf-8")
PAGE, INK, GREY, RULE, RED, BLUE, OCHRE = "#fcfcfa", "#1a1a1e", "#6b6b75", "#dededa", "#b3201c", "#35509f", "#995f00"
LINES = (INK, BLUE, OCHRE, RED)
WIDTH = 1440
"""Pixels of a full picture; 720 on the screen."""
SHADES = 24
"""Steps of a map's scale: the eye tells no more apart, and the file stays small."""


class Picture:
    """A picture that Jupyter shows when it is the last thing in a cell."""

    def __init__(self, image: Image.Image, says: str) -> None:
        self.image, self.says = image, says

    def __repr__(self) -> str:
        return f"Picture: {self.says}"

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        file = io.BytesIO()
        few = self.image.quantize(40, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)  # a third of the bytes
        few.save(file, "PNG", optimize=True)
        return {"image/png": file.getvalue(), "text/plain": repr(self)}, {"image/png": {"width": self.image.width // 2}}


def strip(text: str, below: Sequence[object], says: str) -> Picture:
    """Each character in a box, and something under it."""
    cell, gap = 76, 28
    per_line = (WIDTH - 8) // cell
    lines = math.ceil(len(text) / per_line)
    image, draw = canvas(WIDTH, lines * (2 * cell + gap))
    for i, (char, under) in enumerate(zip(text, below, strict=True)):
        x, y = 2 + i % per_line * cell, 2 + i // per_line * (2 * cell + gap)
        draw.rectangle((x, y, x + cell, y + cell), outline=GREY, width=2)
        letter(draw, x + cell / 2, y + cell / 2, char, 44)
        write(draw, x + cell / 2, y + cell + 32, str(under), 28, BLUE, "mm")
    return Picture(image, says)


def heatmap(values: Tensor, rows: str, columns: str, says: str, side: int = 1100) -> Picture:
    """One map (rows, columns) of numbers from 0 up, with a letter at each row and column; the largest is darkest."""
    cell = side // max(values.shape)
    size = min(30, cell)
    left, top = size + 20, size + 20
    image, draw = canvas(left + cell * values.shape[1] + 4, top + cell * values.shape[0] + 4)
    image.paste(tint(values, cell), (left, top))
    for i, char in enumerate(rows):
        letter(draw, left - 12 - size / 2, top + (i + 0.5) * cell, char, size)
    for i, char in enumerate(columns):
        letter(draw, left + (i + 0.5) * cell, top - 10 - size / 2, char, size)
    frame(draw, left, top, cell * values.shape[1], cell * values.shape[0])
    return Picture(image, says)


def heatmaps(maps: Sequence[Tensor], titles: Sequence[str], says: str, across: int = 4, letters: str = "") -> Picture:
    """Several maps side by side, each with its title and its own darkest place; few letters can stand on the axes."""
    gap, head = 40, 56
    size = 36 if letters else 2
    room = (WIDTH - (across - 1) * gap) // across
    cell = max(1, (room - size - 2) // maps[0].shape[-1])
    side = cell * maps[0].shape[-1]
    down = math.ceil(len(maps) / across)
    image, draw = canvas(min(across, len(maps)) * (room + gap) - gap, down * (side + head + size + gap // 2))
    for i, (values, title) in enumerate(zip(maps, titles, strict=True)):
        x = i % across * (room + gap) + size
        y = i // across * (side + head + size + gap // 2)
        write(draw, x, y + 24, title, 28, INK, "lm")
        y += head + size
        image.paste(tint(values, cell), (x, y))
        frame(draw, x, y, side, side)
        for j, char in enumerate(letters):
            letter(draw, x - 20, y + (j + 0.5) * cell, char, 28)
            letter(draw, x + (j + 0.5) * cell, y - 20, char, 28)
    return Picture(image, says)


def curves(
    lines: Mapping[str, Sequence[tuple[float, float]]], across: str, up: str, says: str, height: int = 640
) -> Picture:
    """Lines through (x, y) points, each with its name at its end; across and up name the axes."""
    points = [point for line in lines.values() for point in line]
    xs, ys = ticks([x for x, _ in points]), ticks([y for _, y in points])
    low, high = min(x for x, _ in points), max(x for x, _ in points)  # the lines reach from side to side
    left, right, top, bottom = 130, 330, 56, 90
    image, draw = canvas(WIDTH, height)

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            left + (x - low) / ((high - low) or 1) * (WIDTH - left - right),
            height - bottom - (y - ys[0]) / (ys[-1] - ys[0]) * (height - top - bottom),
        )

    for y in ys:
        draw.line((*place(low, y), *place(high, y)), RULE, 2)
        write(draw, left - 16, place(low, y)[1], number(y, ys), 26, GREY, "rm")
    for x in xs:
        if low <= x <= high:
            write(draw, place(x, ys[0])[0], height - bottom + 26, number(x, xs), 26, GREY, "mm")
    write(draw, left - 110, 22, up, 26, GREY, "lm")
    write(draw, WIDTH - right, height - 22, across, 26, GREY, "rm")
    names = []
    for (name, line), colour in zip(lines.items(), LINES, strict=False):
        draw.line([place(*point) for point in line], colour, 5, joint="curve")
        names.append((place(*line[-1]), name, colour))
    free = math.inf  # names that would touch move up
    for (x, y), name, colour in sorted(names, key=lambda named: -named[0][1]):
        free = min(y, free - 36)
        write(draw, x + 16, free, name, 28, colour, "lm")
    return Picture(image, says)


def dots(rows: Mapping[str, Sequence[float]], across: str, says: str) -> Picture:
    """A row of dots for each name, with their mean as a number: small differences, and how far runs differ."""
    left, right, step, top = 520, 130, 62, 30
    xs = ticks([value for values in rows.values() for value in values])
    height = top + step * len(rows) + 110
    image, draw = canvas(WIDTH, height)

    def place(x: float) -> float:
        return left + (x - xs[0]) / (xs[-1] - xs[0]) * (WIDTH - left - right)

    for x in xs:
        draw.line((place(x), top, place(x), height - 100), RULE, 2)
        write(draw, place(x), height - 74, number(x, xs), 26, GREY, "mm")
    write(draw, place(xs[-1]), height - 26, across, 26, GREY, "rm")
    before: tuple[float, float] | None = None
    for i, (name, values) in enumerate(rows.items()):
        y, mean = top + (i + 0.5) * step, sum(values) / len(values)
        write(draw, left - 30, y, name, 30, INK, "rm")
        if before:
            draw.line((*before, place(mean), y), BLUE, 3)
        before = place(mean), y
        for value in values:
            draw.ellipse((place(value) - 9, y - 9, place(value) + 9, y + 9), BLUE)
        write(draw, WIDTH - 10, y, f"{mean:.3f}", 30, BLUE, "rm")
    return Picture(image, says)


def canvas(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (width, height), PAGE)
    return image, ImageDraw.Draw(image)


def write(draw: ImageDraw.ImageDraw, x: float, y: float, text: str, size: float, colour: str, anchor: str) -> None:
    draw.text((x, y), text, colour, ImageFont.load_default(size), anchor)


def letter(draw: ImageDraw.ImageDraw, x: float, y: float, char: str, size: float) -> None:
    """A character centred at (x, y); a space is a dot, a line break a hook."""
    if char == "\n":
        s = size / 4
        draw.line([(x + s, y - s), (x + s, y + s / 2), (x - s, y + s / 2)], RED, 3)
        draw.line([(x - s / 3, y - s / 3), (x - s, y + s / 2), (x - s / 3, y + 4 * s / 3)], RED, 3)
    elif char == " ":
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), RED)
    else:
        draw.text((x, y + 0.36 * size), char, INK, ImageFont.load_default(size), "ms")


def tint(values: Tensor, cell: int) -> Image.Image:
    """A map as an image, by the page's scale of blues: nothing is the page's own colour, the square root is shown."""
    shares = (values.clamp(min=0) / values.max().clamp(min=1e-9)).sqrt()
    grey = Image.new("L", (values.shape[1], values.shape[0]))
    grey.putdata((SHADES * shares).round().int().flatten().tolist())
    image = grey.convert("P")
    image.putpalette([channel for i in range(SHADES + 1) for channel in colour(i / SHADES)])
    return image.convert("RGB").resize((values.shape[1] * cell, values.shape[0] * cell), Image.Resampling.NEAREST)


def colour(x: float) -> list[int]:
    """Red, green and blue of a share from 0 to 1 in the page's scale: nine stops, linear between them."""
    found = re.search(r"ink: \{\s*light: '([^']+)'", COLOURS)
    assert found, "the page's scale of blues is not where it was"
    stops = [[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in found[1].split()]
    k = min(int(x * (len(stops) - 1)), len(stops) - 2)
    return [round(a + (b - a) * (x * (len(stops) - 1) - k)) for a, b in zip(stops[k], stops[k + 1], strict=True)]


def frame(draw: ImageDraw.ImageDraw, x: int, y: int, width: int, height: int) -> None:
    draw.rectangle((x - 2, y - 2, x + width + 1, y + height + 1), outline=RULE, width=2)


def ticks(values: Sequence[float]) -> list[float]:
    """Round numbers that hold all values between the first and the last, three to eight of them."""
    low, high = min(values), max(values)
    span = high - low or 1.0
    power = 10.0 ** math.floor(math.log10(span))
    step = next(power * part for part in (0.2, 0.5, 1.0, 2.0) if span / (power * part) <= 6)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 10) for i in range(first, max(last, first + 1) + 1)]


def number(x: float, ticks: Sequence[float]) -> str:
    """With as many decimals as tell the ticks apart."""
    return f"{x:,.{max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9))}f}"
