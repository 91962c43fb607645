"""``hayflick rules``: look through a rules file, try it, and its schema for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hayflick.cli import options
from hayflick.cli.printing import print_json, print_result
from hayflick.core.progress import progress_bar

rules_app = typer.Typer(
    name="rules",
    help="Rules: what is watched, where the limit lies and what happens then.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

_Rules = Annotated[Path, typer.Argument(metavar="RULES", help="A rules file (.toml).")]
_Corpus = Annotated[
    Path | None,
    typer.Option(
        help="The real data: text or table. [default: corpus in the file]", show_default=False
    ),
]


@rules_app.command("check")
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
    """Show what a rules file comes to: limits with their derivation, rates, actions.

    Warns of rules that always or never fire, as far as the data tell.
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
            samples=samples,
            generations=generations,
            history=history,
            answers=answers,
            by=by,
            text=text,
            progress=progress,
        )
    print_result(checked, output_format, lang)
    return 0


@rules_app.command("evaluate")
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
    samples: options.SamplesOption = None,
    generations: options.GenerationsOption = 50,
    replicates: Annotated[int, typer.Option(help="Simulated runs of each kind.")] = 200,
    seed: options.SeedOption = 1,
    threads: options.ThreadsOption = None,
    output_format: options.FormatOption = options.Format.TABLE,
    lang: options.LangOption = options.Lang.EN,
    yes: options.YesOption = False,
) -> int:
    """Try a rules file in simulation: false alarms, delay, what is kept and at what cost.

    Beside it the same collapse without the rule, and the best fixed plan.
    """
    from hayflick.monitor.evaluate_rules import evaluate_rules

    with progress_bar(yes=yes) as progress:
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
            samples=samples,
            generations=generations,
            replicates=replicates,
            seed=seed,
            threads=threads,
            progress=progress,
        )
    print_result(evaluation, output_format, lang)
    return 0


@rules_app.command("schema")
def schema_command() -> int:
    """Print the JSON schema of rules files, for editors."""
    from hayflick.rules.model import schema_rules

    print_json(schema_rules())
    return 0
