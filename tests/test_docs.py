"""The documentation: every example runs, every public name has a page, every link leads somewhere.

The site is built once, as ``make docs`` does it: a warning fails it, and so does an example of the
gallery that cannot be run.
"""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import matplotlib.pyplot as plt
import pytest
from PIL import Image

from conftest import find_data
from omnimeans.algorithms import VARIANTS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
HOME = DOCS / "_build" / "html"  # of the site
MADE = ("_build", "gallery", str(Path("reference") / "api"))  # by Sphinx
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("*/*.md"))]
WRITTEN = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "RELIABILITY.md", ROOT / "CHANGELOG.md"]
WRITTEN += sorted((ROOT / "bench").glob("*.md"))
PUBLIC = ("omnimeans", "omnimeans.metrics", "omnimeans.plots", "omnimeans.datasets")
PUBLIC += ("omnimeans.studies",)
NO_PAGE = {"__version__", "metrics", "plots", "datasets", "studies"}  # these are whole pages
TABLES = {"AGREEMENT", "SEPARATION", "LOADERS", "STUDIES"}  # described in words

named = pytest.mark.parametrize(
    "page",
    [p for p in PAGES if ">>> " in p.read_text("utf-8")],
    ids=lambda page: str(page.relative_to(ROOT)),
)


# ---- examples


@named
def test_examples_print_what_the_page_says(page: Path) -> None:
    plt.switch_backend("Agg")
    result = doctest.testfile(
        str(page), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE, encoding="utf-8"
    )
    plt.close("all")
    assert result.attempted > 0
    assert result.failed == 0


def test_a_wrong_example_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(">>> 1 + 1\n3\n")
    parsed = doctest.DocTestParser().get_doctest(page.read_text(), {}, "page", None, 0)
    runner = doctest.DocTestRunner(verbose=False)
    assert runner.run(parsed, out=lambda text: None).failed == 1


def untried(page: Path) -> list[str]:
    """Return the blocks of Python on a page that are no examples."""
    blocks = re.findall(
        r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    return [block for block in blocks if ">>> " not in block]


def test_python_that_is_not_run_is_about_machines_that_are_not_here() -> None:
    found = {page.stem: untried(page) for page in PAGES}
    assert {stem for stem, blocks in found.items() if blocks} <= {"dask", "scaling"}
    for block in [block for blocks in found.values() for block in blocks]:
        compile(block, "block", "exec")


def test_pages_that_show_code_have_examples() -> None:
    tried = {page.stem for page in PAGES if page.read_text("utf-8").count(">>> ") >= 3}
    expected = {"README", "quickstart", "how-k-means-works", "choosing-k", "scores", "differences"}
    assert expected <= tried


# ---- pictures


def load(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pictures_are_made_by_their_command(tmp_path: Path) -> None:
    maker = load(DOCS / "make_pictures.py")
    stored = {file.name for file in maker.FOLDER.iterdir()}
    assert stored == {f"{name}.png" for name in maker.PICTURES}
    for file in maker.make(tmp_path, ("clusters", "two-optima")):
        with Image.open(file) as now, Image.open(maker.FOLDER / file.name) as before:
            assert now.size == before.size
            assert now.getextrema() == before.getextrema()
    assert (maker.FOLDER / "clusters.png").stat().st_size < 120_000  # a README is read on phones


# ---- formulas


def test_formulas_are_translated_rightly() -> None:
    mathml = load(DOCS / "_extensions" / "formulas.py").mathml
    half = re.sub(r"\s+", "", mathml(r"\tfrac12 \lVert c \rVert^2"))
    assert "<mn>1</mn><mn>2</mn></mfrac>" in half
    assert half.count('stretchy="false">‖</mo>') == 2
    with pytest.raises(Exception, match="dots"):
        mathml(r"x \dots y")


# ---- links between the files of the repository


def links(text: str) -> list[str]:
    """Return where the links and pictures of a Markdown page lead, code left out."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"`[^`\n]*`", "", text)
    return re.findall(r"\]\(([^)\s]+)\)", text)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a Markdown page: its headings, and the targets that are named."""
    text = page.read_text("utf-8")
    found = set(re.findall(r"^\(([\w-]+)\)=$", text, flags=re.MULTILINE))
    for heading in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", heading.lower())
        found.add(plain.strip().replace(" ", "-"))
    return found


def broken(page: Path) -> list[str]:
    """Return the links of a page that lead nowhere; those into the built site are left to it."""
    wrong = []
    for link in links(page.read_text("utf-8")):
        parts = urlsplit(link)
        if parts.scheme in {"http", "https", "mailto"}:
            continue
        target = page if not parts.path else (page.parent / unquote(parts.path)).resolve()
        if target.is_relative_to(DOCS / "gallery"):
            continue
        if not target.exists() or (
            parts.fragment and target.suffix == ".md" and parts.fragment not in anchors(target)
        ):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert broken(page) == []


def test_a_broken_link_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A title\n[a](#a-title) [b](#b-title) [c](page.md) [d](gone.md)\n")
    assert broken(page) == ["#b-title", "gone.md"]


# ---- the reference


def listed() -> set[str]:
    """Return the full names of everything in the summaries of the reference."""
    names = set()
    for page in (DOCS / "reference").glob("*.rst"):
        module = "omnimeans"
        for line in page.read_text("utf-8").splitlines():
            if found := re.match(r"\.\. currentmodule:: (\S+)", line):
                module = found[1]
            elif found := re.match(r"   ([\w.]+)$", line):
                name = found[1]
                names.add(name if name.startswith("omnimeans.") else f"{module}.{name}")
    return names


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_is_in_the_reference(module: str) -> None:
    public = set(importlib.import_module(module).__all__) - NO_PAGE - TABLES
    assert {f"{module}.{name}" for name in public} <= listed()


def test_the_tables_of_names_are_in_the_reference() -> None:
    text = "".join(page.read_text("utf-8") for page in (DOCS / "reference").glob("*.rst"))
    assert all(f"``{name}``" in text for name in TABLES)


def test_the_guide_names_every_algorithm() -> None:
    page = (DOCS / "guide" / "variants.md").read_text("utf-8")
    assert all(f'`"{name}"`' in page for name in VARIANTS)


def test_every_page_of_the_guide_is_in_its_table_of_contents() -> None:
    contents = (DOCS / "guide" / "index.md").read_text("utf-8").split()
    assert {page.stem for page in (DOCS / "guide").glob("*.md")} - {"index"} <= set(contents)


# ---- the site


class Page(HTMLParser):
    """What a page of the site points to, what it loads, and the places in it that have a name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.points: list[str] = []
        self.loads: list[str] = []
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attributes if value is not None}
        self.names |= {given[key] for key in ("id", "name") if key in given}
        if tag == "a" and "href" in given:
            self.points.append(given["href"])
        if tag == "link" and given.get("rel") not in {"canonical", "search"} and "href" in given:
            self.loads.append(given["href"])
        if tag in {"script", "img", "source", "iframe", "video"} and "src" in given:
            self.loads.append(given["src"])
        for one in given.get("srcset", "").split(","):
            if one.strip():
                self.loads.append(one.split()[0])


def build() -> dict[Path, Page]:
    """Return the site, made anew, page by page."""
    for folder in MADE:
        shutil.rmtree(DOCS / folder, ignore_errors=True)
    environment = {**os.environ, "OMNIMEANS_DATA": os.fspath(find_data() or "")}
    words = ["-b", "html", "-W", "--keep-going", "-q", os.fspath(DOCS), os.fspath(HOME)]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *words], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    pages = [page for page in HOME.rglob("*.html") if "_static" not in page.parts]
    return {page: Page(page.read_text("utf-8")) for page in sorted(pages)}


def lead_nowhere(site: dict[Path, Page]) -> list[str]:
    """Return the links of the site to files or places in files that are not there."""
    wrong = []
    for path, page in site.items():
        for link in (*page.points, *page.loads):
            parts = urlsplit(link)
            if parts.scheme or link in {"", "#"}:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            place = unquote(parts.fragment) if target.suffix == ".html" else ""
            if not target.exists() or (place and place not in site[target].names):
                wrong.append(f"{path.name}: {link}")
    return wrong


def test_a_link_of_the_site_that_leads_nowhere_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<p id="a"><a href="#a"></a><a href="#b"></a><img src="gone.png">')
    wrong = lead_nowhere({page: Page(page.read_text())})
    assert wrong == ["page.html: #b", "page.html: gone.png"]


# What the examples of the gallery must have printed, for their text to be true.
PRINTED = {
    "plot_colors": "same centres: True",
    "plot_customers": "agreement with the groups: 1.00",
    "plot_digits": "k = 10: purity 0.79",
    "plot_iris": "purity              0.893",
    "plot_mnist": "sum of city-block distances",
    "plot_places": "same labels as in float64: 1.0",
}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_site_is_whole() -> None:
    site = build()
    assert len(site) > 100
    assert lead_nowhere(site) == []
    elsewhere = [link for page in site.values() for link in page.loads if urlsplit(link).netloc]
    assert elsewhere == []  # it can be read without a network
    scripts = sorted((ROOT / "examples" / "gallery").glob("plot_*.py"))
    assert {script.stem for script in scripts} == set(PRINTED)
    for script in scripts:
        assert PRINTED[script.stem] in (HOME / "gallery" / f"{script.stem}.html").read_text("utf-8")
        loads = site[HOME / "gallery" / f"{script.stem}.html"].loads
        assert sum(f"sphx_glr_{script.stem}_" in link for link in loads) >= 2
