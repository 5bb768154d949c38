"""Write every ``--help`` page into docs/reference/cli.md; a test compares them.

Run it after a change of an option: ``python docs/make_cli_pages.py``.
"""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from omnimeans.cli import COMMANDS, EXIT_CODES, app

PAGE = Path(__file__).parent / "reference" / "cli.md"
WIDTH = 100


def help_page(*words: str) -> str:
    """Return what ``omnimeans WORDS --help`` prints, without blanks at the ends of lines."""
    env = {"COLUMNS": str(WIDTH), "TERM": "dumb", "NO_COLOR": "1", "OMNIMEANS_DATA": None}
    done = CliRunner().invoke(app, [*words, "--help"], env=env, prog_name="omnimeans")
    if done.exit_code:
        raise RuntimeError(f"omnimeans {' '.join(words)} --help: {done.output}")
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    return "\n".join(lines).strip("\n")


def page() -> str:
    """Return the whole page as Markdown."""
    parts = [
        "# Command line",
        "This page is made by `python docs/make_cli_pages.py` from the program itself.",
        "```text\n" + help_page() + "\n```",
        "## Exit codes",
        "\n".join(["| code | meaning |", "| ---: | --- |"])
        + "\n"
        + "\n".join(f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()),
    ]
    for name in COMMANDS:
        parts += [f"## omnimeans {name}", "```text\n" + help_page(name) + "\n```"]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
