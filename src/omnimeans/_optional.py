"""Optional packages: imported when they are needed, and named with their extra when missing."""

from __future__ import annotations

import importlib
import sys
from typing import Any


def need(module: str, extra: str) -> Any:
    """Return an optional module, or say which extra brings it.

    Parameters
    ----------
    module : str
        Full name of the module, such as ``"matplotlib.pyplot"``.
    extra : str
        The extra of omnimeans that installs it.

    Returns
    -------
    module
        The imported module.

    Raises
    ------
    ImportError
        If the package is not installed.

    Examples
    --------
    >>> need("json", extra="all").dumps([1])
    '[1]'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        raise ImportError(
            f'this needs {package}, which is not installed; pip install "omnimeans[{extra}]"'
        ) from error


def in_notebook() -> bool:
    """Return whether the code runs under IPython, which can display objects.

    Returns
    -------
    bool
        False in a plain interpreter, also where IPython is merely installed.

    Examples
    --------
    >>> in_notebook()
    False
    """
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None
