import os
import stat

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
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == stat.S_IMODE(
        (tmp_path / "b").stat().st_mode
    )


def test_a_failure_leaves_the_old_file_alone(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        output.write_text(path, "\ud800")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.html"]


def test_the_operating_systems_refusal_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        output.write_text(tmp_path / "missing" / "report.html", "")


def test_existing_files_folders_and_missing_folders_are_refused(tmp_path):
    (tmp_path / "old.html").touch()
    with pytest.raises(OutputError, match=r"exists already; .* --force"):
        output.check_writable(tmp_path / "old.html", force=False)
    output.check_writable(tmp_path / "old.html", force=True)
    with pytest.raises(OutputError, match="is a folder"):
        output.check_writable(tmp_path, force=True)
    with pytest.raises(OutputError, match="does not exist; create it"):
        output.check_writable(tmp_path / "no" / "new.html", force=False)


def test_unused_paths_are_numbered(tmp_path):
    path = tmp_path / "forecast-a.html"
    assert output.unused_path(path) == path
    path.touch()
    assert output.unused_path(path).name == "forecast-a-2.html"
    (tmp_path / "forecast-a-2.html").touch()
    assert output.unused_path(path).name == "forecast-a-3.html"
