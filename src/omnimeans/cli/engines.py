"""``omnimeans engines``: what this machine offers."""

from __future__ import annotations

from typing import Annotated

import typer

from omnimeans.cli._printing import as_json, pairs


def engines(
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say what this machine offers: engines, instruction sets, threads, optional packages.

    Example: omnimeans engines
    """
    from omnimeans.engines import describe

    offers = {**describe(), **_packages()}
    if json:
        typer.echo(as_json(offers))
    else:
        pairs(offers)


def _packages() -> dict[str, str]:
    """Return which optional packages are there, by what they are for."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for package, use in USES.items():
        try:
            found[use] = f"{package} {version(package)}"
        except PackageNotFoundError:
            found[use] = f"not installed: pip install {package}"
    return found


USES = {"pyarrow": "tables", "pillow": "pictures as data", "matplotlib": "plots"}
