"""The k-means example, on tables made up here."""

from __future__ import annotations

import csv
import socket
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coterie.datasets import DATASETS
from examples.tabular_kmeans import generated, main


def test_the_made_up_table_is_clustered_and_judged(capsys) -> None:
    accuracy = main(["--generate", "--seed", "100"])
    said = capsys.readouterr().out
    assert accuracy > 0.9 and f"Accuracy {accuracy:.3f}" in said
    for part in (
        "scaled each column to mean 0 and variance 1",
        "Against the rest: ",
        "cluster 0",
        "precision",
        "private",
    ):
        assert part in said


def test_standardising_lets_small_units_count(tmp_path: Path, capsys) -> None:
    rng = np.random.default_rng(100)
    private = np.arange(200) % 2 == 0
    with (tmp_path / "College.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["", "Private", "Expend", "S.F.Ratio"])
        for i, each in enumerate(private):
            writer.writerow(
                [f"College {i}", "Yes" if each else "No", rng.normal(9000, 500), rng.normal(5 + 9 * each, 0.5)]
            )
    given = [str(tmp_path / "College.csv"), "--seed", "100"]
    assert main([*given, "--scaling", "none"]) < 0.7
    assert main(given) > 0.99
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines if line.split()[:1] in (["Yes"], ["No"])][-2:] == ["100", "100"]


def test_without_the_file_and_a_network_a_table_is_made_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setenv("COTERIE_DATA_HOME", str(tmp_path))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    monkeypatch.setitem(DATASETS, "college", replace(DATASETS["college"], mirrors=(nobody,)))
    assert main(["-k", "3"]) == pytest.approx(main(["--generate", "-k", "3"]))
    assert "A made-up table takes its place" in capsys.readouterr().out
    assert generated(5).X.shape == (5, 4)
