"""What is fuzzed: functions from bytes to calls of the library.

An error in words is an answer; a crash, another exception, or an impossible answer is a finding.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import fuzz_parts  # noqa: F401 (adds its calls)
import fuzz_rounds  # noqa: F401 (adds its calls)
import fuzz_whole  # noqa: F401 (adds its calls)
import omnimeans as om
from fuzz_choices import Choices, matrix, weights_of
from fuzz_native import native
from omnimeans import _archive, _checkpoint
from omnimeans.persistence import files

# the estimators


def estimator(data: bytes) -> None:
    """Fit and predict whatever array comes; a fit that ends belongs together."""
    choose = Choices(data)
    n, d = choose.whole(0, 60), choose.whole(0, 6)
    X = matrix(choose, n, d, np.float32 if choose.chance(40) else np.float64)
    if choose.chance(30) and X.dtype.kind == "f":
        with np.errstate(all="ignore"):
            X = X * X.dtype.type(10.0) ** choose.whole(-250, 250)
    metric = choose.pick(["euclidean", "manhattan", "cosine"])
    model = om.KMeans(
        choose.whole(1, 12),
        metric=metric,
        init=choose.pick(["k-means++", "random"]),
        n_init=choose.whole(1, 2),
        max_iter=choose.whole(1, 20),
        tol=choose.pick([0.0, 1e-4, 1.0]),
        random_state=choose.byte(),
        n_threads=choose.whole(1, 3),
    )
    weights = weights_of(choose, n)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            model.fit(X, sample_weight=weights)
        except (ValueError, TypeError):
            return
        assert np.isfinite(model.cluster_centers_).all()
        assert (model.predict(X) == model.labels_).all()
        assert model.score(X, sample_weight=weights) == -model.inertia_


# files from elsewhere


@cache
def _models() -> list[bytes]:
    rng = np.random.default_rng(0)
    found = []
    for k, d, dtype in ((1, 1, np.float64), (3, 2, np.float32), (5, 4, np.float64)):
        X = rng.standard_normal((20, d)).astype(dtype)
        found.append(files.dumps(om.KMeans(k, random_state=0).fit(X), extra={"a": [1], "b": X}))
    return found


def model_file(data: bytes) -> None:
    """Load a model file that was damaged, or made up and signed."""
    choose = Choices(data)
    whole = choose.pick(_models())
    forged = _forged(choose, whole, "model", files.VERSION) if choose.chance(60) else None
    answer_or_refuse(_damaged(choose, whole) if forged is None else forged)


def answer_or_refuse(raw: bytes) -> None:
    try:
        model = files.loads(raw, "it")[0]
    except ValueError:
        return
    X = np.zeros((3, model.n_features_in_))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        labels = model.predict(X)
    assert ((labels >= 0) & (labels < model.n_clusters)).all()


def _damaged(choose: Choices, whole: bytes) -> bytes:
    raw = bytearray(whole)
    for _ in range(choose.whole(1, 4)):
        at = (
            choose.whole(0, max(len(raw) - 1, 0))
            if len(raw) <= 256 or choose.chance(50)
            else (choose.whole(0, 255))
        )
        what = choose.whole(0, 4)
        if what == 0 and raw:
            raw[at] ^= 1 << choose.whole(0, 7)
        elif what == 1:
            del raw[at:]
        elif what == 2:
            raw[at:at] = bytes(choose.byte() for _ in range(choose.whole(0, 20)))
        elif what == 3:
            raw[:8] = struct.pack(
                "<Q", choose.pick([0, 1, 2, 7, 2**32, 2**63, 2**64 - 1, len(raw)])
            )
        else:
            raw[at : at + choose.whole(0, 40)] = b""
    return bytes(raw)


ODD: list[Any] = [None, True, 0, -1, 1, 2**70, 1e308, "", "KMeans", "auto", "brute", [], {}, [[]]]


def _forged(choose: Choices, whole: bytes, kind: str, version: int) -> bytes | None:
    """A file whose checksum is right and whose contents are not."""
    document, arrays = _archive.unpack(whole, kind, version, "it")
    for _ in range(choose.whole(1, 3)):
        if choose.chance(50):
            _spoil(choose, document)
            continue
        name = choose.pick(sorted(arrays) or ["x"])
        if choose.chance(30):
            arrays.pop(name, None)
        else:
            dtype = choose.pick(sorted(_archive.STORABLE, key=str))
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made = choose.values(choose.whole(0, 12)).astype(dtype)
            arrays[name] = made.reshape(choose.pick([(-1,), (1, -1), (-1, 1), (1, 1, -1)]))
    document.pop("format", None), document.pop("version", None), document.pop("library", None)
    try:
        return _archive.pack(kind, version, document, arrays)
    except (ValueError, TypeError):
        return None


def _spoil(choose: Choices, document: dict[str, Any]) -> None:
    """Change, remove or add a value, at some depth."""
    while True:
        name = choose.pick([*sorted(document), "unknown"])
        inside = document.get(name)
        if isinstance(inside, dict) and choose.chance(70):
            document = inside
            continue
        if choose.chance(20):
            document.pop(name, None)
        else:
            document[name] = choose.pick(ODD)
        return


class Stop(Exception):
    """What ends a fit in the middle, so that its checkpoint stays."""


def _fit(path: Path, callback: Callable[..., Any] | None = None) -> om.KMeans:
    X = np.random.default_rng(0).standard_normal((40, 2))
    model = om.KMeans(4, n_init=3, random_state=0, checkpoint=path, callback=callback)
    return model.fit(X)


@cache
def _checkpoints() -> list[bytes]:
    """A checkpoint before, in, and after the first start."""
    found = []
    with TemporaryDirectory() as folder:
        for after in (1, 3, 12):
            path, calls = Path(folder) / f"{after}", []

            def callback(*seen: Any, calls: list[int] = calls, after: int = after) -> None:
                calls.append(1)
                if len(calls) == after:
                    raise Stop

            with suppress(Stop):
                _fit(path, callback)
            found.append(path.read_bytes())
    return found


def checkpoint(data: bytes) -> None:
    """Go on from a checkpoint that was damaged, or made up and signed."""
    choose = Choices(data)
    whole = choose.pick(_checkpoints())
    forged = (
        _forged(choose, whole, "checkpoint", _checkpoint.VERSION) if choose.chance(60) else None
    )
    raw = _damaged(choose, whole) if forged is None else forged
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "checkpoint"
        path.write_bytes(raw)
        try:
            model = _fit(path)
        except ValueError:
            assert path.read_bytes() == raw  # nothing is lost
            return
    assert np.isfinite(model.cluster_centers_).all()
    assert ((model.labels_ >= 0) & (model.labels_ < 4)).all()


TARGETS: dict[str, Callable[[bytes], None]] = {
    "native": native,
    "estimator": estimator,
    "model": model_file,
    "checkpoint": checkpoint,
}
