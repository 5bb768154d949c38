"""The teaching interface: Lloyd's algorithm under the names of a course notebook.

A thin face over :class:`omnimeans.KMeans`: the loop, the repair of empty clusters and the
arithmetic are the very same.
"""

from omnimeans.lloyd.comparison import display_results, plot_kmeans
from omnimeans.lloyd.elbow import Elbow, elbow_curve, elbow_method
from omnimeans.lloyd.model import KMeansLloyd
from omnimeans.lloyd.trace import LloydTrace, trace_lloyd

__all__ = [
    "Elbow",
    "KMeansLloyd",
    "LloydTrace",
    "display_results",
    "elbow_curve",
    "elbow_method",
    "plot_kmeans",
    "trace_lloyd",
]
