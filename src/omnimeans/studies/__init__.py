"""The studies: k-means at work on real data, beside scikit-learn, each a function with a record.

They follow a teaching notebook on Lloyd's algorithm, whose figures they reach: blobs in the plane,
six points by hand, the Iris flowers, handwritten digits small (8x8) and large (MNIST, 28x28), and
add the colours of a photograph.
"""

from __future__ import annotations

from collections.abc import Callable

from omnimeans.lloyd import Elbow
from omnimeans.studies.images import china, digits, mnist
from omnimeans.studies.records import Classes, Comparison, Run, Study
from omnimeans.studies.tables import blobs, iris, toy

__all__ = [
    "STUDIES",
    "Classes",
    "Comparison",
    "Elbow",
    "Run",
    "Study",
    "blobs",
    "china",
    "digits",
    "iris",
    "mnist",
    "toy",
]

STUDIES: dict[str, Callable[..., Study]] = {
    study.__name__: study for study in (blobs, toy, iris, digits, china, mnist)
}
