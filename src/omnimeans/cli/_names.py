"""Names of the files that a command writes when none is named."""

from __future__ import annotations

from pathlib import Path

STDIN = Path("-")


def beside(data: Path, what: str, suffix: str) -> Path:
    """Return ``folder/data-what.suffix``; for standard input standard output.

    Parameters
    ----------
    data : Path
        The input.
    what : str
        What the file holds, such as ``"labels"``.
    suffix : str
        Ending, with its dot.

    Returns
    -------
    Path
        Its name.

    Examples
    --------
    >>> beside(Path("a/iris.csv.gz"), "labels", ".csv").as_posix()
    'a/iris-labels.csv'
    """
    if data == STDIN:
        return data
    from omnimeans.tables import split_suffix

    stem = data.name
    if split_suffix(data)[1] is not None:
        stem = Path(stem).stem
    return data.with_name(f"{Path(stem).stem}-{what}{suffix}")


def labels_suffix(data: Path, format: str | None) -> str:
    """Return the ending for labels of this input: its own format, or CSV."""
    from omnimeans.tables import FORMATS, format_of

    kind = FORMATS.get(format or format_of(data) or "csv", FORMATS["csv"])
    return kind.suffixes[0] if kind.write else ".npy"
