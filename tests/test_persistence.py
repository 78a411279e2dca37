"""A model folder is read exactly as written, or refused with one sentence."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from coterie.errors import InputError
from coterie.persistence import read_model, save_model

CONFIG = {"system": "dec", "parameters": {"alpha": 1.0, "hidden": [500, 10]}, "names": ["größe", None, True]}
TENSORS = {"centers": np.arange(6, dtype=np.float32).reshape(2, 3), "labels": np.array([0, 1, 1])}
FILES = ("config.json", "weights.safetensors", "manifest.json")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    save_model(tmp_path / "model", config=CONFIG, tensors=TENSORS)
    return tmp_path / "model"


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


def test_too_large_parts_are_refused_when_saved(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="config must be at most"):
        save_model(tmp_path / "m", config={"a": "x" * (1 << 26)}, tensors={})
    with pytest.raises(InputError, match="tensors must have names"):
        save_model(tmp_path / "m", config={}, tensors={"x" * (1 << 23): np.zeros(1)})


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
    """One kill, since each process imports torch; every moment of the swap is in ``test_files.py``."""
    command = [sys.executable, "-c", textwrap.dedent(SAVE_LOOP), str(tmp_path / "m")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "written\n"
            time.sleep(0.05)
        finally:  # also when the test fails: the loop would never end
            writer.kill()
    config, tensors = read_model(tmp_path / "m")
    assert set(tensors["x"].tolist()) == {config["n"]}


def test_a_copied_or_renamed_folder_still_loads(model: Path, tmp_path: Path) -> None:
    shutil.copytree(model, tmp_path / "elsewhere")
    assert read_model(str(tmp_path / "elsewhere"))[0] == CONFIG
