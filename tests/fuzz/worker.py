"""A process that runs cases one after another; see `fuzz.campaign`.

A line of JSON in: folder and arguments. A line of JSON out: exit code, standard error, memory.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import os
import resource
import sys
import traceback

from hayflick.cli.main import main


def run(folder: str, arguments: list[str]) -> dict[str, object]:
    """Run a command in a folder and return how it ended."""
    os.chdir(folder)
    out, error = io.StringIO(), io.StringIO()
    code: object
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        try:
            code = main(arguments)
        except SystemExit as end:
            code = end.code
        except BaseException:
            code = "exception"
            error.write(traceback.format_exc())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"code": code, "error": error.getvalue()[-4000:], "memory": peak}


if __name__ == "__main__":
    faulthandler.enable(open(sys.argv[1], "w"))  # noqa: SIM115 (open until the end)
    os.environ["HAYFLICK_TRACEBACK"] = "1"
    answers = os.fdopen(os.dup(1), "w")
    # What libraries write to the descriptors must not mix with the answers.
    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 1)
    requests = os.fdopen(os.dup(0))
    os.dup2(quiet, 0)
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in requests:
        request = json.loads(line)
        done = run(request["folder"], request["arguments"])
        print(json.dumps(done), file=answers, flush=True)
