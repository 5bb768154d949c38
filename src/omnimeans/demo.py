"""Studies shown: tables on the terminal, and pictures in a folder as SVG and PNG."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table

from omnimeans import plots
from omnimeans._optional import need
from omnimeans.datasets import DatasetUnavailable
from omnimeans.studies import STUDIES, Classes, Run, Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = ("library", "metric", "starts", "k", "inertia", "iterations", "seconds", "ARI")


def run_demo(
    folder: Path,
    console: Console,
    *,
    names: Iterable[str] = tuple(STUDIES),
    data: Path | None = None,
    n_threads: int = 1,
) -> None:
    """Make the studies, print their tables and draw their pictures.

    A study whose data cannot be had is passed over with one line.

    Parameters
    ----------
    folder : Path
        Where the pictures go; made if it is not there.
    console : rich.console.Console
        Where the tables go.
    names : iterable of str, default=all studies
        Keys of `omnimeans.studies.STUDIES`.
    data : Path, default=None
        Folder that holds MNIST; see `omnimeans.datasets.load`.
    n_threads : int, default=1
        Threads for each library.

    Examples
    --------
    >>> import tempfile
    >>> from rich.console import Console
    >>> from omnimeans.demo import run_demo
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run_demo(Path(folder), Console(quiet=True), names=["toy"])
    ...     len(list(Path(folder).glob("*.svg")))
    2
    """
    files: list[Path] = []
    for name in names:
        try:
            with console.status(f"{name} ..."):
                record = STUDIES[name](data=data, n_threads=n_threads)
        except DatasetUnavailable as missing:
            console.print(f"{name} is left out: {missing}\n", style="yellow", soft_wrap=True)
            continue
        show(record, console)
        files += draw(record, folder)
    pictures = ", ".join(file.stem for file in files if file.suffix == ".svg")
    console.print(f"Pictures in {folder}, as SVG and PNG: {pictures}", highlight=False)


def show(study: Study, console: Console) -> None:
    """Print a study: for each run the comparison, contingency matrix and purity.

    Parameters
    ----------
    study : Study
        The record.
    console : rich.console.Console
        Where to print.

    Examples
    --------
    >>> import io
    >>> from rich.console import Console
    >>> from omnimeans import studies
    >>> from omnimeans.demo import show
    >>> paper = Console(file=io.StringIO())
    >>> show(studies.toy(), paper)
    >>> "125.5" in paper.file.getvalue()
    True
    """
    console.rule(f"[bold]{study.name}[/bold]", align="left")
    threads = "1 thread" if study.n_threads == 1 else f"{study.n_threads} threads"
    console.print(f"{study.about} ({study.source}); {threads}")
    for run in study.runs:
        console.print(_comparison(run))
        for i, classes in enumerate(run.classes):
            if i == 0:
                console.print(_contingency(classes))
            console.print(_scores(classes))
    if study.elbow is not None:
        pairs = zip(study.elbow.ks, study.elbow.inertias, strict=True)
        curve = ", ".join(f"{k}: {inertia:.5g}" for k, inertia in pairs)
        console.print(f"\nelbow, inertia for each k: {curve}")
    console.print()


def _comparison(run: Run) -> Table:
    table = _table(f"{run.title} ({run.n_samples:,} x {run.n_features})", gap=2)
    for name in COLUMNS:
        table.add_column(name, justify="left" if name in ("library", "metric") else "right")
    for row in run.rows:
        table.add_row(
            row.library,
            row.metric,
            "same" if row.starts == 1 else str(row.starts),
            str(row.k),
            f"{row.inertia:,.8g}",
            str(row.iterations),
            f"{row.seconds:.4f}",
            "" if row.ari is None else f"{row.ari:.4f}",
        )
    return table


def _contingency(classes: Classes) -> Table:
    table = _table(classes.rows, gap=1)
    table.add_column("")
    for cluster in range(classes.contingency.shape[1]):
        table.add_column(f"pred={cluster}", justify="right")
    for number, counts in enumerate(classes.contingency.tolist()):
        table.add_row(f"true={number}", *(str(count) for count in counts))
    return table


def _table(title: str, gap: int) -> Table:
    """Return an empty table; with a small gap, ten clusters fit into 80 columns."""
    return Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, gap - 1, 0, 0),
        pad_edge=False,
    )


def _scores(classes: Classes) -> str:
    return (
        f"{classes.rows}: purity {classes.purity:.4f}, Rand index {classes.rand_index:.4f}, "
        f"adjusted Rand index {classes.adjusted_rand_index:.4f}"
    )


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture that some runs can be shown in."""

    name: str
    suits: Callable[[Run], bool]
    draw: Callable[[Run, Figure], Any]
    size: tuple[float, float] = (6.4, 4.8)


def _clusters(run: Run, figure: Figure) -> None:
    ax = plots.clusters(run.X, run.labels, run.centers, ax=figure.subplots())
    ax.set(xlabel=run.feature_names[0], ylabel=run.feature_names[1])


def _centres(run: Run, figure: Figure) -> None:
    assert run.image_shape is not None
    height, width = run.image_shape
    plots.centroid_images(run.centers, (height, width), ax=figure.subplots())


def _photograph(run: Run, figure: Figure) -> None:
    assert run.image_shape is not None
    left, right = figure.subplots(1, 2)
    plots.picture(run.X.reshape(run.image_shape), "original", ax=left)
    painted = run.centers[run.labels].reshape(run.image_shape)
    plots.picture(painted, f"{len(run.centers)} colours", ax=right)


def _matrix(run: Run, figure: Figure) -> None:
    ax = plots.contingency(run.classes[0].contingency, ax=figure.subplots())
    ax.set_title(f"{run.classes[0].rows}: purity {run.classes[0].purity:.4f}")


DRAWINGS = (
    Drawing("clusters", lambda run: run.n_features == 2, _clusters),
    Drawing("centres", lambda run: len(run.image_shape or ()) == 2, _centres, (6.4, 3.2)),
    Drawing("picture", lambda run: len(run.image_shape or ()) == 3, _photograph, (10.0, 3.8)),
    Drawing("contingency", lambda run: bool(run.classes), _matrix),
)


def draw(study: Study, folder: Path) -> list[Path]:
    """Write a study's pictures, each as SVG and as PNG.

    Parameters
    ----------
    study : Study
        The record.
    folder : Path
        Where they go; made if it is not there.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from omnimeans import studies
    >>> from omnimeans.demo import draw
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = draw(studies.toy(), Path(folder))
    >>> files[0].name
    'toy-good-start-clusters.svg'
    """
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    for run in study.runs:
        for drawing in DRAWINGS:
            if drawing.suits(run):
                figure = _figure(drawing.size)
                drawing.draw(run, figure)
                part = f"-{_slug(run.title)}" if len(study.runs) > 1 else ""
                files += _save(figure, folder, f"{study.name}{part}-{drawing.name}")
    if study.elbow is not None:
        figure = _figure()
        plots.elbow(*study.elbow, ax=figure.subplots())
        files += _save(figure, folder, f"{study.name}-elbow")
    return files


def _figure(size: tuple[float, float] = (6.4, 4.8)) -> Figure:
    figure: Figure = need("matplotlib.figure", extra="plot").Figure(size, layout="constrained")
    return figure


def _save(figure: Figure, folder: Path, name: str) -> list[Path]:
    files = [folder / f"{name}.svg", folder / f"{name}.png"]
    # the same picture gives the same file
    with need("matplotlib", extra="plot").rc_context({"svg.hashsalt": "omnimeans"}):
        figure.savefig(files[0], metadata={"Date": None}, dpi=150)
    figure.savefig(files[1], dpi=150)
    return files


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
