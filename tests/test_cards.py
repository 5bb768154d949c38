"""Cards in notebooks: a model, a sweep and a report show themselves; names are only text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import numpy as np
import pytest
from sklearn import config_context
from sklearn.datasets import load_iris, make_blobs

import omnimeans as om
from omnimeans import _card

IRIS, SPECIES = load_iris(return_X_y=True, as_frame=True)
MODEL = om.KMeans(3, random_state=0).fit(IRIS)


def tree_of(html: str) -> ElementTree.Element:
    """Return the card as XML: only what is well formed and escaped can be read so."""
    found = re.search(r'<div class="omnimeans-card".*', html, re.DOTALL)
    assert found is not None
    return ElementTree.fromstring(found.group())


def texts(tree: ElementTree.Element) -> str:
    return " ".join(part.strip() for part in tree.itertext() if part.strip())


def shapes(tree: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    return list(tree.iter(f"{{http://www.w3.org/2000/svg}}{kind}"))


def test_a_fitted_model_shows_what_came_out() -> None:
    html = MODEL._repr_html_()
    assert "sk-top-container" in html  # scikit-learn's diagram stays
    tree = tree_of(html)
    counted = f"iterations {MODEL.n_iter_}"
    for part in ("KMeans, fitted", "clusters 3", "rows 150", "inertia 78.8514", counted):
        assert part in texts(tree)
    heights = [float(bar.get("height") or 0) for bar in shapes(tree, "rect")]
    sizes = np.bincount(MODEL.labels_)
    assert np.array(heights) / max(heights) == pytest.approx(sizes / 62, abs=0.01)
    assert len(shapes(tree, "circle")) == len(MODEL.history_)
    bundle = MODEL._repr_mimebundle_()
    assert "omnimeans-card" in bundle["text/html"]


def test_a_model_that_is_not_fitted_shows_the_diagram_alone() -> None:
    assert "omnimeans-card" not in om.KMeans(3)._repr_html_()
    with config_context(display="text"):
        assert not hasattr(MODEL, "_repr_html_")


def test_a_sweep_shows_its_verdict_and_curves() -> None:
    X, _ = make_blobs(200, centers=3, cluster_std=0.4, random_state=0)
    sweep = om.sweep(X, range(1, 6), random_state=0)
    tree = tree_of(sweep._repr_html_())
    assert "verdict k = 3" in texts(tree)
    assert str(sweep.verdict) in texts(tree)
    assert len(shapes(tree, "polyline")) == 3
    lines = [[cell.text for cell in line] for line in tree.iter("tr")][1:]
    assert [int(line[0] or 0) for line in lines] == [1, 2, 3, 4, 5]
    assert [float(line[1] or 0) for line in lines] == pytest.approx(sweep.inertias, rel=1e-4)


def test_a_report_shows_clusters_and_warnings() -> None:
    seen = om.report(MODEL, IRIS)
    tree = tree_of(seen._repr_html_())
    assert "explained 88.4 %" in texts(tree)
    lines = [[cell.text for cell in line] for line in tree.iter("tr")][1:]
    assert [int(line[1] or 0) for line in lines] == [c.size for c in seen.clusters]
    assert len(shapes(tree, "path")) == 3
    assert len(shapes(tree, "circle")) == 150 + MODEL.n_iter_
    X = np.random.default_rng(0).normal(size=(500, 6))
    weak = om.report(om.KMeans(5, random_state=0).fit(X), X)
    assert weak.warnings
    assert all(warned.text in texts(tree_of(weak._repr_html_())) for warned in weak.warnings)


def test_names_are_only_text() -> None:
    evil = "<script>alert(1)</script>"
    seen = om.report(MODEL, IRIS, feature_names=[evil, "b", "c", '"&'])
    html = seen._repr_html_()
    assert "<script" not in html
    assert evil in texts(tree_of(html))


def test_drawings_have_words_for_those_who_do_not_see_them() -> None:
    tree = tree_of(om.report(MODEL, IRIS)._repr_html_())
    drawings = shapes(tree, "svg")
    assert len(drawings) == 3
    assert all(d.get("role") == "img" and d.get("aria-label") for d in drawings)


@pytest.mark.parametrize("values", [[], [0.0], [5.0, 5.0], [float("nan"), 1.0], list(range(100))])
def test_any_values_can_be_drawn(values: Any) -> None:
    for drawn in (
        _card.line(range(len(values)), values, "t"),
        _card.bars(np.nan_to_num(values), "t"),
    ):
        assert "nan" not in drawn
        if drawn:
            ElementTree.fromstring(drawn)


def test_a_long_table_is_cut() -> None:
    html = _card.table(["a"], [[str(i)] for i in range(40)])
    assert html.count("<tr>") == 31
    assert "... and 10 more" in html
