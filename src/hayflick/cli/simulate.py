"""``hayflick simulate``: any family, retrained on its own output."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hayflick.cli.printing import (
    INTERRUPTED,
    Format,
    Lang,
    print_json,
    print_tables,
    say_interrupted,
    say_written,
    split_columns,
)
from hayflick.core.errors import ArgumentError, SimulationInterrupted
from hayflick.core.grammar import values
from hayflick.core.progress import progress_bar

if TYPE_CHECKING:
    import xarray

    from hayflick.core.protocols import Regime


def simulate_command(
    family: Annotated[
        str,
        typer.Argument(
            metavar="FAMILY",
            help="bernoulli:P, poisson:RATE, gaussian, multivariate-gaussian, symmetric-mixture, "
            "zipf:TYPES, discrete or ngram:ORDER; those that are fitted to data take --corpus.",
        ),
    ],
    corpus: Annotated[
        Path | None, typer.Option(help="Text or table to fit the family to.", show_default=False)
    ] = None,
    column: Annotated[
        str | None, typer.Option(help="Column of a table.", show_default=False)
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            help="Columns for a multivariate Gaussian, separated by commas.", show_default=False
        ),
    ] = None,
    tokenizer: Annotated[
        str | None, typer.Option(help="How text is split.", show_default=False)
    ] = None,
    encoding: Annotated[str, typer.Option(help="Encoding of a text or table.")] = "utf-8",
    estimator: Annotated[
        str | None,
        typer.Option(
            help="ml, unbiased, add:DELTA, good-turing, joint-ml or approximate-joint-ml, as the "
            "family has it.",
            show_default=False,
        ),
    ] = None,
    regime: Annotated[
        str,
        typer.Option(
            help="What each round is trained on: replace, fresh:SHARE, periodic:SHARE,every=T, "
            "scheduled:FILE, anchor:FILE, accumulate, accumulate-subsample, or "
            "triggered:BELOW,items=N[,metric=NAME]: N real items after a round in which a metric "
            "(surviving_fraction) was below."
        ),
    ] = "replace",
    rules: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A rules file: put in what it decides, on top of --regime. Family discrete.",
            show_default=False,
        ),
    ] = None,
    sampler: Annotated[
        str | None,
        typer.Option(help="temperature:T, top-k:K or top-p:P.", show_default=False),
    ] = None,
    degrade: Annotated[
        str | None,
        typer.Option(
            help="label-noise:RATE, contamination:SHARE, noise:DEVIATION or "
            "gaussian-contamination:SHARE,mean=M,deviation=D.",
            show_default=False,
        ),
    ] = None,
    select: Annotated[
        str | None,
        typer.Option(
            help="interval:low=A,high=B or verifier:FILE or quality:FILE (a JSON object of "
            "symbol: weight).",
            show_default=False,
        ),
    ] = None,
    real_weight: Annotated[
        float, typer.Option(help="Weight of a real item beside a generated one.")
    ] = 1.0,
    round_to: Annotated[
        str | None,
        typer.Option(
            "--round", help="Grid of the parameters: step:S or bits:B.", show_default=False
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(help="Size of a training set. [default: the data's]", show_default=False),
    ] = None,
    generations: Annotated[int, typer.Option(help="Rounds of recursive training.")] = 50,
    replicates: Annotated[int, typer.Option(help="Simulated runs.")] = 200,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 1,
    threads: Annotated[
        int | None,
        typer.Option(help="Threads. [default: one per processor]", show_default=False),
    ] = None,
    output_format: Annotated[
        Format, typer.Option("--format", help="What standard output carries.")
    ] = Format.TABLE,
    out: Annotated[
        Path | None, typer.Option(help="NetCDF file for all runs.", show_default=False)
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(help="Chart to write: .html, .svg or .png.", show_default=False),
    ] = None,
    lang: Annotated[Lang, typer.Option(help="Language of the table and the page.")] = Lang.EN,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
) -> int:
    """Simulate recursive training of any family.

    Prints medians and spreads by round; --out keeps every run.
    """
    from hayflick.chains.parsing import FamilyData, parse_family
    from hayflick.chains.stages import parse_stages
    from hayflick.corpus.source import Source
    from hayflick.regimes.parsing import parse_regime
    from hayflick.report.saving import check_outputs, save_runs

    files = [corpus, rules, *values(select, degrade, regime)]
    check_outputs(out=out, plot=plot, force=force, inputs=files)
    stages = parse_stages(
        sampler=sampler,
        degradation=degrade,
        selection=select,
        real_weight=real_weight,
        rounding=round_to,
    )
    with progress_bar() as progress:
        path = None if corpus is None else str(corpus)
        data = FamilyData(path, _named(column, columns), tokenizer, encoding, progress)
        model: Any = parse_family(family, data=data, estimator=estimator)
        source = getattr(model, "source", Source(family))
        runs, interrupted = _simulated(
            model,
            generations=generations,
            regime=_ruled(parse_regime(regime, like=source), rules, model, samples, generations),
            samples=samples,
            stages=stages,
            replicates=replicates,
            seed=seed,
            threads=threads,
            progress=progress,
        )
    if interrupted:
        say_interrupted()
    # First the files: whoever reads the table may leave before its end.
    save_runs(runs, out=out, plot=plot, lang=lang.value, force=force)
    say_written(out, plot)
    _print(runs, output_format, lang.value)
    return INTERRUPTED if interrupted else 0


def _ruled(
    regime: Regime, rules: Path | None, model: Any, samples: int | None, generations: int
) -> Regime:
    """Return the regime with what a rules file decides on top."""
    if rules is None:
        return regime
    from hayflick.monitor.rules_evaluation import ruled_regime

    return ruled_regime(rules, base=regime, model=model, samples=samples, generations=generations)


def _named(column: str | None, columns: str | None) -> tuple[str, ...]:
    if column is not None and columns is not None:
        raise ArgumentError("columns", got=columns, takes="nothing beside column")
    if columns is not None:
        return tuple(split_columns(columns))
    return () if column is None else (column,)


def _simulated(model: Any, **settings: Any) -> tuple[xarray.Dataset, bool]:
    """Return the runs, and whether they were cut short."""
    from hayflick.simulation.simulate import simulate

    try:
        return simulate(model, **settings), False
    except SimulationInterrupted as stop:
        if stop.partial is None:
            raise
        return stop.partial, True


def _print(runs: xarray.Dataset, output_format: Format, lang: str) -> None:
    from hayflick.report.trajectories import trajectories_record, trajectories_tables

    if output_format is Format.JSON:
        print_json(trajectories_record(runs))
    else:
        print_tables(trajectories_tables(runs, lang=lang))
