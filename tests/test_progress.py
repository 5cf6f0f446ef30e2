"""The bar's figures, and a Ctrl-C that waits for the end of a step."""

import os
import signal
import threading

import pytest

from rankwise.train.progress import Progress, stop_on_ctrl_c


def test_nothing_is_shown_unasked(capsys):
    with Progress(3, 0, 0.1, shown=False) as bar:
        bar.step(1.0, 4.0)
        bar.score(0.5)
    shown = capsys.readouterr()
    assert shown.out == shown.err == ""


def test_the_bar_shows_loss_rank_score_and_padding_on_standard_error(capsys):
    with Progress(4, 1, 0.123, shown=True) as bar:
        bar.step(2.0, 4.0)
        bar.score(0.56789)
        bar.step(1.0, 3.5)
        bar.bar.refresh()
        assert bar.facts == {"padding": "12%", "loss": "1.950", "rank": "3.50", "score": "0.5679"}  # 0.95*2 + 0.05*1
        assert bar.bar.n == 3
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "score=0.5679" in shown.err


def test_without_a_rule_no_rank_is_shown():
    with Progress(4, 0, 0.0, shown=False) as bar:
        bar.step(2.0, None)
        assert "rank" not in bar.facts


def test_the_first_ctrl_c_is_noted_and_the_second_one_stops_at_once():
    before = signal.getsignal(signal.SIGINT)
    with stop_on_ctrl_c() as asked:
        assert asked == [False]
        os.kill(os.getpid(), signal.SIGINT)
        assert asked == [True]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_gives_ctrl_c_back():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), stop_on_ctrl_c():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is before


def test_outside_the_main_thread_signals_are_left_alone():
    found = []

    def work():
        with stop_on_ctrl_c() as asked:
            found.append((asked, signal.getsignal(signal.SIGINT)))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [([False], before)]
