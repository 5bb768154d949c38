"""The report's page as a reader meets it: on a phone, in the dark, on paper, by keyboard."""

from __future__ import annotations

import itertools
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page
from sklearn.datasets import make_blobs

import omnimeans as om
from pages import Watched, browser, made, numbers, watched

pytestmark = pytest.mark.browser
__all__ = ["browser", "made", "watched"]  # fixtures


SECTIONS = ["overview", "map", "player", "clusters", "centres", "features", "silhouettes"]
SECTIONS += ["agreement", "sweep", "examples", "settings"]


# ---- the player


def centers_shown(page: Page) -> np.ndarray:
    x, y = page.evaluate(
        "(() => { const d = document.getElementById('player-chart').data;"
        " return [d[2].x, d[2].y]; })()"
    )
    return np.column_stack([x, y])


def test_the_player_moves_the_centers(made: Any, watched: Watched) -> None:
    report, path = made["iris"]
    replay = report.replay
    page = watched.open(path).page
    status, slider = page.locator("#player-status"), page.locator("#player-slider")
    np.testing.assert_allclose(centers_shown(page), replay.centers[0], atol=1e-3)
    for i in range(len(replay.labels)):
        page.locator("#player-on").click()
        assert f"Iteration {i + 1}, assignment" in status.inner_text()
        np.testing.assert_allclose(centers_shown(page), replay.centers[i], atol=1e-3)
        page.locator("#player-on").click()
        assert f"Iteration {i + 1}, update" in status.inner_text()
        assert numbers(status.inner_text())[-1] == pytest.approx(replay.inertias[i], rel=1e-4)
        np.testing.assert_allclose(centers_shown(page), replay.centers[i + 1], atol=1e-3)
    assert "no centre moves any more" in status.inner_text()
    colors = page.evaluate("document.getElementById('player-chart').data[0].marker.color")
    assert len(set(colors)) == 3
    slider.focus()
    page.keyboard.press("Home")
    np.testing.assert_allclose(centers_shown(page), replay.centers[0], atol=1e-3)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    np.testing.assert_allclose(centers_shown(page), replay.centers[1], atol=1e-3)
    assert slider.get_attribute("aria-valuetext") == status.inner_text()


def test_the_player_plays_to_the_end(made: Any, watched: Watched) -> None:
    report, path = made["iris"]
    watched.page.clock.install()
    page = watched.open(path).page
    page.locator("#player-play").click()
    assert page.locator("#player-play").inner_text() == "Pause"
    page.clock.run_for(60_000)
    assert page.locator("#player-play").inner_text() == "Play"
    np.testing.assert_allclose(centers_shown(page), report.replay.centers[-1], atol=1e-3)


def test_the_curve_of_convergence_follows_the_player(made: Any, watched: Watched) -> None:
    report, path = made["iris"]
    page = watched.open(path).page
    here = (
        "(() => { const d = document.getElementById('convergence-chart').data[1];"
        " return [...d.x, ...d.y]; })()"
    )
    assert page.evaluate(here) == []
    for _ in range(3):
        page.locator("#player-on").click()
    assert page.evaluate(here) == pytest.approx([2, report.course.history[1].inertia])


def test_the_navigation_tells_the_section(made: Any, watched: Watched) -> None:
    page = watched.open(made["iris"][1]).page
    page.wait_for_selector("nav a[href='#overview'][aria-current]")
    page.locator("nav a", has_text="Silhouettes").click()
    page.wait_for_selector("nav a[href='#silhouettes'][aria-current]")
    assert page.locator("nav a[aria-current]").count() == 1


# ---- readable


PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
WIDTHS = [{}, PHONE]
SCHEMES = ["light", "dark"]
SETTINGS = [a | {"color_scheme": b} for a, b in itertools.product(WIDTHS, SCHEMES)]


@pytest.mark.parametrize("watched", SETTINGS, indirect=True)
def test_every_section_fits_the_screen(made: Any, watched: Watched) -> None:
    page = watched.open(made["iris"][1]).page
    width = page.evaluate("innerWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sections = page.locator("section")
    assert [s.get_attribute("id") for s in sections.all()] == SECTIONS
    for section in sections.all():
        box = section.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    for chart in page.locator(".chart").all():
        drawn, place = chart.locator(".main-svg").first.bounding_box(), chart.bounding_box()
        assert drawn is not None
        assert place is not None
        assert abs(drawn["width"] - place["width"]) <= 1


def luminance(color: str) -> float:
    levels = [float(v) / 255 for v in re.findall(r"[\d.]+", color)[:3]]
    linear = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in levels]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def contrast(a: str, b: str) -> float:
    """Return the contrast of two colours (Web Content Accessibility Guidelines 2, 1.4.3)."""
    high, low = sorted([luminance(a), luminance(b)], reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("watched", [{"color_scheme": s} for s in SCHEMES], indirect=True)
def test_text_stands_out_in_light_and_dark(made: Any, watched: Watched) -> None:
    page = watched.open(made["digits"][1]).page
    color = "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
    ink, paper = page.locator("body").evaluate(color)
    assert contrast(ink, paper) > 12
    for place in ("figcaption", ".facts dt", "nav a", "summary", "caption"):
        assert contrast(page.locator(place).first.evaluate(color)[0], paper) >= 4.5, place
    assert contrast(*page.locator(".warnings li").first.evaluate(color)) >= 7
    for badge in page.locator(".badge, #player-play").all():
        assert contrast(*badge.evaluate(color)) >= 4.5
    for text in page.locator(".card .quiet, .value, .what").all()[:12]:
        panel = text.evaluate("e => getComputedStyle(e.closest('.card')).backgroundColor")
        assert contrast(text.evaluate(color)[0], panel) >= 4.5
    tick = page.locator("#convergence-chart .xtick text").first.evaluate(
        "e => getComputedStyle(e).fill"
    )
    assert contrast(tick, paper) >= 7


def test_light_turns_to_dark_while_the_page_is_open(made: Any, watched: Watched) -> None:
    page = watched.open(made["iris"][1]).page
    fill = "document.querySelector('#convergence-chart .xtick text').style.fill"
    before = page.evaluate(fill)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{fill} !== '{before}'")


def test_on_paper(made: Any, watched: Watched) -> None:
    page = watched.open(made["iris"][1]).page
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.locator("nav").is_visible()
    assert not page.locator(".player").is_visible()
    ink, paper = page.locator("body").evaluate(
        "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
    )
    assert (luminance(ink), luminance(paper)) == (0.0, 1.0)
    assert page.pdf()[:5] == b"%PDF-"


def test_by_keyboard_and_screen_reader(made: Any, watched: Watched) -> None:
    page = watched.open(made["iris"][1]).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert {"player-play", "player-slider", "DIV", "SUMMARY"} <= seen
    assert page.get_by_role("slider", name="Step of the algorithm").count() == 1
    charts = page.locator(".chart").all()
    assert all(c.get_attribute("role") == "img" and c.get_attribute("aria-label") for c in charts)
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("img:not([alt])").count() == 0
    for table in page.locator("table").all():
        assert table.locator("caption").count() == 1
        assert table.locator("th:not([scope])").count() == 0
    assert page.locator("section:not([aria-labelledby])").count() == 0
    assert page.locator("h1").count() == 1


# ---- large


@pytest.mark.slow
def test_a_million_rows(tmp_path: Path, watched: Watched) -> None:
    X, _ = make_blobs(1_000_000, n_features=20, centers=20, cluster_std=3.0, random_state=0)
    X = X.astype(np.float32)
    model = om.KMeans(20, random_state=0).fit(X)
    begin = time.process_time()  # which does not depend on who else is busy
    om.report(model, X).to_html(tmp_path / "large.html")
    assert time.process_time() - begin < 20.0
    assert (tmp_path / "large.html").stat().st_size < 6_000_000
    page = watched.open(tmp_path / "large.html").page
    assert watched.errors == []
    assert "of 1,000,000 rows are shown" in page.locator("#map figcaption").inner_text()
