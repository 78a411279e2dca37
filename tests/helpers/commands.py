"""Running the command line, in this process and in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from coterie.cli import app

SETTINGS = """\
system = "dec"
seed = 3

[parameters]
n_clusters = 3
code_size = 2
start = "kmeans"
update_interval = 10
tol = "none"

[parameters.network]
hidden = [16]

[parameters.pretrain]
steps = 150
batch_size = 64
learning_rate = 1e-2

[parameters.train]
steps = {steps}
batch_size = 64
learning_rate = 1e-4
"""


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str


def run(*arguments: object) -> Outcome:
    """Run a command in this process."""
    result = CliRunner().invoke(app, [str(each) for each in arguments], prog_name="coterie")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Outcome(result.exit_code, result.stdout, result.stderr)


def start(*arguments: object, **environment: str) -> subprocess.Popen[str]:
    """Start a command in a process of its own, its output in pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", "from coterie.cli import main; main()", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1", **environment},
    )


@dataclass(frozen=True)
class Blobs:
    """300 rows of 6 columns in three well separated groups, in several kinds of file."""

    folder: Path

    @property
    def npy(self) -> Path:
        """The rows alone."""
        return self.folder / "blobs.npy"

    @property
    def csv(self) -> Path:
        """Columns a to f, and the group's name as column "kind"."""
        return self.folder / "blobs.csv"

    @property
    def labels(self) -> Path:
        """The groups' names, one a line."""
        return self.folder / "kinds.txt"

    def settings(self, steps: int = 40, more: str = "") -> Path:
        """A settings file of a tiny network that is trained for a moment."""
        path = self.folder / f"tiny-{steps}.toml"
        path.write_text(more + SETTINGS.format(steps=steps))
        return path
