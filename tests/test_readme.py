"""The examples of the README and of the guide run and print what they say."""

import doctest
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
GUIDE = sorted(
    page for page in (ROOT / "docs" / "guide").glob("*.md") if ">>>" in page.read_text("utf-8")
)


def test_the_tour_prints_what_it_says():
    result = doctest.testfile(
        str(README), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert result.attempted > 10
    assert result.failed == 0


def test_a_wrong_example_is_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(">>> 1 + 1\n3\n")
    runner = doctest.DocTestRunner(verbose=False)
    parsed = doctest.DocTestParser().get_doctest(page.read_text(), {}, "page", None, 0)
    assert runner.run(parsed, out=lambda text: None).failed == 1


@pytest.mark.parametrize("page", GUIDE, ids=lambda page: page.stem)
def test_the_guide_prints_what_it_says(page):
    result = doctest.testfile(
        str(page), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE, encoding="utf-8"
    )
    assert result.attempted > 0
    assert result.failed == 0
