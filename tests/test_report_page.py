"""The report's page in a real browser: silent, self-contained, harmless, and right."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omnimeans.reports import _html
from pages import EVIL, REPORTS, Watched, browser, made, numbers, watched

pytestmark = pytest.mark.browser
__all__ = ["browser", "made", "watched"]  # fixtures


# ---- silent and self-contained


@pytest.mark.parametrize("name", REPORTS)
def test_no_error_and_no_request(name: str, made: Any, watched: Watched) -> None:
    _, path = made[name]
    watched.open(path)
    assert watched.errors == []
    elsewhere = [url for url in watched.requests if not url.startswith(("data:", "blob:"))]
    assert elsewhere == [path.as_uri()]
    assert path.stat().st_size < 6_000_000
    drawn = watched.page.locator(".chart .main-svg").count()
    assert drawn >= 2 * watched.page.locator(".chart").count() > 0


def test_a_request_and_an_error_would_be_seen(tmp_path: Path, watched: Watched) -> None:
    page = "<script>fetch('file:///nowhere'); undefined_function()</script>"
    (tmp_path / "bad.html").write_text(f"<html data-ready=yes>{page}")
    watched.open(tmp_path / "bad.html")
    assert any("undefined_function" in error for error in watched.errors)
    assert "file:///nowhere" in watched.requests


# ---- harmless


def test_names_from_the_data_are_only_text(made: Any, watched: Watched) -> None:
    report, path = made["evil"]
    page = watched.open(path).page
    assert page.evaluate("window.hit") is None
    assert page.locator("script").count() == 3
    assert page.locator("main img, main a").count() == 0
    assert page.locator("h1").inner_text() == EVIL[1]
    shown = page.locator("#features-table tbody th").all_inner_texts()
    assert shown == EVIL
    assert page.locator("#contingency-table tbody th").all_text_contents() == sorted(EVIL)
    assert report.clusters[0].exemplars[0].name in page.locator("#examples-table").inner_text()
    ticks = "".join(page.locator("#bars-chart text").all_text_contents())
    assert "<script>window.hit" in ticks


def test_the_policy_stops_a_script_that_slipped_in(
    made: Any, watched: Watched, tmp_path: Path
) -> None:
    text = made["evil"][1].read_text("utf-8")
    broken = text.replace("<main ", "<script>window.hit = 9</script><main ", 1)
    (tmp_path / "broken.html").write_text(broken, "utf-8")
    assert watched.open(tmp_path / "broken.html").page.evaluate("window.hit") is None
    assert any("Content Security Policy" in error for error in watched.errors)
    (tmp_path / "open.html").write_text(re.sub(r"<meta http-equiv[^>]*>", "", broken), "utf-8")
    assert watched.open(tmp_path / "open.html").page.evaluate("window.hit") == 9


def test_json_in_the_page_cannot_end_its_script() -> None:
    text = _html._json({"name": "</script><!-- & -->"})
    assert not set(text) & set("<>&")


# ---- right


def test_the_tables_are_the_record(made: Any, watched: Watched) -> None:
    report, path = made["iris"]
    page = watched.open(path).page

    def cells(table: str) -> list[list[str]]:
        rows = page.locator(f"#{table} tbody tr").all()
        return [row.locator("th, td").all_text_contents() for row in rows]

    for line, cluster in zip(cells("clusters-table"), report.clusters, strict=True):
        expected = (cluster.label, cluster.size, 100 * cluster.share, cluster.within)
        expected += (cluster.spread, cluster.radius, cluster.neighbor, cluster.neighbor_distance)
        expected += (cluster.gap, cluster.silhouette, cluster.simplified_silhouette)
        assert numbers(" ".join(line)) == pytest.approx(expected, rel=2e-3)
    for line, feature in zip(cells("features-table"), report.features, strict=True):
        expected = (feature.mean, feature.std, feature.minimum, feature.maximum)
        expected += (100 * feature.share, 100 * feature.explained, feature.f_ratio)
        assert line[0] == feature.name
        assert numbers(" ".join(line[1:])) == pytest.approx(expected, rel=2e-3, abs=0.05)
    for line, center, z in zip(
        cells("centers-table"), report.centers, report.z_scores, strict=True
    ):
        found = [float(v.strip("()")) for cell in line[1:] for v in cell.split()]
        assert found == pytest.approx(np.column_stack([center, z]).ravel(), rel=1e-3, abs=0.06)
    found = report.dispersion
    assert numbers(" ".join(cells("dispersion-table")[0])) == pytest.approx(
        [found.total, found.within, found.between, 100 * found.explained], rel=1e-3
    )
    counts = [numbers(" ".join(line[1:])) for line in cells("contingency-table")]
    assert counts == report.agreement.contingency.tolist()
    history = [numbers(line[1])[0] for line in cells("history-table")]
    assert history == pytest.approx([step.inertia for step in report.course.history])
    sweep = [numbers(line[1])[0] for line in cells("sweep-table")]
    assert sweep == pytest.approx(report.sweep.scores["inertia"], rel=1e-3)


def test_the_cards_are_the_record(made: Any, watched: Watched) -> None:
    report, path = made["iris"]
    page = watched.open(path).page
    strongest = max(abs(mark.z) for cluster in report.clusters for mark in cluster.marks)
    cards = page.locator(".card").all()
    for card, cluster in zip(cards, report.clusters, strict=True):
        assert numbers(card.locator("h3").inner_text())[:2] == [cluster.label, cluster.size]
        lines = card.locator(".profile li").all()
        for line, mark in zip(lines, cluster.marks[:4], strict=True):
            assert line.locator(".what").inner_text() == mark.feature
            shown = numbers(line.locator(".value").inner_text())
            assert shown == pytest.approx([mark.center], rel=1e-3)
            bar, track = line.locator("i").bounding_box(), line.locator(".track").bounding_box()
            assert bar is not None
            assert track is not None
            middle = track["x"] + track["width"] / 2
            side = bar["x"] + bar["width"] if mark.z > 0 else bar["x"]
            share = (side - middle) / (track["width"] / 2)
            assert share == pytest.approx(mark.z / strongest, abs=0.02)
    strip = page.locator(".strip li").all()
    shares = [li.evaluate("e => e.getBoundingClientRect().width") for li in strip]
    sizes = np.array([c.size for c in report.clusters])
    np.testing.assert_allclose(np.array(shares) / sum(shares), sizes / sizes.sum(), atol=0.01)


def test_many_clusters_have_their_numbers(made: Any, watched: Watched) -> None:
    report, path = made["picture"]  # more points than a browser draws one by one
    page = watched.open(path).page
    assert page.evaluate("document.getElementById('map-chart').data[0].type") == "scattergl"
    drawn = page.locator("#map-chart .annotation-text").all_text_contents()
    assert drawn == [str(c.label) for c in report.clusters]
    assert page.locator(".card").count() == 24
    assert "6 more clusters in the table" in page.locator("#clusters").inner_text()


def test_the_charts_are_the_record(made: Any, watched: Watched) -> None:
    report, path = made["iris"]
    page = watched.open(path).page

    def data(name: str) -> Any:
        return page.evaluate(f"document.getElementById('{name}-chart').data")

    *rows, centers = data("map")
    assert [len(trace["x"]) for trace in rows] == [c.size for c in report.clusters]
    np.testing.assert_allclose(centers["x"], report.view.centers[:, 0], atol=1e-3)
    np.testing.assert_allclose(data("heat")[0]["z"], report.z_scores, atol=1e-3)
    assert data("sizes")[0]["y"] == [c.size for c in report.clusters]
    assert data("convergence")[0]["y"] == [step.inertia for step in report.course.history]
    assert sum(len(trace["x"]) for trace in data("silhouette")) == 150
    assert data("sweep-0")[0]["y"] == list(report.sweep.scores["inertia"])


def test_the_images_are_the_centers(made: Any, watched: Watched) -> None:
    report, path = made["digits"]
    page = watched.open(path).page
    read = """image => {
      const c = document.createElement('canvas'); c.width = c.height = 8;
      const g = c.getContext('2d'); g.drawImage(image, 0, 0);
      return Array.from(g.getImageData(0, 0, 8, 8).data).filter((_, i) => i % 4 === 0);
    }"""
    for j, image in enumerate(page.locator("#images img.center").all()):
        assert image.get_attribute("alt") == f"Centre of cluster {j}"
        np.testing.assert_allclose(image.evaluate(read), report.centers[j] / 16 * 255, atol=1)
    assert page.locator("#images img.near").count() == 30


def test_the_picture_is_shown_in_its_few_colours(made: Any, watched: Watched) -> None:
    page = watched.open(made["picture"][1]).page
    assert page.locator("#images img").count() == 2
    assert page.locator(".swatches span").count() == 30
    colors = (
        page.locator("#images img")
        .nth(1)
        .evaluate(
            """image => {
          const c = document.createElement('canvas');
          c.width = image.naturalWidth; c.height = image.naturalHeight;
          const g = c.getContext('2d'); g.drawImage(image, 0, 0);
          const d = g.getImageData(0, 0, c.width, c.height).data; const s = new Set();
          for (let i = 0; i < d.length; i += 4) s.add(d[i] * 65536 + d[i + 1] * 256 + d[i + 2]);
          return s.size;
        }"""
        )
    )
    assert 25 <= colors <= 30
