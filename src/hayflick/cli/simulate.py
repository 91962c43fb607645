"""``hayflick simulate``: any family, retrained on its own output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hayflick.cli import completion, options
from hayflick.cli.printing import (
    INTERRUPTED,
    print_inputs,
    print_json,
    print_tables,
    say_inputs,
    say_interrupted,
    say_written,
)
from hayflick.core.errors import ArgumentError, SimulationInterrupted
from hayflick.core.grammar import values
from hayflick.core.output import check_not_input, check_writable, write_netcdf
from hayflick.core.progress import progress_bar
from hayflick.core.source import sources_in

if TYPE_CHECKING:
    import xarray

    from hayflick.calibration.calibration_file import AnyResampler
    from hayflick.monitor.evaluate_rules import SimulatedRules


def simulate_command(
    family: Annotated[
        str,
        typer.Argument(
            metavar="FAMILY",
            autocompletion=completion.families,
            help="bernoulli:P, poisson:RATE, negative-binomial, gaussian, multivariate-gaussian, "
            "symmetric-mixture, zipf:TYPES, discrete or ngram:ORDER; those that are fitted to data "
            "take --corpus.",
        ),
    ],
    corpus: Annotated[
        Path | None, typer.Option(help="Text or table to fit the family to.", show_default=False)
    ] = None,
    column: options.ColumnOption = None,
    columns: Annotated[
        str | None,
        typer.Option(
            help="Columns for a multivariate Gaussian, separated by commas.", show_default=False
        ),
    ] = None,
    tokenizer: options.TokenizerOption = None,
    encoding: options.EncodingOption = "utf-8",
    normalize: options.NormalizeOption = options.Normalize.NFC,
    separator: options.SeparatorOption = None,
    decimal: options.DecimalOption = None,
    quote: options.QuoteOption = None,
    no_header: options.NoHeaderOption = False,
    sheet: options.SheetOption = None,
    estimator: Annotated[
        str | None,
        typer.Option(
            help="ml, unbiased, add:DELTA, good-turing, joint-ml or approximate-joint-ml, as the "
            "family has it.",
            autocompletion=completion.estimators,
            show_default=False,
        ),
    ] = None,
    regime: Annotated[
        str,
        typer.Option(
            help="What each round is trained on: replace, fresh:SHARE, periodic:SHARE,every=T, "
            "scheduled:FILE, anchor:FILE, accumulate, accumulate-subsample, or "
            "triggered:BELOW,items=N[,metric=NAME]: N real items after a round in which a metric "
            "(surviving_fraction) was below.",
            autocompletion=completion.regimes,
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
        typer.Option(
            help="temperature:T, top-k:K or top-p:P.",
            autocompletion=completion.samplers,
            show_default=False,
        ),
    ] = None,
    degrade: Annotated[
        str | None,
        typer.Option(
            help="label-noise:RATE, contamination:SHARE, noise:DEVIATION or "
            "gaussian-contamination:SHARE,mean=M,deviation=D.",
            autocompletion=completion.degradations,
            show_default=False,
        ),
    ] = None,
    select: Annotated[
        str | None,
        typer.Option(
            help="interval:low=A,high=B or verifier:FILE or quality:FILE (a JSON object of "
            "symbol: weight).",
            autocompletion=completion.selections,
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
    samples: options.SamplesOption = None,
    generations: options.GenerationsOption = 50,
    resampler: options.ResamplerOption = None,
    replicates: Annotated[int, typer.Option(help="Simulated runs.")] = 200,
    seed: options.SeedOption = 1,
    threads: options.ThreadsOption = None,
    scheduler: options.SchedulerOption = None,
    workers: options.WorkersOption = None,
    output_format: options.FormatOption = options.Format.TABLE,
    out: Annotated[
        Path | None, typer.Option(help="NetCDF file for all runs.", show_default=False)
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Chart to write: .html, .svg or .png.", show_default=False)
    ] = None,
    lang: options.LangOption = options.Lang.EN,
    force: options.ForceOption = False,
    yes: options.YesOption = False,
) -> int:
    """Simulate recursive training of any family.

    Prints medians and spreads by round; --out keeps every run.
    """
    from hayflick.chains.stages import parse_stages
    from hayflick.report.simulation import plot_runs
    from hayflick.simulation.executors import open_executor
    from hayflick.simulation.simulate import simulate

    _check_files(out, plot, [corpus, rules, *values(select, degrade, regime)], force=force)
    stages = parse_stages(
        sampler=sampler,
        degradation=degrade,
        selection=select,
        real_weight=real_weight,
        rounding=round_to,
    )
    options.check_threads(threads, scheduler=scheduler, workers=workers)
    interrupted = False
    with open_executor(scheduler, workers=workers) as executor, progress_bar(yes=yes) as progress:
        try:
            runs = simulate(
                family,
                corpus=corpus,
                column=column,
                columns=None if columns is None else options.split_columns(columns),
                tokenizer=tokenizer,
                encoding=encoding,
                normalize=normalize.value,
                table=options.table_format(
                    separator=separator,
                    decimal=decimal,
                    quote=quote,
                    no_header=no_header,
                    sheet=sheet,
                ),
                estimator=estimator,
                resampler=None if resampler is None else _trainer(resampler),
                generations=generations,
                regime=regime,
                rules=None if rules is None else _simulated_rules(rules),
                samples=samples,
                stages=stages,
                replicates=replicates,
                seed=seed,
                threads=threads if workers is None else workers,
                executor=executor,
                progress=progress,
            )
        except SimulationInterrupted as stop:
            if stop.partial is None:
                raise
            runs, interrupted = stop.partial, True
    if interrupted:
        say_interrupted()
    # First the files: whoever reads the table may leave before its end.
    if out is not None:
        write_netcdf(out, runs, force=force)
    if plot is not None:
        plot_runs(runs, plot, lang=lang.value, force=force)
    say_written(out, plot)
    _print(runs, output_format, lang)
    return INTERRUPTED if interrupted else 0


def _print(runs: xarray.Dataset, output_format: options.Format, lang: options.Lang) -> None:
    from hayflick.report.simulation import record, tables

    sources = sources_in(runs.attrs)
    say_inputs(sources)
    if output_format is options.Format.JSON:
        print_json(record(runs))
    else:
        print_tables(tables(runs, lang=lang.value))
        print_inputs(sources, lang)


def _check_files(
    out: Path | None, plot: Path | None, inputs: Sequence[str | Path | None], *, force: bool
) -> None:
    """Refuse files that cannot be written, before any work starts."""
    if out is not None and plot is not None and out.resolve() == plot.resolve():
        raise ArgumentError("plot", got=str(plot), takes="another file than out")
    if out is not None:
        check_not_input(out, inputs)
        check_writable(out, force=force)
    if plot is not None:
        from hayflick.report.drawing import check_picture

        check_picture(plot, name="plot", inputs=inputs, force=force)


def _trainer(path: Path) -> AnyResampler:
    from hayflick.calibration.calibration_file import resampler_of

    return resampler_of(path)


def _simulated_rules(path: Path) -> SimulatedRules:
    from hayflick.monitor.evaluate_rules import SimulatedRules

    return SimulatedRules(path)
