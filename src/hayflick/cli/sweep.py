"""``hayflick sweep``: a study over a grid of settings, and questions to its results."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from typing_extensions import override

from hayflick.cli import options
from hayflick.cli.help import examples
from hayflick.cli.printing import (
    INTERRUPTED,
    print_json,
    print_result,
    print_tables,
    say,
    say_written,
)
from hayflick.core.command_line import masked_command
from hayflick.core.progress import progress_bar

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table


class _SweepGroup(TyperGroup):
    """A group in which a file in place of a command's name means ``run``."""

    @override
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["run", *args]
        return list(super().parse_args(ctx, args))


sweep_app = typer.Typer(
    name="sweep",
    cls=_SweepGroup,
    epilog=examples("hayflick sweep study.toml --page study.html"),
    help="Study what is kept over a grid of settings. hayflick sweep STUDY [--out FOLDER] runs a "
    "study, by law where one is known, else by simulation; a call that was stopped, or killed, is "
    "gone on with by --resume.",
    rich_markup_mode=None,
)

SchedulerOption = Annotated[
    str,
    typer.Option(
        help="Where the cells are computed: threads, processes, auto (processes where it takes "
        "more than 20 seconds), or the address of a running Dask scheduler: tcp://host:8786."
    ),
]


@sweep_app.command(
    "run", hidden=True, epilog=examples("hayflick sweep study.toml --page study.html")
)
def run_command(
    study: Annotated[
        Path,
        typer.Argument(metavar="STUDY", help="A TOML file; the guide to sweeps explains its keys."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder of the results. [default: STUDY without its ending]",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a folder that exists.")
    ] = False,
    scheduler: SchedulerOption = "auto",
    workers: Annotated[
        int | None,
        typer.Option(help="Threads or processes. [default: one per processor]", show_default=False),
    ] = None,
    page: options.PageOption = None,
    output_format: options.FormatOption = options.Format.TABLE,
    lang: options.LangOption = options.Lang.EN,
    force: options.ForceOption = False,
    yes: options.YesOption = False,
) -> int:
    """Run a study. Exit code 3: the processes or machines were lost."""
    from hayflick.core.errors import ArgumentError, ExecutorError
    from hayflick.core.output import check_page
    from hayflick.sweeps.run import sweep

    if out is None:
        if not study.suffix:
            raise ArgumentError("out", got="nothing", takes="a folder where STUDY has no ending")
        out = study.with_suffix("")
    if page is not None:
        check_page(page, name="page", inputs=[study], force=force)
    again = masked_command(["sweep", str(study), "--out", str(out), "--resume"])
    try:
        with progress_bar(yes=yes) as progress:
            result = sweep(
                study,
                out=out,
                resume=resume,
                scheduler=scheduler,
                workers=workers,
                progress=progress,
            )
    except ExecutorError:
        if out.is_dir():
            say(f"cells that are finished are kept; go on with: {again}")
        raise
    if page is not None:
        result.save(page, lang=lang.value, force=force)
    print_result(result, output_format, lang)
    say_written(out, page)
    if result.interrupted:
        say(f"interrupted; go on with: {again}")
        return INTERRUPTED
    return 0


@sweep_app.command(
    "query", epilog=examples('hayflick sweep query study "SELECT * FROM cells LIMIT 5"')
)
def query_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of a sweep.")],
    sql: Annotated[
        str, typer.Argument(metavar="SQL", help="SELECT … FROM cells, in the SQL of polars.")
    ],
    output_format: options.FormatOption = options.Format.TABLE,
) -> int:
    """Ask the summary of a sweep by SQL: a row per cell, table cells."""
    from hayflick.sweeps.results import query_sweep

    frame = query_sweep(folder, sql)
    if output_format is options.Format.JSON:
        print_json({"format_version": 1, "columns": frame.columns, "rows": _rows(frame)})
    else:
        print_tables([_table(frame)])
    return 0


def _rows(frame: pl.DataFrame) -> list[list[Any]]:
    """Return the rows as plain values, ready for JSON."""
    return [[_plain(value) for value in row] for row in frame.iter_rows()]


def _plain(value: object) -> Any:
    """Return a value of a query as JSON has it: dates as texts, what is undefined as None."""
    match value:
        case None | bool() | int() | str():
            return value
        case float() | Decimal():
            return float(value) if math.isfinite(value) else None
        case list() | tuple():
            return [_plain(one) for one in value]
        case dict():
            return {str(key): _plain(one) for key, one in value.items()}
        case _:
            return str(value)


def _table(frame: pl.DataFrame) -> Table:
    from hayflick.report.rendering import table

    shown = table(*frame.columns)
    for row in _rows(frame):
        cells = (f"{value:.6g}" if isinstance(value, float) else value for value in row)
        shown.add_row(*("–" if cell is None else str(cell) for cell in cells))
    return shown
