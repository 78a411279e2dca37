"""Names of rows as other files have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coterie.data.imagefiles import ENDINGS
from coterie.data.spreadsheets import as_given

if TYPE_CHECKING:
    from collections.abc import Sequence


def own_names(found: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return names as the rows have them: some were made harmless for spreadsheets, or stand among spaces.

    Others lack the ending or the folder of a file, or the zeros before a number. Where half of them or more are rows'
    names then, and no two the same one, they are taken for these; numbers only where all are, since they may count
    from elsewhere.

    Parameters
    ----------
    found : sequence of str
        Names as they stand in a file.
    names : sequence of str
        Those of the rows.

    Returns
    -------
    list of str
        As the rows have them; what is no row's stays as it was.

    Examples
    --------
    >>> from coterie.data.rownames import own_names
    >>> own_names(["b", "A"], ["a.png", "b.png"]), own_names(["b", "c"], ["a.png", "b.png"])
    (['b.png', 'a.png'], ['b.png', 'c'])
    """
    known = set(names)
    ways = [(name, name.strip(), as_given(name), as_given(name.strip())) for name in found]
    exactly = [next((way for way in tried if way in known), None) for tried in ways]
    numbers = any(own is None and name.strip().isdecimal() for own, name in zip(exactly, found, strict=True))
    enough = len(found) if numbers else len(found) / 2
    for folders in (False, True):
        loosely = {_bare(name, folders=folders)[0]: name for name in known}
        guessed = [
            own or next((loosely[key] for key in _bare(name, folders=folders) if key in loosely), None)
            for own, name in zip(exactly, found, strict=True)
        ]
        meant = {name.strip(): guess for name, guess in zip(found, guessed, strict=True) if guess is not None}
        without_doubt = len(loosely) == len(known) and len(set(meant.values())) == len(meant)
        if without_doubt and sum(guess is not None for guess in guessed) >= enough:
            return [guess or name for guess, name in zip(guessed, found, strict=True)]
    return [own or name for own, name in zip(exactly, found, strict=True)]


def are_names(fields: Sequence[str], names: Sequence[str]) -> bool:
    """Return whether fields look like names of rows that are images, or one is a row's name.

    Parameters
    ----------
    fields, names : sequence of str
        What stands in a column, and the names of the rows.

    Returns
    -------
    bool
        True where half of the fields or more end as images do.

    Examples
    --------
    >>> from coterie.data.rownames import are_names
    >>> are_names(["x/c.png", "x/d.png"], ["a.png"]), are_names(["9:00", "9:05"], ["a.png"])
    (True, False)
    """
    files = sum(field.lower().endswith(tuple(ENDINGS)) for field in fields)
    return 2 * files >= len(fields) > 0 or not set(names).isdisjoint(fields)


def _bare(name: str, *, folders: bool) -> tuple[str, ...]:
    """Return what is left of a name without ending, case and folder; of a number, first, without zeros at the front."""
    name = name.strip().replace("\\", "/").casefold()
    if name.isdecimal():
        return name.lstrip("0") or "0", f"{name}."
    name = name if folders else name.rsplit("/", 1)[-1]
    stem, dot, ending = name.rpartition(".")
    return (f"{stem}." if dot + ending in ENDINGS else f"{name}.",)  # with its dot, so that 001.png is not the row 1
