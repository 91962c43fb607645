"""The ``hayflick`` command: its sub-commands, and how it ends.

Exit codes: 0 ok, 1 alarm, 2 the user's mistake, 3 incomplete, 70 internal error,
130 interrupted. A reader of the output who leaves (``| head``) changes none of them.
"""

from __future__ import annotations

import copy
import errno
import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from typing import Annotated, Any

import typer

from hayflick.cli import completion
from hayflick.cli.admit import admit_command
from hayflick.cli.audit import audit_command
from hayflick.cli.calibrate import calibrate_command
from hayflick.cli.compare import compare_command
from hayflick.cli.db import db_app
from hayflick.cli.doctor import doctor_command
from hayflick.cli.expressivity import expressivity_command
from hayflick.cli.forecast import forecast_command
from hayflick.cli.gate import gate_command
from hayflick.cli.help import (
    DATA,
    FORECAST,
    GUIDES,
    NETWORKS,
    PACKAGE,
    SERVICE,
    START,
    WATCH,
    CommandList,
    examples,
)
from hayflick.cli.loop import loop_app
from hayflick.cli.network import network_app
from hayflick.cli.pilot import pilot_app
from hayflick.cli.plan import plan_command
from hayflick.cli.printing import INCOMPLETE, INTERRUPTED, USER_MISTAKE, say
from hayflick.cli.probe import probe_command
from hayflick.cli.reproduce import reproduce_command
from hayflick.cli.reserve import reserve_command
from hayflick.cli.review import review_app
from hayflick.cli.rules import rules_app
from hayflick.cli.serve import serve_command
from hayflick.cli.simulate import simulate_command
from hayflick.cli.streams import patient_streams
from hayflick.cli.summarise import merge_command, summarise_command
from hayflick.cli.sweep import sweep_app
from hayflick.cli.trace import trace_command
from hayflick.cli.watch import watch_command
from hayflick.core.command_line import running_command
from hayflick.core.documentation import page_address
from hayflick.core.errors import (
    BudgetExhausted,
    EndpointError,
    ExecutorError,
    HayflickError,
    StoreError,
    TrainerError,
    UnknownLogError,
)
from hayflick.core.version import __version__

INTERNAL_ERROR = 70
_COMPLETE = "_HAYFLICK_COMPLETE"
"""The variable with which a shell asks for what may come next; typer's scripts set it."""
_COMPLETION = {"--install-completion", "--show-completion"}
_NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EMFILE)

app = typer.Typer(
    name="hayflick",
    cls=CommandList,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples("hayflick forecast corpus.txt", "hayflick watch traces.jsonl"),
)


def _add(name: str, command: Callable[..., Any], *shown: str, panel: str) -> None:
    """Add a command with its examples."""
    lines = [f"hayflick {name} {one}".rstrip() for one in shown]
    app.command(name, rich_help_panel=panel, epilog=examples(*lines))(command)


_add(
    "forecast",
    forecast_command,
    "corpus.txt",
    "labels.csv --column category --regime fresh:0.05 --out forecast.html",
    panel=FORECAST,
)
_add(
    "plan",
    plan_command,
    "corpus.txt --keep 0.8 --generations 50 --out plan.html",
    "corpus.txt --keep 0.8 --write-rules rules.toml",
    panel=FORECAST,
)
_add("reserve", reserve_command, "corpus.txt --size 500 --out reserve.jsonl", panel=FORECAST)
_add(
    "calibrate",
    calibrate_command,
    "real.txt round1.txt round2.txt --save trainer.json",
    panel=FORECAST,
)
_add(
    "simulate",
    simulate_command,
    "gaussian --samples 100 --generations 500 --plot chart.svg",
    "discrete --corpus corpus.txt --sampler top-p:0.95 --out runs.nc",
    panel=FORECAST,
)
_add("expressivity", expressivity_command, "corpus.txt", panel=FORECAST)
_add(
    "watch",
    watch_command,
    "traces.jsonl",
    "answers.jsonl --text answer --by day --group model --out watch.html",
    panel=WATCH,
)
_add(
    "compare",
    compare_command,
    "old.jsonl new.jsonl --text answer --prompt prompt --fail-below 0.9",
    panel=WATCH,
)
_add("gate", gate_command, "--state watch.state --max-age 1d", panel=WATCH)
_add("probe", probe_command, "panel.toml", panel=WATCH)
_add(
    "trace",
    trace_command,
    'retrieved.jsonl "purple heron" --retrieved docs --text answer --by day --group model',
    panel=WATCH,
)
_add(
    "summarise",
    summarise_command,
    "answers.jsonl --text answer --by day --out answers.summary",
    panel=WATCH,
)
_add("merge", merge_command, "monday.summary tuesday.summary --out week.summary", panel=WATCH)
_add(
    "audit",
    audit_command,
    "train.jsonl --text text --max-duplicates 0.05 --write-clean clean.jsonl",
    panel=DATA,
)
_add("admit", admit_command, "texts.jsonl --pool pool.jsonl", panel=DATA)
_add(
    "serve",
    serve_command,
    "--database hayflick.db",
    "--config hayflick.toml --host 0.0.0.0 --port 8080",
    panel=SERVICE,
)
_add("reproduce", reproduce_command, "suresh2024", "wang2025 --out wang2025", panel=PACKAGE)
_add("doctor", doctor_command, "", "--format json", panel=PACKAGE)
app.add_typer(loop_app, name="loop", rich_help_panel=FORECAST)
app.add_typer(sweep_app, name="sweep", rich_help_panel=FORECAST)
app.add_typer(review_app, name="review", rich_help_panel=WATCH)
app.add_typer(pilot_app, name="pilot", rich_help_panel=WATCH)
app.add_typer(rules_app, name="rules", rich_help_panel=WATCH)
app.add_typer(network_app, name="network", rich_help_panel=NETWORKS)
app.add_typer(db_app, name="db", rich_help_panel=SERVICE)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hayflick {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Predict, measure and slow the collapse of models that are trained on models' output."""
    if context.invoked_subcommand is None:
        typer.echo(START)


def _show_help(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


for _group in (rules_app, review_app, network_app, loop_app, sweep_app, db_app):
    _group.callback(invoke_without_command=True)(_show_help)


def run_command(typed: Sequence[str]) -> int:
    """Run a command and return its exit code."""
    with patient_streams(), running_command(typed):
        try:
            code = _invoke(typed)
            sys.stdout.flush()
        except (EndpointError, BudgetExhausted, ExecutorError, StoreError, TrainerError) as fault:
            return _fail(str(fault), INCOMPLETE)
        except UnknownLogError as fault:
            _fail_in_lines(str(fault))
            return _name_page(typed, fault.page)
        except HayflickError as fault:
            _fail(str(fault), USER_MISTAKE)
            return _name_page(typed, fault.page)
        except typer.TyperException as fault:
            message = fault.format_message() if hasattr(fault, "format_message") else str(fault)
            _fail(message, USER_MISTAKE)
            return _name_page(typed)
        except (KeyboardInterrupt, typer.Abort):
            return _fail("interrupted; nothing was finished", INTERRUPTED)
        except OSError as fault:
            # What no reader has put into words: a path of 300 letters, a folder without rights.
            if fault.strerror is None or (fault.filename is None and fault.errno not in _NO_ROOM):
                return _internal(fault)
            place = fault.filename or "a temporary file"
            return _fail(f"{place}: {fault.strerror.lower()}", USER_MISTAKE)
        except Exception as fault:
            # Compiled code that Ctrl-C breaks off raises an error of its own.
            if _broken_off(fault):
                return _fail("interrupted; nothing was finished", INTERRUPTED)
            return _internal(fault)
        return code


def _broken_off(fault: BaseException | None) -> bool:
    """Return whether Ctrl-C is what an error came from."""
    while fault is not None and not isinstance(fault, KeyboardInterrupt):
        fault = fault.__cause__ or fault.__context__
    return fault is not None


def _invoke(typed: Sequence[str]) -> int:
    if _COMPLETE in os.environ or _COMPLETION.intersection(typed[:1]):
        return _complete(typed)
    try:
        # Not `app(...)`: that would answer Ctrl-C itself, and without a word.
        command = _built(typed[0] if typed else "")
        with command.make_context("hayflick", list(typed)) as context:
            code = context.command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    return code if isinstance(code, int) else 0


def _built(name: str) -> Any:
    """Return the command line; with one command alone where its name is known.

    To read the options of all commands takes a tenth of a second.
    """
    part = copy.copy(app)
    part.registered_commands = [one for one in app.registered_commands if one.name == name]
    part.registered_groups = [one for one in app.registered_groups if one.name == name]
    known = part.registered_commands or part.registered_groups
    return typer.main.get_command(part if known else app)


def _complete(typed: Sequence[str]) -> int:
    """Let typer answer a shell that completes a command, or install what makes the shell ask."""
    command = _built(completion.command_asked_for())
    completion.shorten_helps(command)
    code: object = 0
    with redirect_stdout(io.StringIO()) as shown:
        try:
            command(list(typed), prog_name="hayflick")
        except SystemExit as end:
            code = end.code
    if code and _COMPLETE not in os.environ:
        remedy = "run it from bash, zsh, fish or PowerShell"
        return _fail(f"the shell is not one that completion is known for; {remedy}", USER_MISTAKE)
    # Zsh wants the first line of a script to be that of its name.
    print(shown.getvalue().strip())
    return code if isinstance(code, int) else 0


def _internal(fault: Exception) -> int:
    if os.environ.get("HAYFLICK_TRACEBACK"):
        traceback.print_exc()
    message = f"internal error: {type(fault).__name__}: {fault}"
    return _fail(f"{message} (HAYFLICK_TRACEBACK=1 shows where)", INTERNAL_ERROR)


def _fail(message: str, code: int) -> int:
    say(f"error: {' '.join(message.split())}")
    return code


def _fail_in_lines(message: str) -> None:
    for line in f"error: {message}".split("\n"):
        say(line)


def _name_page(typed: Sequence[str], page: str | None = None) -> int:
    """Name the page that explains a mistake, if its place is known, and return the exit code."""
    page = page or GUIDES.get(typed[0] if typed else "")
    address = None if page is None else page_address(page)
    if address is not None:
        say(f"see {address}")
    return USER_MISTAKE
