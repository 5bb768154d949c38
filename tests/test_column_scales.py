"""The scales of the command line, beside scikit-learn's, also where values are negative."""

import numpy as np
import pytest
from sklearn.preprocessing import RobustScaler, StandardScaler

from omnimeans.engines import open_engine
from omnimeans.scaling import find_scaling

X = np.random.default_rng(0).normal([-5.0, 0.0, 3.0, -1e6], [1.0, 10.0, 100.0, 2.0], (200, 4))


@pytest.mark.parametrize("engine", ["cpu", "reference"])
@pytest.mark.parametrize("weighted", [False, True])
def test_standard_is_scikit_learns(engine: str, weighted: bool) -> None:
    weights = np.random.default_rng(1).uniform(0, 3, 200) if weighted else None
    found = find_scaling("standard", X, weights, open_engine(engine))
    theirs = StandardScaler().fit(X, sample_weight=weights)
    np.testing.assert_allclose(found.offset, theirs.mean_, rtol=1e-12)
    np.testing.assert_allclose(found.spread, theirs.scale_, rtol=1e-9)


def test_robust_is_scikit_learns() -> None:
    found = find_scaling("robust", X, None, open_engine("cpu"))
    theirs = RobustScaler().fit(X)
    np.testing.assert_allclose(found.offset, theirs.center_, rtol=1e-12)
    np.testing.assert_allclose(found.spread, theirs.scale_, rtol=1e-9)
