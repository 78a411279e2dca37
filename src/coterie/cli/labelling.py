"""Asking a person for the labels of rows, one at a time."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import coterie
from coterie.cli.answers import KNOWN, Answers
from coterie.cli.console import Screen, plain, print_raw
from coterie.cli.editing import Editable, held
from coterie.cli.labelfile import LABELS, rows_in_order
from coterie.cli.run import stored_settings
from coterie.cli.sketching import show_row
from coterie.data.spreadsheets import as_given
from coterie.data.table import MISSING
from coterie.errors import InputError
from coterie.report.run import read_run

if TYPE_CHECKING:
    from collections.abc import Callable

SKIP, BACK, STOP, VERBATIM = "", "u", "q", "="
LONGEST = 80  # characters of a label
_LISTED = 20  # labels that are listed


def ask(screen: Screen, folder: Path, n: int, *, train: str | None = None) -> bool:
    """Show rows and keep what is answered.

    Parameters
    ----------
    screen : Screen
        Where to ask.
    folder : Path
        A finished run; answers go to its ``known.csv``.
    n : int
        How many rows to show, at most; with 0 nothing is asked.
    train : str or None, default=None
        The rows of the fit, where the run does not find them any more.

    Returns
    -------
    bool
        Whether there are labels to fit with that were not there before, or nothing was to be asked.

    Raises
    ------
    CoterieError
        If the run is not finished, or its rows are no longer there.
    """
    if n < 0:
        raise InputError(f"-n must be an integer >= 0. Got {n} instead.")
    with held(folder):
        edited = Editable(read_run(folder), coterie.load(folder / "model"), train, "; give them with --train DATA")
        arrays = edited.run.arrays
        names = [str(name) for name in arrays["names"]] if "names" in arrays else None
        answers = Answers.read(folder / KNOWN, len(arrays["labels"]), names)
        learned = stored_settings(folder).known is not None  # otherwise a column of that name is the user's own
        known = _learned(folder / LABELS, answers.n) if learned else {}
        if more := {row: label for row, label in known.items() if row not in answers.given}:
            answers.add(more)
        before, rows = answers.labelled, []
        if n:
            rows = edited.model.suggest(n, edited.source, known=answers.labels, exclude=answers.asked).tolist()
        if rows:
            screen.say("Enter skips a row, u takes the last answer back, q stops.")
        _session(screen, edited, answers, rows=rows)
        labelled = int((answers.labels >= 0).sum())
    screen.say(f"{labelled:,} of {answers.n:,} rows have a label, of {len(answers.classes)} kinds: {answers.path}")
    return labelled > 0 and (answers.labelled != before or not n)


def _learned(path: Path, n: int) -> dict[int, str]:
    """Return the labels that the run itself learned from, by row: they are not asked for, nor lost."""
    lines = rows_in_order(path, n) if path.is_file() else []
    return {row: as_given(line["known"]) for row, line in enumerate(lines) if line.get("known")}


def _session(screen: Screen, edited: Editable, answers: Answers, *, rows: list[int]) -> None:
    place, folder = 0, Path(stored_settings(edited.run.folder).data)
    first = len(answers.given)  # what earlier sessions answered is not taken back here
    while place < len(rows):
        row = rows[place]
        screen.say()
        screen.say(f"[{place + 1} of {len(rows)}] {_told(edited, row)}")
        show_row(screen, edited, row, folder=folder)
        if answers.classes:
            more = " …" if len(answers.classes) > _LISTED else ""
            screen.say(f"Labels so far: {', '.join(answers.classes[:_LISTED])}{more}")
        given = _read(sys.stdin.readline)
        if given is None or given == STOP:
            return
        if given == BACK:
            if len(answers.given) == first:
                screen.say("There is no answer to take back.")
            else:
                place = rows.index(answers.take_back())
            continue
        text = given.removeprefix(VERBATIM).strip() if given.startswith(VERBATIM) else given
        problem = _problem(text) if given != SKIP else None
        if problem:
            screen.say(problem)
            continue
        answers.answer(row, text)
        place += 1


def _told(edited: Editable, row: int) -> str:
    """Return which row it is, and where the model has it."""
    arrays, model = edited.run.arrays, edited.model
    k = int(model.labels_[row])
    name = model.cluster_names_[k]
    which = f"{arrays['names'][row]}, row {row}" if "names" in arrays else f"row {row}"
    called = f" ({name})" if name else ""
    return f"{which}, in cluster {k}{called}, confidence {edited.confidence[row]:.2f}"


def _read(line: Callable[[], str]) -> str | None:
    """Return an answer, None at the end of the input."""
    print_raw("Label: ", sys.stdout)
    text = line()
    if not text:
        print_raw("\n", sys.stdout)
    return text.strip() if text else None


def _problem(label: str) -> str | None:
    """Return what is wrong with a label, None if nothing is."""
    if re.fullmatch(r"-1([.,]0*)?", label) or label.lower() in MISSING:
        return f"A label is a word or a number; {label or 'nothing'} stands for a row without one."
    if len(label) > LONGEST or plain(label) != label:
        return f"A label has at most {LONGEST} characters, all printable."
    return None
