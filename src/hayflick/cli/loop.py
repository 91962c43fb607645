"""``hayflick loop``: the user's own trainer, round by round, with what is left recorded."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from typing_extensions import override

from hayflick.cli import options
from hayflick.cli.help import examples
from hayflick.cli.printing import INCOMPLETE, INTERRUPTED, print_result, say, say_written
from hayflick.core.command_line import masked_command
from hayflick.core.progress import progress_bar

if TYPE_CHECKING:
    from hayflick.calibration.loop_result import LoopRun


class _LoopGroup(TyperGroup):
    """A group in which a file in place of a command's name means ``run``."""

    @override
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["run", *args]
        return list(super().parse_args(ctx, args))


loop_app = typer.Typer(
    name="loop",
    cls=_LoopGroup,
    epilog=examples("hayflick loop trainer.toml --hours 8"),
    help="Run your own trainer for some rounds, and calibrate. Records what is left of the real "
    "data. hayflick loop SETTINGS [--out RUN_DIR] [--hours HOURS] runs all rounds; a call "
    "that was stopped, or killed, is repeated to go on.",
    rich_markup_mode=None,
)

SettingsArgument = Annotated[
    Path,
    typer.Argument(metavar="SETTINGS", help="A TOML file; the guide to loops explains its keys."),
]
RunOption = Annotated[
    Path | None,
    typer.Option(
        metavar="RUN_DIR",
        help="Folder of the run. [default: beside SETTINGS, with -run behind its name]",
        show_default=False,
    ),
]
HoursOption = Annotated[
    float | None,
    typer.Option(
        help="Hours that the trainer may take in all. [default: those of SETTINGS]",
        show_default=False,
    ),
]


@loop_app.command("run", hidden=True, epilog=examples("hayflick loop trainer.toml --hours 8"))
def run_command(
    settings: SettingsArgument,
    out: RunOption = None,
    hours: HoursOption = None,
    output_format: options.FormatOption = options.Format.TABLE,
    lang: options.LangOption = options.Lang.EN,
) -> int:
    """Run all rounds, or go on with them. Exit code 3: stopped before the last one."""
    from hayflick.calibration.loop import loop

    return _finish(loop, settings, out, hours, output_format, lang)


@loop_app.command("step", epilog=examples("hayflick loop step trainer.toml --out trainer-run"))
def step_command(
    settings: SettingsArgument,
    out: RunOption = None,
    hours: HoursOption = None,
    output_format: options.FormatOption = options.Format.TABLE,
    lang: options.LangOption = options.Lang.EN,
) -> int:
    """Record the next round and return, for schedulers. Exit code 3: it was not done in time."""
    from hayflick.calibration.loop import step_loop

    return _finish(step_loop, settings, out, hours, output_format, lang)


def _finish(
    work: Callable[..., LoopRun],
    settings: Path,
    out: Path | None,
    hours: float | None,
    output_format: options.Format,
    lang: options.Lang,
) -> int:
    """Do the work, print the rounds that are done, and return the exit code."""
    from hayflick.core.errors import TrainerError

    again = _again(settings, out)
    try:
        with _asked_to_end(), progress_bar() as progress:
            run = work(settings, out=out, hours=hours, say=say, progress=progress)
    except KeyboardInterrupt:
        say(f"interrupted; go on with: {again}")
        return INTERRUPTED
    except TrainerError:
        say(f"what is done is kept; go on with: {again}")
        raise
    page = None
    if run.calibrated is not None:
        page = run.folder / "calibration.html"
        run.calibrated.save(page, lang=lang.value, force=True)
    print_result(run, output_format, lang)
    say_written(run.calibration if page else None, page)
    if run.stopped is None:
        return 0
    say(f"stopped: {run.stopped}; raise hours, then go on with: {again}")
    return INCOMPLETE


@contextmanager
def _asked_to_end() -> Iterator[None]:
    """Take what schedulers send before they kill for Ctrl-C, so that the trainer is ended too."""
    before = {}
    for name in ("SIGTERM", "SIGHUP"):
        # Only the main thread takes signals, and not every system has both.
        with suppress(ValueError, AttributeError):
            number = getattr(signal, name)
            # nohup has it ignored.
            if signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _again(settings: Path, out: Path | None) -> str:
    where = [] if out is None else ["--out", str(out)]
    return masked_command(["loop", str(settings), *where])
