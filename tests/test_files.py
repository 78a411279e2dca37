"""Files and folders are whole at any moment, also when the writer is killed."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from coterie._workspace import is_halfway, workspace, workspaces
from coterie.errors import InputError
from coterie.files import atomic_path, recover_folder, replace_folder, sha256, write_bytes, write_json, write_text

KILLS = 6  # for each kind of writer; each takes about half a second


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def kill_while_writing(script: str, target: Path, *, after: float) -> None:
    """Run a script that writes `target` in an endless loop, and kill it `after` seconds past its first write."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), str(target)], stdout=subprocess.PIPE, text=True
    ) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "written\n"
            time.sleep(after)
        finally:  # also when the test fails: the loop would never end
            writer.kill()
        assert writer.wait() == -signal.SIGKILL


FILE_LOOP = """
    import sys
    from coterie.files import write_text
    n = 0
    while True:
        n += 1
        write_text(sys.argv[1], f"{n}\\n" * 100_000)
        if n == 1:
            print("written", flush=True)
"""

FOLDER_LOOP = """
    import sys
    from coterie.files import replace_folder
    n = 0
    while True:
        n += 1
        with replace_folder(sys.argv[1]) as new:
            for name in ("a", "b", "c"):
                (new / name).write_text(f"{n}\\n" * 20_000)
        if n == 1:
            print("written", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_killed_file_writer_leaves_a_whole_file_and_the_next_write_tidies_up(tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    moments = random.Random(0)
    for _ in range(KILLS):
        kill_while_writing(FILE_LOOP, target, after=moments.uniform(0, 0.15))
        lines = target.read_text().split("\n")
        assert len(lines) == 100_001
        assert len(set(lines)) == 2  # one number, and the empty end
    write_text(target, "last")
    assert names(tmp_path) == ["out.txt"]


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_killed_folder_writer_leaves_a_whole_folder(tmp_path: Path) -> None:
    target = tmp_path / "model"
    moments = random.Random(1)
    for _ in range(KILLS):
        kill_while_writing(FOLDER_LOOP, target, after=moments.uniform(0, 0.15))
        recover_folder(target)
        assert names(tmp_path) == ["model"]
        assert names(target) == ["a", "b", "c"]
        contents = {(target / name).read_text() for name in ("a", "b", "c")}
        assert len(contents) == 1
        assert len(contents.pop().split("\n")) == 20_001


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.parametrize("calls", range(1, 12))
def test_folder_is_whole_after_a_kill_at_each_single_step_of_the_swap(tmp_path: Path, calls: int) -> None:
    """The process kills itself at its n-th rename, removal or sync, so that no moment is left to chance."""
    target = tmp_path / "model"
    with replace_folder(target) as new:
        (new / "a").write_text("old")
    script = f"""
        import os, shutil, signal, sys
        left = {calls}
        def dying(function):
            def call(*args, **kwargs):
                global left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*args, **kwargs)
            return call
        for module, name in ((os, "rename"), (os, "fsync"), (os, "mkdir"), (os, "unlink"), (os, "rmdir")):
            setattr(module, name, dying(getattr(module, name)))
        from coterie.files import replace_folder
        with replace_folder(sys.argv[1]) as new:
            (new / "a").write_text("new")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(target)], check=False)
    assert done.returncode in (0, -signal.SIGKILL)
    recover_folder(target)
    assert names(tmp_path) == ["model"]
    assert (target / "a").read_text() in (("new",) if done.returncode == 0 else ("old", "new"))


def test_halfway_swap_is_finished(tmp_path: Path) -> None:
    target = tmp_path / "model"
    half = tmp_path / ".model.coterie-0123456789abcdef"
    (half / "new").mkdir(parents=True)
    (half / "old0").mkdir()
    (half / "new" / "a").write_text("new")
    recover_folder(target)
    assert (target / "a").read_text() == "new"
    assert names(tmp_path) == ["model"]


def test_a_folder_that_the_user_removed_does_not_come_back(tmp_path: Path) -> None:
    """After a finished swap the old folder may still lie in a workspace; it must not be taken for the model."""
    rest = tmp_path / ".model.coterie-0123456789abcdef"
    (rest / "old0").mkdir(parents=True)
    recover_folder(tmp_path / "model")
    assert names(tmp_path) == []


def test_error_in_the_block_leaves_the_old_content_and_nothing_else(tmp_path: Path) -> None:
    file, folder = tmp_path / "a.txt", tmp_path / "model"
    write_text(file, "old")
    with replace_folder(folder) as new:
        (new / "a").write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_path(file) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    with pytest.raises(RuntimeError, match="stop"), replace_folder(folder) as new:
        (new / "a").write_text("half")
        raise RuntimeError("stop")
    assert file.read_text() == "old"
    assert (folder / "a").read_text() == "old"
    assert names(tmp_path) == ["a.txt", "model"]


def test_a_living_writer_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "model"
    with workspace(target) as mine:
        (mine / "new").mkdir()
        recover_folder(target)
        with replace_folder(target) as new:
            (new / "a").write_text("theirs")
        assert workspaces(target) == [mine]
        assert (mine / "new").is_dir()
    assert names(tmp_path) == ["model"]


def test_recovery_waits_for_a_living_writer_in_the_middle_of_its_swap(tmp_path: Path) -> None:
    target = tmp_path / "model"
    with workspace(target) as theirs:
        (theirs / "new").mkdir()
        (theirs / "old0").mkdir()
        assert is_halfway(theirs)
        reader = threading.Thread(target=recover_folder, args=(target,))
        reader.start()
        time.sleep(0.1)
        assert reader.is_alive()
        (theirs / "new").rename(target)
        reader.join(timeout=10)
        assert not reader.is_alive()


def test_writers_at_the_same_time_leave_one_whole_folder(tmp_path: Path) -> None:
    target = tmp_path / "model"
    errors: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for _ in range(20):
                with replace_folder(target) as new:
                    for name in ("a", "b"):
                        (new / name).write_text(str(number))
        except BaseException as error:  # a thread's error must reach the test
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert errors == []
    assert names(tmp_path) == ["model"]
    assert (target / "a").read_text() == (target / "b").read_text()


def test_foreign_content_is_never_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match=r"'thesis\.tex'"), replace_folder(folder, known=("config.json", "*.npz")):
        pass
    assert (folder / "thesis.tex").read_text() == "years of work"
    (folder / "thesis.tex").rename(folder / "arrays.npz")
    with replace_folder(folder, known=("config.json", "*.npz")):
        pass
    assert names(folder) == []
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="there is a file of that name"), replace_folder(tmp_path / "file"):
        pass


@pytest.mark.skipif(os.name == "nt", reason="no device files")
def test_devices_and_folders_are_not_replaced_by_files(tmp_path: Path) -> None:
    for path in (Path(os.devnull), tmp_path):
        with pytest.raises(InputError, match="not a regular file"):
            write_text(path, "x")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_links_are_followed_and_parents_made(tmp_path: Path) -> None:
    real = tmp_path / "deep" / "er" / "real.txt"
    write_text(real, "one")
    link = tmp_path / "link.txt"
    link.symlink_to(real)
    write_text(link, "two")
    assert link.is_symlink()
    assert real.read_text() == "two"


def test_the_temporary_path_keeps_its_ending(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "z.npy") as temporary:
        np.save(temporary, np.arange(3))  # appends .npy to any other ending
    assert np.load(tmp_path / "z.npy").tolist() == [0, 1, 2]
    assert names(tmp_path) == ["z.npy"]


def test_a_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a"):
        pass
    assert names(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="modes are of POSIX")
def test_files_get_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    write_text(tmp_path / "ours", "x")
    with replace_folder(tmp_path / "folder"):
        pass
    (tmp_path / "plain-folder").mkdir()
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert (tmp_path / "folder").stat().st_mode == (tmp_path / "plain-folder").stat().st_mode


def test_json_is_strict_and_readable(tmp_path: Path) -> None:
    value = {"größe": [1, 2.5, None, True], "file": "bad-\udcff"}
    write_json(tmp_path / "a.json", value)
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == value
    assert "größe" in (tmp_path / "a.json").read_text("utf-8")
    cycle: list[object] = []
    cycle.append(cycle)
    for bad in (float("nan"), [float("inf")], {"a": {1, 2}}, cycle):
        with pytest.raises(InputError, match=r"^a\.json cannot be written as JSON"):
            write_json(tmp_path / "a.json", bad)
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == value


def test_text_keeps_line_ends_and_undecodable_names(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "x\r\ny\n\udcff")
    assert (tmp_path / "a").read_bytes() == b"x\r\ny\n\xff"


def test_sha256_of_a_file(tmp_path: Path) -> None:
    content = np.random.default_rng(0).bytes(1_000_000)
    write_bytes(tmp_path / "a", content)
    assert sha256(tmp_path / "a") == hashlib.sha256(content).hexdigest()


def test_permissions_outlast_a_new_content(tmp_path):
    path, folder = tmp_path / "a.csv", tmp_path / "model"
    write_text(path, "1")
    path.chmod(0o600)
    write_text(path, "2")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for content in "12":
        with replace_folder(folder) as new:
            (new / "a").write_text(content)
        folder.chmod(0o700)
    with replace_folder(folder) as new:
        (new / "a").write_text("3")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o555)
    with replace_folder(folder) as new:
        (new / "a").write_text("4")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755  # what cannot be written could not be cleared away either


def test_the_folder_that_a_process_is_at_work_in_is_not_replaced(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for place in (".", "", "..", tmp_path):
        with pytest.raises(InputError, match="cannot be replaced, since it is in use"), replace_folder(place):
            pass
    with replace_folder("model") as new:
        (new / "a").write_text("1")
    assert names(Path("model")) == ["a"]
