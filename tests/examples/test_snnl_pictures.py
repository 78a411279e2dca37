"""The pictures of the soft nearest neighbour loss, drawn from few rows."""

import json

import numpy as np
import pytest
from PIL import Image

from examples import snnl_pictures


def drawn(path):
    with Image.open(path) as picture:
        return len(set(picture.convert("L").resize((200, 200)).tobytes())) > 10


def test_points_are_pulled_apart_under_each_temperature_in_its_own_way(tmp_path):
    snnl_pictures.main(["--only", "points", "--out", str(tmp_path)])
    assert drawn(tmp_path / "points.png")
    fixed, annealed = (snnl_pictures.pulled(T, 0) for T in snnl_pictures.TEMPERATURES.values())
    np.testing.assert_array_equal(fixed[0][0], annealed[0][0])
    for found in (fixed, annealed):
        assert found[50][1] < found[20][1] < found[0][1]
        assert snnl_pictures.beside_own(found[0][0]) < 0.4
        assert snnl_pictures.beside_own(found[20][0]) > 0.98
    # What is measured at a temperature of 1 favours what was trained at it.
    assert fixed[50][1] < 0.1 < annealed[50][1]


def test_codes_are_drawn_beside_pixels(tmp_path, capsys):
    few = ["--rows", "300", "--shown", "40", "--steps", "5", "--iterations", "250"]
    snnl_pictures.main(["--only", "codes", "--data", "mnist10k", "emnist", *few, "--out", str(tmp_path)])
    said = capsys.readouterr().out
    assert "with all 300 labels of the train part" in said
    assert "emnist" in said  # which is not stored here: a sentence, and no error
    assert drawn(tmp_path / "codes.png")


@pytest.mark.parametrize("there", [False, True])
def test_the_curve_is_drawn_where_there_are_results(tmp_path, capsys, there):
    path = tmp_path / "few.jsonl"
    if there:
        about = {"dataset": "mnist", "seed": 0, "settings": "now"}
        rows = [
            about | {"method": m, "labels": str(n), "labels_used": n, "unmatched_accuracy": 0.1 * i}
            for m in snnl_pictures.CURVES
            for i, n in enumerate((10, 100, 1000), 1)
        ]
        rows += [about | {"method": m, "labels": "none", "labels_used": 0, "accuracy": 0.5} for m in snnl_pictures.FLAT]
        rows.append({"method": "step", "ratio": 1.5})  # of another question, in the same file
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    snnl_pictures.main(["--only", "curve", "--results", str(path), "--out", str(tmp_path)])
    assert (tmp_path / "curve.png").exists() is there
    assert there or "is not there" in capsys.readouterr().out
