"""The examples of the guides on choosing k and on scores run and print what they say."""

import doctest
from pathlib import Path

import pytest

GUIDES = Path(__file__).parent.parent / "docs" / "guide"


@pytest.mark.parametrize("name", ["choosing-k.md", "scores.md"])
def test_the_guide_prints_what_it_says(name):
    result = doctest.testfile(str(GUIDES / name), module_relative=False)
    assert result.attempted > 5
    assert result.failed == 0
