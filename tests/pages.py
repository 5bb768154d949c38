"""Report pages to be looked at, and a browser that remembers what they complain about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from sklearn.datasets import load_digits, load_iris, load_sample_image, make_blobs

import omnimeans as om
from conftest import find_browser
from omnimeans.lloyd import elbow_curve

EVIL = [
    "<script>window.hit = 1</script>",
    "</script><script>window.hit = 2</script>",
    "<img src=x onerror='window.hit = 3'>",
    "<a href='javascript:window.hit = 4'>{{ 7 * 7 }}</a>",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=find_browser(), args=["--no-sandbox", "--disable-gpu-sandbox"]
        )
        yield chromium
        chromium.close()


def evil_report() -> om.Report:
    X, y = make_blobs(60, n_features=4, centers=4, random_state=0)
    model = om.KMeans(4, random_state=0).fit(X)
    names = [f"{EVIL[i % 4]} {i}" for i in range(60)]
    return om.report(model, X, np.array(EVIL)[y], feature_names=EVIL, row_names=names)


def iris_report() -> om.Report:
    X, y = load_iris(return_X_y=True, as_frame=True)
    species = np.array(["setosa", "versicolor", "virginica"])[y]
    model = om.KMeans(3, random_state=0).fit(X)
    return om.report(model, X, species, sweep=elbow_curve(X, max_clusters=5))


def digits_report() -> om.Report:
    X, y = load_digits(return_X_y=True)
    return om.report(om.KMeans(10, random_state=0).fit(X), X, y, image_shape=(8, 8))


def picture_report() -> om.Report:
    image = load_sample_image("flower.jpg")[::4, ::4]
    pixels = image.reshape(-1, 3).astype(np.float32)
    model = om.KMeans(30, random_state=0).fit(pixels)
    return om.report(model, pixels, image_shape=image.shape)


REPORTS = {
    "iris": iris_report,
    "digits": digits_report,
    "picture": picture_report,
    "evil": evil_report,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[om.Report, Path]]:
    folder = tmp_path_factory.mktemp("pages")
    reports = {name: make() for name, make in REPORTS.items()}
    for name, report in reports.items():
        report.to_html(folder / f"{name}.html", title=EVIL[1] if name == "evil" else name)
    return {name: (report, folder / f"{name}.html") for name, report in reports.items()}


class Watched:
    """A page, with everything that it complained about or asked for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, path: Path) -> Watched:
        self.page.goto(path.as_uri())
        self.page.wait_for_function("document.documentElement.dataset.ready === 'yes'")
        return self


@pytest.fixture
def watched(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Watched]:
    settings: dict[str, Any] = {"viewport": {"width": 1200, "height": 900}}
    settings |= getattr(request, "param", {})
    context = browser.new_context(**settings)
    yield Watched(context.new_page())
    context.close()


def numbers(text: str) -> list[float]:
    return [float(found.replace(",", "")) for found in re.findall(r"-?\d[\d,]*\.?\d*", text)]
