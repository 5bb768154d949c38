"""k-means, done completely: fast, exact, and with one answer everywhere.

Nothing heavy is imported before it is used: a public name is looked up when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from omnimeans import datasets, metrics, plots, studies
    from omnimeans._empty import EmptyClusterError
    from omnimeans.drifts import Drift, drift
    from omnimeans.estimates import Estimate, estimate
    from omnimeans.estimators import (
        BisectingKMeans,
        Codebooks,
        HierarchicalKMeans,
        KMeans,
        MiniBatchKMeans,
        fit_many,
        k_means,
        kmeans_plusplus,
    )
    from omnimeans.identity import match_labels
    from omnimeans.lloyd import KMeansLloyd, display_results, elbow_method, plot_kmeans
    from omnimeans.metrics import (
        contingency_matrix,
        display_contingency_and_purity,
        euclidean_distance,
        manhattan_distance,
        purity_score,
        rand_index,
    )
    from omnimeans.persistence import load, save, to_onnx
    from omnimeans.progress import ProgressBar
    from omnimeans.reports import Report, report
    from omnimeans.seeding import seed_all
    from omnimeans.selection import Sweep, sweep
    from omnimeans.sources import open_source
    from omnimeans.streams import StreamKMeans, merge

    __version__: str

__all__ = [
    "BisectingKMeans",
    "Codebooks",
    "Drift",
    "EmptyClusterError",
    "Estimate",
    "HierarchicalKMeans",
    "KMeans",
    "KMeansLloyd",
    "MiniBatchKMeans",
    "ProgressBar",
    "Report",
    "StreamKMeans",
    "Sweep",
    "__version__",
    "contingency_matrix",
    "datasets",
    "display_contingency_and_purity",
    "display_results",
    "drift",
    "elbow_method",
    "estimate",
    "euclidean_distance",
    "fit_many",
    "k_means",
    "kmeans_plusplus",
    "load",
    "manhattan_distance",
    "match_labels",
    "merge",
    "metrics",
    "open_source",
    "plot_kmeans",
    "plots",
    "purity_score",
    "rand_index",
    "report",
    "save",
    "seed_all",
    "studies",
    "sweep",
    "to_onnx",
]

_SUBMODULES = ("datasets", "metrics", "plots", "studies")
_HOMES = {
    "_empty": ("EmptyClusterError",),
    "drifts": ("Drift", "drift"),
    "estimates": ("Estimate", "estimate"),
    "streams": ("StreamKMeans", "merge"),
    "estimators": (
        "BisectingKMeans",
        "Codebooks",
        "HierarchicalKMeans",
        "KMeans",
        "MiniBatchKMeans",
        "fit_many",
        "k_means",
        "kmeans_plusplus",
    ),
    "lloyd": ("KMeansLloyd", "display_results", "elbow_method", "plot_kmeans"),
    "metrics": (
        "contingency_matrix",
        "display_contingency_and_purity",
        "euclidean_distance",
        "manhattan_distance",
        "purity_score",
        "rand_index",
    ),
    "identity": ("match_labels",),
    "persistence": ("load", "save", "to_onnx"),
    "progress": ("ProgressBar",),
    "reports": ("Report", "report"),
    "seeding": ("seed_all",),
    "selection": ("Sweep", "sweep"),
    "sources": ("open_source",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import the module that holds a public name, and hand out the name."""
    value: Any
    if name == "__version__":
        value = import_module("importlib.metadata").version(__name__)
    elif name in _SUBMODULES:
        value = import_module(f"{__name__}.{name}")
    elif name in _HOME_OF:
        value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted({*globals(), *__all__})
