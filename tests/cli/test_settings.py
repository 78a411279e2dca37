"""Settings: from a file and from flags to an estimator, and back to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coterie import DEC, GAN, MLP, Augment, Auto, ClusterGAN, Conv, Schedule
from coterie.cli.parameters import parse_clusters, parse_image_shape
from coterie.cli.settings import RunSettings, merge, read_settings, refuse_contradictions, resolve_paths
from coterie.errors import InputError


def settings(**values: Any) -> RunSettings:
    return RunSettings.from_values({"data": "mnist10k", "system": "dec", **values})


def test_without_a_system_the_best_of_several_answers() -> None:
    model = RunSettings.from_values({"data": "mnist10k", "seed": 5, "parameters": {"n_clusters": [2, 7]}}).estimator()
    assert isinstance(model, Auto)
    assert (model.n_clusters, model.random_state) == ((2, 7), 5)


def test_parameters_of_a_system_need_its_name() -> None:
    with pytest.raises(InputError, match="Auto has no parameter 'tol'.*--system"):
        RunSettings.from_values({"data": "mnist10k", "parameters": {"tol": 0.1}}).estimator()


@pytest.mark.parametrize(("typed", "number"), [("10", 10), ("3-12", [3, 12]), ("auto", "auto")])
def test_the_number_of_clusters_may_be_open(typed: str, number: object) -> None:
    assert parse_clusters(typed) == number


@pytest.mark.parametrize("typed", ["many", "3-", "-3", "1.5", ""])
def test_what_is_no_number_of_clusters_is_refused(typed: str) -> None:
    with pytest.raises(InputError, match="-k must be a number, a range such as 3-12, or auto"):
        parse_clusters(typed)


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    network = {"kind": "conv", "channels": [4, 8], "kernels": [3, 3]}
    before = settings(
        system="idec", seed=7, recipe="keras", parameters={"n_clusters": 4, "gamma": 0.5, "network": network}
    )
    before.write(tmp_path)
    assert RunSettings.from_values(read_settings(tmp_path / "config.toml")) == before


def test_tables_become_groups_of_parameters() -> None:
    parameters = {
        "n_clusters": 4,
        "network": {"hidden": [8, 4], "activation": "tanh"},
        "pretrain": {"steps": 10, "batch_size": 32},
        "train": {"epochs": 2.0, "optimiser": "sgd"},
        "augment": {"shift": 0.2},
        "image_shape": [8, 8],
        "tol": "none",
    }
    model = settings(seed=5, parameters=parameters).estimator()
    assert isinstance(model, DEC)
    assert model.network == MLP(hidden=(8, 4), activation="tanh")
    assert model.pretrain == Schedule(steps=10, batch_size=32)
    assert model.train == Schedule(epochs=2.0, optimiser="sgd")
    assert model.augment == Augment(shift=0.2)
    assert (model.image_shape, model.tol, model.random_state) == ((8, 8), None, 5)


def test_the_networks_that_play_against_each_other_are_one_table() -> None:
    model = settings(system="clustergan", parameters={"network": {"hidden": [8], "channels": []}}).estimator()
    assert isinstance(model, ClusterGAN)
    assert model.network == GAN(hidden=(8,), channels=())


def test_none_is_a_word_where_the_parameter_takes_words() -> None:
    model = settings(parameters={"n_clusters": 4, "augment": "none", "scaling": "none"}).estimator()
    assert (model.augment, model.scaling) == ("none", "none")


def test_the_kind_of_a_network_can_be_chosen() -> None:
    model = settings(parameters={"network": {"kind": "conv", "channels": [4], "kernels": [3]}}).estimator()
    assert model.network == Conv(channels=(4,), kernels=(3,))


def test_parameters_win_over_the_recipe() -> None:
    model = settings(system="dec", recipe="keras", parameters={"n_clusters": 4, "update_interval": 7}).estimator()
    assert isinstance(model, DEC)
    assert model.update_interval == 7
    assert model.pretrain == DEC.from_recipe("keras").pretrain


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"sytem": "dec"}, "there is no setting 'sytem'; the settings are data, system, recipe"),
        ({"seed": "7"}, "'seed' must be a?n? ?integer. Got '7' instead"),
        ({"seed": -1}, "'seed' must be greater than or equal to 0. Got -1 instead"),
        ({"precision": "float16"}, "'precision' must be 'auto', 'float32' or 'bfloat16'. Got 'float16'"),
        ({"parameters": 3}, "'parameters' must be a?n? ?dictionary. Got 3"),
    ],
)
def test_a_broken_rule_is_named(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        settings(**values)


def test_data_cannot_be_left_out() -> None:
    with pytest.raises(InputError, match=r"run\.toml: 'data' is missing"):
        RunSettings.from_values({}, "run.toml")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"system": "dek"}, "no system 'dek'; the systems are auto, kmeans, "),
        ({"recipe": "torch"}, "DEC has no recipe 'torch'; it has: keras"),
        ({"parameters": {"gamma": 1.0}}, "DEC has no parameter 'gamma'; it has alpha, augment"),
        ({"parameters": {"random_state": 1}}, "setting 'seed'"),
        ({"parameters": {"tol": {"a": 1}}}, "'tol' is a single value, not a table"),
        ({"parameters": {"network": {"kind": "cnn"}}}, "kind must be one of mlp, conv, pooled. Got 'cnn'"),
        ({"parameters": {"train": {"step": 3}}}, r"\[parameters.train\] has no entry 'step'; it has batch_size"),
    ],
)
def test_what_an_estimator_cannot_be_made_of_is_named(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        settings(**values).estimator()


def test_flags_win_parameter_by_parameter() -> None:
    below = {"seed": 1, "system": "idec", "parameters": {"n_clusters": 3, "gamma": 0.2}}
    above = {"seed": 2, "parameters": {"n_clusters": 4}}
    assert merge(below, above) == {"seed": 2, "system": "idec", "parameters": {"n_clusters": 4, "gamma": 0.2}}


def test_relative_paths_start_at_the_settings_file(tmp_path: Path) -> None:
    (tmp_path / "y.txt").write_text("0\n")
    (tmp_path / "run.toml").write_text('data = "x.npy"\nlabels = "y.txt"\n')
    values = read_settings(tmp_path / "run.toml")
    assert values == {"data": str(tmp_path / "x.npy"), "labels": str(tmp_path / "y.txt")}


def test_names_of_sets_and_columns_stay_names(tmp_path: Path) -> None:
    assert resolve_paths({"data": "usps", "labels": "kind"}, tmp_path) == {"data": "usps", "labels": "kind"}


def test_a_file_may_have_the_name_of_a_set(tmp_path: Path) -> None:
    assert resolve_paths({"data": "./usps"}, tmp_path) == {"data": str(tmp_path / "usps")}


@pytest.mark.parametrize("content", [b"seed = ", b"\xff\xfe"])
def test_a_file_that_is_not_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.toml").write_bytes(content)
    with pytest.raises(InputError, match=r"run\.toml is not a TOML file"):
        read_settings(tmp_path / "run.toml")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"seed": 1}, "seed = 0, and --seed says 1"),
        ({"system": "idec"}, "system = 'dec', and --system says 'idec'"),
        ({"data": "usps"}, "data = 'mnist10k', and DATA says 'usps'"),
        ({"parameters": {"n_clusters": 4}}, "n_clusters = 10, and -k says 4"),
        ({"parameters": {"tol": 0.1}}, "tol = None, and --config says 0.1"),
    ],
)
def test_a_run_is_not_continued_with_other_settings(asked: dict[str, Any], sentence: str) -> None:
    begun = settings(parameters={"n_clusters": 10})
    with pytest.raises(InputError, match=sentence):
        refuse_contradictions(asked, begun, Path("run"))
    refuse_contradictions({"seed": 0, "data": "mnist10k", "parameters": {"n_clusters": 10}}, begun, Path("run"))


@pytest.mark.parametrize(("text", "shape"), [("28x28", [28, 28]), ("32x32x3", [32, 32, 3]), ("8,9", [8, 9])])
def test_an_image_shape_is_read(text: str, shape: list[int]) -> None:
    assert parse_image_shape(text) == shape


@pytest.mark.parametrize("text", ["28", "28x", "0x3", "28x28x3x3", "axb", "-1x3", ""])
def test_a_wrong_image_shape_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--image-shape must be HEIGHTxWIDTH"):
        parse_image_shape(text)


@pytest.mark.parametrize("written", ["snnl-kmeans", "SNNLKMeans", "snnl_kmeans", "snnlkmeans"])
def test_a_system_may_be_written_as_its_class(written):
    assert RunSettings(data="x.csv", system=written).system == "snnl-kmeans"
