import os
import stat
import threading
from pathlib import Path

import pytest

from hayflick.core import output
from hayflick.core.errors import OutputError


def test_text_is_written_whole_and_nothing_else_is_left(tmp_path):
    output.write_text(tmp_path / "報告.html", "雨\n")
    assert (tmp_path / "報告.html").read_bytes() == "雨\n".encode()
    assert os.listdir(tmp_path) == ["報告.html"]


def test_permissions_follow_the_umask(tmp_path):
    output.write_text(tmp_path / "a", "")
    (tmp_path / "b").write_text("")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in "ab"]
    assert modes[0] == modes[1]


def test_letters_without_bytes_are_question_marks(tmp_path):
    output.write_text(tmp_path / "a", "caf\udce9")
    assert (tmp_path / "a").read_text() == "caf?"


def test_a_failure_leaves_the_old_file_alone(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(output.os, "replace", full)
    with pytest.raises(OutputError, match="No space left on device"):
        output.write_text(path, "new", force=True)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.html"]


def test_a_missing_folder_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        output.write_text(tmp_path / "missing" / "report.html", "")


def test_a_name_that_is_taken_is_refused_numbered_or_replaced(tmp_path):
    path = tmp_path / "forecast-a.html"
    names = [output.write_text(path, text, numbered=True).name for text in "123"]
    assert names == ["forecast-a.html", "forecast-a-2.html", "forecast-a-3.html"]
    with pytest.raises(OutputError, match="exists already"):
        output.write_text(path, "4")
    assert path.read_text() == "1"
    output.write_text(path, "5", force=True)
    assert path.read_text() == "5"


def test_writers_at_the_same_time_never_lose_a_page(tmp_path):
    path = tmp_path / "page.html"
    threads = [
        threading.Thread(
            target=output.write_text, args=(path, str(text)), kwargs={"numbered": True}
        )
        for text in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(int(file.read_text()) for file in tmp_path.iterdir()) == list(range(20))


def test_what_cannot_be_written_is_refused_beforehand(tmp_path):
    (tmp_path / "old.html").touch()
    with pytest.raises(OutputError, match=r"exists already; .* --force"):
        output.check_writable(tmp_path / "old.html", force=False)
    output.check_writable(tmp_path / "old.html", force=True)
    with pytest.raises(OutputError, match="is a folder"):
        output.check_writable(tmp_path, force=True)
    with pytest.raises(OutputError, match="does not exist; create it"):
        output.check_writable(tmp_path / "no" / "new.html", force=False)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="is no ordinary file"):
        output.check_writable(tmp_path / "pipe", force=True)


@pytest.mark.parametrize("stem", ["とても長い名前" * 60, "x" * 500, "caf\udce9", "a\nb"])
def test_a_default_name_can_be_written(tmp_path, stem):
    name = output.default_name(stem, prefix="forecast-", suffix=".html")
    assert output.write_text(tmp_path / name, "").exists()
    assert name == Path(name.name)
