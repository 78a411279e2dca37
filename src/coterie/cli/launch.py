"""From flags and a settings file to a run: begin anew, go on, or refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from coterie.cli.console import Screen
from coterie.cli.inputs import name_of
from coterie.cli.parameters import as_listed
from coterie.cli.run import is_begun, is_finished, make_run, show_place, stored_settings
from coterie.cli.settings import RunSettings, merge, read_settings, refuse_contradictions
from coterie.errors import InputError


def launch(given: dict[str, Any], *, config: Path | None, out: Path | None, resume: bool, quiet: bool) -> None:
    """Do what ``coterie fit`` was asked for.

    Parameters
    ----------
    given : dict
        Settings that flags gave, their paths resolved.
    config : Path or None
        A settings file.
    out : Path or None
        The run folder; None names it after data and system.
    resume : bool
        Whether to go on with a run that was begun.
    quiet : bool
        Whether to say nothing.

    Raises
    ------
    CoterieError
        If something is missing, contradictory or unusable.
    """
    from_file = {} if config is None else read_settings(config)
    named = from_file.pop("out", None)
    asked = merge(from_file, given)
    if isinstance(asked.get("system"), str):
        asked["system"] = as_listed(asked["system"])
    folder = out or (Path(named) if named else None) or _default_folder(asked)
    screen = Screen(quiet=quiet)
    if is_begun(folder):
        if not resume and is_finished(folder):
            raise InputError(f"{folder} holds a finished run; give another --out.")
        if not resume:
            raise InputError(f"{folder} holds a run already; add --resume to go on with it, or give another --out.")
        settings = stored_settings(folder)
        refuse_contradictions(asked, settings, folder)
        if is_finished(folder):
            screen.say(f"The run in {folder} is finished; there is nothing to go on with.")
            show_place(screen, folder)
            return
        screen.say(f"Going on with the run in {folder}.")
    else:
        settings = _new_settings(asked, config, folder=folder, resume=resume)
        if resume:
            screen.say(f"There is no run in {folder} yet; beginning one.")
    make_run(settings, folder, screen)


def _new_settings(asked: dict[str, Any], config: Path | None, *, folder: Path, resume: bool) -> RunSettings:
    if "data" not in asked:
        if resume:
            raise InputError(f"There is no run in {folder} to go on with.")
        raise InputError("Say what to cluster: coterie fit DATA.")
    parameters = {"n_clusters": "auto", **asked.get("parameters", {})}
    return RunSettings.from_values(
        {**asked, "parameters": parameters, "made_by": "fit"},
        "The settings" if config is None else f"{config} and the flags",
    )


def _default_folder(asked: dict[str, Any]) -> Path:
    if "data" not in asked:
        raise InputError("Say what to cluster, as in coterie fit DATA, or which run to go on with: --out RUN --resume.")
    return Path(f"{name_of(str(asked['data']))}-{asked.get('system', 'auto')}")
