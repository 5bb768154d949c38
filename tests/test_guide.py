"""The examples in the guide run and print what it says."""

import doctest
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parent.parent / "docs" / "guide").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_print_what_the_page_says(page: Path) -> None:
    result = doctest.testfile(
        str(page), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert result.failed == 0


def test_the_differences_from_scikit_learn_have_examples() -> None:
    page = next(page for page in PAGES if page.stem == "differences")
    assert page.read_text().count(">>> ") >= 5
