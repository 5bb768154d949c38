"""The parts of a report that are drawn: rows in a plane, steps, silhouettes, images.

Their arrays are left out of the JSON; whoever wants the numbers finds them in the records.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np

from omnimeans._types import F64, I32, I64, Floats

DRAWN = {"json": False}  # only there to be drawn, and too much for the JSON


@dataclass(frozen=True, slots=True)
class Silhouette:
    """How much nearer rows are to their own cluster than to the next one; from -1 to 1.

    Parameters
    ----------
    mean : float or None
        Mean silhouette (Rousseeuw 1987) of the rows in the sample, within that sample.
    simplified : float or None
        Mean simplified silhouette of all rows.
    rows : ndarray of shape (s,)
        The sampled rows.
    values : ndarray of shape (s,)
        Their silhouettes.
    labels : ndarray of shape (s,)
        Their clusters.
    n_sampled : int
        s.
    """

    mean: float | None
    simplified: float | None
    n_sampled: int
    rows: I64 = field(repr=False, metadata=DRAWN)
    values: F64 = field(repr=False, metadata=DRAWN)
    labels: I32 = field(repr=False, metadata=DRAWN)


@dataclass(frozen=True, slots=True)
class View:
    """The rows in a plane, for pictures.

    Parameters
    ----------
    rows : ndarray of shape (s,)
        The rows that are shown.
    names : tuple of str or None
        What they are called, where they are not numbered.
    points : ndarray of shape (s, 2)
        Where they are.
    labels : ndarray of shape (s,)
        Their clusters.
    centers : ndarray of shape (k, 2)
        Where the centres are.
    axes : (str, str)
        What the axes mean.
    explained : (float, float) or None
        Share of the variance of the shown rows along each axis, where they are projected.
    note : str
        How the picture was made, in a sentence or two; may be empty.
    """

    rows: I64 = field(repr=False, metadata=DRAWN)
    names: tuple[str, ...] | None = field(repr=False, metadata=DRAWN)
    points: F64 = field(repr=False, metadata=DRAWN)
    labels: I32 = field(repr=False, metadata=DRAWN)
    centers: F64 = field(repr=False, metadata=DRAWN)
    axes: tuple[str, str]
    explained: tuple[float, float] | None
    note: str


@dataclass(frozen=True, slots=True)
class Replay:
    """Lloyd's iterations in the plane of the view, for the player.

    Parameters
    ----------
    rows : ndarray of shape (s,)
        Numbers into the rows of the view.
    numbers : tuple of t ints
        Number of each iteration shown, counted from 1.
    centers : ndarray of shape (t + 1, k, 2)
        Where the centres are before each of these iterations, and after the last.
    labels : ndarray of shape (t, s)
        The nearest centre of each row in each iteration.
    inertias : tuple of t floats
        Objective of each assignment.
    moved : tuple of t ints
        Rows whose label changed.
    note : str
        Whether this is the fit itself, and what is left out.
    """

    rows: I64 = field(repr=False, metadata=DRAWN)
    numbers: tuple[int, ...]
    centers: F64 = field(repr=False, metadata=DRAWN)
    labels: I32 = field(repr=False, metadata=DRAWN)
    inertias: tuple[float, ...]
    moved: tuple[int, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Pictures:
    """What an image needs to be drawn: centres that are images, or pixels that were clustered.

    Parameters
    ----------
    shape : tuple of int
        Height and width, and 3 where a centre is a colour image.
    kind : {"centres", "pixels"}
        Whether each row is an image, or each row is a pixel of one.
    original : ndarray of shape (height, width, 3) or None
        The image whose pixels were clustered.
    labels : ndarray of shape (height, width) or None
        The cluster of each of its pixels.
    exemplars : ndarray of shape (k, m, d) or None
        The exemplars, where rows are images.
    """

    shape: tuple[int, ...]
    kind: str
    original: Floats | None = field(repr=False, metadata=DRAWN)
    labels: I32 | None = field(repr=False, metadata=DRAWN)
    exemplars: Floats | None = field(repr=False, metadata=DRAWN)


def plain(value: Any) -> Any:
    """Return a record as dicts, lists, numbers and text, without what is only drawn."""
    if is_dataclass(value):
        kept = [f.name for f in fields(value) if f.metadata.get("json", True)]
        return {name: plain(getattr(value, name)) for name in kept}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: plain(item) for name, item in value._asdict().items()}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value
