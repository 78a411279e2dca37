"""What goes in: arrays, frames, files and folders as rows that training can draw by number.

The names are imported on first use, so that code which only handles a `Table` does not pay for importing torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coterie.data.augment import Augment
    from coterie.data.files import load_file
    from coterie.data.labels import load_labels
    from coterie.data.source import Source, make_source
    from coterie.data.spec import DataSpec
    from coterie.data.table import Table

__all__ = ["Augment", "DataSpec", "Source", "Table", "load_file", "load_labels", "make_source"]

_HOMES = {
    "Augment": "augment",
    "DataSpec": "spec",
    "Source": "source",
    "Table": "table",
    "load_file": "files",
    "load_labels": "labels",
    "make_source": "source",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
