"""Run every benchmark and write the results into README.md beside this file."""

from __future__ import annotations

import os
import platform
import re
import sys
from pathlib import Path

import counting
import diversity
import embedding
import families
import laws
import planning
import simulation

MODULES = (laws, planning, simulation, families, counting, embedding, diversity)
README = Path(__file__).with_name("README.md")


def main() -> int:
    """Return 1 where a target was missed."""
    lines = [
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}.",
        "",
        "| what | ours | alternative | measured | target | met |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    missed = False
    for module in MODULES:
        for result in module.results():
            cells = (result.name, result.ours, result.alternative, result.figure, result.target)
            lines.append(f"| {' | '.join(cells)} | {'yes' if result.met else '**no**'} |")
            print(f"{result.name}: {result.figure}, target {result.target}", flush=True)
            missed |= not result.met
    table = "<!-- results -->\n" + "\n".join(lines) + "\n<!-- end of results -->"
    text = README.read_text(encoding="utf-8")
    pattern = r"<!-- results -->.*<!-- end of results -->"
    README.write_text(re.sub(pattern, lambda _: table, text, flags=re.DOTALL), encoding="utf-8")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
