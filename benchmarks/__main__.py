"""Run the benchmarks and write the results into README.md beside this file.

Without an argument, what `make bench` shows; `python benchmarks false_alarms`, or another name of
SECTIONS, runs the campaign of that name, minutes long, and writes the table under it.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from pathlib import Path

import admission
import agents
import audit
import calibration
import comparing
import contamination
import counting
import diversity
import embedding
import executors
import false_alarms
import families
import fits
import genealogy
import groups
import laws
import logs
import loop
import mixtures
import network
import number_trainers
import panel
import planning
import recorded
import rounds
import simulation
import state
import summaries
import sweeps
import trainers
import watching

README = Path(__file__).with_name("README.md")
SECTIONS = {
    "results": (
        laws,
        planning,
        simulation,
        families,
        counting,
        embedding,
        diversity,
        watching,
        groups,
        network,
        agents,
        rounds,
    ),
    "false_alarms": (false_alarms,),
    "panel": (panel,),
    "recorded": (recorded,),
    "comparing": (comparing,),
    "executors": (executors,),
    "state": (state,),
    "summaries": (summaries,),
    "sweeps": (sweeps,),
    "logs": (logs,),
    "audit": (audit,),
    "mixtures": (mixtures,),
    "admission": (admission,),
    "contamination": (contamination,),
    "genealogy": (genealogy,),
    "fits": (fits,),
    "numbers": (number_trainers,),
    "loop": (loop,),
    "trainers": (trainers,),
    "calibration": (calibration,),
}
HEADERS = {
    "numbers": number_trainers.HEADER,
    "recorded": recorded.HEADER,
    "trainers": trainers.HEADER,
}


def main() -> int:
    """Return 1 where a target was missed."""
    section = sys.argv[1] if len(sys.argv) > 1 else "results"
    lines = [
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}.",
        "",
        HEADERS.get(section, "| what | ours | alternative | measured | target | met |"),
        "| --- | --- | --- | --- | --- | --- |",
    ]
    missed = False
    for module in SECTIONS[section]:
        for result in module.results():
            cells = (result.name, result.ours, result.alternative, result.figure, result.target)
            lines.append(f"| {' | '.join(cells)} | {'yes' if result.met else '**no**'} |")
            print(f"{result.name}: {result.figure}, target {result.target}", flush=True)
            missed |= not result.met
    begin, end = f"<!-- {section} -->", f"<!-- end of {section} -->"
    table = "\n".join([begin, *lines, end])
    text = README.read_text(encoding="utf-8")
    written = re.sub(f"{begin}.*{end}", lambda _: table, text, flags=re.DOTALL)
    README.write_text(written, encoding="utf-8")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
