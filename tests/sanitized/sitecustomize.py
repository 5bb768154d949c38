"""Puts another build of the compiled core in its place: the one that OMNIMEANS_CORE names.

Python imports this file at its start when its folder is on PYTHONPATH.
"""

import importlib.util
import os
import sys

if path := os.environ.get("OMNIMEANS_CORE"):
    spec = importlib.util.spec_from_file_location("omnimeans._core", path)
    assert spec is not None
    assert spec.loader is not None
    core = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(core)
    sys.modules["omnimeans._core"] = core
