"""The README's examples run and print what it says."""

import doctest
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


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
