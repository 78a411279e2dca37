"""``known.csv``: which rows of a run a person was asked about, and what the answers were."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from coterie.cli.labelfile import as_csv, rows_in_order
from coterie.data.spreadsheets import as_given, defuse
from coterie.data.table import is_missing, tidy_known
from coterie.errors import InputError
from coterie.files import write_text
from coterie.runfiles import KNOWN

_OWN = ("row", "label", "asked")  # columns, and a name where rows have such; the user may have added others


@dataclass
class Answers:
    """Answers as they come: a label, or "" for a row that was shown and skipped.

    Parameters
    ----------
    path : Path
        The file; rewritten after each answer.
    n : int
        Rows of the run.
    names : list of str or None
        Their names.
    given : dict of int to str
        Answers, by the number of the row, in their order.
    notes : dict of str to list of str
        Columns that the user added to the file, by their headings; they are written again as they were.
    """

    path: Path
    n: int
    names: list[str] | None = None
    given: dict[int, str] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, n: int, names: list[str] | None = None) -> Answers:
        """Read the answers that there are; none where there is no file. What stands for no label is none.

        Raises
        ------
        InputError
            If the file is damaged, has two columns with the same heading, or is of other rows; a spreadsheet may have
            sorted it.
        """
        found = cls(path, n, names)
        if not path.is_file():
            return found
        rows = rows_in_order(path, n, whole=True, partial=True)
        if not rows[0].keys() >= {"label", "asked"}:
            raise InputError(f"{path} is damaged: it needs the columns row, label and asked.")
        labels = [as_given(row["label"].strip()) for row in rows]
        labels = ["" if is_missing(label) else label for label in labels]
        asked = [row["asked"].strip().casefold() == "yes" for row in rows]
        found.given = {i: label for i, label in enumerate(labels) if asked[i] or label}
        own = {*_OWN, *(["name"] if found._names() else [])}
        found.notes = {heading: [row[heading] for row in rows] for heading in rows[0] if heading not in own}
        return found

    def answer(self, row: int, label: str) -> None:
        """Keep an answer."""
        self.given[row] = label
        self._write()

    def add(self, learned: dict[int, str]) -> None:
        """Keep labels that were given before any answer."""
        self.given = learned | self.given
        self._write()

    def take_back(self) -> int:
        """Forget the last answer and return its row."""
        row, _ = self.given.popitem()
        self._write()
        return row

    @property
    def labelled(self) -> dict[int, str]:
        """The answers that are labels."""
        return {row: label for row, label in self.given.items() if label}

    @property
    def classes(self) -> list[str]:
        """The labels so far, in alphabetical order, or by their size where all are numbers: as a fit reads them."""
        return [str(label) for label in np.unique(self._tidy()).tolist()]

    @property
    def labels(self) -> np.ndarray:
        """Number of each row's label among ``classes``, shape (n,), int64; -1 where there is none."""
        known = np.full(self.n, -1, dtype=np.int64)
        known[list(self.labelled)] = np.unique(self._tidy(), return_inverse=True)[1]
        return known

    def _tidy(self) -> np.ndarray:
        """Return the labels, those of one number as one."""
        return tidy_known(list(self.labelled.values()), KNOWN) if self.labelled else np.empty(0, dtype=np.int64)

    @property
    def asked(self) -> np.ndarray:
        """Whether each row was shown, shape (n,)."""
        asked = np.zeros(self.n, dtype=bool)
        asked[list(self.given)] = True
        return asked

    def _names(self) -> list[str] | None:
        """Return what rows are found again by; None where two are the same, or a spreadsheet could run one."""
        names = self.names if self.names and list(map(defuse, self.names)) == self.names else None
        return names if names and len(set(names)) == len(names) else None

    def _write(self) -> None:
        names = self._names()
        lines: list[list[object]] = [["row", *(["name"] if names else []), "label", "asked", *self.notes]]
        for row in range(self.n):
            asked = "yes" if row in self.given else ""
            noted = [column[row] for column in self.notes.values()]
            label = defuse(self.given.get(row, ""))
            lines.append([row, *([names[row]] if names else []), label, asked, *noted])
        write_text(self.path, as_csv(lines))
