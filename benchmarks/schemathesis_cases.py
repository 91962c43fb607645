"""Random requests to the service by its OpenAPI document: ``schemathesis_cases.py 10000``.

No answer may be an internal error, or one that the document does not state.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TEST = Path(__file__).parents[1] / "tests" / "service" / "test_openapi_cases.py"


def main() -> int:
    """Run the test with so many cases; return its exit code."""
    cases = sys.argv[1] if len(sys.argv) > 1 else "10000"
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-s", "-p", "no:cacheprovider", TEST]
    return subprocess.call(command, env={**os.environ, "HAYFLICK_SCHEMA_CASES": cases})


if __name__ == "__main__":
    sys.exit(main())
