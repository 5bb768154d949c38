"""Choosing the number of clusters: a sweep over k, its scores, and an honest verdict."""

from omnimeans.selection.knee import knee
from omnimeans.selection.records import Structure, Sweep, SweepRow, Verdict
from omnimeans.selection.run import sweep

__all__ = ["Structure", "Sweep", "SweepRow", "Verdict", "knee", "sweep"]
