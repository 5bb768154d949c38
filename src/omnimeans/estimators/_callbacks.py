"""scikit-learn's callback interface (``set_callbacks``), where the installed version has one.

It came with scikit-learn 1.9.  A fit is a tree of tasks: the fit, its starts, their iterations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omnimeans._types import Fit, Floats

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn before 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Nothing to support."""

    def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
        """Return the method as it is."""
        return method


__all__ = ["CallbackSupportMixin", "Tasks"]


class Tasks:
    """The tasks of one fit, told to scikit-learn's callbacks.

    Parameters
    ----------
    estimator : KMeans, MiniBatchKMeans or BisectingKMeans
        Whose callbacks they are.
    n_init, max_iter : int
        How many starts there are, and iterations of a start at most.
    X, y, sample_weight : any
        What is fitted; `y` plays no part in it, but scores may compare it with the clusters.
    fitted : callable or None
        Given the centres as they are, returns what an estimator predicts with.
    """

    def __init__(
        self,
        estimator: Any,
        n_init: int,
        max_iter: int,
        X: Any,
        y: Any,
        sample_weight: Any,
        fitted: Callable[[Floats], dict[str, Any]] | None = None,
    ) -> None:
        self._estimator, self._max_iter, self._fitted = estimator, max_iter, fitted or _centers
        self._told = {
            "estimator": estimator,
            "X": X,
            "y": y,
            "metadata": None if sample_weight is None else {"sample_weight": sample_weight},
        }
        self._root = estimator._init_callback_context(max_subtasks=n_init)
        self._root.call_on_fit_task_begin(**self._told)
        self._start: Any = None
        self._iteration: Any = None

    @classmethod
    def of(cls, estimator: Any, *how: Any) -> Tasks | None:
        """Return the tasks of a fit, or None if nobody is to be told."""
        return cls(estimator, *how) if getattr(estimator, "_skl_callbacks", None) else None

    def begin_start(self) -> None:
        """Tell that a start has been made."""
        self._start = self._root.subcontext(task_name="start", max_subtasks=self._max_iter)
        self._start.call_on_fit_task_begin(**self._told)
        self._begin_iteration()

    def end_iteration(self, centers: Floats) -> bool:
        """Tell that an iteration was made; true if the start is to end with it."""
        stop = self._iteration.call_on_fit_task_end(
            **self._told, reconstruction_attributes=lambda: self._fitted(centers)
        )
        if not stop and len(self._start._children_map) < self._max_iter:
            self._begin_iteration()
        return bool(stop)

    def end_start(self, fit: Fit) -> bool:
        """Tell that the iterations of a start have ended; true if the fit is to end with them."""
        return bool(
            self._start.call_on_fit_task_end(
                **self._told, reconstruction_attributes=lambda: self._fitted(fit.centers)
            )
        )

    def end(self) -> None:
        """Tell that the fit is over, and the estimator fitted."""
        fitted = self._fitted(self._estimator.cluster_centers_)
        self._root.call_on_fit_task_end(**self._told, reconstruction_attributes=lambda: fitted)

    def close(self) -> None:
        """Let the callbacks go; scikit-learn does so at the end of any method of this kind."""
        with_callbacks(lambda estimator: None)(self._estimator)

    def _begin_iteration(self) -> None:
        self._iteration = self._start.subcontext(task_name="iteration")
        self._iteration.call_on_fit_task_begin(**self._told)


def _centers(centers: Floats) -> dict[str, Any]:
    return {"cluster_centers_": centers.copy(), "_n_features_out": len(centers)}
