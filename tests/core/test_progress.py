import io
import time

import hayflick as hf
from hayflick.core import progress as progress_module


def test_nothing_is_shown_where_nobody_looks(monkeypatch, capsys):
    with hf.progress_bar() as progress:
        progress("simulating", 1, 2)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_every_stage(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with hf.progress_bar() as progress:
        progress("reading", 1, 2)
        progress("simulating", 3, 4)
    assert "reading" in terminal.getvalue()
    assert "simulating" in terminal.getvalue()


def test_cells_are_counted_with_their_rate_and_the_time_left(monkeypatch, capsys):
    times = iter([0.0, 100.0, 200.0])
    monkeypatch.setattr("time.monotonic", lambda: next(times))
    lines = progress_module._Lines()
    lines("cells", 1000, 3000)
    lines("cells", 1500, 3000)
    lines("cells", 2000, 3000)
    said = capsys.readouterr().err.splitlines()
    # A thousand were done before.
    assert said == [
        "cells: 1,500 of 3,000, 5 a second, about 5 minutes left",
        "cells: 2,000 of 3,000, 5 a second, about 3 minutes left",
    ]


def test_other_stages_are_told_in_percent(monkeypatch, capsys):
    times = iter([0.0, 120.0])
    monkeypatch.setattr("time.monotonic", lambda: next(times))
    lines = progress_module._Lines()
    lines("reading", 0, 4)
    lines("reading", 1, 4)
    assert capsys.readouterr().err == "reading: 25%, about 6 minutes left\n"


def test_a_terminal_counts_cells(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with hf.progress_bar() as progress:
        progress("cells", 10, 4000)
        for done in range(11, 16):
            time.sleep(0.01)
            progress("cells", done, 4000)
    assert "cells: 15 of 4,000, " in terminal.getvalue()
    assert " a second" in terminal.getvalue()
