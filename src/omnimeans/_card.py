"""Small cards for notebooks: facts, tables and drawings as HTML with SVG, and nothing else.

They need no package, no script and no style sheet; they take the notebook's own colours, so they
are readable in light and dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
from numpy.typing import ArrayLike

from omnimeans._palette import COLORS
from omnimeans._types import F64

WIDTH, HEIGHT, ROOM = 260, 110, 14  # pixels of a drawing, and its margin for text
MOST_LINES = 30  # lines of a table


def card(title: str, facts: Iterable[tuple[str, str]], *parts: str) -> str:
    """Return a card: a title, facts by name, and further parts below."""
    shown = "".join(
        f'<span style="margin-right:1.4em;white-space:nowrap"><span style="opacity:.7">'
        f"{escape(name)}</span> <b>{escape(value)}</b></span>"
        for name, value in facts
    )
    style = (
        "border:1px solid rgba(128,128,128,.5);border-radius:6px;padding:.6em .9em;"
        "margin:.4em 0;max-width:60em;line-height:1.5"
    )
    head = f'<div style="font-weight:600">{escape(title)}</div><div>{shown}</div>'
    return f'<div class="omnimeans-card" style="{style}">{head}{"".join(parts)}</div>'


def row(*drawings: str) -> str:
    """Return drawings side by side."""
    style = "display:flex;flex-wrap:wrap;gap:1.2em;margin-top:.5em"
    return f'<div style="{style}">{"".join(drawings)}</div>'


def note(text: str) -> str:
    """Return a sentence that stands out."""
    return (
        '<div style="border-left:4px solid #E69F00;padding:.1em .6em;margin:.4em 0">'
        f"{escape(text)}</div>"
    )


def table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table; of a long one, the first lines."""
    head = "".join(
        f'<th scope="col" style="text-align:right;padding:.1em .8em">{escape(h)}</th>'
        for h in header
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="text-align:right;padding:.1em .8em">{escape(cell)}</td>' for cell in line
        )
        + "</tr>"
        for line in lines[:MOST_LINES]
    )
    left_out = len(lines) - MOST_LINES
    more = f"<div>... and {left_out:,} more</div>" if left_out > 0 else ""
    return (
        '<div style="overflow-x:auto;margin-top:.5em"><table style="border-collapse:collapse">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{more}"
    )


def bars(values: ArrayLike, title: str) -> str:
    """Draw one bar per cluster, in the cluster's colour."""
    heights = np.asarray(values, dtype=np.float64)
    top = max(float(heights.max(initial=0.0)), np.finfo(float).tiny)
    width = (WIDTH - 2) / max(1, len(heights))
    inner = HEIGHT - 2 * ROOM
    drawn = "".join(
        f'<rect x="{1 + j * width:.1f}" y="{ROOM + inner * (1 - h / top):.1f}" '
        f'width="{max(0.5, 0.85 * width):.1f}" height="{inner * h / top:.1f}" '
        f'fill="{COLORS[j % len(COLORS)]}"><title>cluster {j}: {h:,.0f}</title></rect>'
        for j, h in enumerate(heights.tolist())
    )
    texts = _text(1, HEIGHT - 2, "0") + _text(WIDTH, HEIGHT - 2, f"{len(heights) - 1}", "end")
    return _figure(title, f"{title}: {len(heights)} bars, the highest {top:,.0f}", drawn + texts)


def line(xs: ArrayLike, ys: ArrayLike, title: str, marked: float | None = None) -> str:
    """Draw a curve; a place on the horizontal axis may be marked."""
    x, y = np.asarray(xs, dtype=np.float64), np.asarray(ys, dtype=np.float64)
    kept = np.isfinite(y)
    x, y = x[kept], y[kept]
    if not len(y):
        return ""
    across, up = _scaled(x, 6, WIDTH - 6), _scaled(y, HEIGHT - ROOM, ROOM)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, up, strict=True))
    drawn = f'<polyline points="{points}" fill="none" stroke="#0072B2" stroke-width="2"/>'
    if len(y) <= 40:
        drawn += "".join(
            f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.6" fill="#0072B2">'
            f"<title>{u:g}: {v:.6g}</title></circle>"
            for a, b, u, v in zip(across, up, x, y, strict=True)
        )
    if marked is not None and marked in x:
        place = across[np.flatnonzero(x == marked)[0]]
        drawn += (
            f'<line x1="{place:.1f}" x2="{place:.1f}" y1="{ROOM}" y2="{HEIGHT - ROOM}" '
            'stroke="currentColor" stroke-dasharray="3 3"/>'
        )
    drawn += _text(1, HEIGHT - 2, f"{x[0]:g}") + _text(WIDTH, HEIGHT - 2, f"{x[-1]:g}", "end")
    drawn += _text(WIDTH, ROOM - 4, f"{y.max():.5g}", "end")
    return _figure(title, f"{title}, from {y[0]:.5g} to {y[-1]:.5g}", drawn)


def dots(points: ArrayLike, labels: ArrayLike, centers: ArrayLike, title: str) -> str:
    """Draw rows in the plane by cluster, and the centres as crosses."""
    plane, middles = np.asarray(points, np.float64), np.asarray(centers, np.float64)
    everything = np.concatenate([plane, middles])
    x = _scaled(everything[:, 0], 6, WIDTH - 6)
    y = _scaled(everything[:, 1], HEIGHT - 6, 6)
    n = len(plane)
    drawn = "".join(
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="1.6" fill="{COLORS[j % len(COLORS)]}"/>'
        for a, b, j in zip(x[:n], y[:n], np.asarray(labels).tolist(), strict=True)
    )
    drawn += "".join(
        f'<path d="M{a - 4:.1f} {b - 4:.1f}l8 8m0 -8l-8 8" stroke="#D1242F" stroke-width="2.4"/>'
        for a, b in zip(x[n:], y[n:], strict=True)
    )
    return _figure(title, f"{title}: {n} rows and {len(middles)} centres", drawn)


def _scaled(values: F64, first: float, last: float) -> F64:
    """Return places from `first`, for the lowest value, to `last`."""
    low, high = float(values.min()), float(values.max())
    share = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
    return np.asarray(first + share * (last - first))


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="11" text-anchor="{anchor}" '
        f'fill="currentColor">{escape(text)}</text>'
    )


def _figure(title: str, spoken: str, drawn: str) -> str:
    return (
        f'<figure style="margin:0"><figcaption style="opacity:.7">{escape(title)}</figcaption>'
        f'<svg role="img" aria-label="{escape(spoken)}" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" xmlns="http://www.w3.org/2000/svg">{drawn}</svg></figure>'
    )
