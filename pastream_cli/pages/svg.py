"""Draws boxes, lines and words as SVG, in colours that suit a light page and a dark one."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

_HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img" aria-labelledby="title">
<!-- made by make generate -->
<title id="title">{title}</title>
<style>
text {{ font: 14px system-ui, sans-serif; text-anchor: middle; fill: #16202b }}
.small {{ font-size: 12px }}
.note {{ font-size: 12px; fill: #7a8794 }}
path {{ fill: none; stroke: #7a8794; stroke-width: 1.5 }}
.head, circle {{ fill: #7a8794; stroke: none }}
rect {{ fill: #dfe8f2; stroke: #7a8794 }}
.frame {{ fill: none; stroke-dasharray: 4 4 }}
</style>"""
_HEAD_LENGTH = 8

Point = tuple[float, float]


def svg(title: str, width: float, height: float, parts: Iterable[str]) -> str:
    """Return a picture of these parts; the title is read out to those who do not see it."""
    head = _HEAD.format(title=escape(title), width=f"{width:g}", height=f"{height:g}")
    return "\n".join([head, *parts, "</svg>"]) + "\n"


def box(x: float, y: float, width: float, height: float, name: str, small: str = "") -> str:
    """Return a box with a name in it, and smaller words below that."""
    middle, line = x + width / 2, y + height / 2 + (-3 if small else 5)
    below = f'\n<text class="small" x="{middle:g}" y="{line + 17:g}">{escape(small)}</text>' if small else ""
    words = f'<text x="{middle:g}" y="{line:g}">{escape(name)}</text>{below}'
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="5"/>\n{words}'


def frame(x: float, y: float, width: float, height: float, words: str) -> str:
    """Return a dashed frame around other things, with words below the middle of its upper side."""
    lines = f'<rect class="frame" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="5"/>'
    return f'{lines}\n<text class="note" x="{x + width / 2:g}" y="{y + 16:g}">{escape(words)}</text>'


def line(*points: Point) -> str:
    """Return a line through these points."""
    return f'<path d="M {" L ".join(f"{x:g} {y:g}" for x, y in points)}"/>'


def arrow(*points: Point) -> str:
    """Return a line through these points, the last part of which is level or upright, with a head at its end."""
    (x_before, y_before), (x, y) = points[-2:]
    along_x, along_y = (x > x_before) - (x < x_before), (y > y_before) - (y < y_before)
    base_x, base_y = x - along_x * _HEAD_LENGTH, y - along_y * _HEAD_LENGTH
    half = _HEAD_LENGTH / 2
    corners = [
        (x, y),
        (base_x - along_y * half, base_y - along_x * half),
        (base_x + along_y * half, base_y + along_x * half),
    ]
    head = " L ".join(f"{corner_x:g} {corner_y:g}" for corner_x, corner_y in corners)
    return f'{line(*points[:-1], (base_x, base_y))}\n<path class="head" d="M {head} Z"/>'


def dot(x: float, y: float) -> str:
    """Return a dot, where one line joins another."""
    return f'<circle cx="{x:g}" cy="{y:g}" r="3.5"/>'
