"""Images in a report: rows that are images, or rows that are the pixels of one."""

from __future__ import annotations

import math

import numpy as np

from omnimeans._rows import plain
from omnimeans._types import Floats
from omnimeans.reports._given import Given
from omnimeans.reports.drawn import Pictures
from omnimeans.reports.records import Cluster

COLOR = 3  # red, green, blue


def pictures(
    seen: Given, shape: tuple[int, ...] | None, clusters: tuple[Cluster, ...]
) -> Pictures | None:
    """Return what the pictures need, once it is clear which kind of image the shape means."""
    if shape is None:
        return None
    shape = tuple(int(length) for length in shape)
    p = seen.shown.shape[1]
    if len(shape) in (2, COLOR) and math.prod(shape) == p:
        return Pictures(shape, "centres", None, None, _exemplars(seen, clusters))
    if len(shape) in (2, COLOR) and shape[0] * shape[1] == seen.n and p == COLOR:
        original = plain(seen.shown).reshape(*shape[:2], COLOR)
        labels = seen.labels.reshape(shape[:2])
        return Pictures((*shape[:2], COLOR), "pixels", original, labels, None)
    raise ValueError(
        f"image_shape={shape} fits neither the {p} features, as rows that are images of "
        f"height * width (* 3) values, nor the {seen.n} rows, as pixels with 3 values each; give "
        "the height and width of the images, such as (28, 28)"
    )


def _exemplars(seen: Given, clusters: tuple[Cluster, ...]) -> Floats:
    """Return the exemplars (k, m, p); where a cluster has fewer, NaN."""
    most = max(len(cluster.exemplars) for cluster in clusters)
    shown = np.full((len(clusters), most, seen.shown.shape[1]), np.nan)
    for j, cluster in enumerate(clusters):
        rows = [place.row for place in cluster.exemplars]
        if rows:
            shown[j, : len(rows)] = plain(seen.shown[rows])
    return shown
