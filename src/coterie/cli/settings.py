"""What a run is made from: the settings file, the flags that win over it, and the estimator they describe."""

from __future__ import annotations

import os
import tomllib
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from coterie import __version__
from coterie.algorithms import SYSTEMS, Clusterer
from coterie.cli import toml
from coterie.cli.columns import Aside
from coterie.cli.inputs import resolve_data, resolve_labels
from coterie.cli.parameters import as_listed, to_parameter
from coterie.cli.warm import going_on
from coterie.errors import InputError
from coterie.files import write_text
from coterie.runfiles import CONFIG
from coterie.selection import Auto

_OF_A_CHOICE = ("candidates", "time_budget")  # parameters of Auto that have a flag

_FLAGS = {
    "n_clusters": "-k",
    "warm_start": "--warm-start",
    "image_shape": "--image-shape",
    "data": "DATA",
    "candidates": "--candidates",
    "time_budget": "--time-budget",
}


class RunSettings(BaseModel):
    """One run: what ``config.toml`` holds.

    Parameters
    ----------
    data : str
        Absolute path, or the name of a benchmark set.
    system : str, default="auto"
        A key of ``SYSTEMS``, or "auto" for the best of several.
    recipe : str or None, default=None
        One of the system's recipes.
    labels : str or None, default=None
        File or column with known classes, which only serve to evaluate.
    known : str or None, default=None
        File or column with the classes of some rows, which the fit learns from.
    names : str or None, default=None
        Column of a CSV or TSV file with the names of its rows.
    drop : list of str, default=[]
        Columns of a CSV or TSV file to leave out.
    warm_start : str or None, default=None
        A run of the same system whose network and clusters the fit goes on from.
    seed : int, default=0
        Seed of everything random, in [0, 2**32).
    strict : bool, default=False
        Refuse a folder with unreadable images.
    device, precision, compile
        The machine's settings, see :class:`coterie.Config`.
    report : bool, default=True
        Write ``report.html``.
    made_by : {"fit", "demo"}, default="fit"
        The command that made the run.
    parameters : dict
        The system's parameters that differ from the recipe or the defaults; tables for groups of them.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    data: str
    system: str = "auto"
    recipe: str | None = None
    labels: str | None = None
    known: str | None = None
    names: str | None = None
    drop: list[str] = Field(default_factory=list)
    warm_start: str | None = None
    seed: int = Field(default=0, ge=0, le=2**32 - 1)  # what scikit-learn takes
    strict: bool = False
    device: str = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    compile: bool = False
    report: bool = True
    made_by: Literal["fit", "demo"] = "fit"
    parameters: dict[str, Any] = Field(default_factory=dict)

    @field_validator("system")
    @classmethod
    def _listed(cls, given: str) -> str:
        return as_listed(given)

    @property
    def aside(self) -> Aside:
        """What of the data is no feature."""
        return Aside(self.labels, self.known, self.names, tuple(self.drop))

    @classmethod
    def from_values(cls, values: dict[str, Any], origin: str = "The settings") -> Self:
        """Check values by the rules of the fields.

        Parameters
        ----------
        values : dict
            Fields to values.
        origin : str, default="The settings"
            What the message calls the place they come from.

        Returns
        -------
        RunSettings
            The checked settings.

        Raises
        ------
        InputError
            Naming the first broken rule.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise InputError(f"{origin}: {_first_rule(error)}") from None

    def write(self, folder: Path) -> None:
        """Write ``config.toml``, which makes this run again.

        Parameters
        ----------
        folder : Path
            The run folder.
        """
        write_text(folder / CONFIG, self.to_toml())

    def to_toml(self) -> str:
        """Return the settings file's text."""
        again = f"coterie fit --config {CONFIG} --out ANOTHER-FOLDER"
        return f"# coterie {__version__}. To make this run again: {again}\n\n" + toml.dumps(self.model_dump())

    def estimator(self) -> Clusterer | Auto:
        """Return the estimator that the settings describe.

        Returns
        -------
        Clusterer or Auto
            Not fitted.

        Raises
        ------
        InputError
            If there is no such system, recipe or parameter.
        """
        systems: dict[str, Any] = {"auto": Auto, **SYSTEMS}
        if self.system not in systems:
            raise InputError(f"There is no system {self.system!r}; the systems are {', '.join(systems)}.")
        cls = systems[self.system]
        if self.known is not None and not getattr(cls, "knows", True):
            *able, last = ["auto", *(name for name, other in SYSTEMS.items() if other.knows)]
            raise InputError(f"{self.system} cannot learn from --known; {', '.join(able)} and {last} can.")
        known = cls().get_params(deep=False)
        if "random_state" in self.parameters:
            raise InputError("The seed of a run is its setting 'seed' (--seed), not the parameter 'random_state'.")
        for name in self.parameters:
            if name not in known:
                raise InputError(_unknown(cls.__name__, name, known))
        given, system = self.parameters.items(), cls.__name__
        chosen = {name: to_parameter(name, value, known[name], system=system) for name, value in given}
        if self.recipe is not None and cls is Auto:
            raise InputError("A recipe belongs to a system; say which with --system.")
        make = cls if self.recipe is None else partial(cls.from_recipe, self.recipe)
        made = make(**chosen, random_state=self.seed)
        return made if self.warm_start is None else going_on(made, Path(self.warm_start))


def _unknown(system: str, name: str, known: dict[str, Any]) -> str:
    if name in _OF_A_CHOICE:
        return f"--{name.replace('_', '-')} goes with a choice among systems; leave --system out, or say --system auto."
    told = f"{system} has no parameter {name!r}; it has {', '.join(sorted(known))}."
    return f"{told} Parameters of one system need its name: --system." if system == "Auto" else told


def read_settings(path: Path) -> dict[str, Any]:
    """Read a settings file.

    Parameters
    ----------
    path : Path
        A TOML file; a relative path in it starts from its folder.

    Returns
    -------
    dict
        Its values, unchecked but for ``data``, ``labels``, ``known``, ``warm_start`` and ``out``, which are resolved.

    Raises
    ------
    InputError
        If it is not TOML, or ``parameters`` or ``out`` is of another kind.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError
        raise InputError(f"{path} is not a TOML file: {error}.") from None
    for name, kind, what in (("parameters", dict, "a table"), ("out", str, "a path")):
        if name in values and not isinstance(values[name], kind):
            raise InputError(f"{path}: {name!r} must be {what}. Got {values[name]!r} instead.")
    if "out" in values:
        values["out"] = str(path.parent / values["out"])
    return resolve_paths(values, path.parent)


def resolve_paths(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Make the paths in settings absolute.

    Parameters
    ----------
    values : dict
        Settings, checked or not.
    folder : Path
        Where relative paths start.

    Returns
    -------
    dict
        The same with ``data``, ``labels``, ``known`` and ``warm_start`` resolved.
    """
    resolved = dict(values)
    if isinstance(resolved.get("data"), str):
        resolved["data"] = resolve_data(resolved["data"], folder)
    for name in ("labels", "known"):
        if isinstance(resolved.get(name), str):
            resolved[name] = resolve_labels(resolved[name], folder)
    if isinstance(resolved.get("warm_start"), str):
        resolved["warm_start"] = os.path.abspath(folder / resolved["warm_start"])
    return resolved


def merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Return settings in which ``above`` wins, parameter by parameter.

    Parameters
    ----------
    below, above : dict
        Settings.

    Returns
    -------
    dict
        New settings.
    """
    parameters = {**below.get("parameters", {}), **above.get("parameters", {})}
    return {**below, **above, **({"parameters": parameters} if parameters else {})}


def refuse_contradictions(asked: dict[str, Any], begun: RunSettings, folder: Path) -> None:
    """Raise if settings that are given when resuming differ from those the run was begun with.

    Parameters
    ----------
    asked : dict
        What flags and ``--config`` say, paths resolved.
    begun : RunSettings
        What the run's own ``config.toml`` says.
    folder : Path
        The run folder.

    Raises
    ------
    InputError
        Naming the first contradiction.
    """
    known = begun.model_dump()
    pairs = [(name, value, known.get(name)) for name, value in asked.items() if name not in ("parameters", "made_by")]
    pairs += [(name, value, begun.parameters.get(name)) for name, value in asked.get("parameters", {}).items()]
    for name, value, before in pairs:
        if value != before:
            flag = _FLAGS.get(name, "--config" if name in asked.get("parameters", {}) else f"--{name}")
            raise InputError(
                f"{folder} was begun with {name} = {before!r}, and {flag} says {value!r}; "
                "leave it out to go on, or give another --out to begin anew."
            )


def _first_rule(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    name = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        return f"there is no setting {name!r}; the settings are {', '.join(RunSettings.model_fields)}, out."
    if first["type"] == "missing":
        return f"{name!r} is missing."
    rule = first["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    return f"{name!r} must be {rule}. Got {first['input']!r} instead."
