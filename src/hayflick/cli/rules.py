"""``hayflick rules``: look through a rules file, try it, and its schema for editors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hayflick.cli.printing import (
    Format,
    Lang,
    print_json,
    print_tables,
)
from hayflick.core.errors import ArgumentError
from hayflick.core.progress import Progress, progress_bar

if TYPE_CHECKING:
    from hayflick.chains.discrete import Discrete
    from hayflick.core.records import Reading

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
_Column = Annotated[str | None, typer.Option(help="Column of a table.", show_default=False)]
_Tokenizer = Annotated[str | None, typer.Option(help="How text is split.", show_default=False)]
_Encoding = Annotated[str, typer.Option(help="Encoding of a text or table.")]
_Samples = Annotated[
    int | None,
    typer.Option(help="Size of a training set. [default: the data's]", show_default=False),
]
_Generations = Annotated[int, typer.Option(help="Rounds to look ahead.")]
_Format = Annotated[Format, typer.Option("--format", help="What standard output carries.")]
_Lang = Annotated[Lang, typer.Option(help="Language of the table.")]


@rules_app.command("check")
def check_command(
    rules: _Rules,
    corpus: _Corpus = None,
    column: _Column = None,
    tokenizer: _Tokenizer = None,
    encoding: _Encoding = "utf-8",
    samples: _Samples = None,
    generations: _Generations = 50,
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
    by: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="The column of the round.", show_default=False),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="The column of the answers.", show_default=False),
    ] = None,
    output_format: _Format = Format.TABLE,
    lang: _Lang = Lang.EN,
) -> int:
    """Show what a rules file comes to: limits with their derivation, rates, actions.

    Warns of rules that always or never fire, as far as the data tell.
    """
    from hayflick.monitor.rules_check import check_rules_file
    from hayflick.report.rules_check import check_record, check_tables
    from hayflick.rules.loading import load_rules

    with progress_bar() as progress:
        model = _model(corpus, column, tokenizer, encoding, progress)
        loaded = load_rules(
            rules, model=model, samples=samples, generations=generations, progress=progress
        )
        readings = _readings(history, answers, by, text, loaded.rule_set.rules.baseline, progress)
    checked = check_rules_file(loaded, readings=readings, generations=generations)
    if output_format is Format.JSON:
        print_json(check_record(checked))
    else:
        print_tables(check_tables(checked, lang=lang.value))
    return 0


@rules_app.command("evaluate")
def evaluate_command(
    rules: _Rules,
    corpus: _Corpus = None,
    column: _Column = None,
    tokenizer: _Tokenizer = None,
    encoding: _Encoding = "utf-8",
    keep: Annotated[
        float | None,
        typer.Option(help="The target. [default: the file's]", show_default=False),
    ] = None,
    samples: _Samples = None,
    generations: _Generations = 50,
    replicates: Annotated[int, typer.Option(help="Simulated runs of each kind.")] = 200,
    seed: Annotated[int, typer.Option(help="Seed of the simulations.")] = 1,
    threads: Annotated[
        int | None,
        typer.Option(help="Threads. [default: one per processor]", show_default=False),
    ] = None,
    output_format: _Format = Format.TABLE,
    lang: _Lang = Lang.EN,
) -> int:
    """Try a rules file in simulation: false alarms, delay, what is kept and at what cost.

    Beside it the same collapse without the rule, and the best fixed plan.
    """
    from hayflick.monitor.rules_evaluation import evaluate_rules
    from hayflick.report.rules_evaluation import evaluation_record, evaluation_tables
    from hayflick.rules.loading import load_rules

    with progress_bar() as progress:
        model = _model(corpus, column, tokenizer, encoding, progress)
        loaded = load_rules(
            rules, model=model, samples=samples, generations=generations, progress=progress
        )
        if loaded.model is None:
            takes = "the real data that the rules are tried on"
            raise ArgumentError("corpus", got="nothing", takes=takes)
        evaluation = evaluate_rules(
            loaded.rule_set,
            model=loaded.model,
            keep=loaded.target if keep is None else keep,
            generations=generations,
            replicates=replicates,
            samples=samples,
            seed=seed,
            threads=threads,
            progress=progress,
        )
    if output_format is Format.JSON:
        print_json(evaluation_record(evaluation))
    else:
        print_tables(evaluation_tables(evaluation, lang=lang.value))
    return 0


@rules_app.command("schema")
def schema_command() -> int:
    """Print the JSON schema of rules files, for editors."""
    from hayflick.rules.model import RulesFile

    print_json(RulesFile.model_json_schema())
    return 0


def _model(
    corpus: Path | None,
    column: str | None,
    tokenizer: str | None,
    encoding: str,
    progress: Progress,
) -> Discrete | None:
    from hayflick.chains.discrete import Discrete

    if corpus is None:
        return None
    return Discrete.from_file(
        corpus, column=column, tokenizer=tokenizer, encoding=encoding, progress=progress
    )


def _readings(
    history: Path | None,
    answers: Path | None,
    by: str | None,
    text: str | None,
    baseline: int,
    progress: Progress,
) -> tuple[Reading, ...]:
    from hayflick.monitor.rules_check import readings_of_answers, readings_of_run

    if history is not None and answers is not None:
        raise ArgumentError("answers", got=str(answers), takes="nothing beside history")
    if history is not None:
        return readings_of_run(history)
    if answers is None:
        return ()
    if by is None:
        takes = "the column that says which round an answer belongs to"
        raise ArgumentError("by", got="nothing", takes=takes)
    return readings_of_answers(answers, by=by, text=text, baseline=baseline, progress=progress)
