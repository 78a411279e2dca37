"""Of networks that differ, the one whose clusters another network learns best comes first."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from small import bars

from coterie import KMeans, Schedule, SelfLabel, config_context
from coterie.data import make_source
from coterie.data.knowledge import make_knowledge
from coterie.deadlines import OutOfTimeError
from coterie.selection import Judgement, Trial
from coterie.selection.keeping import Notes
from coterie.selection.learnable import best_learned
from coterie.selection.reasons import reason
from coterie.selection.trying import Trying

WHOLE = Judgement(cut=0.1, told=0.9, likelihood=0.0, clusters=2)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """What learns clusters trains for a moment."""
    brief = {"train": Schedule(steps=60, batch_size=32)}
    monkeypatch.setattr(
        "coterie.selection.learnable.SelfLabel",
        lambda k, *, random_state: SelfLabel(k, random_state=random_state, **brief),
    )


def trying(X, *, known=None, folder=None):
    about = {"n_clusters": 2, "folder": folder, "until": math.inf}
    found = Trying(make_source(X), Notes(None, {}, seed=0), make_knowledge(len(X), known=known), **about)
    found.models = {"kmeans": KMeans(2, random_state=0).fit(X)}
    return found


def trials(*named, judgement=WHOLE):
    return [Trial(name, SimpleNamespace(labels_=labels, fit_seconds_=0.0), judgement) for name, labels in named]


def names(found):
    return [one.name for one in found]


@pytest.fixture(scope="module")
def seen():
    """Images, their kinds, and clusters of which a third is not to be told by anything that is seen."""
    X, y = bars(240)
    rng = np.random.default_rng(0)
    return X, y, np.where(rng.random(240) < 1 / 3, 1 - y, y)


def test_clusters_that_can_be_told_in_new_rows_come_before_those_that_cannot(seen):
    X, y, vague = seen
    found = best_learned(trying(X), trials(("dec", vague), ("manifold", y), ("jule", y)))
    assert names(found) == ["jule", "dec", "manifold"]
    assert names(best_learned(trying(X), trials(("manifold", vague), ("jule", y)))) == ["jule", "manifold"]
    first, second, simple = found
    assert first.learned == pytest.approx(1.0, abs=0.05) and second.learned < 0.5 and simple.learned is None
    model = KMeans(2, random_state=0).fit(X)
    said = reason(
        [Trial(one.name, model, WHOLE, None, one.learned) for one in found], "neighbours", labels=y, second=None
    )
    assert "of those that differ, its clusters are those that another network learns best (1.00 of 1, the next" in said


def test_the_first_stays_where_the_other_is_not_clearly_better(seen):
    X, y, _ = seen
    other = y.copy()
    other[:16] = 1 - other[:16]
    found = best_learned(trying(X), trials(("dec", y), ("jule", other)))
    assert names(found) == ["dec", "jule"] and found[0].learned > found[1].learned


def test_nothing_is_learned_where_nothing_is_to_be_decided(seen, monkeypatch):
    X, y, vague = seen
    monkeypatch.setattr(SelfLabel, "fit_to", None)  # whatever calls it fails
    near, known = y.copy(), np.full(240, -1)
    near[:8], known[0] = 1 - y[:8], y[0]
    few = Judgement(cut=0.1, told=0.9, likelihood=0.0, clusters=1)
    for rows, about, told in (
        (X, trials(("dec", y), ("jule", near)), None),  # which agree
        (X, trials(("dec", vague), ("manifold", y)), None),  # one network alone
        (X, trials(("dec", vague), ("jule", y), judgement=few), None),  # both lack a cluster
        (X, trials(("dec", vague), ("jule", y)), known),  # labels decide
        (X.reshape(240, -1), trials(("dec", vague), ("jule", y)), None),  # no images
    ):
        assert names(best_learned(trying(rows, known=told), about)) == names(about)


def test_without_time_the_order_stays_and_nothing_is_said_to_be_missing(seen, monkeypatch):
    X, y, vague = seen

    def out_of_time(*_, **__):
        raise OutOfTimeError

    monkeypatch.setattr(SelfLabel, "fit_to", out_of_time)
    under_way = trying(X)
    found = best_learned(under_way, trials(("dec", vague), ("jule", y)))
    assert names(found) == ["dec", "jule"] and found[0].learned is None
    assert under_way.notes.left_out == {}


def test_what_was_learned_is_kept_for_a_choice_that_goes_on(seen, tmp_path, monkeypatch):
    X, y, vague = seen
    about = trials(("dec", vague), ("jule", y))
    with config_context(checkpoint=tmp_path):
        first = best_learned(trying(X, folder=tmp_path), about)
        monkeypatch.setattr(SelfLabel, "fit_to", None)
        again = best_learned(trying(X, folder=tmp_path), about)
    assert [(one.name, one.learned) for one in first] == [(one.name, one.learned) for one in again]
