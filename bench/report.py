"""How long a report takes, and how large its page is: ``python -m bench.report``.

The targets for a million rows of 20 features in 20 clusters: under 5 s and under 6 MB.  Modules are
loaded before the clock starts; the fit is not part of it.  The second line is a hard case: clusters
that overlap, so that the fit has many iterations and the player as many steps.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import make_blobs

import omnimeans as om

SECONDS, BYTES = 5.0, 6_000_000


def measured(rows: int, spread: float, page: Path) -> tuple[float, float, int, int]:
    """Return the seconds of the record and of the page, its bytes, and the fit's iterations."""
    X, _ = make_blobs(rows, n_features=20, centers=20, cluster_std=spread, random_state=0)
    X = X.astype(np.float32)
    model = om.KMeans(20, random_state=0).fit(X)
    begin = time.perf_counter()
    made = om.report(model, X)
    middle = time.perf_counter()
    made.to_html(page)
    return middle - begin, time.perf_counter() - middle, page.stat().st_size, model.n_iter_


def main() -> int:
    """Measure, print, and return 1 where a target is missed."""
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        measured(1000, 3.0, page)  # loads what is needed
        for spread in (3.0, 12.0):
            record, html, size, steps = measured(1_000_000, spread, page)
            print(
                f"1,000,000 x 20, k = 20, fit of {steps} iterations: record {record:.2f} s + page "
                f"{html:.2f} s = {record + html:.2f} s; {size / 1e6:.2f} MB"
            )
            missed |= record + html > SECONDS or size > BYTES
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
