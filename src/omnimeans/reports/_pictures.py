"""Images for the page, as data addresses: centres and exemplars, or a picture in few colours."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from omnimeans._optional import need
from omnimeans._types import F64
from omnimeans.reports.drawn import Pictures

if TYPE_CHECKING:
    from omnimeans.reports.record import Report

LONGEST = 900  # pixels of a picture's longer side on the page
MOST_CENTERS = 200


def images(report: Report) -> dict[str, Any] | None:
    """Return the addresses of all images, or None where there are none."""
    found = report.pictures
    if found is None:
        return None
    return _centers(report, found) if found.kind == "centres" else _pixels(report, found)


def _centers(report: Report, found: Pictures) -> dict[str, Any]:
    centers, exemplars = report.centers[:MOST_CENTERS], found.exemplars
    assert exemplars is not None
    shown = np.concatenate([centers.ravel(), exemplars[np.isfinite(exemplars)].ravel()])
    low, high = float(shown.min()), float(shown.max())

    def address(values: F64) -> str:
        return _address(_levels(values.reshape(found.shape), low, high))

    return {
        "kind": "centres",
        "rows": [
            {
                "label": j,
                "center": address(center),
                "exemplars": [
                    (place.name, address(values))
                    for place, values in zip(
                        report.clusters[j].exemplars, exemplars[j], strict=False
                    )
                ],
            }
            for j, center in enumerate(centers)
        ],
        "width": found.shape[1],
        "left_out": max(0, len(report.centers) - MOST_CENTERS),
    }


def _pixels(report: Report, found: Pictures) -> dict[str, Any]:
    original, labels = found.original, found.labels
    assert original is not None
    assert labels is not None
    step = max(1, -(-max(found.shape[:2]) // LONGEST))
    top = 1.0 if original.max() <= 1.0 else 255.0
    palette = _levels(report.centers, 0.0, top)
    return {
        "kind": "pixels",
        "original": _address(_levels(original[::step, ::step], 0.0, top), "JPEG"),
        "quantised": _address(palette[labels[::step, ::step]]),
        "colors": ["#" + bytes(color).hex() for color in palette],
        "colors_before": len(np.unique(original.reshape(-1, 3), axis=0)),
        "shape": found.shape,
        "step": step,
    }


def _levels(values: Any, low: float, high: float) -> Any:
    """Return values as 0 to 255."""
    span = high - low or 1.0
    return np.clip(255.0 * (np.asarray(values) - low) / span, 0, 255).round().astype(np.uint8)


def _address(levels: Any, kind: str = "PNG") -> str:
    """Return an image as a data address."""
    memory = io.BytesIO()
    image = need("PIL.Image", extra="report").fromarray(levels)
    if kind == "JPEG":
        image.save(memory, kind, quality=88)
    else:
        image.save(memory, kind, optimize=True)
    text = base64.b64encode(memory.getvalue()).decode()
    return f"data:image/{kind.lower()};base64,{text}"
