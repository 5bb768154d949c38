"""Numbers that are whole, but too large to be counted to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.utils._param_validation import InvalidParameterError

import omnimeans as om

X = np.random.default_rng(0).normal(size=(60, 3))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (om.KMeans, "max_iter"),
        (om.KMeans, "n_init"),
        (om.KMeans, "n_threads"),
        (om.MiniBatchKMeans, "batch_size"),
        (om.MiniBatchKMeans, "init_size"),
        (om.MiniBatchKMeans, "max_no_improvement"),
        (om.BisectingKMeans, "max_iter"),
        (om.HierarchicalKMeans, "probes"),
        (om.StreamKMeans, "sample_size"),
        (om.KMeans, "random_state"),
    ],
)
@pytest.mark.parametrize("value", [2**63, 2**70, np.uint64(2**63)])
def test_numbers_that_nobody_counts_to(kind: Any, name: str, value: Any) -> None:
    text = rf"^The '{name}' parameter of {kind.__name__} must be .*(2\*\*63|4294967295).* Got"
    with pytest.raises(InvalidParameterError, match=text):
        kind(2, **{name: value}).fit(X)
