"""A web server on this machine, and small data sets in each published layout."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import struct
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from coterie.datasets import DATASETS, Dataset, RemoteFile, rows_digest
from coterie.datasets.texts import tfidf, without_header


@dataclass
class Mirror:
    """A running file server: the folder it serves, its address, and the paths it was asked for."""

    folder: Path
    address: str
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    """Serve an empty folder over HTTP on the loopback address."""
    folder = tmp_path / "served"
    folder.mkdir()
    requests: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            requests.append(self.path)

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.01), daemon=True)
        thread.start()
        yield Mirror(folder, f"http://127.0.0.1:{server.server_port}/", requests)
        server.shutdown()
        thread.join()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data home that does not exist yet."""
    folder = tmp_path / "home"
    monkeypatch.setenv("COTERIE_DATA_HOME", str(folder))
    return folder


def idx(values: np.ndarray) -> bytes:
    """Write an array of bytes as gzipped IDX."""
    header = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return gzip.compress(header + values.astype(np.uint8).tobytes())


def libsvm(x: np.ndarray, y: np.ndarray) -> bytes:
    """Write rows as bzip2-compressed LIBSVM text, with labels from 1; zeros are left out, as the format allows."""
    lines = [
        f"{label + 1} " + " ".join(f"{i}:{value:.6f}" for i, value in enumerate(row.ravel(), start=1) if value)
        for row, label in zip(x, y, strict=True)
    ]
    return bz2.compress("\n".join(lines).encode() + b"\n")


def letter_zip(x: np.ndarray, y: np.ndarray) -> bytes:
    """Write rows behind their capital letters as comma-separated text in one zip archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("letter-recognition.names", "what the columns mean")
        lines = (",".join([chr(65 + label), *map(str, row)]) for row, label in zip(x, y, strict=True))
        archive.writestr("letter-recognition.data", "\n".join(lines) + "\n")
    return stream.getvalue()


def college_csv(x: np.ndarray, y: np.ndarray) -> bytes:
    """Write a table as the College set is written: names of colleges, Yes or No, numbers."""
    columns = DATASETS["college"].feature_names or ()
    lines = [",".join(["", "Private", *columns])]
    for i, (row, label) in enumerate(zip(x.tolist(), y, strict=True)):
        lines.append(",".join([f'"College {i}"', ("No", "Yes")[label], *map(str, row)]))
    return "\n".join(lines).encode() + b"\n"


def newsgroups_tar(texts: Sequence[str], y: np.ndarray, n_train: int) -> bytes:
    """Write messages as the bydate archive holds them: a folder for each part and group, the parts in any order."""
    stream = io.BytesIO()
    groups = DATASETS["20newsgroups"].classes
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for i, text in reversed(list(enumerate(texts))):
            part = "train" if i < n_train else "test"
            entry = tarfile.TarInfo(f"20news-bydate-{part}/{groups[y[i]]}/{10_000 + i}")
            content = text.encode("latin-1")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def newsgroups_json(texts: Sequence[str], y: np.ndarray | None, n_train: int) -> bytes:
    """Write messages as gzipped JSON, their lines ended by tabs, with labels or without."""
    flat = [text.replace("\n", "\t") for text in texts]
    content: dict[str, object] = {"text_train": flat[:n_train], "text_test": flat[n_train:]}
    if y is not None:
        content |= {"y_train": y[:n_train].tolist(), "y_test": y[n_train:].tolist()}
    return gzip.compress(json.dumps(content).encode())


def csv_zip(parts: dict[str, np.ndarray]) -> bytes:
    """Write tables of whole numbers as right-aligned, comma-separated text in one zip archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("digits.names", "what the columns mean")
        for name, table in parts.items():
            archive.writestr(name, "".join(",".join(f"{value:3d}" for value in row) + "\n" for row in table))
    return stream.getvalue()


@dataclass(frozen=True)
class Published:
    """A small set as a host would publish it: what it holds, and its description without mirrors."""

    x: np.ndarray
    y: np.ndarray
    contents: dict[str, bytes]
    info: Dataset

    def serve(self, mirror: Mirror) -> Dataset:
        """Put the files on a mirror and return the description that points there."""
        for name, content in self.contents.items():
            (mirror.folder / name).write_bytes(content)
        return replace(self.info, mirrors=(mirror.address,))


def _publish(base: str, x: np.ndarray, y: np.ndarray, contents: dict[str, bytes]) -> Published:
    """Describe generated rows by the entry of a real set, with their own size and checksums."""
    real = DATASETS[base]
    files = tuple(
        RemoteFile(file.name, hashlib.sha256(contents[file.name]).hexdigest() if file.sha256 else None)
        for file in real.files
    )
    info = replace(real, rows=len(x), shape=x.shape[1:], digest=rows_digest(x, y), files=files)
    return Published(x, y, contents, info)


@pytest.fixture
def published(request: pytest.FixtureRequest) -> Published:
    """Seven rows for training and four for testing, in the layout of the set that the test names."""
    rng = np.random.default_rng(7)
    y = rng.permutation(np.arange(11) % 10)
    base = request.param
    real = DATASETS[base]
    if real.layout == "idx":
        x = rng.integers(0, 256, (11, 5, 4), dtype=np.uint8)
        parts = (x[:7], y[:7], x[7:], y[7:])
        contents = {file.name: idx(part) for file, part in zip(real.files, parts, strict=True)}
    elif real.layout == "libsvm":
        x = np.round(rng.uniform(-1, 1, (11, 4, 4)), 6).astype(np.float32)
        x[3, :2] = 0
        contents = {"usps.bz2": libsvm(x[:7], y[:7]), "usps.t.bz2": libsvm(x[7:], y[7:])}
    elif real.layout == "letter-zip":
        x = rng.integers(0, 16, (11, 16), dtype=np.uint8)
        contents = {real.files[0].name: letter_zip(x, y)}
    elif real.layout == "college":
        x, y = np.round(rng.uniform(0, 60_000, (11, 17)), 1), y % 2
        contents = {real.files[0].name: college_csv(x, y)}
    elif real.layout == "newsgroups":
        return _newsgroups(rng)
    else:
        x = rng.integers(0, 101, (11, 16), dtype=np.uint8)
        table = np.column_stack([x, y])
        contents = {real.files[0].name: csv_zip({"p.tes": table[7:], "p.tra": table[:7]})}
    return _publish(base, x, y, contents)


def _newsgroups(rng: np.random.Generator) -> Published:
    """Eleven messages whose headers name the group, and whose bodies are of few words."""
    y = np.sort(np.arange(11) % 3)  # in the order of the archive: by part, then by group
    words = np.array(["rocket", "orbit", "goal", "puck", "engine", "brake"])
    texts = [
        f"From: someone@{DATASETS['20newsgroups'].classes[k]}\nLines: 1\n\n{' '.join(rng.choice(words, 8))}\n"
        for k in y
    ]
    y[7:] -= y[7]
    x, found = tfidf([without_header(text) for text in texts])
    real = DATASETS["20newsgroups"]
    contents = {real.files[0].name: newsgroups_tar(texts, y, 7), real.archive: newsgroups_json(texts, y, 7)}
    files = (replace(real.files[0], sha256=hashlib.sha256(contents[real.files[0].name]).hexdigest()),)
    digest = hashlib.sha256(contents[real.archive]).hexdigest()
    info = replace(real, rows=11, shape=(len(found),), files=files, digest=digest)
    return Published(x, y, contents, info)
