"""Write the docstrings of this interpreter's standard library to one text file.

Real text of a few hundred thousand words that every machine with Python has:

    python examples/collect_docstrings.py docstrings.txt
    hayflick forecast docstrings.txt
"""

from __future__ import annotations

import sys
from pathlib import Path

from hayflick.papers.suresh2024.figures import write_docstrings

if __name__ == "__main__":
    write_docstrings(Path(sys.argv[1]))
    print(f"wrote {sys.argv[1]}", file=sys.stderr)
