from __future__ import annotations

import gzip
import hashlib
import io
import socket
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coterie.datasets import data_home, load, rows_digest, status
from coterie.errors import DatasetMissingError, InputError

from .conftest import Mirror, Published, csv_zip, newsgroups_json

DOWNLOADED = ("mnist", "fashion-mnist", "usps", "pendigits", "letter", "college", "20newsgroups")
every_layout = pytest.mark.parametrize("published", DOWNLOADED, indirect=True)
one_layout = pytest.mark.parametrize("published", ["mnist"], indirect=True)


def test_data_home_follows_the_variable_and_else_the_users_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COTERIE_DATA_HOME", "~/digits")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_home() == tmp_path / "digits"
    monkeypatch.delenv("COTERIE_DATA_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert data_home().name == "datasets"
    assert tmp_path in data_home().parents


@every_layout
def test_first_load_downloads_and_second_does_not(published: Published, mirror: Mirror, home: Path) -> None:
    info = published.serve(mirror)
    assert status(info) == "not stored"
    for requests in (len(info.files), 0):
        mirror.requests.clear()
        x, y = load(info, return_table=False)
        np.testing.assert_array_equal(x, published.x)
        np.testing.assert_array_equal(y, published.y)
        assert x.dtype == published.x.dtype
        assert y.dtype == np.int64
        assert len(mirror.requests) == requests
    assert status(info) == "stored"
    assert sorted(path.name for path in (home / info.name).iterdir()) == sorted(file.name for file in info.files)


@pytest.mark.parametrize("published", ["pendigits"], indirect=True)
def test_table_carries_labels_and_column_names(published: Published, mirror: Mirror, home: Path) -> None:
    table = load(published.serve(mirror))
    np.testing.assert_array_equal(table.X, published.x)
    np.testing.assert_array_equal(table.y, published.y)
    assert table.feature_names is not None
    assert table.feature_names[:3] == ["x1", "y1", "x2"]
    assert len(table.feature_names) == 16


@pytest.mark.parametrize("published", ["college"], indirect=True)
def test_college_is_named_by_row_and_column_and_is_read_from_the_data_home(
    published: Published, mirror: Mirror, home: Path
) -> None:
    home.mkdir()
    (home / "College.csv").write_bytes(published.contents["College.csv"])
    table = load(published.serve(mirror))
    np.testing.assert_array_equal(table.X, published.x)
    np.testing.assert_array_equal(table.y, published.y)
    assert table.names == [f"College {i}" for i in range(11)]
    assert table.feature_names is not None and table.feature_names[0] == "Apps"
    assert mirror.requests == []
    (home / "College.csv").write_bytes(published.contents["College.csv"].replace(b"College 3", b"Other"))
    load(published.info)  # names are no part of the digest, as some copies have none
    (home / "College.csv").write_bytes(published.contents["College.csv"].replace(b",Yes,", b",No,", 1))
    with pytest.raises(InputError, match="does not hold College"):
        load(published.info)


@pytest.mark.parametrize("published", ["20newsgroups"], indirect=True)
def test_newsgroups_are_the_same_rows_from_either_file_and_need_no_labels(
    published: Published, mirror: Mirror, home: Path
) -> None:
    info = published.serve(mirror)
    downloaded = load(info)
    home.mkdir(exist_ok=True)
    (home / info.archive).write_bytes(published.contents[info.archive])
    stored = load(info)
    np.testing.assert_array_equal(stored.X, downloaded.X)
    np.testing.assert_array_equal(stored.y, downloaded.y)
    assert stored.feature_names == downloaded.feature_names == ["brake", "engine", "goal", "orbit", "puck", "rocket"]
    bare = newsgroups_json(["a\n\norbit rocket", "b\n\npuck rocket"], None, 1)
    (home / info.archive).write_bytes(bare)
    unlabelled = load(replace(info, rows=2, shape=(3,), digest=hashlib.sha256(bare).hexdigest()))
    assert unlabelled.y is None and unlabelled.feature_names == ["orbit", "puck", "rocket"]
    with pytest.raises(InputError, match="does not hold 20 Newsgroups"):
        load(info)


@pytest.mark.parametrize("published", ["20newsgroups"], indirect=True)
def test_an_address_without_a_slash_is_that_of_the_file(published: Published, mirror: Mirror, home: Path) -> None:
    info = published.serve(mirror)
    (mirror.folder / "5975967").write_bytes(published.contents[info.files[0].name])
    (mirror.folder / info.files[0].name).unlink()
    table = load(replace(info, mirrors=(*info.mirrors, mirror.address + "5975967")))
    np.testing.assert_array_equal(table.X, published.x)


def test_a_set_that_nobody_serves_says_in_one_sentence_where_it_belongs(home: Path) -> None:
    assert status("emnist") == "not stored"
    with pytest.raises(DatasetMissingError) as caught:
        load("emnist")
    message = str(caught.value)
    assert "'emnist' cannot be downloaded" in message and "genuine EMNIST Balanced is another set" in message
    assert f"put emnist47.npz into {home}" in message and message.count(". ") == 0
    home.mkdir()
    np.savez(home / "emnist47.npz", x=np.zeros((2, 28, 28), np.uint8), y=np.zeros(2))
    assert status("emnist") == "stored"
    with pytest.raises(InputError, match=r"does not hold EMNIST-47 \(its sha256 differs\); move it away, or"):
        load("emnist")


@one_layout
def test_a_second_mirror_serves_where_the_first_does_not(published: Published, mirror: Mirror, home: Path) -> None:
    info = published.serve(mirror)
    gone = mirror.address + "gone/"
    x, _ = load(replace(info, mirrors=(gone, *info.mirrors)), return_table=False)
    np.testing.assert_array_equal(x, published.x)
    assert "/gone/train-images-idx3-ubyte.gz" in mirror.requests


@pytest.mark.parametrize("published", ["mnist", "usps"], indirect=True)
def test_a_download_with_a_wrong_checksum_is_refused_and_not_kept(
    published: Published, mirror: Mirror, home: Path
) -> None:
    info = published.serve(mirror)
    first = info.files[0].name
    (mirror.folder / first).write_bytes(published.contents[first][:-3])
    with pytest.raises(DatasetMissingError, match="wrong sha256"):
        load(info)
    assert not (home / info.name / first).exists()


@one_layout
def test_a_stored_file_that_was_damaged_is_downloaded_again(published: Published, mirror: Mirror, home: Path) -> None:
    info = published.serve(mirror)
    load(info)
    damaged = home / "mnist" / "t10k-images-idx3-ubyte.gz"
    damaged.write_bytes(damaged.read_bytes()[:20])
    mirror.requests.clear()
    x, _ = load(info, return_table=False)
    np.testing.assert_array_equal(x, published.x)
    assert mirror.requests == ["/t10k-images-idx3-ubyte.gz"]


@pytest.mark.parametrize("published", ["pendigits"], indirect=True)
def test_rows_are_checked_where_the_host_publishes_no_checksum(
    published: Published, mirror: Mirror, home: Path
) -> None:
    info = published.serve(mirror)
    table = np.column_stack([published.x, published.y])
    table[2, 5] ^= 1
    (mirror.folder / info.files[0].name).write_bytes(csv_zip({"p.tra": table}))
    with pytest.raises(InputError, match="do not hold Pendigits as it was published; delete them"):
        load(info)


@one_layout
def test_a_missing_set_says_in_one_sentence_how_to_get_it(published: Published, mirror: Mirror, home: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    info = replace(published.serve(mirror), mirrors=(nobody, mirror.address + "gone/"))
    with pytest.raises(DatasetMissingError) as caught:
        load(info)
    message = str(caught.value)
    for part in (
        "'mnist'",
        str(home),
        f"{nobody}: ConnectionError",
        "status 404",
        "connect to the internet",
        "put mnist.npz there",
        "t10k-labels-idx1-ubyte.gz into its folder mnist",
        "COTERIE_DATA_HOME",
    ):
        assert part in message
    assert "\n" not in message
    assert message.endswith("holds it.")


@pytest.mark.parametrize("published", ["mnist", "fashion-mnist", "usps", "pendigits", "letter"], indirect=True)
@pytest.mark.parametrize("two_parts", [True, False])
def test_a_ready_made_archive_is_taken_without_a_download(
    published: Published, mirror: Mirror, home: Path, two_parts: bool
) -> None:
    info = published.serve(mirror)
    x, y = published.x, published.y
    home.mkdir()
    if two_parts:
        np.savez(home / info.archive, x_train=x[:7], y_train=y[:7], x_test=x[7:], y_test=y[7:])
    else:
        np.savez_compressed(home / info.archive, x=x, y=y.astype(np.uint8))
    assert status(info) == "stored"
    loaded, labels = load(info, return_table=False)
    np.testing.assert_array_equal(loaded, x)
    np.testing.assert_array_equal(labels, y)
    assert labels.dtype == np.int64
    assert mirror.requests == []


@pytest.mark.parametrize("published", ["usps"], indirect=True)
def test_an_archive_in_half_precision_counts_as_the_same_set(published: Published, mirror: Mirror, home: Path) -> None:
    x = np.round(published.x, 3)
    info = replace(published.serve(mirror), digest=rows_digest(x, published.y))
    home.mkdir()
    np.savez(home / info.archive, x=x.astype(np.float16), y=published.y)
    loaded, _ = load(info, return_table=False)
    assert loaded.dtype == np.float32
    np.testing.assert_allclose(loaded, x, atol=2.5e-4)


def _swap_labels(x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    return {"x": x, "y": y[::-1]}


def _drop_row(x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    return {"x": x[1:], "y": y[1:]}


def _strange_label(x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    return {"x": x, "y": np.where(y == 3, 999, y)}


@one_layout
@pytest.mark.parametrize("change", [_swap_labels, _drop_row, _strange_label])
def test_an_archive_with_other_rows_is_refused(published: Published, mirror: Mirror, home: Path, change) -> None:
    info = published.serve(mirror)
    home.mkdir()
    np.savez(home / info.archive, **change(published.x, published.y))
    with pytest.raises(InputError, match=r"does not hold MNIST .*move it away"):
        load(info)
    assert mirror.requests == []


def _npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def _npz(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


@one_layout
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not an archive",
        _npz(images=np.zeros(3)),
        _npz(x=np.zeros(3)),
        _npz(x=np.array([{}], dtype=object), y=np.zeros(1)),
        _npz(x=np.zeros((400, 20)), y=np.zeros(400))[:9000],
        gzip.compress(b"something else"),
        _npy(np.zeros(3)),
    ],
    ids=["empty", "text", "other-keys", "no-labels", "pickled", "cut-short", "gzip", "npy"],
)
def test_a_file_that_is_no_archive_is_refused(published: Published, home: Path, content: bytes) -> None:
    home.mkdir()
    (home / published.info.archive).write_bytes(content)
    with pytest.raises(InputError, match=r"mnist\.npz is not an \.npz file with the arrays x and y"):
        load(published.info)


def test_digest_ignores_order_and_sees_every_change() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (20, 3, 3), dtype=np.uint8), rng.integers(0, 10, 20)
    digest = rows_digest(x, y)
    order = rng.permutation(20)
    assert rows_digest(x[order], y[order]) == digest
    assert rows_digest(x, y[order]) != digest
    changed = x.copy()
    changed[11, 2, 1] ^= 1
    assert rows_digest(changed, y) != digest
    assert rows_digest(x[:-1], y[:-1]) != digest


def test_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="no data set named 'mnits'; choose one of mnist10k, mnist, fashion-mnist"):
        load("mnits")
    with pytest.raises(InputError, match="no data set named 'mnits'"):
        status("mnits")
