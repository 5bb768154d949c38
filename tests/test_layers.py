"""The shape of the package: imports point down, extras stay optional, files stay short.

Each rule is a function from a folder to complaints, and is seen to complain about a small folder
that breaks it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "omnimeans"

# From the bottom up.  A module may import what stands below it, and from its own package.
LAYERS = (
    {"_types", "_optional", "_palette", "_files", "_foreign", "_params", "seeding"},
    {"_archive", "_card", "_core", "_sketch"},
    {"_fading", "_rows"},
    {"_inputs", "_scaling", "_sums", "algorithms", "directions", "distances", "looks"},
    {"tables"},
    {"_validate"},
    {"sources"},
    {"engines"},
    {"init"},
    {"_control", "_empty", "progress"},
    {"_bisect", "_checkpoint", "_fit"},
    {"calibration"},
    {"_nested"},
    {"_running"},
    {"datasets", "metrics"},
    {"plots"},
    {"estimators"},
    {"drifts", "estimates", "identity", "persistence", "scaling", "selection", "streams"},
    {"lloyd"},
    {"reports", "studies"},
    {"demo"},
    {"cli"},
    {"__main__"},
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}

OPTIONAL = {"IPython", "PIL", "matplotlib", "matplotlib_inline", "pandas", "polars", "pooch"}
OPTIONAL |= {"imageio_ffmpeg", "jinja2", "onnx", "plotly", "pyarrow", "torch"}
OPTIONAL |= {"dask", "distributed", "h5py", "zarr"}
# What is always installed: the run-time dependencies, and what scikit-learn brings along.
REQUIRED = {"joblib", "narwhals", "numpy", "rich", "safetensors", "sklearn", "typer"} | {
    "scipy",
    "threadpoolctl",
}
STANDARD = set(__import__("sys").stdlib_module_names)

LONGEST = 350  # lines; about 300 is the aim


def modules(package: Path) -> Iterator[tuple[str, str, ast.Module]]:
    """Each Python file: its path in the package, its layer's name, its syntax tree."""
    for path in sorted(package.rglob("*.py")):
        inside = path.relative_to(package)
        yield inside.as_posix(), inside.parts[0].removesuffix(".py"), ast.parse(path.read_text())


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported, at any depth; ``from omnimeans import x`` is omnimeans.x."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not used here"
            if node.module == "omnimeans":
                yield from (f"omnimeans.{alias.name}" for alias in node.names)
            else:
                yield str(node.module)


def at_import(tree: ast.Module) -> Iterator[str]:
    """What is imported when the module is: not in functions, not for type checkers only."""
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            pending.extend(node.orelse)
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from imported(node)
        pending.extend(ast.iter_child_nodes(node))


# the rules


def imports_that_point_up(package: Path) -> list[str]:
    complaints = []
    for path, own, tree in modules(package):
        if path == "__init__.py":  # the front door looks names up when they are asked for
            continue
        if own not in LEVEL:
            complaints.append(f"{path} has no place in LAYERS")
            continue
        for name in imported(tree):
            first, _, rest = name.partition(".")
            layer = rest.partition(".")[0]
            if first != "omnimeans" or layer in ("", own, "__version__"):
                continue
            if LEVEL.get(layer, len(LAYERS)) >= LEVEL[own]:
                complaints.append(f"{path} imports {name}, which is not below it")
    return complaints


def imports_that_need_an_extra(package: Path) -> list[str]:
    known = REQUIRED | STANDARD | {"omnimeans"}
    return [
        f"{path} imports {name} at module level"
        for path, _, tree in modules(package)
        for name in at_import(tree)
        if name.partition(".")[0] not in known or name.partition(".")[0] in OPTIONAL
    ]


def incomplete_lists_of_names(package: Path) -> list[str]:
    """Complain about packages whose ``__all__`` is missing, unsorted, or not what they offer.

    An ``__init__`` that only gathers names lists all of them; one with code of its own may import
    some for its own use.
    """
    complaints = []
    for path, _, tree in modules(package):
        if not path.endswith("/__init__.py"):
            continue
        own = f"omnimeans.{path.removesuffix('/__init__.py').replace('/', '.')}."
        bound, gathered, listed, has_code = set(), set(), None, False
        for node in tree.body:
            if isinstance(node, ast.ImportFrom):
                names = {alias.asname or alias.name for alias in node.names}
                bound |= names
                gathered |= names if str(node.module).startswith(own) else set()
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                bound.add(node.name)
                has_code = True
            else:
                targets = getattr(node, "targets", [getattr(node, "target", None)])
                bound |= {target.id for target in targets if isinstance(target, ast.Name)}
                if "__all__" in [getattr(target, "id", None) for target in targets]:
                    listed = ast.literal_eval(node.value)
        if listed is None:
            complaints.append(f"{path} has no __all__")
        elif list(listed) != sorted(set(listed), key=constants_then_classes):
            complaints.append(f"{path}: __all__ is not sorted")
        elif missing := set(listed) - bound:
            complaints.append(f"{path}: __all__ lists {', '.join(sorted(missing))}, not there")
        elif not has_code and (missing := gathered - set(listed)):
            complaints.append(f"{path}: __all__ lacks {', '.join(sorted(missing))}")
    return complaints


def constants_then_classes(name: str) -> tuple[int, str]:
    """Order names as ruff does: CONSTANTS, Classes, functions."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def files_that_are_too_long(root: Path) -> list[str]:
    sources = [path for kind in ("*.py", "*.?pp") for path in root.rglob(kind)]
    lengths = {path: len(path.read_text().splitlines()) for path in sorted(sources)}
    return [
        f"{path.relative_to(root)} has {lines} lines, more than {LONGEST}"
        for path, lines in lengths.items()
        if lines > LONGEST
    ]


def files_that_do_not_say_what_they_are(root: Path) -> list[str]:
    """Complain about native files without an opening comment; a header speaks for its source."""
    silent = [path for path in sorted(root.rglob("*.?pp")) if not opens_with_comment(path)]
    return [
        f"{path.relative_to(root)} does not open with a comment"
        for path in silent
        if path.suffix == ".hpp" or not opens_with_comment(path.with_suffix(".hpp"))
    ]


def opens_with_comment(path: Path) -> bool:
    return path.exists() and path.read_text().startswith("// ")


RULES: dict[Callable[[Path], list[str]], tuple[Path, ...]] = {
    imports_that_point_up: (PACKAGE,),
    imports_that_need_an_extra: (PACKAGE,),
    incomplete_lists_of_names: (PACKAGE,),
    files_that_are_too_long: tuple(ROOT / name for name in ("src", "native", "tests", "bench")),
    files_that_do_not_say_what_they_are: (ROOT / "native",),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rules(rule: Callable[[Path], list[str]]) -> None:
    assert [complaint for folder in RULES[rule] for complaint in rule(folder)] == []


def test_every_layer_is_there() -> None:
    names = {own for path, own, _ in modules(PACKAGE) if path != "__init__.py"}
    assert names | {"_core"} == set(LEVEL)


# file, text, rule, complaint (None: fine)
FAKES = [
    ("_fit.py", "from omnimeans.engines import x", imports_that_point_up, None),
    ("_fit.py", "import omnimeans.init", imports_that_point_up, None),
    ("plots/a.py", "from omnimeans.plots.b import c", imports_that_point_up, None),
    ("engines/a.py", "from omnimeans import _core", imports_that_point_up, None),
    ("init.py", "from omnimeans._fit import run", imports_that_point_up, "not below it"),
    ("init.py", "from omnimeans import _fit", imports_that_point_up, "not below it"),
    ("init.py", "import omnimeans.cli", imports_that_point_up, "not below it"),
    ("_fit.py", "def f():\n  import omnimeans.cli", imports_that_point_up, "not below it"),
    ("metrics/a.py", "from omnimeans.datasets import x", imports_that_point_up, "not below it"),
    ("metrics/a.py", "from omnimeans.helpers import x", imports_that_point_up, "not below it"),
    ("utils.py", "", imports_that_point_up, "no place in LAYERS"),
    ("cli.py", "import typer, numpy.linalg, os.path", imports_that_need_an_extra, None),
    ("cli.py", "def f():\n  import torch", imports_that_need_an_extra, None),
    ("a.py", "if TYPE_CHECKING:\n  import pandas", imports_that_need_an_extra, None),
    ("a.py", "import pandas as pd", imports_that_need_an_extra, "imports pandas at"),
    ("a.py", "from matplotlib import pyplot", imports_that_need_an_extra, "imports matplotlib at"),
    ("a.py", "try:\n  import PIL\nexcept: pass", imports_that_need_an_extra, "imports PIL at"),
    ("a.py", "class A:\n  import torch.nn", imports_that_need_an_extra, "imports torch.nn at"),
    (
        "a.py",
        "if not TYPE_CHECKING:\n  x\nelse:\n  import pooch",
        imports_that_need_an_extra,
        "poo",
    ),
    ("a.py", "import faiss", imports_that_need_an_extra, "imports faiss at"),
    ("a/__init__.py", "__all__ = ['b']\ndef b(): ...", incomplete_lists_of_names, None),
    ("a/__init__.py", "", incomplete_lists_of_names, "no __all__"),
    ("a/__init__.py", "b = c = 1\n__all__ = ['c', 'b']", incomplete_lists_of_names, "not sorted"),
    ("a/__init__.py", "__all__ = ['b', 'b']", incomplete_lists_of_names, "not sorted"),
    ("a/__init__.py", "__all__ = ['b']", incomplete_lists_of_names, "lists b, not there"),
    (
        "a/__init__.py",
        "from omnimeans.a.b import c, d\n__all__ = ['c']",
        incomplete_lists_of_names,
        "lacks d",
    ),
    ("a.py", "\n" * 350, files_that_are_too_long, None),
    ("a.py", "\n" * 351, files_that_are_too_long, "has 351 lines"),
    ("deep/er/a.cpp", "\n" * 999, files_that_are_too_long, "has 999 lines"),
    ("a.hpp", "\n" * 351, files_that_are_too_long, "has 351 lines"),
    ("a.cpp", "// What this is.\nint a;", files_that_do_not_say_what_they_are, None),
    ("a.hpp", "#pragma once", files_that_do_not_say_what_they_are, "does not open"),
]


@pytest.mark.parametrize(("name", "text", "rule", "complaint"), FAKES)
def test_a_rule_is_seen_to_complain(
    name: str,
    text: str,
    rule: Callable[[Path], list[str]],
    complaint: str | None,
    tmp_path: Path,
) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text)
    complaints = rule(tmp_path)
    if complaint is None:
        assert complaints == []
    else:
        assert len(complaints) == 1
        assert complaint in complaints[0]
