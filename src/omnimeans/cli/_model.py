"""A model file as the command line writes it: centres, scale and the names of the columns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from omnimeans._types import F64, I32, Floats
from omnimeans.scaling import Scaling

BLOCK = 65536  # rows whose distances to all centres are held at a time


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted estimator, and how rows of a file become its rows.

    Parameters
    ----------
    estimator : KMeans
        Fitted on scaled rows.
    scaling : Scaling
        Between the units of the data and those of the estimator.
    names : tuple of str
        The columns it was fitted on, in order.
    ids : tuple of str
        Columns that named its rows.
    """

    estimator: Any
    scaling: Scaling
    names: tuple[str, ...]
    ids: tuple[str, ...] = ()

    @property
    def k(self) -> int:
        """Number of clusters."""
        return len(self.estimator.cluster_centers_)

    @property
    def centers(self) -> F64:
        """Centres in the units of the data."""
        return self.scaling.undo(self.estimator.cluster_centers_)

    def predict(self, X: Floats) -> I32:
        """Return the cluster of each row, which is in the units of the data."""
        labels: I32 = self.estimator.predict(self.scaling.apply(X))
        return labels

    def distances(self, X: Floats, labels: I32) -> F64:
        """Return each row's distance to its centre, in the units of the estimator."""
        scaled = self.scaling.apply(X)
        own = np.empty(len(X))
        for at in range(0, len(X), BLOCK):
            to_all = self.estimator.transform(scaled[at : at + BLOCK])
            own[at : at + BLOCK] = to_all[np.arange(len(to_all)), labels[at : at + BLOCK]]
        return own

    def pipeline(self) -> Any:
        """Return the scaling and the estimator as one model of rows in their own units."""
        if self.scaling.kind == "none":
            return self.estimator
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import FunctionTransformer

        scale = FunctionTransformer(self.scaling.apply, feature_names_out="one-to-one")
        return Pipeline([(self.scaling.kind, scale), ("clusters", self.estimator)])

    def to_bytes(self) -> bytes:
        """Return the model file.

        In it the features of scaled rows are called so, which keeps a data frame in its own units
        from being taken for scaled rows.
        """
        from omnimeans.persistence.files import dumps

        kind = self.scaling.kind
        names = [name if kind == "none" else f"{name} ({kind})" for name in self.names]
        extra = {
            **self.scaling.as_extra(),
            "columns": list(self.names),
            "id_columns": list(self.ids),
        }
        self.estimator.feature_names_in_ = np.array(names, dtype=object)
        try:
            return dumps(self.estimator, extra=extra)
        finally:
            del self.estimator.feature_names_in_  # rows come as plain arrays here

    @classmethod
    def from_file(cls, path: Path) -> Model:
        """Read a model file, also one that ``omnimeans.save`` wrote."""
        from omnimeans.cli._errors import UsageError
        from omnimeans.persistence import load
        from omnimeans.tables.table import numbered

        if not path.is_file():
            raise UsageError(f"the model {path} does not exist; omnimeans fit writes one")
        estimator, extra = load(path, return_extra=True)
        d = estimator.n_features_in_
        own = getattr(estimator, "feature_names_in_", numbered(d))
        names = extra.get("columns", list(own))
        if len(names) != d or not all(isinstance(name, str) for name in names):
            raise ValueError(f"{path}: its names of columns do not fit its {d} features")
        vars(estimator).pop("feature_names_in_", None)  # rows come as plain arrays here
        ids = tuple(map(str, extra.get("id_columns", ())))
        return cls(estimator, Scaling.from_extra(extra, d), tuple(names), ids)
