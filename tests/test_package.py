"""The package's front door: public names, and nothing heavy behind it."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

import omnimeans as om
from omnimeans.algorithms import NAMES, VARIANTS, choose


def test_public_names_are_sorted_and_there() -> None:
    assert list(om.__all__) == sorted(om.__all__)
    assert set(om.__all__) <= set(dir(om))
    for name in om.__all__:
        assert getattr(om, name) is not None
    assert om.__version__ == version("omnimeans")


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="module 'omnimeans' has no attribute 'KMedoids'"):
        _ = om.KMedoids


def test_import_is_light() -> None:
    code = "import sys, omnimeans; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.split())
    assert "omnimeans" in loaded
    assert not loaded & {"numpy", "sklearn", "scipy", "matplotlib", "pandas", "omnimeans._core"}


def test_every_algorithm_name_leads_to_a_row() -> None:
    assert {row.name for name in NAMES if (row := choose(name))} == set(VARIANTS)
    assert all(row.name == name and row.paper and row.keeps for name, row in VARIANTS.items())
    with pytest.raises(ValueError, match="algorithm='full' is not known; use one of auto, lloyd"):
        choose("full")
