"""A row on the terminal: an image in characters, a text, or the columns of a table."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from coterie.cli.console import Screen
from coterie.report.cards import strongest
from coterie.report.images import as_pictures, shrink, to_bytes
from coterie.report.wording import amount

if TYPE_CHECKING:
    from coterie.cli.editing import Editable

_SIDE = 32  # characters across, at most, each drawn twice: they are about twice as high as wide
_SHADES = " ░▒▓█"
_PLAIN = " .:*#"  # where the terminal's encoding has no blocks
_COLUMNS = 20  # of a table that are shown
_WORDS = 12


def show_row(screen: Screen, edited: Editable, row: int, *, folder: Path) -> None:
    """Show a row: a picture in the system's viewer where there is one, else drawn; columns or words.

    Parameters
    ----------
    screen : Screen
        Where.
    edited : Editable
        The run.
    row : int
        Its number.
    folder : Path
        Folder of the images, if DATA is one.
    """
    run, source = edited.run, edited.source
    raw = np.asarray(source.raw(np.array([row])))
    if run.is_images:
        file = folder / str(run.arrays["names"][row]) if "names" in run.arrays and folder.is_dir() else None
        if file is None or not view(file):
            limits = run.arrays["value_range"]
            draw(screen, shrink(to_bytes(as_pictures(raw, source.spec), limits), _SIDE)[0])
        return
    values, names = raw[0].ravel().astype(np.float64), edited.column_names
    if "present" in run.arrays:
        screen.say("  " + strongest(values, names, most=_WORDS))
        return
    shown = _unusual(values, run.arrays["feature_mean"], run.arrays["feature_sd"])
    screen.table(
        ["column", "value", "mean"],
        [[names[j], amount(values[j]), amount(run.arrays["feature_mean"][j])] for j in shown],
    )
    if len(shown) < len(values):
        screen.say(f"  {len(shown)} of {len(values)} columns: those farthest from their mean.")


def draw(screen: Screen, picture: np.ndarray) -> None:
    """Draw a picture in characters, bright where it is bright.

    Parameters
    ----------
    screen : Screen
        Where.
    picture : ndarray of shape (H, W) or (H, W, C)
        Bytes.
    """
    grey = picture.astype(np.float64)
    grey = grey.mean(2) if grey.ndim == 3 else grey
    shades = _SHADES if _has(_SHADES) else _PLAIN
    steps = np.minimum((grey / 256 * len(shades)).astype(int), len(shades) - 1)
    for line in steps:
        screen.say("  " + "".join(2 * shades[step] for step in line).rstrip())


def view(file: Path) -> bool:
    """Open a file with the system's viewer; return whether there is one, and someone to look.

    Parameters
    ----------
    file : Path
        A picture.

    Returns
    -------
    bool
        False also where output goes to a file or a pipe.
    """
    screen = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    viewer = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    if not (screen and viewer and sys.stdout.isatty() and file.is_file()):
        return False
    subprocess.Popen([viewer, str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    return True


def _unusual(values: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> list[int]:
    """Return the columns to show, in their own order: all, or those farthest from their mean."""
    far = np.abs(np.divide(values - mean, spread, out=np.zeros_like(spread), where=spread > 0))
    return sorted(np.argsort(-far, kind="stable")[:_COLUMNS].tolist())


def _has(characters: str) -> bool:
    try:
        characters.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
