"""The rows in a plane: as they are, or along their two main directions (K. Pearson, 1901).

Too many rows are sampled, cluster by cluster, so that small clusters stay visible.
"""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA

from omnimeans._types import F64, I64, Floats
from omnimeans.reports._given import Given
from omnimeans.reports.drawn import View

MOST_ROWS = 20_000  # rows in the picture
MOST_VALUES = 1 << 24  # values that are looked at to find the main directions
FEWEST_EACH = 20  # rows of a cluster that are shown in any case, if it has them
ALL_DIRECTIONS = 1000  # features up to which all directions are computed


class Plane:
    """A way to put rows into the plane."""

    def __init__(self, rows: Floats, names: tuple[str, ...]) -> None:
        self.d = rows.shape[1]
        self.origin = rows.mean(axis=0, dtype=np.float64)
        self.explained: tuple[float, float] | None = None
        if self.d == 1:
            self.axes = (names[0], "")
        elif self.d == 2:
            self.axes = (names[0], names[1])
        else:
            self._find_directions(rows)

    def _find_directions(self, rows: Floats) -> None:
        count = min(2, len(rows))
        solver = "full" if self.d <= ALL_DIRECTIONS else "randomized"
        if len(rows) >= 10 * self.d and self.d <= ALL_DIRECTIONS:
            solver = "covariance_eigh"
        with np.errstate(invalid="ignore", divide="ignore"):  # equal rows have no variance
            pca = PCA(count, svd_solver=solver, random_state=0)
            pca.fit(rows - self.origin)
        self.directions = np.zeros((2, self.d))
        self.directions[:count] = pca.components_
        shares = np.zeros(2)
        shares[:count] = np.nan_to_num(pca.explained_variance_ratio_)
        self.explained = (round(float(shares[0]), 6), round(float(shares[1]), 6))
        self.axes = tuple(  # type: ignore[assignment]
            f"direction {i + 1} ({100 * share:.1f} % of variance)"
            for i, share in enumerate(self.explained)
        )

    def __call__(self, rows: Floats) -> F64:
        """Return where rows, or centres, lie."""
        if self.d == 1:
            return np.column_stack([rows[:, 0].astype(np.float64), np.zeros(len(rows))])
        if self.d == 2:
            return rows.astype(np.float64)
        return np.asarray((rows - self.origin) @ self.directions.T, dtype=np.float64)


def view(given: Given, members: list[I64], random_state: int) -> tuple[View, Plane]:
    """Return the rows in a plane, and the way into it."""
    rows = sample(
        members, min(MOST_ROWS, max(1000, MOST_VALUES // given.seen.shape[1])), random_state
    )
    shown = given.compared(rows)
    names = given.names if given.seen is given.shown else _step_names(given)
    plane = Plane(shown, names)
    points = plane(shown)
    notes = []
    if plane.d == 1:
        spread = np.random.default_rng(random_state).uniform(-0.5, 0.5, len(points))
        points[:, 1] = spread
        notes.append("There is one feature; the height means nothing and keeps the points apart.")
    if plane.d > 2:
        notes.append(
            f"The {plane.d:,} features are projected onto the two directions in which the rows "
            "differ most; centres are projected with them. What is apart in the picture is apart "
            "in the data, but what overlaps may be apart too."
        )
    if len(rows) < given.n:
        notes.append(
            f"{len(rows):,} of {given.n:,} rows are shown, drawn at random from each cluster."
        )
    made = View(
        rows=rows,
        names=None if given.row_names is None else tuple(map(given.name_of, rows.tolist())),
        points=points,
        labels=given.labels[rows],
        centers=plane(given.centers),
        axes=plane.axes,
        explained=plane.explained,
        note=" ".join(notes),
    )
    return made, plane


def sample(members: list[I64], most: int, random_state: int) -> I64:
    """Return row numbers in order: all, or some of each cluster, in proportion to its size."""
    sizes = np.array([len(rows) for rows in members])
    n = sizes.sum()
    if n <= most:
        return np.sort(np.concatenate(members))
    floor = np.minimum(sizes, min(FEWEST_EACH, most // len(members)))
    quota = floor + (sizes - floor) * (most - floor.sum()) // max(1, (sizes - floor).sum())
    rng = np.random.default_rng(random_state)
    drawn = [
        rng.choice(rows, count, replace=False) for rows, count in zip(members, quota, strict=True)
    ]
    return np.sort(np.concatenate(drawn))


def _step_names(given: Given) -> tuple[str, ...]:
    """Name the columns that a pipeline hands to the model."""
    if given.seen.shape[1] == len(given.names):
        return tuple(f"{name} (transformed)" for name in given.names)
    return tuple(f"feature {j} (transformed)" for j in range(given.seen.shape[1]))
