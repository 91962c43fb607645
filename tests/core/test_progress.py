import io

import hayflick as hf


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
