"""Checkpoints: one safetensors file that a fit goes on from exactly."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from coterie.config import config_context
from coterie.errors import Interrupted, ModelFileError, OtherFitError
from coterie.files import atomic_path
from coterie.persistence import decode_value, encode_value

if TYPE_CHECKING:
    from coterie.training.state import Fit

FILE = "checkpoint.safetensors"
FORMAT = 1
_TOLD = ("identity", "seed", "clock", "phase", "history", "sums")  # beside the format


class Checkpointer:
    """Saves a fit now and then, and puts it back.

    Parameters
    ----------
    folder : path or None
        Where the checkpoint is; None saves nothing.
    every : float
        Seconds between two checkpoints; as many times more as one takes seconds to write.
    identity : dict
        What makes this fit this fit: system, parameters, rows, version of torch. JSON-able. A checkpoint of another
        identity is refused.
    """

    def __init__(self, folder: str | Path | None, every: float, identity: dict[str, Any]) -> None:
        self.path = None if folder is None else Path(folder) / FILE
        self.every = every
        self.identity = json.loads(json.dumps(identity))
        self._last, self._took = time.monotonic(), 0.0

    def due(self) -> bool:
        """Return whether it is time to save."""
        # Of a large fit a checkpoint takes long: then the twentieth part of the time goes to them, not all of it.
        return self.path is not None and time.monotonic() - self._last >= self.every * max(1.0, self._took)

    def save(self, fit: Fit) -> None:
        """Write the fit's state atomically: a kill at any moment leaves this checkpoint or the one before."""
        if self.path is None:
            return
        began = time.monotonic()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        about = {
            "format": FORMAT,
            "identity": self.identity,
            "seed": fit.streams.seed,
            "clock": fit.clock.to_dict(),
            "phase": encode_value(fit.phase),
            "history": fit.history,
            "sums": fit.sums,
        }
        with atomic_path(self.path) as temporary:
            save_file(_tensors(fit), temporary, metadata={"about": json.dumps(about)})
        self._last = time.monotonic()
        self._took = self._last - began

    def read(self) -> Saved | None:
        """Return what was saved, or None if nothing was.

        Returns
        -------
        Saved or None
            The checkpoint of this very fit.

        Raises
        ------
        ModelFileError
            If the file is not a checkpoint that this version reads.
        OtherFitError
            If it belongs to another fit.
        """
        if self.path is None or not self.path.exists():
            return None
        try:
            with safe_open(self.path, framework="pt") as file:
                about = json.loads((file.metadata() or {})["about"])
                names = file.keys()
                tensors = {name: file.get_tensor(name) for name in names}
            if about["format"] == FORMAT:
                about = {key: about[key] for key in ("format", *_TOLD)}
        except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
            raise ModelFileError(
                f"{self.path} is not a readable checkpoint ({error}); delete it to start anew."
            ) from None
        if about["format"] != FORMAT:
            raise ModelFileError(f"{self.path} has checkpoint format {about['format']}; this version reads {FORMAT}.")
        self._check(about["identity"])
        return Saved(about, tensors)

    def _check(self, theirs: dict[str, Any]) -> None:
        ours, theirs = _flat(self.identity), _flat(theirs)
        differs = {
            key: (theirs.get(key), ours.get(key))
            for key in sorted(ours.keys() | theirs.keys())
            if ours.get(key) != theirs.get(key)
        }
        if differs:
            wrong = [f"{key} was {was!r}, is {now!r}" for key, (was, now) in differs.items()]
            raise OtherFitError(
                f"{self.path} is the checkpoint of another fit ({'; '.join(wrong[:3])}); "
                "give another checkpoint folder, or delete this one.",
                differs,
            )


class Saved:
    """A checkpoint that was read.

    Parameters
    ----------
    about : dict
        Seed, clock, phase, history and the sums of its next record.
    tensors : dict of Tensor
        Everything else.
    """

    def __init__(self, about: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        self.about = about
        self.seed: int = about["seed"]
        self.seconds: float = about["clock"]["seconds"]
        self.tensors = tensors

    def restore(self, fit: Fit) -> None:
        """Put model, clock, history and memory back; the optimisers wait for :meth:`restore_optimisers`."""
        fit.model.load_state_dict(self._under("model"))
        fit.memory = self._under("memory")
        fit.phase = decode_value(self.about["phase"])
        fit.history = self.about["history"]
        fit.sums = self.about["sums"]
        for name, value in self.about["clock"].items():
            setattr(fit.clock, name, value)

    def restore_optimisers(self, fit: Fit) -> None:
        """Put the state of the present phase's optimisers back."""
        for turn, optimiser in enumerate(fit.optimisers):
            state: dict[int, dict[str, Tensor]] = {}
            parameters = [p for group in optimiser.param_groups for p in group["params"]]
            for name, value in self._under(f"optimiser{turn}").items():
                number, key = name.split(".", 1)
                state.setdefault(int(number), {})[key] = _laid_out_as(value, parameters[int(number)])
            optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})

    def _under(self, prefix: str) -> dict[str, Tensor]:
        return {k.removeprefix(f"{prefix}."): v for k, v in self.tensors.items() if k.startswith(f"{prefix}.")}


def _tensors(fit: Fit) -> dict[str, Tensor]:
    tensors = {f"model.{name}": value for name, value in fit.model.state_dict().items()}
    tensors |= {f"memory.{name}": value for name, value in fit.memory.items()}
    for turn, optimiser in enumerate(fit.optimisers):
        for number, state in optimiser.state_dict()["state"].items():
            for key, value in state.items():
                if isinstance(value, Tensor):
                    tensors[f"optimiser{turn}.{number}.{key}"] = value
    # A copy of its own for each: safetensors refuses tensors that share memory, and wants dense ones.
    return {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}


def _laid_out_as(value: Tensor, parameter: Tensor) -> Tensor:
    # A fused update walks parameter and state through memory side by side, so their strides must agree.
    return torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


@contextmanager
def part_of(folder: str | Path | None, name: str, advice: str) -> Iterator[None]:
    """Let a fit be a part of another: its checkpoint is within the whole's, and Ctrl-C tells how the whole goes on.

    Parameters
    ----------
    folder : path or None
        The checkpoint folder of the whole; None keeps nothing.
    name : str
        Folder of the part within it.
    advice : str
        What is said where nothing is kept: what the part rescued by itself is of no use to the whole.

    Yields
    ------
    None
        While the part is fitted.

    Raises
    ------
    Interrupted
        In place of the part's own.
    """
    own = None if folder is None else Path(folder) / name
    try:
        with config_context(checkpoint=own):
            yield
    except Interrupted as error:
        raise Interrupted(advice if own is None else str(error).replace(str(own), str(folder))) from None
