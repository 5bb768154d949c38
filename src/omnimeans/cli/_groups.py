"""Options that several commands share: a record of them is one parameter of a command."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, TypeVar, get_type_hints

F = TypeVar("F", bound=Callable[..., Any])


def grouped(command: F) -> F:
    """Return the command with each parameter that is a record of options spread out.

    A dataclass whose fields are annotated for typer becomes as many options; when the command
    runs, they are put together again.

    Parameters
    ----------
    command : callable
        A function whose parameters are annotated for typer, or with such a dataclass.

    Returns
    -------
    callable
        The same command, as typer wants it.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Size:
    ...     height: int = 2
    ...     width: int = 3
    >>> @grouped
    ... def area(size: Size) -> int:
    ...     return size.height * size.width
    >>> area(height=5)
    15
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, tuple[type[Any], list[str]]] = {}
    spread: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        kind = hints[name]
        if not hasattr(kind, "__dataclass_fields__"):
            spread.append(parameter.replace(annotation=kind, kind=inspect.Parameter.KEYWORD_ONLY))
            continue
        inner = get_type_hints(kind, include_extras=True)
        groups[name] = (kind, [field.name for field in fields(kind)])
        spread += [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=field.default if field.default is not MISSING else inspect.Parameter.empty,
                annotation=inner[field.name],
            )
            for field in fields(kind)
        ]

    @functools.wraps(command)
    def run(**given: Any) -> Any:
        together = {
            name: kind(**{option: given.pop(option) for option in options if option in given})
            for name, (kind, options) in groups.items()
        }
        return command(**given, **together)

    run.__signature__ = inspect.Signature(spread)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in spread}
    return run  # type: ignore[return-value]
