import logging

import pytest

from hayflick_client import Watcher, WatchHandler


@pytest.fixture
def watcher(stand_in):
    with Watcher("s", url=stand_in.url, token="t", interval_s=0.02) as watcher:
        yield watcher


@pytest.fixture
def log():
    log = logging.Logger("program")
    yield log
    for handler in log.handlers:
        handler.close()


def test_answers_of_records_are_reported(stand_in, watcher, log):
    log.addHandler(WatchHandler(watcher, group="model"))
    log.info("started")
    log.info("answered", extra={"answer": "Yes.", "model": "a", "prompt": "Really?"})
    assert watcher.flush(5)
    (item,) = stand_in.accepted.values()
    assert (item["text"], item["group"], item["prompt"]) == ("Yes.", "a", "Really?")


def test_the_message_may_be_the_answer(stand_in, watcher, log):
    log.addHandler(WatchHandler(watcher, text="message", level="WARNING"))
    log.info("left out")
    log.warning("answer %d", 7)
    assert watcher.flush(5)
    assert stand_in.texts == ["answer 7"]


def test_what_the_client_logs_does_not_go_round_in_circles(stand_in, watcher):
    root = logging.getLogger()
    handler, level = WatchHandler(watcher, text="message"), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        stand_in.answer = lambda items: (403, {}, {"detail": "no"})
        logging.getLogger("program").info("one")
        assert watcher.flush(5)
        assert watcher.flush(5)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert watcher.counts.recorded == 1


def test_a_message_that_cannot_be_made_breaks_nothing(watcher, log, capsys):
    log.addHandler(WatchHandler(watcher, text="message"))
    log.info("%d apples", "some")
    assert "Logging error" in capsys.readouterr().err
    assert watcher.counts.recorded == 0
