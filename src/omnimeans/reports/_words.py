"""Numbers as a reader wants them."""

from __future__ import annotations


def number(value: float | None, digits: int = 4) -> str:
    """Write a number with a few digits; large ones in full, with separators."""
    if value is None:
        return "-"
    if 1e4 <= abs(value) < 1e15:
        return f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:,.1f}"
    return f"{value:.{digits}g}"


def percent(share: float | None) -> str:
    """Write a share of 1 as a percentage."""
    return "-" if share is None else f"{100 * share:.1f} %"


def duration(seconds: float) -> str:
    """Write a time with the unit that suits it."""
    if seconds < 1e-3:
        return f"{1e6 * seconds:.0f} µs"
    if seconds < 1.0:
        return f"{1e3 * seconds:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 120.0 else f"{seconds / 60.0:.3g} min"


def counted(n: int, what: str) -> str:
    """Write a number of things, in the singular for one."""
    plural = {"class": "classes"}.get(what, f"{what}s")
    return f"1 {what}" if n == 1 else f"{n:,} {plural}"
