"""What a choice among systems keeps on the disk, so that another process can go on with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coterie.errors import ModelFileError, OtherFitError
from coterie.files import write_json

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from coterie.data import Source

FILE = "choice.json"


class Notes:
    """Seed, time spent, number of clusters and candidates left out of a choice under way.

    Parameters
    ----------
    folder : Path or None
        The checkpoint folder; None keeps nothing.
    identity : dict
        What makes this choice this choice, JSON-able; notes of another one are refused.
    seed : int
        The seed, unless an earlier process noted one.

    Attributes
    ----------
    seed : int
        The seed.
    spent : float
        Seconds that earlier processes took.
    left_out : dict of str to str
        Candidates that are out, with the reason.
    count : dict or None
        How the number of clusters was found, as ``Count.to_dict`` tells it; None while it was not.

    Raises
    ------
    OtherFitError
        If the folder belongs to another choice.
    ModelFileError
        If the notes are damaged.

    Examples
    --------
    >>> from coterie.selection.keeping import Notes
    >>> Notes(None, {}, seed=3).seed
    3
    """

    def __init__(self, folder: Path | None, identity: dict[str, Any], *, seed: int) -> None:
        self.path = None if folder is None else folder / FILE
        self.identity = json.loads(json.dumps(identity))
        self.seed, self.spent, self.left_out = seed, 0.0, dict[str, str]()
        self.count: dict[str, Any] | None = None
        if self.path is not None and self.path.exists():
            self._read()

    def write(self, spent: float) -> None:
        """Note how many seconds were spent in all; atomic."""
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            known = {"identity": self.identity, "seed": self.seed, "spent": spent, "left_out": self.left_out}
            write_json(self.path, known | {"count": self.count})

    def _read(self) -> None:
        assert self.path is not None
        try:
            known = json.loads(self.path.read_text(encoding="utf-8"))
            theirs, self.seed, self.spent = known["identity"], int(known["seed"]), float(known["spent"])
            self.left_out, self.count = dict(known["left_out"]), known.get("count")
        except (ValueError, KeyError, TypeError) as error:
            raise ModelFileError(f"{self.path} is damaged ({error}); delete its folder to start anew.") from None
        ours = self.identity
        both = {name: (theirs.get(name), ours.get(name)) for name in sorted(ours | theirs)}
        differs = {name: values for name, values in both.items() if values[0] != values[1]}
        if differs:
            raise OtherFitError(
                f"{self.path} belongs to another choice ({', '.join(differs)} differ); give another checkpoint folder, "
                "or delete this one.",
                differs,
            )


def identity_of(auto: BaseEstimator, source: Source) -> dict[str, Any]:
    """Return what makes a choice this choice: parameters, seed and rows, JSON-able.

    Parameters
    ----------
    auto : BaseEstimator
        With ``random_state`` among its parameters.
    source : Source
        The rows.

    Returns
    -------
    dict
        For :class:`Notes`.
    """
    given = auto.get_params(deep=False)
    seed = given.pop("random_state")
    parameters = json.loads(json.dumps(given, default=_in_json))
    seed = int(seed) if isinstance(seed, int | np.integer) else None
    return {"parameters": parameters, "seed": seed, "rows": source.fingerprint}


def _in_json(value: object) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)
