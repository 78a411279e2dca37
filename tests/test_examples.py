"""Examples run as their first lines say, here on a few rows."""

import re

import numpy as np
import pytest

from examples import conv_autoencoder_kmeans as tutorial


def test_the_tutorial_trains_clusters_draws_and_tells(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COTERIE_DATA_HOME", str(tmp_path / "nothing"))
    tutorial.main(["--rows", "300", "--epochs", "2", "--clusters", "4", "--out", str(tmp_path), "--layer", "decoder.2"])
    told = capsys.readouterr().out
    assert "98 numbers of layer decoder.2" in told
    sizes = [int(size) for size in re.findall(r"Cluster \d: (\d+) items?", told)]
    assert len(sizes) == 4
    assert sum(sizes) == 50
    held_out = float(re.search(r"([\d.]+) on 50 held-out", told)[1])
    assert 0.1 < held_out < 0.69  # 0.693 is a coin's
    assert all((tmp_path / f"{name}.png").stat().st_size > 1000 for name in ("reconstructions", "clusters"))


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ([4] * 22 + [9] * 14, "36 items: 22 fours, 14 nines"),
        ([6, 6, 1], "3 items: 2 sixes, 1 one"),
        ([0], "1 item: 1 zero"),
        ([], "0 items"),
    ],
)
def test_a_cluster_in_words(classes, words):
    assert tutorial.in_words(np.array(classes, dtype=int)) == words
