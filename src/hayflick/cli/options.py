"""Options that several commands take, each described once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hayflick.cli import completion

if TYPE_CHECKING:
    from hayflick.corpus.table_format import TableFormat


class Format(StrEnum):
    """What standard output carries."""

    TABLE = "table"
    JSON = "json"


class Lang(StrEnum):
    """Languages of tables and pages."""

    EN = "en"
    JA = "ja"


class Normalize(StrEnum):
    """Unicode normalizations."""

    NONE = "none"
    NFC = "nfc"
    NFKC = "nfkc"
    CASEFOLD = "casefold"


FormatOption = Annotated[Format, typer.Option("--format", help="What standard output carries.")]
LangOption = Annotated[Lang, typer.Option(help="Language of tables and pages.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace files that exist.")]
YesOption = Annotated[
    bool, typer.Option("--yes", help="Start work of more than 30 minutes or 4 GB without asking.")
]
PageOption = Annotated[Path | None, typer.Option(help="HTML page to write.", show_default=False)]

ColumnOption = Annotated[
    str | None, typer.Option(help="The column of a table.", show_default=False)
]
TokenizerOption = Annotated[
    str | None,
    typer.Option(
        autocompletion=completion.tokenizers,
        help="How text is split: auto (by the script of each run), words, whitespace, lines, "
        "characters:N, mixed or japanese. [default: auto for a text, whole cells for a table]",
        show_default=False,
    ),
]
EncodingOption = Annotated[
    str, typer.Option(autocompletion=completion.encodings, help="Encoding of a text or table.")
]
NormalizeOption = Annotated[
    Normalize,
    typer.Option(
        help="One spelling of equal characters: nfc; nfkc also for full and half width, and for "
        "blanks at the ends; casefold also for upper and lower case."
    ),
]
SeparatorOption = Annotated[
    str | None,
    typer.Option(
        help="The character between the cells of a CSV file, or tab. [default: seen from the file]",
        show_default=False,
    ),
]
DecimalOption = Annotated[
    str | None,
    typer.Option(
        help="The decimal sign of the numbers in a table, . or , [default: seen from the cells]",
        show_default=False,
    ),
]
QuoteOption = Annotated[
    str | None,
    typer.Option(
        help="The character around cells of a CSV file, or none. [default: seen from the file]",
        show_default=False,
    ),
]
NoHeaderOption = Annotated[
    bool,
    typer.Option(
        "--no-header", help="The first line of a CSV file is data; the columns are column_1, …"
    ),
]
SheetOption = Annotated[
    str | None,
    typer.Option(help="A workbook's sheet. [default: the first visible]", show_default=False),
]
SkipBadOption = Annotated[
    bool, typer.Option("--skip-bad", help="Count rows that cannot be used, and go on.")
]

ByOption = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="The column of the round.", show_default=False)
]
TextOption = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="The column of the answers, or a path into one: response.choices[0].message.content. "
        "[default: where the log has them]",
        show_default=False,
    ),
]
EmbedderOption = Annotated[
    str,
    typer.Option(
        autocompletion=completion.embedders,
        help="hashing (built in), sentence:MODEL or endpoint:url=URL,model=NAME[,key=ENV].",
    ),
]
CacheOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Keep vectors here between calls.", show_default=False),
]
WordsOption = Annotated[
    str,
    typer.Option(
        "--tokenizer",
        autocompletion=completion.tokenizers,
        help="How text is split into words: auto (by the script of each run), words, "
        "whitespace, characters:N, mixed or japanese.",
    ),
]
LogOption = Annotated[
    str | None,
    typer.Option(
        "--log",
        metavar="TOOL",
        autocompletion=completion.logs,
        help="The tool that exported a log: langfuse, litellm, phoenix, openai-batch, langsmith, "
        "helicone, mlflow, opik, otlp, openinference, vllm-batch, lm-eval, inspect or hayflick; "
        "none for a table. [default: seen from the first lines, unless --text or --vectors is "
        "given]",
        show_default=False,
    ),
]

ResamplerOption = Annotated[
    Path | None,
    typer.Option(
        metavar="CALIBRATION",
        help="The trainer as hayflick calibrate --save has written it; what it keeps is simulated. "
        "[default: an ideal trainer]",
        show_default=False,
    ),
]

GenerationsOption = Annotated[int, typer.Option(help="Rounds to look ahead.")]
SamplesOption = Annotated[
    int | None,
    typer.Option(help="Size of a training set. [default: the data's]", show_default=False),
]
SeedOption = Annotated[int, typer.Option(help="Seed of everything that is drawn.")]
ThreadsOption = Annotated[
    int | None, typer.Option(help="Threads. [default: one per processor]", show_default=False)
]

SchedulerOption = Annotated[
    str | None,
    typer.Option(
        metavar="WHERE",
        autocompletion=completion.schedulers,
        help="Where the work runs: threads of this process, processes of this machine, or a Dask "
        "cluster by its scheduler's address, tcp://host:8786. [default: threads]",
        show_default=False,
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        help="Processes, with --scheduler processes. [default: one per processor]",
        show_default=False,
    ),
]


def check_threads(threads: int | None, *, scheduler: str | None, workers: int | None) -> None:
    """Refuse a number of threads where the work runs elsewhere, and of processes in threads.

    Raises
    ------
    ArgumentError
        If there is one.
    """
    from hayflick.core.errors import ArgumentError

    if scheduler in (None, "threads"):
        if workers is not None:
            takes = "nothing beside threads; processes take it"
            raise ArgumentError("workers", got=workers, takes=takes)
    elif threads is not None:
        takes = f"nothing beside --scheduler {scheduler}"
        raise ArgumentError("threads", got=threads, takes=takes)


def table_format(
    *,
    separator: str | None,
    decimal: str | None,
    quote: str | None,
    no_header: bool,
    sheet: str | None,
) -> TableFormat | None:
    """Return the format of a table that the options state; None if they state nothing.

    Raises
    ------
    ArgumentError
        If one of them is not what it takes.
    """
    if not no_header and (separator, decimal, quote, sheet) == (None, None, None, None):
        return None
    from hayflick.corpus.table_format import TableFormat

    return TableFormat(
        separator=separator, decimal=decimal, quote=quote, header=not no_header, sheet=sheet
    )


def split_columns(names: str) -> list[str]:
    """Return the names of columns that are separated by commas."""
    return [name.strip() for name in names.split(",")]
