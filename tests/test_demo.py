"""What a study looks like: tables on the terminal, pictures in a folder."""

from __future__ import annotations

import io
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from omnimeans import plots, studies
from omnimeans.demo import draw, run_demo, show
from omnimeans.studies import STUDIES, Study

PICTURES = {
    "blobs": {"blobs-clusters", "blobs-contingency", "blobs-elbow"},
    "toy": {"toy-good-start-clusters", "toy-bad-start-clusters"},
    "iris": {"iris-clusters", "iris-contingency", "iris-elbow"},
    "digits": {"digits-centres", "digits-contingency"},
    "china": {"china-picture"},
}


@pytest.fixture(scope="module")
def made() -> dict[str, Study]:
    return {name: STUDIES[name]() for name in PICTURES}


def printed(study: Study) -> str:
    paper = io.StringIO()
    show(study, Console(file=paper, width=80))
    return paper.getvalue()


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(made: dict[str, Study], name: str, tmp_path: Path) -> None:
    files = draw(made[name], tmp_path / "new" / "folder")
    assert {file.stem for file in files} == PICTURES[name]
    assert sorted(files) == sorted((tmp_path / "new" / "folder").iterdir())
    for file in files:
        if file.suffix == ".svg":
            assert ET.parse(file).getroot().tag.endswith("svg")
        else:
            with Image.open(file) as image:
                assert min(image.size) > 300
                assert len(np.unique(np.asarray(image.convert("L")))) > 10  # not a blank sheet
    assert {file.suffix for file in files} == {".svg", ".png"}


def test_the_same_study_gives_the_same_svg(made: dict[str, Study], tmp_path: Path) -> None:
    first, again = (draw(made["iris"], tmp_path / name) for name in ("first", "again"))
    for one, other in zip(first, again, strict=True):
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("name", PICTURES)
def test_tables_fit_into_eighty_columns(made: dict[str, Study], name: str) -> None:
    text = printed(made[name])
    assert "…" not in text
    for run in made[name].runs:
        assert run.title in text
        for row in run.rows:
            line = next(
                line
                for line in text.splitlines()
                if f"{row.seconds:.4f}" in line and row.library in line
            )
            assert line.split()[3] == str(row.k)
            assert str(row.iterations) in line.split()
        for classes in run.classes:
            assert f"{classes.rows}: purity {classes.purity:.4f}" in text


def test_contingency_matrix_is_printed(made: dict[str, Study]) -> None:
    text = printed(made["iris"])
    assert "pred=0 pred=1 pred=2" in text
    for number, counts in enumerate(made["iris"].runs[0].classes[0].contingency.tolist()):
        line = next(line for line in text.splitlines() if f"true={number}" in line)
        assert [int(word) for word in line.split()[1:]] == counts


def test_ten_clusters_fit(made: dict[str, Study]) -> None:
    assert "pred=9" in printed(made["digits"])


def test_one_thread_or_more() -> None:
    assert "; 1 thread\n" in printed(studies.toy())
    assert "; 2 threads\n" in printed(studies.toy(n_threads=2))


def test_demo_goes_on_without_mnist(tmp_path: Path) -> None:
    paper = io.StringIO()
    console = Console(file=paper, width=80)
    run_demo(tmp_path, console, names=["mnist", "toy"], data=tmp_path / "absent")
    text = paper.getvalue()
    left_out = [line for line in text.splitlines() if "mnist is left out" in line]
    assert len(left_out) == 1
    assert "name one, or leave it out to download what is missing" in left_out[0]
    assert "125.5" in text
    assert {file.stem for file in tmp_path.iterdir()} == PICTURES["toy"]
    assert f"Picturesin{tmp_path}" in "".join(text.split())  # wherever lines are broken


def test_mnist_is_drawn(data_folder: Path, tmp_path: Path) -> None:
    files = draw(studies.mnist(data=data_folder, parts=["test"], n_threads=2), tmp_path)
    assert {file.stem for file in files} == {
        f"mnist-test-images-{metric}-{what}"
        for metric in ("euclidean", "manhattan")
        for what in ("centres", "contingency")
    }


def test_without_matplotlib(
    made: dict[str, Study], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "omnimeans\[plot\]"'):
        draw(made["toy"], tmp_path)


def test_picture_shows_the_pixels() -> None:
    pixels = np.array([[[1.0, 0.0, 0.0], [0.0, 0.5, 1.5]]])
    ax = plots.picture(pixels, "two pixels")
    assert ax.get_title() == "two pixels"
    assert np.array_equal(np.asarray(ax.images[0].get_array()), pixels.clip(0, 1))


@pytest.mark.parametrize("shape", [(4, 3), (2, 2, 4)])
def test_picture_that_is_none(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"give \(height, width, 3\)"):
        plots.picture(np.zeros(shape))
