"""Asking a person for the labels of rows, one at a time."""

from __future__ import annotations

import sys
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from coterie.algorithms.editing import LONGEST
from coterie.cli.answers import Answers
from coterie.cli.console import Screen, plain, print_raw
from coterie.cli.editing import Editable, held
from coterie.cli.labelfile import rows_in_order
from coterie.cli.run import stored_settings
from coterie.cli.sketching import show_row
from coterie.data.spreadsheets import as_given
from coterie.data.table import is_missing
from coterie.errors import InputError
from coterie.figures import counted, index, joined
from coterie.report.run import Run
from coterie.runfiles import KNOWN, LABELS

if TYPE_CHECKING:
    from collections.abc import Callable

    from coterie.algorithms import Clusterer

SKIP, BACK, STOP, VERBATIM = "", "u", "q", "="
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
        edited = Editable.open(folder, train)
        answers = Answers.read(folder / KNOWN, len(edited.run.labels), edited.run.names)
        _take_over(answers, edited.run)
        before, rows, source = answers.labelled, [], edited.source  # with other rows, labels would be those of others
        if n:
            rows = edited.model.suggest(n, source, known=answers.labels, exclude=answers.asked).tolist()
        if rows:
            screen.say("Enter skips a row, u takes back the last answer, q stops (type =u or =q for these as labels).")
        elif n:
            screen.say("Every row was asked for already.")
        try:
            _session(screen, edited, answers, rows=rows)
        except KeyboardInterrupt:
            screen.say()
            _sum_up(screen, answers)
            raise
    if not (n or answers.labelled):
        raise InputError(f"There is no label to fit with in {answers.path}; without -n 0, coterie label asks for some.")
    _sum_up(screen, answers)
    return bool(answers.labelled) and (answers.labelled != before or not n)


def _sum_up(screen: Screen, answers: Answers) -> None:
    labelled, kinds = len(answers.labelled), len(answers.classes)
    if not labelled:
        screen.say("No row has a label yet.")
        return
    have = "has" if labelled == 1 else "have"
    screen.say(f"{labelled:,} of {answers.n:,} rows {have} a label, of {counted(kinds, 'kinds')}: {answers.path}")


def _take_over(answers: Answers, run: Run) -> None:
    """Add what the run itself learned from, and who was asked for it: they are not asked again, nor lost."""
    known = stored_settings(run.folder).known
    if known is None:
        return
    try:
        earlier = learned_from(run)
    except InputError:
        if len(answers.labelled) < run.n_known:
            raise
        earlier = {}  # an earlier session has taken them over
    asked = Answers(Path(known), answers.n)
    if asked.path.is_absolute():  # not a column of the data
        with suppress(InputError, OSError):  # labels of another kind of file; nobody was asked
            asked = Answers.read(asked.path, answers.n, answers.names)
    skipped = {row: "" for row, label in asked.given.items() if not label}
    answers.notes = asked.notes | answers.notes
    if more := {row: label for row, label in (skipped | earlier).items() if row not in answers.given}:
        answers.add(more)


def learned_from(run: Run) -> dict[int, str]:
    """Return the labels that a run itself learned from, by row.

    Parameters
    ----------
    run : Run
        A finished one that learned from labels.

    Returns
    -------
    dict of int to str
        As its ``arrays.npz`` has them; those of earlier versions have them in ``labels.csv`` alone.

    Raises
    ------
    InputError
        If they are no longer there.
    """
    path, known = run.folder / LABELS, run.arrays.get("known")
    if known is None and path.is_file():
        known = [line.get("known", "") for line in rows_in_order(path, len(run.labels))]
    found = {row: as_given(str(label)) for row, label in enumerate(() if known is None else known) if label}
    if len(found) < run.n_known:
        why = "its column known does not hold them" if path.is_file() else "it is gone"
        raise InputError(
            f"{path} no longer tells the {run.n_known:,} labels that this run learned from: {why}. "
            f"Put them back, or into {KNOWN} (row,label,asked)."
        )
    return found


def _session(screen: Screen, edited: Editable, answers: Answers, *, rows: list[int]) -> None:
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # what is no text is asked again
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
        if given is None or _is(given, STOP, answers):
            return
        if _is(given, BACK, answers):
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


def _is(given: str, command: str, answers: Answers) -> bool:
    """Return whether a command was given, in capitals too unless these are a class."""
    return given == command or (given.lower() == command and given not in answers.classes)


def _told(edited: Editable, row: int) -> str:
    """Return which row it is, and where the model has it."""
    arrays, model = edited.run.arrays, edited.model
    k = int(model.labels_[row])
    which = f"{arrays['names'][row]}, row {row}" if "names" in arrays else f"row {row}"
    return f"{which}, in cluster {k}{_called(model, k)}, confidence {index(edited.confidence[row])}"


def _called(model: Clusterer, k: int) -> str:
    """Return a cluster's name in brackets, and what its class is in the labels where that is another word."""
    name, classes = model.cluster_names_[k], model.edits_.classes
    if not name:
        return ""
    labels = [label for j in sorted(model.edits_.origins()[k]) if classes and (label := classes[j])]
    return f" ({name})" if not labels or name in labels else f" ({name}; in the labels {joined(labels)})"


def _read(line: Callable[[], str]) -> str | None:
    """Return an answer, None at the end of the input."""
    print_raw("Label: ", sys.stdout)
    text = line()
    if not text:
        print_raw("\n", sys.stdout)
    return text.strip() if text else None


def _problem(label: str) -> str | None:
    """Return what is wrong with a label, None if nothing is."""
    if is_missing(label):
        return f"A label is a word or a number; {label or 'nothing'} stands for a row without one."
    if len(label) > LONGEST or plain(label) != label:
        return f"A label has at most {LONGEST} characters, all printable."
    return None
