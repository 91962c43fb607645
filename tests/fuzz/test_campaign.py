"""Two hundred random commands on damaged inputs; ``make soak`` runs two thousand."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from fuzz.campaign import failures


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the cases take POSIX files")
@pytest.mark.parametrize("half", [0, 1])
def test_no_command_crashes_on_any_input(half):
    found = [str(failure) for failure in failures(range(half, 200, 2), seed=1, workers=2)]
    assert not found, "\n".join(found)
