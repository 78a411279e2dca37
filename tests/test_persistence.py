"""A model folder is read exactly as written, or refused with one sentence."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coterie.errors import InputError, ModelFileError
from coterie.files import json_bytes
from coterie.persistence import decode_value, encode_value, read_model, register, save_model

CONFIG = {"system": "dec", "parameters": {"alpha": 1.0, "hidden": [500, 10]}, "names": ["größe", None, True]}
TENSORS = {"centers": np.arange(6, dtype=np.float32).reshape(2, 3), "labels": np.array([0, 1, 1])}
FILES = ("config.json", "weights.safetensors", "manifest.json")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    save_model(tmp_path / "model", config=CONFIG, tensors=TENSORS)
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


def test_what_is_read_is_what_was_saved(model: Path) -> None:
    config, tensors = read_model(model)
    assert config == CONFIG
    assert set(tensors) == set(TENSORS)
    for name, array in TENSORS.items():
        assert tensors[name].numpy().dtype == array.dtype
        np.testing.assert_array_equal(tensors[name].numpy(), array)
    assert sorted(path.name for path in model.iterdir()) == sorted(FILES)


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int8", "uint16", "int16", "int32", "int64", "float16", "float32", "float64", "bfloat16"]
)
def test_every_dtype_and_layout_survives_bit_for_bit(tmp_path: Path, dtype: str) -> None:
    kind = getattr(torch, dtype)
    noise = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(0)) * 50
    tensors = {
        "plain": noise.abs().to(kind),
        "channels last": noise.abs().to(kind).to(memory_format=torch.channels_last),
        "turned": noise.abs().to(kind).permute(3, 1, 0, 2)[1:, :, ::2],
        "scalar": noise.abs().to(kind)[0, 0, 0, 0],
        "empty": torch.empty(0, 3, dtype=kind),
    }
    save_model(tmp_path / "m", config={}, tensors=tensors)
    _, read = read_model(tmp_path / "m")
    assert set(read) == set(tensors)
    for name, tensor in tensors.items():
        assert read[name].dtype == kind
        assert read[name].shape == tensor.shape
        assert torch.equal(read[name], tensor)


def test_special_floats_keep_their_bits(tmp_path: Path) -> None:
    bits = np.array([0x7FC00001, 0xFF800000, 0x80000000, 0x00000001], dtype=np.uint32)
    save_model(tmp_path / "m", config={}, tensors={"x": bits.view(np.float32)})
    np.testing.assert_array_equal(read_model(tmp_path / "m")[1]["x"].numpy().view(np.uint32), bits)


def test_awkward_arrays_are_stored(tmp_path: Path) -> None:
    shared = torch.nn.Parameter(torch.arange(6.0).reshape(2, 3))
    foreign = np.arange(3, dtype=">f4")
    save_model(tmp_path / "m", config={}, tensors={"a": shared, "b": shared, "t": shared.T, "f": foreign[::-1]})
    _, read = read_model(tmp_path / "m")
    assert torch.equal(read["a"], read["b"])
    assert read["t"].tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
    assert read["f"].tolist() == [2.0, 1.0, 0.0]
    read["a"].zero_()
    assert read["b"].sum() == 15


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("words", np.array(["a"])),
        ("objects", np.array([None])),
        ("complex", np.array([1j])),
        ("sparse", torch.eye(3).to_sparse()),
        ("times", np.array(["2020-01-01"], dtype="datetime64[D]")),
        ("__metadata__", np.zeros(1)),
    ],
)
def test_arrays_that_cannot_be_stored_are_named(tmp_path: Path, name: str, bad: Any) -> None:
    with pytest.raises(InputError, match=name):
        save_model(tmp_path / "m", config={}, tensors={name: bad})
    assert list(tmp_path.iterdir()) == []


def test_config_must_be_json(tmp_path: Path) -> None:
    for bad in (math.nan, {1, 2}, np.zeros(2), torch.float32):
        with pytest.raises(InputError, match="config cannot be written as JSON"):
            save_model(tmp_path / "m", config={"a": [bad]}, tensors={})
    assert list(tmp_path.iterdir()) == []


def test_saving_again_replaces_the_model_but_no_other_folder(model: Path) -> None:
    save_model(model, config={"second": 2}, tensors={})
    assert read_model(model) == ({"second": 2}, {})
    (model / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"'notes\.txt'"):
        save_model(model, config={"third": 3}, tensors={})
    assert (model / "notes.txt").read_text() == "mine"
    assert read_model(model)[0] == {"second": 2}


def test_saving_is_deterministic(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_model(tmp_path / name, config=CONFIG, tensors=TENSORS)
    for name in FILES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


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


def test_too_large_parts_are_refused_when_saved(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="config must be at most"):
        save_model(tmp_path / "m", config={"a": "x" * (1 << 26)}, tensors={})
    with pytest.raises(InputError, match="tensors must have names"):
        save_model(tmp_path / "m", config={}, tensors={"x" * (1 << 23): np.zeros(1)})


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


SAVE_LOOP = """
    import sys
    import numpy as np
    from coterie.persistence import save_model
    n = 0
    while True:
        n += 1
        save_model(sys.argv[1], config={"n": n}, tensors={"x": np.full(50_000, n)})
        if n == 1:
            print("written", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_kill_while_saving_leaves_a_model_that_loads(tmp_path: Path) -> None:
    moments = np.random.default_rng(2).uniform(0, 0.1, 2)
    for moment in moments:
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(SAVE_LOOP), str(tmp_path / "m")], stdout=subprocess.PIPE, text=True
        ) as writer:
            try:
                assert writer.stdout is not None
                assert writer.stdout.readline() == "written\n"
                time.sleep(moment)
            finally:  # also when the test fails: the loop would never end
                writer.kill()
        config, tensors = read_model(tmp_path / "m")
        assert set(tensors["x"].tolist()) == {config["n"]}


def test_a_copied_or_renamed_folder_still_loads(model: Path, tmp_path: Path) -> None:
    shutil.copytree(model, tmp_path / "elsewhere")
    assert read_model(str(tmp_path / "elsewhere"))[0] == CONFIG


@register("tests.Layers")
@dataclass(frozen=True)
class Layers:
    """Stands in for a settings object."""

    hidden: tuple[int, ...] = (500, 10)
    inner: Layers | None = None
    size: int = field(init=False, default=3)

    def __post_init__(self) -> None:
        if any(width < 1 for width in self.hidden):
            raise InputError("hidden must be positive.")


class Unknown:
    """Not registered."""


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**100), 2**100) | st.floats() | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.sampled_from(["a", "$tuple", "$object", "$dict", "values", ""]), inner, max_size=3)
        | st.lists(st.integers(1, 9), max_size=3).map(lambda widths: Layers(tuple(widths)))
    ),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(value=plain)
def test_values_survive_json(value: object) -> None:
    text = json.dumps(encode_value(value), allow_nan=False)
    read = decode_value(json.loads(text))
    assert repr(read) == repr(value)  # repr tells 1 from 1.0 and True, -0.0 from 0.0, tuples from lists, and shows NaN
    assert type(read) is type(value)


def test_nested_settings_survive() -> None:
    value = {"network": Layers((3,), Layers()), "rate": np.float32(0.1), "n": np.int64(3), "on": np.True_}
    read = decode_value(json.loads(json.dumps(encode_value(value))))
    assert read == {"network": Layers((3,), Layers()), "rate": float(np.float32(0.1)), "n": 3, "on": True}
    assert [type(read[key]) for key in ("rate", "n", "on")] == [float, int, bool]


@pytest.mark.parametrize(
    "bad",
    [Unknown(), Unknown, {1, 2}, b"x", 1j, np.zeros(2), torch.zeros(2), torch.nn.ReLU(), np.random.default_rng(0), len],
)
def test_unknown_types_are_refused_by_place(bad: object) -> None:
    with pytest.raises(TypeError, match=r"^DEC\.network\.hidden\[1\] cannot be saved: it is a "):
        encode_value({"hidden": (1, bad)}, where="DEC.network")


def test_subclasses_are_not_stored_as_their_parents() -> None:
    class Deeper(Layers):
        pass

    class Name(str):
        __slots__ = ()

    for bad in (Deeper(), Name("x")):
        with pytest.raises(TypeError, match="cannot be saved"):
            encode_value(bad)


def test_keys_must_be_strings_and_depth_is_bounded() -> None:
    with pytest.raises(TypeError, match="its key 3 must be a string"):
        encode_value({"a": {3: 1}})
    cycle: list[Any] = []
    cycle.append(cycle)
    with pytest.raises(TypeError, match="nested too deep"):
        encode_value(cycle)
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    with pytest.raises(ModelFileError, match="nested too deep"):
        decode_value(deep)


@pytest.mark.parametrize(
    "bad",
    [
        {"$object": "os.system", "values": {"command": "true"}},
        {"$object": "tests.Layers", "values": {"colour": 1}},
        {"$object": "tests.Layers", "values": {"hidden": {"$tuple": [0]}}},
        {"$object": "tests.Layers", "values": []},
        {"$object": "tests.Layers"},
        {"$object": ["tests.Layers"], "values": {}},
        {"$float": "1e5"},
        {"$float": 3},
        {"$tuple": {}},
        {"$tuple": [], "more": 1},
        {"$dict": []},
        {"a": {"$what": 1}},
    ],
)
def test_malformed_values_are_refused(bad: object) -> None:
    with pytest.raises(ModelFileError):
        decode_value(bad)


def test_a_name_belongs_to_one_class() -> None:
    with pytest.raises(ValueError, match=r"'tests\.Layers' belongs to"):
        register("tests.Layers")(Unknown)
    assert register("tests.Layers")(Layers) is Layers
