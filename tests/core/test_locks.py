"""A lock file that is no database is named, with what to do."""

import pytest

from hayflick.core.errors import DataError
from hayflick.core.locks import file_lock


@pytest.mark.parametrize("content", [b"x" * 200, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_lock_is_an_error_in_words(tmp_path, content):
    path = tmp_path / "lock.db"
    path.write_bytes(content)
    with (
        pytest.raises(DataError, match=r"lock\.db: is damaged .*delete it"),
        file_lock(path, subject="run"),
    ):
        pass
