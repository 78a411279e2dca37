"""The examples run on few rows and draw what they promise."""

import warnings

import pytest
from PIL import Image

from examples import dec_walkthrough, depict_tsne


@pytest.fixture(autouse=True)
def _short_runs_collapse():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def drawn(path):
    with Image.open(path) as picture:
        return len(set(picture.convert("L").tobytes())) > 10


def test_the_walk_through_tells_three_results_and_draws_two_pictures(tmp_path, capsys):
    arguments = ["--rows", "300", "--steps", "110", "--n-init", "1", "--out", str(tmp_path)]
    dec_walkthrough.main(arguments)
    said = capsys.readouterr().out
    assert said.count("ACC") == 3
    assert drawn(tmp_path / "confusion.png")
    assert drawn(tmp_path / "course.png")


def test_depicts_features_are_drawn(tmp_path, capsys):
    depict_tsne.main(["--rows", "200", "--shown", "100", "--steps", "5", "--out", str(tmp_path / "t.png")])
    assert "ACC" in capsys.readouterr().out
    assert drawn(tmp_path / "t.png")
