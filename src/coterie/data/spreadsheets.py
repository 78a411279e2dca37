"""Text that a spreadsheet shows instead of running it."""

from __future__ import annotations

_FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)  # the last four are full-width


def defuse(name: str) -> str:
    """Return a name that a spreadsheet takes for text: one that it would run as a formula gets a ``'`` in front.

    Parameters
    ----------
    name : str
        Name of a row, perhaps chosen by a stranger.

    Returns
    -------
    str
        The name, made harmless; one that looks like a name made so gets another ``'``.

    Examples
    --------
    >>> from coterie.data.spreadsheets import defuse
    >>> defuse("=cmd()"), defuse("cat.png")
    ("'=cmd()", 'cat.png')
    """
    return f"'{name}" if name.lstrip("'").startswith(_FORMULA) else name


def as_given(name: str) -> str:
    """Return what :func:`defuse` was given.

    Parameters
    ----------
    name : str
        As a file has it.

    Returns
    -------
    str
        The name without the ``'`` that made it harmless.

    Examples
    --------
    >>> from coterie.data.spreadsheets import as_given
    >>> as_given("'=cmd()"), as_given("'quoted")
    ('=cmd()', "'quoted")
    """
    return name[1:] if name.startswith("'") and name.lstrip("'").startswith(_FORMULA) else name
