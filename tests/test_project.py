"""The rules of the house that hold for the source as a whole."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import coterie

ROOT = Path(__file__).resolve().parents[1]
SOURCE = sorted((ROOT / "src" / "coterie").rglob("*.py"))
FILE_LINES, FUNCTION_LINES = 300, 40


def _where(path: Path, node: ast.AST | None = None) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def _nodes(*kinds: type[ast.AST]) -> Iterator[tuple[Path, ast.AST]]:
    """Every node of the given kinds in the package's source."""
    for path in SOURCE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, kinds):
                yield path, node


def _functions() -> Iterator[tuple[Path, ast.FunctionDef]]:
    for path, node in _nodes(ast.FunctionDef, ast.AsyncFunctionDef):
        assert isinstance(node, ast.FunctionDef), f"{_where(path, node)}: coterie has no coroutines"
        yield path, node


def test_the_training_loop_holds_the_only_backward() -> None:
    calls = [
        _where(path, node)
        for path, node in _nodes(ast.Call)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "backward"
    ]
    assert len(calls) == 1, calls
    assert calls[0].startswith("src/coterie/training/loop.py:")


def test_the_library_never_prints() -> None:
    prints = [
        _where(path, node) for path, node in _nodes(ast.Name) if isinstance(node, ast.Name) and node.id == "print"
    ]
    assert not prints


def test_nothing_is_pickled() -> None:
    found = []
    for path, node in _nodes(ast.Import, ast.ImportFrom, ast.keyword, ast.Attribute):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        pickles = any(name.split(".")[0] in {"pickle", "cloudpickle", "joblib", "shelve", "dill"} for name in modules)
        allows = isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False"
        loads = isinstance(node, ast.Attribute) and ast.unparse(node) in {"torch.load", "torch.save"}
        if pickles or allows or loads:
            found.append(_where(path, node))
    assert not found


def test_imports_point_one_way() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([tool, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_files_stay_short() -> None:
    lengths = {_where(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCE}
    assert not {path: length for path, length in lengths.items() if length > FILE_LINES}


def test_functions_stay_short() -> None:
    too_long = {}
    for path, node in _functions():
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if ast.get_docstring(node) is not None:
            docstring = node.body[0]
            length -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
        if length > FUNCTION_LINES:
            too_long[f"{_where(path, node)} {node.name}"] = length
    assert not too_long


def test_public_modules_are_there_without_an_import_of_their_own():
    code = "import coterie; coterie.metrics.accuracy([0, 1], [1, 0]); coterie.nn.sharpen"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", coterie.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(coterie, name).__module__.startswith("coterie.")
    assert name in dir(coterie)


def test_unknown_names_raise_as_usual() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = coterie.nonsense


def test_one_version_everywhere() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert coterie.__version__ == version
    changelog = (ROOT / "CHANGELOG.md").read_text()
    latest = re.search(r"^## (\S+)", changelog, flags=re.MULTILINE)
    assert latest is not None
    assert latest[1] in {version, "Unreleased"}
