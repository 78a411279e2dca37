"""Models as folders of JSON and safetensors: nothing in them is ever run, and damage is noticed before use."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import safetensors.torch
import torch

from coterie._values import decode_value, encode_value, register
from coterie.errors import InputError, ModelFileError
from coterie.files import json_bytes, recover_folder, replace_folder

__all__ = ["decode_value", "encode_value", "read_model", "register", "save_model"]

FORMAT_VERSION = 1
_CONFIG, _WEIGHTS, _MANIFEST = "config.json", "weights.safetensors", "manifest.json"
_FILES = (_CONFIG, _WEIGHTS)
# Bounds on what is parsed, far above what any model needs: a hostile header cannot ask for much memory.
_MANIFEST_BYTES = 1 << 16
_CONFIG_BYTES = 1 << 26
_HEADER_BYTES = 1 << 22
_READERS = {"coterie-model": "coterie.load", "coterie-outliers": "coterie.anomaly.load"}
_HEX = re.compile(r"[0-9a-f]{64}")


def save_model(
    folder: str | os.PathLike[str],
    *,
    config: Mapping[str, Any],
    tensors: Mapping[str, torch.Tensor | np.ndarray],
    kind: str = "model",
) -> None:
    """Write a model folder, atomically: ``config.json``, ``weights.safetensors`` and ``manifest.json``.

    Parameters
    ----------
    folder : path-like
        The folder to make, or the model folder to replace.
    config : mapping
        JSON values; tuples come back as lists. Use :func:`encode_value` for anything richer.
    tensors : mapping of str to torch.Tensor or numpy.ndarray
        Arrays of any shape and any real or boolean dtype, on any device; dtypes are kept.
    kind : str, default="model"
        What the folder holds; :func:`read_model` must be asked for the same kind.

    Raises
    ------
    InputError
        If `folder` exists and is not such a folder, or is one of another kind, or `config` or `tensors` hold something
        that cannot be stored.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(folder + "/model", config={"k": 2}, tensors={"centers": np.zeros((2, 3))})
    ...     config, tensors = read_model(folder + "/model")
    >>> config, tensors["centers"].shape
    ({'k': 2}, torch.Size([2, 3]))
    """
    contents = {_CONFIG: _config_bytes(config), _WEIGHTS: _weights_bytes(tensors)}
    _refuse_other_kind(Path(folder), kind)
    with replace_folder(folder, known=(*_FILES, _MANIFEST)) as new:
        for name, content in contents.items():
            (new / name).write_bytes(content)
        (new / _MANIFEST).write_bytes(_manifest_bytes(contents, kind))


def read_model(
    folder: str | os.PathLike[str], *, kind: str = "model"
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Read a model folder that :func:`save_model` wrote, after checking that every byte of it is as written.

    Parameters
    ----------
    folder : path-like
        The model folder. If a save of it was killed at its last step, that save is finished first.
    kind : str, default="model"
        The kind it was saved as.

    Returns
    -------
    config : dict
        The stored JSON values.
    tensors : dict of str to torch.Tensor
        The stored arrays, on the CPU, each in memory of its own.

    Raises
    ------
    ModelFileError
        If the folder is missing, damaged, truncated, written by a newer format, or not a coterie folder of this kind.

    Examples
    --------
    >>> read_model("no-such-folder")
    Traceback (most recent call last):
    ...
    coterie.errors.ModelFileError: no-such-folder does not exist.
    """
    path = Path(folder)
    try:
        recover_folder(path)
        entries = _read_manifest(path, kind)
        config, weights = (_read_checked(path, name, entries[name]) for name in _FILES)
    except (OSError, InputError) as error:
        raise ModelFileError(f"{path} cannot be read: {error}.") from error
    return _parse_json(path, _CONFIG, config), _parse_weights(path, weights)


def _config_bytes(config: Mapping[str, Any]) -> bytes:
    """Return the content of config.json."""
    content = json_bytes(dict(config), name="config")
    if len(content) > _CONFIG_BYTES:
        raise InputError(f"config must be at most {_CONFIG_BYTES} bytes of JSON, got {len(content)}.")
    return content


def _weights_bytes(tensors: Mapping[str, torch.Tensor | np.ndarray]) -> bytes:
    """Return the content of weights.safetensors."""
    if "__metadata__" in tensors:
        raise InputError("tensors must not use the name '__metadata__', which the file format keeps for itself.")
    copies = {name: _own_tensor(name, value) for name, value in tensors.items()}
    content = safetensors.torch.save(copies)
    header = int.from_bytes(content[:8], "little")
    if header > _HEADER_BYTES:
        raise InputError(f"tensors must have names and shapes of at most {_HEADER_BYTES} bytes together, got {header}.")
    return content


def _own_tensor(name: str, value: torch.Tensor | np.ndarray) -> torch.Tensor:
    """Return a contiguous copy on the CPU: the format refuses tensors that share memory, as tied weights do."""
    try:
        tensor = value.detach() if isinstance(value, torch.Tensor) else torch.from_numpy(_native(value))
        if tensor.is_complex() or tensor.layout != torch.strided:
            raise TypeError("only dense real or boolean arrays can be stored")
    except TypeError as error:
        raise InputError(f"tensors[{name!r}] cannot be stored: {error}.") from error
    return tensor.to("cpu", copy=True, memory_format=torch.contiguous_format)


def _native(value: np.ndarray) -> np.ndarray:
    """Return an array in this machine's byte order, without negative strides, as torch needs it."""
    array = np.asarray(value)
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C")


def _manifest_bytes(contents: Mapping[str, bytes], kind: str) -> bytes:
    """Return the content of manifest.json, which carries the digest of itself with that digest blanked."""
    manifest = {
        "format": f"coterie-{kind}",
        "format_version": FORMAT_VERSION,
        "coterie": _coterie_version(),
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in contents.items()
        },
        "manifest_sha256": "",
    }
    manifest["manifest_sha256"] = hashlib.sha256(json_bytes(manifest)).hexdigest()
    return json_bytes(manifest)


def _coterie_version() -> str:
    """Return the installed version, for messages about newer files."""
    try:
        return version("coterie")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "unknown"


def _read_manifest(folder: Path, kind: str) -> dict[str, dict[str, Any]]:
    """Return the file entries of the manifest, after checking it from the outside in."""
    if not folder.exists():
        raise ModelFileError(f"{folder} does not exist.")
    if not folder.is_dir():
        raise ModelFileError(f"{folder} is a file; a coterie {kind} is a folder.")
    if not (folder / _MANIFEST).exists():
        raise ModelFileError(f"{folder} is not a coterie {kind} folder: it has no {_MANIFEST}.")
    content = _read_bounded(folder, _MANIFEST, _MANIFEST_BYTES)
    manifest = _parse_json(folder, _MANIFEST, content)
    found = manifest.get("format")
    if found != f"coterie-{kind}":
        reader = _READERS.get(str(found))
        advice = f"; {reader} reads it" if reader else ""
        raise ModelFileError(f"{folder} is not a coterie {kind} folder: {_MANIFEST} says {str(found)[:40]!r}{advice}.")
    format_version = manifest.get("format_version")
    if type(format_version) is not int or format_version < 1:
        raise ModelFileError(f"{folder}: {_MANIFEST} is damaged (format version {str(format_version)[:40]}).")
    if format_version > FORMAT_VERSION:
        raise ModelFileError(
            f"{folder} was written by a newer coterie (format {format_version}; this one reads up to {FORMAT_VERSION})."
        )
    digest = str(manifest.get("manifest_sha256"))
    blanked = content.replace(digest.encode("utf-8", "replace"), b"")
    if not _HEX.fullmatch(digest) or hashlib.sha256(blanked).hexdigest() != digest:
        raise ModelFileError(f"{folder}: {_MANIFEST} is damaged (sha256 differs).")
    return _check_entries(folder, manifest.get("files"))


def _refuse_other_kind(folder: Path, kind: str) -> None:
    """Raise where a folder of another kind would be replaced; a damaged one may be."""
    try:
        found = json.loads((folder / _MANIFEST).read_bytes())["format"]
    except (OSError, ValueError, TypeError, KeyError):
        return
    if found != f"coterie-{kind}":
        raise InputError(
            f"{folder} would be replaced, but its {_MANIFEST} says {str(found)[:40]!r}; choose another folder."
        )


def _check_entries(folder: Path, entries: object) -> dict[str, dict[str, Any]]:
    """Return the manifest's entries if they are exactly the files of this format, each with a size and a digest."""
    if not isinstance(entries, dict) or not set(_FILES) <= set(entries):
        raise ModelFileError(f"{folder}: {_MANIFEST} does not list {' and '.join(_FILES)}.")
    strange = sorted(set(entries) - set(_FILES))
    if strange:
        raise ModelFileError(f"{folder}: {_MANIFEST} names a file that is not part of the format: {strange[0][:80]!r}.")
    for name, entry in entries.items():
        if not (
            isinstance(entry, dict)
            and type(entry.get("bytes")) is int
            and isinstance(entry.get("sha256"), str)
            and _HEX.fullmatch(entry["sha256"])
        ):
            raise ModelFileError(f"{folder}: {_MANIFEST} has no valid size and sha256 for {name}.")
    return entries


def _read_checked(folder: Path, name: str, entry: Mapping[str, Any]) -> bytes:
    """Return the content of a file that is as long as the manifest says and has the digest that it says."""
    if not (folder / name).exists():
        raise ModelFileError(f"{folder} is incomplete: {name} is missing.")
    _refuse_irregular(folder, name)
    size = (folder / name).stat().st_size
    if size < entry["bytes"]:
        raise ModelFileError(f"{folder}: {name} is truncated ({size} of {entry['bytes']} bytes).")
    if size > entry["bytes"]:
        raise ModelFileError(f"{folder}: {name} is damaged ({size} bytes instead of {entry['bytes']}).")
    content = _read_bounded(folder, name, _CONFIG_BYTES if name == _CONFIG else None)
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise ModelFileError(f"{folder}: {name} is damaged (sha256 differs).")
    return content


def _read_bounded(folder: Path, name: str, most: int | None) -> bytes:
    """Return the content of a regular file, refusing one of more than `most` bytes unread."""
    _refuse_irregular(folder, name)
    size = (folder / name).stat().st_size
    if most is not None and size > most:
        raise ModelFileError(f"{folder}: {name} is too large ({size} bytes, at most {most}).")
    return (folder / name).read_bytes()


def _refuse_irregular(folder: Path, name: str) -> None:
    """Raise if something other than a file is in its place: a pipe or a device could block or never end."""
    if not (folder / name).is_file():
        raise ModelFileError(f"{folder}: {name} is not a regular file.")


def _parse_json(folder: Path, name: str, content: bytes) -> dict[str, Any]:
    """Return the object that strict JSON holds."""
    try:
        value = json.loads(content.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{folder}: {name} is not valid JSON ({error}).") from error
    if not isinstance(value, dict):
        raise ModelFileError(f"{folder}: {name} must hold a JSON object, got {type(value).__name__}.")
    return value


def _refuse_constant(name: str) -> NoReturn:
    """Refuse the NaN and Infinity that Python's JSON reader would let pass."""
    raise ValueError(f"{name} is not JSON")


def _parse_weights(folder: Path, content: bytes) -> dict[str, torch.Tensor]:
    """Return the tensors."""
    header = int.from_bytes(content[:8], "little")
    if header > min(_HEADER_BYTES, len(content) - 8):
        raise ModelFileError(f"{folder}: {_WEIGHTS} is damaged (its header claims {header} bytes).")
    parse: Callable[[bytes], dict[str, torch.Tensor]] = safetensors.torch.load
    try:
        return {name: tensor.clone() for name, tensor in parse(content).items()}
    except Exception as error:  # the digest is right, so this is a forgery: the parser may raise anything
        raise ModelFileError(f"{folder}: {_WEIGHTS} is not a valid safetensors file ({error}).") from error
