"""The report itself: one record, readable as text, dict, JSON, data frames, or a page."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omnimeans._optional import need
from omnimeans._types import F64
from omnimeans.reports._card import report_card
from omnimeans.reports._text import as_text
from omnimeans.reports.drawn import Pictures, Replay, Silhouette, View, plain
from omnimeans.reports.records import (
    Agreement,
    Cluster,
    Course,
    Data,
    Dispersion,
    Feature,
    Settings,
    Swept,
    Warned,
)

TABLES = ("clusters", "features", "centers", "z_scores", "examples", "history")


@dataclass(frozen=True, slots=True)
class Report:
    """A clustering, described; `omnimeans.report` makes it.

    Parameters
    ----------
    data : Data
        What was clustered.
    settings : Settings
        What was run.
    course : Course
        How the fit went, and why it stopped.
    dispersion : Dispersion
        Total, within, between, and the share explained.
    clusters : tuple of Cluster
        One record per cluster.
    features : tuple of Feature
        One record per feature.
    centers, z_scores : ndarray of shape (k, p)
        The centres in the units of the data, and in standard deviations from the mean of all rows.
    silhouette : Silhouette
        How well the rows are separated.
    agreement : Agreement or None
        How the clusters agree with known classes, where these were given.
    sweep : Swept or None
        The sweep that was given.
    warnings : tuple of Warned
        What to know before trusting the clusters.
    view, replay, pictures : View, Replay or None, Pictures or None
        What is drawn.
    """

    data: Data
    settings: Settings
    course: Course
    dispersion: Dispersion
    clusters: tuple[Cluster, ...]
    features: tuple[Feature, ...]
    centers: F64
    z_scores: F64
    silhouette: Silhouette
    agreement: Agreement | None
    sweep: Swept | None
    warnings: tuple[Warned, ...]
    view: View = field(repr=False)
    replay: Replay | None = field(repr=False)
    pictures: Pictures | None = field(repr=False)

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        """Show the main figures in a notebook."""
        return report_card(self)

    def to_text(self) -> str:
        """Return the report as plain text.

        Returns
        -------
        str
            Lines of at most 100 characters, but for long names.

        Examples
        --------
        >>> import omnimeans as om
        >>> X = [[0.0], [1.0], [9.0], [10.0]]
        >>> seen = om.report(om.KMeans(2, init=[[0.0], [10.0]]).fit(X), X)
        >>> print(seen.to_text().splitlines()[0])
        2 clusters of 4 rows x 1 feature, by omnimeans.KMeans
        """
        return as_text(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain Python values, without what is only drawn.

        Returns
        -------
        dict
            Ready for ``json.dumps``; a figure that does not exist is None.

        Examples
        --------
        >>> import omnimeans as om
        >>> X = [[0.0], [1.0], [9.0], [10.0]]
        >>> seen = om.report(om.KMeans(2, init=[[0.0], [10.0]]).fit(X), X)
        >>> seen.to_dict()["dispersion"]["within"]
        1.0
        """
        record: dict[str, Any] = plain(self)
        return record

    def to_json(self, path: str | Path | None = None, *, indent: int | None = 2) -> str:
        """Return the report as JSON, and write it to a file if one is named.

        Parameters
        ----------
        path : str or Path, optional
            File to write.
        indent : int or None, default=2
            Spaces for each level.

        Returns
        -------
        str
            The text; the same for the same clustering, but for times.

        Examples
        --------
        >>> import json
        >>> import omnimeans as om
        >>> X = [[0.0], [1.0], [9.0], [10.0]]
        >>> seen = om.report(om.KMeans(2, init=[[0.0], [10.0]]).fit(X), X)
        >>> json.loads(seen.to_json())["clusters"][0]["size"]
        2
        """
        text = json.dumps(self.to_dict(), indent=indent, allow_nan=False, ensure_ascii=False)
        if path is not None:
            Path(path).write_text(text + "\n", encoding="utf-8")
        return text

    def to_frame(self, table: str = "clusters", *, library: str = "pandas") -> Any:
        """Return one of the report's tables as a data frame.

        Parameters
        ----------
        table : {"clusters", "features", "centers", "z_scores", "examples", "history"}
            Which one; by default one line per cluster.
        library : {"pandas", "polars", "pyarrow"}, default="pandas"
            Whose frame.

        Returns
        -------
        DataFrame or Table
            One line per cluster, feature, example or iteration.

        Raises
        ------
        ValueError
            If there is no such table or library.
        ImportError
            If the library is not installed.

        Examples
        --------
        >>> import omnimeans as om
        >>> X = [[0.0], [1.0], [9.0], [10.0]]
        >>> seen = om.report(om.KMeans(2, init=[[0.0], [10.0]]).fit(X), X)
        >>> seen.to_frame()[["cluster", "size", "radius"]]
           cluster  size  radius
        0        0     2     0.5
        1        1     2     0.5
        """
        from omnimeans.reports._tables import columns

        if table not in TABLES:
            raise ValueError(f"there is no table {table!r}; choose one of {', '.join(TABLES)}")
        values = columns(self, table)
        if library == "pyarrow":
            return need("pyarrow", extra="frames").table(values)
        if library not in ("pandas", "polars"):
            raise ValueError(
                f"library={library!r} has no frames here; use 'pandas', 'polars' or 'pyarrow'"
            )
        return need(library, extra="frames").DataFrame(values)

    def to_html(self, path: str | Path | None = None, *, title: str = "Clusters") -> str:
        """Return the report as one HTML page, and write it to a file if one is named.

        The page holds everything that it needs, opens from disk, and fetches nothing.

        Parameters
        ----------
        path : str or Path, optional
            File to write.
        title : str, default="Clusters"
            What stands above it.

        Returns
        -------
        str
            The page, about 5 MB, most of which is the library that draws the charts.

        Raises
        ------
        ImportError
            If jinja2, plotly, or for images pillow, is not installed (the extra `report`).

        Examples
        --------
        >>> import omnimeans as om
        >>> X = [[0.0], [1.0], [9.0], [10.0]]
        >>> seen = om.report(om.KMeans(2, init=[[0.0], [10.0]]).fit(X), X)
        >>> seen.to_html(title="Four rows").startswith("<!DOCTYPE html>")
        True
        """
        from omnimeans.reports._html import as_html

        page = as_html(self, title)
        if path is not None:
            Path(path).write_text(page, encoding="utf-8")
        return page
