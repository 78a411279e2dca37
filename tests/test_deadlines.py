"""The alarm that ends work: when it rings, when it does not, and what it leaves behind."""

import math
import signal
import sys
import threading
import time

import numpy as np
import pytest

from coterie.deadlines import OutOfTimeError, deadline

pytestmark = pytest.mark.timeout(method="thread")  # which leaves the alarm free


def test_work_ends_when_the_time_is_up_even_within_a_library():
    began = time.monotonic()
    with pytest.raises(OutOfTimeError), deadline(began + 0.2):
        while True:
            np.sort(np.random.default_rng(0).random(1000))
    assert 0.19 < time.monotonic() - began < 0.5
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_it_rings_again_if_the_first_is_swallowed():
    swallowed = 0
    with pytest.raises(OutOfTimeError), deadline(time.monotonic() + 0.05):
        try:
            while True:
                pass
        except OutOfTimeError:
            swallowed += 1
        while True:
            pass
    assert swallowed == 1


def test_work_in_time_is_left_alone_and_the_past_is_refused_at_once():
    with deadline(math.inf):
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    with deadline(time.monotonic() + 0.05):
        pass
    time.sleep(0.06)  # nothing rings any more
    with pytest.raises(OutOfTimeError), deadline(time.monotonic() - 1):
        pytest.fail("nothing may be begun")


def test_another_thread_and_an_alarm_of_the_user_are_left_alone():
    done = []

    def work():
        with deadline(time.monotonic() - 1):
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
    signal.setitimer(signal.ITIMER_REAL, 60)
    try:
        with deadline(time.monotonic() - 1):
            assert signal.getitimer(signal.ITIMER_REAL)[0] > 50
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def test_an_import_is_finished_first(tmp_path, monkeypatch):
    (tmp_path / "slow_to_come.py").write_text("import time\ntime.sleep(0.3)\nthere = True\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(OutOfTimeError), deadline(time.monotonic() + 0.1):
        import slow_to_come

        assert slow_to_come.there
        while True:
            pass
    assert sys.modules.pop("slow_to_come").there
