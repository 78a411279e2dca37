"""A damaged or forged model folder is refused with one sentence that names it, whatever was done to it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coterie.errors import ModelFileError
from coterie.files import json_bytes
from coterie.persistence import read_model, save_model

FILES = ("config.json", "weights.safetensors", "manifest.json")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    config = {"system": "dec", "parameters": {"alpha": 1.0}, "names": ["größe", None, True]}
    tensors = {"centers": np.arange(6, dtype=np.float32).reshape(2, 3), "labels": np.array([0, 1, 1])}
    save_model(tmp_path / "model", config=config, tensors=tensors)
    return tmp_path / "model"


def reseal(folder: Path, change: Callable[[dict[str, Any]], None] = lambda manifest: None) -> None:
    """Change the manifest and make all its digests right again, as a forger would."""
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, entry in manifest["files"].items():
        content = (folder / name).read_bytes()
        entry.update(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
    change(manifest)
    manifest["manifest_sha256"] = ""
    manifest["manifest_sha256"] = hashlib.sha256(json_bytes(manifest)).hexdigest()
    (folder / "manifest.json").write_bytes(json_bytes(manifest))


def refusal(folder: Path, **kwargs: Any) -> str:
    """Return the message with which a folder is refused."""
    with pytest.raises(ModelFileError) as caught:
        read_model(folder, **kwargs)
    message = str(caught.value)
    assert message.startswith(str(folder))
    assert "\n" not in message
    return message.removeprefix(str(folder))


def test_absent_and_foreign_folders(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none") == " does not exist."
    (tmp_path / "file").write_text("x")
    assert refusal(tmp_path / "file") == " is a file; a coterie model is a folder."
    (tmp_path / "empty").mkdir()
    assert refusal(tmp_path / "empty") == " is not a coterie model folder: it has no manifest.json."
    (tmp_path / "empty" / "manifest.json").write_text('{"name": "a web app"}')
    assert refusal(tmp_path / "empty") == " is not a coterie model folder: manifest.json says 'None'."
    (tmp_path / "empty" / "manifest.json").write_text("[]")
    assert "must hold a JSON object, got list" in refusal(tmp_path / "empty")


def test_kinds_are_kept_apart(tmp_path: Path) -> None:
    save_model(tmp_path / "c", config={}, tensors={}, kind="checkpoint")
    assert read_model(tmp_path / "c", kind="checkpoint") == ({}, {})
    assert refusal(tmp_path / "c") == " is not a coterie model folder: manifest.json says 'coterie-checkpoint'."


def test_damage_is_named(model: Path) -> None:
    weights = (model / "weights.safetensors").read_bytes()
    (model / "weights.safetensors").write_bytes(weights[:-1] + b"\xff")
    assert refusal(model) == ": weights.safetensors is damaged (sha256 differs)."
    (model / "weights.safetensors").write_bytes(weights[:100])
    assert refusal(model) == f": weights.safetensors is truncated (100 of {len(weights)} bytes)."
    (model / "weights.safetensors").unlink()
    assert refusal(model) == " is incomplete: weights.safetensors is missing."
    (model / "weights.safetensors").write_bytes(weights)
    manifest = (model / "manifest.json").read_bytes()
    (model / "manifest.json").write_bytes(manifest.replace(b'"bytes"', b'"Bytes"', 1))
    assert refusal(model) == ": manifest.json is damaged (sha256 differs)."
    (model / "manifest.json").write_bytes(manifest[:50])
    assert ": manifest.json is not valid JSON" in refusal(model)


def test_newer_format_is_named_before_anything_else(model: Path) -> None:
    manifest = json.loads((model / "manifest.json").read_text())
    manifest.update(format_version=2, files="laid out in a way that version 1 cannot know")
    (model / "manifest.json").write_text(json.dumps(manifest))
    assert refusal(model) == " was written by a newer coterie (format 2; this one reads up to 1)."


@pytest.mark.parametrize("bad", [0, -1, "1", 1.0, True, None, [1], "\n" * 10])
def test_senseless_format_versions_are_refused(model: Path, bad: object) -> None:
    reseal(model, lambda manifest: manifest.update(format_version=bad))
    with pytest.raises(ModelFileError, match=r"manifest\.json is damaged \(format version"):
        read_model(model)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "sub/file", "..", "extra.bin", "config.json\x00"])
def test_manifest_that_names_other_files_is_refused(model: Path, name: str) -> None:
    (model.parent / "secret").write_text("{}")
    reseal(model, lambda manifest: manifest["files"].update({name: {"sha256": "0" * 64, "bytes": 2}}))
    assert ": manifest.json names a file that is not part of the format" in refusal(model)


@pytest.mark.parametrize(
    "entries",
    [
        None,
        [],
        {},
        {"config.json": {}},
        {name: {} for name in FILES[:2]},
        {name: {"sha256": "0" * 64} for name in FILES[:2]},
        {name: {"sha256": "0" * 63, "bytes": 2} for name in FILES[:2]},
        {name: {"sha256": 0, "bytes": 2} for name in FILES[:2]},
        {name: {"sha256": "0" * 64, "bytes": "2"} for name in FILES[:2]},
        dict.fromkeys(FILES[:2], 3),
    ],
)
def test_forged_file_entries_are_refused(model: Path, entries: object) -> None:
    reseal(model, lambda manifest: manifest.update(files=entries))
    assert ": manifest.json" in refusal(model)


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"3",
        b"",
        b"{",
        b"\xff",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a": ' + b"9" * 10_000 + b"}",
    ],
)
def test_forged_config_is_refused(model: Path, content: bytes) -> None:
    (model / "config.json").write_bytes(content)
    reseal(model)
    assert ": config.json" in refusal(model)


def safetensors_bytes(header: Any, data: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 7,
        b"\xff" * 8,
        b"\xff" * 100,
        struct.pack("<Q", 1 << 40) + b"{}",
        struct.pack("<Q", 100) + b"{}",
        safetensors_bytes([]),
        safetensors_bytes({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}),
        safetensors_bytes({"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, b"1234"),
        safetensors_bytes({"x": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}, b"1234"),
        safetensors_bytes({"x": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, b"1234"),
        safetensors_bytes({"x": {"dtype": "PICKLE", "shape": [1], "data_offsets": [0, 4]}}, b"1234"),
        safetensors_bytes({"x": {"dtype": "F32", "shape": [0, 1 << 62, 1 << 62], "data_offsets": [0, 0]}}),
        safetensors_bytes({"x": {"dtype": "F32", "shape": [1 << 63, 1 << 63], "data_offsets": [0, 4]}}, b"1234"),
    ],
)
def test_forged_weights_are_refused(model: Path, content: bytes) -> None:
    (model / "weights.safetensors").write_bytes(content)
    reseal(model)
    assert ": weights.safetensors" in refusal(model)


def test_huge_headers_are_refused_unread(model: Path) -> None:
    size = 1 << 40
    for name in FILES:
        whole = (model / name).read_bytes()
        with (model / name).open("r+b") as file:
            file.truncate(size)  # sparse: takes no room on disk; reading it would end in a MemoryError
        assert f"({size} bytes" in refusal(model)
        (model / name).write_bytes(whole)
    with (model / "config.json").open("r+b") as file:
        file.truncate(1 << 27)
    reseal(model)
    assert "config.json is too large" in refusal(model)
    (model / "config.json").write_bytes(b"{}")
    header = b'{"__metadata__":{"a":"' + b"x" * (1 << 23) + b'"}}'
    (model / "weights.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    reseal(model)
    assert "its header claims" in refusal(model)


@pytest.mark.skipif(os.name == "nt", reason="no named pipes")
@pytest.mark.parametrize("name", FILES)
def test_pipes_and_folders_in_place_of_files_do_not_block(model: Path, name: str) -> None:
    (model / name).unlink()
    os.mkfifo(model / name)
    assert f": {name} is not a regular file." in refusal(model)
    (model / name).unlink()
    (model / name).mkdir()
    assert f": {name} is not a regular file." in refusal(model)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_to_any_file_is_noticed(model: Path, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(shutil.copytree(model, Path(temporary) / "model"))
        path = folder / data.draw(st.sampled_from(FILES))
        content = bytearray(path.read_bytes())
        where = data.draw(st.integers(0, len(content) - 1))
        match data.draw(st.sampled_from(["flip", "cut", "insert", "repeat"])):
            case "flip":
                content[where] ^= data.draw(st.integers(1, 255))
            case "cut":
                del content[where:]
            case "insert":
                content[where:where] = data.draw(st.binary(min_size=1, max_size=9))
            case "repeat":
                content += content[where:]
        path.write_bytes(content)
        with pytest.raises(ModelFileError):
            read_model(folder)


def test_every_single_byte_of_the_manifest_counts(model: Path) -> None:
    whole = (model / "manifest.json").read_bytes()
    for where in range(len(whole)):
        for flip in (0x01, 0x20):  # 0x20 turns a digit of a digest to upper case, a space to NUL
            damaged = bytearray(whole)
            damaged[where] ^= flip
            (model / "manifest.json").write_bytes(damaged)
            with pytest.raises(ModelFileError):
                read_model(model)
