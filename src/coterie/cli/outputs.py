"""The files that a command is asked to write: none takes the place of what it reads, or of another."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from coterie.cli.inputs import resolve_data
from coterie.datasets import DATASETS
from coterie.errors import InputError
from coterie.runfiles import CHECKPOINT, CONFIG, MODEL

_NO_TEXT = (".gz", ".bz2", ".xz", ".zst", ".zip", ".npy", ".npz", ".parquet", ".feather", ".xlsx", ".xls", ".ods")
_RUNS = ((CONFIG, f"{MODEL}/manifest.json"), (CONFIG, CHECKPOINT))  # what is in a run that is finished, or is not
_OTHER_TEXT = (".tsv", ".json", ".html")


def check_outputs(
    outputs: Mapping[str, Path | None], *, data: Sequence[str | None] = (), runs: Sequence[Path] = ()
) -> None:
    """Refuse files to write in the place of what a command reads, before it does anything.

    Parameters
    ----------
    outputs : mapping of str to path or None
        The file that each flag names, if any.
    data : sequence of str or None, default=()
        DATA, as typed.
    runs : sequence of path, default=()
        Run folders, model folders or label files.

    Raises
    ------
    InputError
        If a file is one of these or lies in one, or in any run, symbolic links followed, if it cannot be written, or if
        two flags name the same file.
    """
    read = [("the data", each, resolve_data(each)) for each in data if each is not None and each not in DATASETS]
    read += [("the run", str(run), str(run)) for run in runs]
    taken: dict[Path, str] = {}
    for flag, path in outputs.items():
        if path is None:
            continue
        place = Path(os.path.realpath(path))
        for what, typed, origin in read:
            if place.is_relative_to(os.path.realpath(origin)):
                raise InputError(f"{flag} must not be {what} {typed}, nor lie in it. Got {path} instead.")
        _check_place(flag, path, place)
        if place in taken:
            raise InputError(f"{taken[place]} and {flag} must be different files. Got {path} for both.")
        taken[place] = flag


def _check_place(flag: str, path: Path, place: Path) -> None:
    if place.is_dir():
        raise InputError(f"{flag} must be a file to write. Got the folder {path} instead.")
    there = next(parent for parent in place.parents if parent.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise InputError(f"{flag} must be a file in a folder that can be written to. Got {path} instead.")
    if run := next(filter(_is_run, place.parents), None):
        raise InputError(f"{flag} must not lie in a run, of which it may be a part: {run} is one. Got {path} instead.")


def _is_run(folder: Path) -> bool:
    return any(all((folder / name).exists() for name in names) for names in _RUNS)


def check_csv(path: Path | None) -> None:
    """Refuse an --out to write as CSV whose name says that it holds something else, before a command does anything.

    Parameters
    ----------
    path : path or None
        The file, if any.

    Raises
    ------
    InputError
        If it has the ending of a compressed file or of another kind.
    """
    ending = "" if path is None else path.suffix.lower()
    if ending in _NO_TEXT + _OTHER_TEXT:
        raise InputError(f"--out is written as plain CSV and must not end in {ending}. Got {path} instead.")


def check_page(path: Path | None, *, or_json: bool = False) -> None:
    """Refuse a --report to write as a page whose name says that it is something else, before a command does anything.

    Parameters
    ----------
    path : path or None
        The file, if any.
    or_json : bool, default=False
        Whether it may be JSON instead.

    Raises
    ------
    InputError
        If it has the ending of another kind.
    """
    ending = "" if path is None else path.suffix.lower()
    if ending not in ("", ".html", ".htm") and not (or_json and ending == ".json"):
        also = ", or in .json for the figures alone" if or_json else ""
        raise InputError(f"--report must end in .html{also}, or have no ending. Got {path} instead.")
