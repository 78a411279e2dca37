"""Every public name has a complete numpydoc docstring; the list of checks stands in pyproject.toml.

numpydoc's own command reads source text and so misses what dataclasses and shared parameter docs add; here it is
given the finished objects.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType

import pytest
from numpydoc.docscrape import get_doc_object
from numpydoc.validate import Validator, validate

import coterie

ROOT = Path(__file__).resolve().parents[1]
RULES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["numpydoc_validation"]
CHECKS = frozenset(RULES["checks"])
FORM = frozenset(code for code in CHECKS if code.startswith(("GL", "SS")))
ROOMS = [
    "coterie",
    *(f"coterie.{m.name}" for m in pkgutil.iter_modules(coterie.__path__) if not m.name.startswith("_")),
]


def _offered(room: str) -> Iterator[type | FunctionType]:
    """The classes and functions of ``__all__``; for a module without one, those that it defines."""
    module = importlib.import_module(room)
    names = getattr(module, "__all__", None)
    for name in names or vars(module):
        thing = getattr(module, name)
        if isinstance(thing, (type, FunctionType)) and (names or (thing.__module__ == room and name[0] != "_")):
            yield thing


def _methods(owner: type) -> Iterator[str]:
    """The public methods and properties that a class itself defines."""
    for name, value in vars(owner).items():
        if name[0] != "_" and isinstance(value, (FunctionType, classmethod, staticmethod, property)):
            yield name


def _problems(path: str, checks: frozenset[str]) -> list[str]:
    """What numpydoc has against one docstring; a class may list its fields as attributes."""
    attributes = {entry.name for entry in get_doc_object(Validator._load_obj(path))["Attributes"]}
    return [
        f"{path}: {code} {message}"
        for code, message in validate(path)["errors"]
        if code in checks and not (code == "PR01" and set(re.findall(r"'(\w+)'", message)) <= attributes)
    ]


def _checks_of_method(path: str) -> frozenset[str]:
    """A method may say all in one sentence; once it has sections they must be whole."""
    text = inspect.getdoc(Validator._load_obj(path)) or ""
    return CHECKS - {"EX01"} if "\n----" in text else FORM


@pytest.mark.parametrize("room", ROOMS)
def test_public_docstrings_are_complete(room: str) -> None:
    problems = []
    for thing in _offered(room):
        path = f"{thing.__module__}.{thing.__qualname__}"
        no_example = room in RULES["without_examples"] or (isinstance(thing, type) and issubclass(thing, BaseException))
        problems += _problems(path, CHECKS - {"EX01"} if no_example else CHECKS)
        for name in _methods(thing) if isinstance(thing, type) else ():
            problems += _problems(f"{path}.{name}", _checks_of_method(f"{path}.{name}"))
    assert not problems, "\n" + "\n".join(problems)
