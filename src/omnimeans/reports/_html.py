"""A report as one HTML file that needs nothing else: no network, no server, no other file.

Text from the data goes through the template's escaping, numbers for the pictures through a JSON
block whose angle brackets are escaped.  A content security policy names the scripts by their
hashes, so a browser runs no other script and fetches nothing, whatever the data hold.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omnimeans._optional import need
from omnimeans._palette import COLORS, INKS
from omnimeans.reports import _pictures, _words
from omnimeans.reports._scene import scene, strongest

if TYPE_CHECKING:
    from omnimeans.reports.record import Report

FOLDER = Path(__file__).with_name("page")
SCRIPTS = ("charts.js", "player.js", "start.js")
MOST_COLUMNS = 40  # features in the table of centres
MOST_CARDS = 24  # clusters with a card; all are in the table


def as_html(report: Report, title: str) -> str:
    """Return the page."""
    jinja2 = need("jinja2", extra="report")
    library = need("plotly.offline", extra="report").get_plotlyjs().strip()
    own = "\n".join((FOLDER / name).read_text("utf-8") for name in SCRIPTS)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": _words.number, "percent": _words.percent}
    environment.filters |= {"duration": _words.duration}
    environment.globals |= {"counted": _words.counted, "colors": COLORS, "inks": INKS}
    environment.globals |= {"MOST_CARDS": MOST_CARDS, "reach": _reach(report)}
    safe = jinja2.utils.markupsafe.Markup
    page: str = environment.get_template("page.html").render(
        title=title,
        report=report,
        policy=_policy(library, own),
        style=safe((FOLDER / "page.css").read_text("utf-8")),
        library=safe(library),
        script=safe(own),
        scene=safe(_json(scene(report))),
        columns=strongest(report, MOST_COLUMNS),
        pictures=_pictures.images(report),
    )
    return page.lstrip()


def _reach(report: Report) -> float:
    """Return the z-score at which a card's bars are full."""
    found = [abs(mark.z) for cluster in report.clusters for mark in cluster.marks]
    return max(1.0, min(4.0, max(found, default=1.0)))


def _json(value: Any) -> str:
    """Return JSON that may stand inside a script element: no tag can begin or end in it."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    for sign, code in (("<", r"\u003c"), (">", r"\u003e"), ("&", r"\u0026")):
        text = text.replace(sign, code)
    return text


def _policy(*scripts: str) -> str:
    """Return a content security policy that allows these scripts, and no request at all."""
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes} 'unsafe-eval'; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
