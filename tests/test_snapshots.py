"""Ctrl-C while a snapshot is being made: what there is by then becomes the model, at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import omnimeans as om
import tally
from checks import assert_belongs_together
from omnimeans import _control
from omnimeans.engines.cpu import CpuEngine


@pytest.mark.parametrize("which", [1, 2, 3])
def test_an_interrupt_in_the_inertia_of_a_snapshot(
    which: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No further pass is made for the model, which may take far longer than what was broken off."""
    monkeypatch.setattr(_control, "QUICK", 0)  # passes count as long ones
    monkeypatch.setattr(_control, "SHARE", 0)  # and each is followed by a snapshot
    asked: list[str] = []

    def inertia(self: CpuEngine, *given: Any) -> float:
        asked.append("inertia")
        if asked.count("inertia") == which:
            raise KeyboardInterrupt
        return whole(self, *given)

    def step(self: CpuEngine, *given: Any) -> Any:
        asked.append("step")
        return stepped(self, *given)

    whole, stepped = CpuEngine.inertia, CpuEngine.step
    monkeypatch.setattr(CpuEngine, "inertia", inertia)
    monkeypatch.setattr(CpuEngine, "step", step)
    X = np.random.default_rng(0).uniform(size=(900, 3))
    model = om.KMeans(
        30, init="random", n_init=5, random_state=0, engine="cpu", callback=lambda _: None
    )
    with pytest.warns(RuntimeWarning, match="was interrupted in the middle"):
        model.fit(X)
    tally.count("interrupts")
    broken_off = [i for i, what in enumerate(asked) if what == "inertia"][which - 1]
    assert "step" not in asked[broken_off:]
    assert model.stop_reason_ == "interrupt"
    # an earlier snapshot has its inertia already
    assert asked[broken_off + 1 :] == ["inertia"] * (which == 1)
    assert_belongs_together(model, X)
