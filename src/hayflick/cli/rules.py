"""``hayflick rules``: look through a rules file, try it, and its schema for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hayflick.cli import options
from hayflick.cli.help import examples
from hayflick.cli.printing import ALARM, expect_page, print_json, print_result, say_written
from hayflick.core.output import check_page
from hayflick.core.progress import progress_bar

rules_app = typer.Typer(
    name="rules",
    help="Check a rules file, and try it in simulation. "
    "Rules say what is watched, where the limit lies and what happens then.",
    epilog=examples("hayflick rules check rules.toml"),
    rich_markup_mode=None,
)

_Rules = Annotated[Path, typer.Argument(metavar="RULES", help="A rules file (.toml).")]
_Corpus = Annotated[
    Path | None,
    typer.Option(
        help="The real data: text or table. [default: corpus in the file]", show_default=False
    ),
]

_MustKeep = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="The must-keep list that the rules are for: one symbol per line, a JSON list, or a "
        "table with the columns symbol, weight and at_least.",
        show_default=False,
    ),
]


@rules_app.command("check", epilog=examples("hayflick rules check rules.toml --corpus corpus.txt"))
def check_command(
    rules: _Rules,
    corpus: _Corpus = None,
    column: options.ColumnOption = None,
    tokenizer: options.TokenizerOption = None,
    encoding: options.EncodingOption = "utf-8",
    normalize: options.NormalizeOption = options.Normalize.NFC,
    separator: options.SeparatorOption = None,
    decimal: options.DecimalOption = None,
    quote: options.QuoteOption = None,
    no_header: options.NoHeaderOption = False,
    sheet: options.SheetOption = None,
    must_keep: _MustKeep = None,
    samples: options.SamplesOption = None,
    generations: options.GenerationsOption = 50,
    history: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A recorded run (NetCDF of hayflick simulate) to hold the rules against.",
            show_default=False,
        ),
    ] = None,
    answers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A table of answers to hold the rules against, with --by and --text.",
            show_default=False,
        ),
    ] = None,
    by: options.ByOption = None,
    text: options.TextOption = None,
    output_format: options.FormatOption = options.Format.TABLE,
    lang: options.LangOption = options.Lang.EN,
    yes: options.YesOption = False,
) -> int:
    """Show what a rules file comes to.

    Limits with their derivation, rates and actions.
    Warns of rules that always or never fire, as far as the data tell. Exits with 1 if a chart
    can never begin, because it takes more baseline than the file gives it.
    """
    from hayflick.monitor.check_rules import check_rules

    with progress_bar(yes=yes) as progress:
        checked = check_rules(
            rules,
            corpus=corpus,
            column=column,
            tokenizer=tokenizer,
            encoding=encoding,
            normalize=normalize.value,
            table=options.table_format(
                separator=separator, decimal=decimal, quote=quote, no_header=no_header, sheet=sheet
            ),
            must_keep=must_keep,
            samples=samples,
            generations=generations,
            history=history,
            answers=answers,
            by=by,
            text=text,
            progress=progress,
        )
    print_result(checked, output_format, lang)
    return ALARM if checked.impossible else 0


@rules_app.command(
    "evaluate",
    epilog=examples("hayflick rules evaluate rules.toml --corpus corpus.txt --out rules.html"),
)
def evaluate_command(
    rules: _Rules,
    corpus: _Corpus = None,
    column: options.ColumnOption = None,
    tokenizer: options.TokenizerOption = None,
    encoding: options.EncodingOption = "utf-8",
    normalize: options.NormalizeOption = options.Normalize.NFC,
    separator: options.SeparatorOption = None,
    decimal: options.DecimalOption = None,
    quote: options.QuoteOption = None,
    no_header: options.NoHeaderOption = False,
    sheet: options.SheetOption = None,
    keep: Annotated[
        float | None, typer.Option(help="The target. [default: the file's]", show_default=False)
    ] = None,
    confidence: Annotated[
        float | None,
        typer.Option(
            help="Share of runs that are to keep it in every round. [default: the file's, or 0.95]",
            show_default=False,
        ),
    ] = None,
    at_least: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Items of a class that count as kept. [default: the file's, or 5 of a label and "
            "1 of a word]",
            show_default=False,
        ),
    ] = None,
    must_keep: _MustKeep = None,
    resampler: options.ResamplerOption = None,
    samples: options.SamplesOption = None,
    generations: options.GenerationsOption = 50,
    replicates: Annotated[int, typer.Option(help="Simulated runs of each kind.")] = 200,
    seed: options.SeedOption = 1,
    threads: options.ThreadsOption = None,
    scheduler: options.SchedulerOption = None,
    workers: options.WorkersOption = None,
    output_format: options.FormatOption = options.Format.TABLE,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="HTML page to write.", show_default=False)
    ] = None,
    lang: options.LangOption = options.Lang.EN,
    force: options.ForceOption = False,
    yes: options.YesOption = False,
) -> int:
    """Try a rules file in simulation.

    Says in how many runs it holds the target, and at what cost.
    Beside it the same without the rule, and the smallest fixed share of fresh data that does.
    """
    if out is not None:
        check_page(out, inputs=(rules, corpus, must_keep), force=force)
        expect_page()
    from hayflick.monitor.evaluate_rules import evaluate_rules
    from hayflick.simulation.executors import open_executor

    options.check_threads(threads, scheduler=scheduler, workers=workers)
    with open_executor(scheduler, workers=workers) as executor, progress_bar(yes=yes) as progress:
        evaluation = evaluate_rules(
            rules,
            corpus=corpus,
            column=column,
            tokenizer=tokenizer,
            encoding=encoding,
            normalize=normalize.value,
            table=options.table_format(
                separator=separator, decimal=decimal, quote=quote, no_header=no_header, sheet=sheet
            ),
            keep=keep,
            confidence=confidence,
            at_least=at_least,
            must_keep=must_keep,
            resampler=resampler,
            samples=samples,
            generations=generations,
            replicates=replicates,
            seed=seed,
            threads=threads,
            executor=executor,
            progress=progress,
        )
    if out is not None:
        evaluation.save(out, lang=lang.value, force=force)
    print_result(evaluation, output_format, lang)
    say_written(out)
    return 0


@rules_app.command("schema", epilog=examples("hayflick rules schema > rules.schema.json"))
def schema_command() -> int:
    """Print the JSON schema of rules files, for editors."""
    from hayflick.rules.model import schema_rules

    print_json(schema_rules())
    return 0
