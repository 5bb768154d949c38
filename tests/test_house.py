"""What the repository says in two places is the same in both."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def pinned_in_hooks(text: str) -> dict[str, str]:
    repositories = re.findall(r"repo: \S+/(\S+)\n\s+rev: v(\S+)", text)
    return {
        name.removesuffix("-pre-commit").removeprefix("mirrors-"): rev for name, rev in repositories
    }


def pinned_in_extra(requirements: list[str]) -> dict[str, str]:
    return dict(entry.split("==") for entry in requirements if "==" in entry)


def test_hooks_use_the_versions_of_the_lint_extra():
    hooks = pinned_in_hooks((ROOT / ".pre-commit-config.yaml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extra = pinned_in_extra(project["optional-dependencies"]["lint"])
    assert hooks
    assert hooks == {name: extra[name] for name in hooks}


def test_another_version_in_the_hooks_is_noticed():
    text = "  - repo: https://example.org/ruff-pre-commit\n    rev: v0.1.0\n"
    assert pinned_in_hooks(text) == {"ruff": "0.1.0"}


def test_the_changelog_knows_the_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("target", ["demo", "test", "bench"])
def test_the_readme_and_the_makefile_know_the_same_commands(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert f"make {target}" in (ROOT / "README.md").read_text()
