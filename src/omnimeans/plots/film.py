"""Lloyd's iterations as a film: each is two pictures, the assignment and the update."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from omnimeans._optional import need
from omnimeans.plots._canvas import (
    CENTER,
    QUIET,
    as_labels,
    as_plane,
    marker_size,
    open_axes,
    sample,
    scatter,
)
from omnimeans.plots.scatter import draw_clusters

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation
    from matplotlib.axes import Axes

KINDS = (".gif", ".mp4", ".html")


class Steps(Protocol):
    """What happened in a run: as `omnimeans.lloyd.trace_lloyd` returns it."""

    @property
    def centers(self) -> Any:
        """The centres at the start, and after each of t iterations."""
        ...

    @property
    def labels(self) -> Any:
        """The nearest centre of each row in each of t iterations."""
        ...

    @property
    def inertias(self) -> Any:
        """The objective of each of t assignments."""
        ...


def animate(
    X: ArrayLike,
    steps: Steps,
    path: str | Path | None = None,
    *,
    seconds: float = 0.8,
    ax: Axes | None = None,
) -> FuncAnimation:
    """Draw Lloyd's iterations as a film, and write it to a file if one is named.

    Parameters
    ----------
    X : array-like of shape (n, 2)
        The rows.
    steps : LloydTrace
        What `omnimeans.lloyd.trace_lloyd` returns: the centres at the start and after each
        iteration, and each iteration's labels and inertia.
    path : str or Path, optional
        File to write: ``.gif``, ``.mp4``, or ``.html`` with buttons to play it.
    seconds : float, default=0.8
        Time that each picture is shown.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    FuncAnimation
        The film, with one picture of the start and two for each iteration; a notebook shows it by
        its ``to_jshtml()``.

    Raises
    ------
    ValueError
        If the steps do not fit the rows or each other, or the file is of another kind.
    ImportError
        If the package that writes such a file is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from omnimeans import plots
    >>> from omnimeans.lloyd import trace_lloyd
    >>> X = [[0, 0], [0, 2], [6, 0], [6, 2]]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     film = plots.animate(X, trace_lloyd(X, [[0, 0], [0, 2]]), f"{folder}/film.gif")
    >>> film.new_saved_frame_seq().__length_hint__()
    5
    """
    plane = as_plane(X)
    places = [as_plane(centers, "centers") for centers in steps.centers]
    labels = [as_labels(label, len(plane)) for label in steps.labels]
    if not labels or len(places) != len(labels) + 1:
        raise ValueError(
            f"got {len(places)} sets of centres and {len(labels)} of labels; give the centres "
            "at the start and after each iteration, and the labels of each iteration"
        )
    kind = None if path is None else Path(path).suffix.lower()
    if kind is not None and kind not in KINDS:
        raise ValueError(f"{path} is no film that can be written; end it with {', '.join(KINDS)}")
    ax = open_axes(ax)
    frame = _frame(np.concatenate([plane, *places]))

    def draw(number: int) -> list[Any]:
        ax.clear()
        done, half = divmod(number - 1, 2)
        if number == 0:
            scatter(ax, plane[sample(len(plane))], s=marker_size(len(plane)), color=QUIET)
            middles, title = places[0], "start"
        else:
            middles = places[done + half]
            faint = 0.4 if half else 1.0
            draw_clusters(ax, plane, labels[done], len(middles), alpha=faint)
            step = "update" if half else "assignment"
            title = f"iteration {done + 1}, {step}; inertia {steps.inertias[done]:.6g}"
        for trail in np.stack(places[: done + half + 1] if number else places[:1]).swapaxes(0, 1):
            ax.plot(trail[:, 0], trail[:, 1], color="black", linewidth=1, alpha=0.6)
        scatter(ax, middles, s=110, **CENTER)
        ax.set(title=title, xlim=frame[0], ylim=frame[1])
        return []

    animation = need("matplotlib.animation", extra="plot")
    film: FuncAnimation = animation.FuncAnimation(
        ax.figure, draw, frames=2 * len(labels) + 1, interval=1000 * seconds, repeat=False
    )
    if path is None:
        film._draw_was_started = True  # type: ignore[attr-defined] # not to be drawn is no mistake: the caller has it now
    else:
        _write(animation, film, Path(path), str(kind), 1.0 / seconds)
    return film


def _write(animation: Any, film: FuncAnimation, path: Path, kind: str, rate: float) -> None:
    if kind == ".html":
        path.write_text(
            film.to_jshtml(fps=max(1, round(rate)), default_mode="once"), encoding="utf-8"
        )
    elif kind == ".gif":
        need("PIL", extra="plot")
        film.save(path, writer=animation.PillowWriter(fps=rate))
    else:
        program = need("imageio_ffmpeg", extra="film").get_ffmpeg_exe()
        with need("matplotlib", extra="plot").rc_context({"animation.ffmpeg_path": program}):
            film.save(path, writer=animation.FFMpegWriter(fps=rate, codec="libx264"))


def _frame(seen: Any) -> tuple[tuple[float, float], tuple[float, float]]:
    low, high = seen.min(axis=0), seen.max(axis=0)
    room = 0.06 * np.where(high > low, high - low, 1.0)
    return (low[0] - room[0], high[0] + room[0]), (low[1] - room[1], high[1] + room[1])
