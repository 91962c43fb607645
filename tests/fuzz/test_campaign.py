"""Two hundred random commands on damaged inputs; ``make soak`` runs two thousand."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from fuzz.campaign import failures


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the cases take POSIX files")
def test_no_command_crashes_on_any_input():
    found = [str(failure) for failure in failures(range(200), seed=1, workers=2)]
    assert not found, "\n".join(found)
