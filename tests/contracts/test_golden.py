"""The quick cases of build_tools/golden.py give what was recorded.

After a change that is meant: python build_tools/golden.py update-tests
"""

import importlib
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "build_tools"
TOLERANCE = 1e-6  # processors and versions of libraries add up in other orders


def load_tool():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TOOLS)
        return importlib.import_module("golden")


golden = load_tool()


@pytest.mark.parametrize(
    "case", [case for case in golden.read_cases() if case.in_tests], ids=lambda case: case.name
)
def test_what_was_recorded_comes_again(case):
    recorded = golden.read_recording(golden.TESTS / case.name)
    assert recorded, "not recorded: python build_tools/golden.py update-tests"
    found = golden.differences(recorded, golden.slim(golden.run_case(case)), tolerance=TOLERANCE)
    assert not found, "\n".join(found)
