"""``hayflick watch``: whether the answers of models are still as diverse as they were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hayflick.cli import completion, options
from hayflick.cli.printing import (
    ALARM,
    INCOMPLETE,
    USER_MISTAKE,
    expect_page,
    print_result,
    say,
    say_written,
)
from hayflick.cli.summary import PlotOption, SummaryOption, check_summary, write_summary
from hayflick.core.object_stores import is_url
from hayflick.core.output import check_not_input, check_page, check_writable
from hayflick.core.progress import progress_bar

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from hayflick.monitor.notices import WebHook
    from hayflick.monitor.watch_result import WatchResult

_optional = partial(typer.Option, show_default=False)


def _show_metrics(wanted: bool) -> None:
    if wanted:
        from hayflick.diversity.metrics import METRICS

        width = max(len(metric.name) for metric in METRICS)
        for metric in METRICS:
            typer.echo(f"{metric.name:<{width}}  {metric.meaning} ({metric.healthy.value})")
        raise typer.Exit


class Form(StrEnum):
    """Forms of a panel's rate of false alarms."""

    SUM = "sum"
    PRODUCT = "product"


class ExitOn(StrEnum):
    """Alarms that can make the exit code 1."""

    ANY = "any"
    NEW = "new"


class NoticeForm(StrEnum):
    """Forms of a notice."""

    SLACK = "slack"
    TEAMS = "teams"
    JSON = "json"


class FailOn(StrEnum):
    """Verdicts that can make the exit code 1."""

    FALLING = "falling"
    ALARM = "alarm"


def watch_command(
    source: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT",
            help="Answers: .jsonl, .ndjson, .json, .csv, .tsv, .parquet or .xlsx, also .gz and "
            ".zst; a log of a tool, a folder of them, their URL in an object store (s3://…), or - "
            "for standard input.",
            show_default=False,
        ),
    ] = None,
    by: Annotated[
        str | None,
        _optional(
            help="The column of the round: a number, a time (with --every) or a name. [default: "
            "the times of a log, in the longest of 1w, 1d, 6h, 1h, 10min and 1min that gives 20 "
            "rounds of 20 answers; else a round for each of several files, else blocks of 20 "
            "answers]",
            metavar="COLUMN",
        ),
    ] = None,
    text: options.TextOption = None,
    log: options.LogOption = None,
    pattern: Annotated[
        list[str] | None,
        _optional(
            "--glob",
            help="Further inputs by a pattern in quotes, such as 'logs/**/*.jsonl'; several are "
            "allowed.",
            metavar="PATTERN",
        ),
    ] = None,
    group: Annotated[
        str | None,
        _optional(
            help="The column that says who answered; every group is watched by itself too.",
            metavar="COLUMN",
        ),
    ] = None,
    prompt: Annotated[
        str | None,
        _optional(
            help="The column that says what was asked: answers are compared within a prompt.",
            metavar="COLUMN",
        ),
    ] = None,
    value: Annotated[
        list[str] | None,
        _optional(
            help="A column of numbers that is charted beside the text; several are allowed.",
            metavar="COLUMN",
        ),
    ] = None,
    vectors: Annotated[
        str | None,
        _optional(
            help="A column of lists of numbers, or a file with a row per answer, in place of an "
            "embedder.",
            metavar="COLUMN|FILE.npy",
        ),
    ] = None,
    retrieved: Annotated[
        str | None,
        _optional(
            help="The column of what was retrieved for an answer: a list of texts, or of objects "
            "with text, id, source and generated. Tells how much of it is generated, and what "
            "answers copy.",
            metavar="COLUMN",
        ),
    ] = None,
    pool: Annotated[
        str | None,
        _optional(
            help="With --retrieved: a table of all documents of the store, with text, id, source "
            "and generated. Tells whether generated ones are retrieved more often than others.",
            metavar="FILE",
        ),
    ] = None,
    every: Annotated[
        str | None, _optional(help="Length of a round where --by holds times: 1h, 1d, 1w, 1mo.")
    ] = None,
    time_zone: Annotated[
        str | None,
        _optional(
            help="Where --by holds times: the zone in which days are counted, and which times "
            "without a zone are in, such as Europe/Berlin.",
            metavar="ZONE",
            autocompletion=completion.zones,
        ),
    ] = None,
    start: Annotated[
        str | None,
        _optional(
            "--from", help="Leave out the rounds before this one: its name, or an equal number."
        ),
    ] = None,
    baseline: Annotated[
        int, typer.Option(help="Rounds at the beginning that are taken for healthy.")
    ] = 10,
    baseline_from: Annotated[
        str | None,
        _optional(
            help="A table with the same columns whose answers are the baseline, such as real "
            "texts or last year's answers; then all rounds of the input are judged. Without the "
            "column of --by it is cut into rounds at random.",
            metavar="FILE|URL",
        ),
    ] = None,
    chart: Annotated[
        list[str] | None,
        _optional(
            help="rank, guaranteed, shewhart, ewma or cusum, with settings: "
            "guaranteed:tolerance=0.02,false_alarms=0.001 or distinct_2=cusum:run_length=1000; "
            "several are allowed. [default: a panel of spread, answers, words and every --value, "
            "with --prompt between prompts too]",
            metavar="[METRIC=]CHART",
            autocompletion=completion.charts,
        ),
    ] = None,
    false_alarms: Annotated[
        float,
        typer.Option(help="False alarms of the whole panel, per round (sum) or ever (product)."),
    ] = 0.001,
    form: Annotated[
        Form, typer.Option(help="sum goes on for ever; product is for one stretch of rounds.")
    ] = Form.SUM,
    fail_on: Annotated[
        FailOn, typer.Option(help="The verdict from which the exit code is 1.")
    ] = FailOn.ALARM,
    exit_on: Annotated[
        ExitOn,
        typer.Option(
            help="With --state: any is an alarm of any age, new one that the state did not know."
        ),
    ] = ExitOn.ANY,
    state: Annotated[
        str | None,
        _optional(
            help="Keep here what was measured: the next call reads and measures new rounds only. "
            "A file, or an object by its URL (s3://…).",
            metavar="FILE|URL",
        ),
    ] = None,
    notify: Annotated[
        list[str] | None,
        _optional(
            help="Post new and cleared alarms to this web hook; without --state every alarm is "
            "new. Several are allowed. A failure is said and changes no exit code.",
            metavar="URL",
        ),
    ] = None,
    notify_form: Annotated[
        NoticeForm | None,
        _optional(help="The form of the notices. [default: by the host, else json]"),
    ] = None,
    prometheus: Annotated[
        Path | None,
        _optional(
            help="Write verdict, charts and last readings here for node_exporter's textfile "
            "collector, which reads names ending in .prom; the file is replaced.",
            metavar="FILE",
        ),
    ] = None,
    rules: Annotated[
        Path | None,
        _optional(
            help="A rules file: list what it decides. Its baseline replaces --baseline, and "
            "without --chart nothing else is charted.",
            metavar="FILE",
        ),
    ] = None,
    metric: Annotated[
        list[str] | None,
        _optional(
            help="A slow metric to measure too: drift or near_duplicate_rate.",
            metavar="NAME",
            autocompletion=completion.slow_metrics,
        ),
    ] = None,
    list_metrics: Annotated[  # noqa: ARG001
        bool,
        typer.Option(
            "--list-metrics", help="Show all metrics.", callback=_show_metrics, is_eager=True
        ),
    ] = False,
    must_keep: Annotated[
        Path | None,
        _optional(
            help="Words or phrases whose retention is measured: one per line, a JSON list, a "
            "table with the columns symbol and weight, or a file of hayflick reserve.",
            metavar="FILE",
        ),
    ] = None,
    embedder: options.EmbedderOption = "hashing",
    cache: options.CacheOption = None,
    tokenizer: options.WordsOption = "auto",
    encoding: options.EncodingOption = "utf-8",
    normalize: options.NormalizeOption = options.Normalize.NFC,
    separator: options.SeparatorOption = None,
    decimal: options.DecimalOption = None,
    quote: options.QuoteOption = None,
    no_header: options.NoHeaderOption = False,
    sheet: options.SheetOption = None,
    skip_bad: options.SkipBadOption = False,
    capacity: Annotated[
        int | None,
        _optional(
            help="Answers of a round that are measured; of more, a sample is. [default: all, or "
            "20000 with a --scheduler that reads files each by itself]"
        ),
    ] = None,
    scheduler: options.SchedulerOption = None,
    workers: options.WorkersOption = None,
    seed: options.SeedOption = 1,
    output_format: options.FormatOption = options.Format.TABLE,
    out: options.PageOption = None,
    plot: PlotOption = None,
    summary: SummaryOption = None,
    lang: options.LangOption = options.Lang.EN,
    force: options.ForceOption = False,
    yes: options.YesOption = False,
) -> int:
    """Watch answers by round: whether they become one voice.

    Says since when, and how fast.

    Exit code 0 is healthy or falling, 1 an alarm or a decision of the rules; 3 none of them, and
    files are missing that could not be read.
    """
    if not source and not pattern:
        return _ask_for_input()
    inputs = [*(source or ()), must_keep, vectors, rules, baseline_from, pool, state, cache]
    hooks = _web_hooks(notify or (), notify_form)
    _check_files(out, prometheus, summary, plot, inputs=inputs, force=force)
    from hayflick.monitor.watch import watch

    with (
        _opened(source or (), pattern or ()) as given,
        _executor(scheduler, workers) as executor,
        progress_bar(yes=yes) as progress,
    ):
        result = watch(
            given,
            by=by,
            text=text,
            log=log,
            group=group,
            prompt=prompt,
            values=value or (),
            vectors=vectors,
            retrieved=retrieved,
            pool=pool,
            every=every,
            time_zone=time_zone,
            start=start,
            skip_bad=skip_bad,
            encoding=encoding,
            normalize=normalize.value,
            table=options.table_format(
                separator=separator, decimal=decimal, quote=quote, no_header=no_header, sheet=sheet
            ),
            baseline=baseline,
            baseline_from=baseline_from,
            charts=chart or None,
            false_alarms=false_alarms,
            form=form.value,
            embedder=embedder,
            cache=cache,
            tokenizer=tokenizer,
            must_keep=must_keep,
            metrics=metric or (),
            rules=rules,
            seed=seed,
            state=state,
            capacity=capacity,
            executor=executor,
            progress=progress,
        )
    if out is not None:
        result.save(out, lang=lang.value, force=force)
    write_summary(result, summary, plot, lang=lang, force=force)
    if prometheus is not None:
        from hayflick.monitor.prometheus import write_prometheus

        write_prometheus(result, prometheus)
    _post(result, hooks, state)
    print_result(result, output_format, lang)
    say_written(out, plot, summary, prometheus)
    return _exit_code(result, exit_on=exit_on, fail_on=fail_on)


def _check_files(
    out: Path | None,
    prometheus: Path | None,
    summary: Path | None,
    plot: Path | None,
    *,
    inputs: Sequence[str | Path | None],
    force: bool,
) -> None:
    """Refuse files that cannot be written, before any work starts."""
    if prometheus is not None:
        check_not_input(prometheus, [*inputs, out])
        check_writable(prometheus, force=True)
    check_summary(summary, plot, inputs=[*inputs, prometheus, out], force=force)
    if out is not None:
        check_page(out, inputs=inputs, force=force)
        expect_page()


def _exit_code(result: WatchResult, *, exit_on: ExitOn, fail_on: FailOn) -> int:
    alarmed = result.has_news if exit_on is ExitOn.NEW else not result.healthy
    if result.failed:
        say(f"error: files are missing that could not be read, {len(result.failed):,} in all")
    if alarmed or (fail_on is FailOn.FALLING and bool(result.falling)):
        return ALARM
    return INCOMPLETE if result.failed else 0


def _ask_for_input() -> int:
    """Say what can be watched, and how."""
    say("error: no input; takes a file, several, a folder, or - for standard input, such as")
    say("  hayflick watch traces.jsonl                            a log that a tool has exported")
    say("  hayflick watch answers.csv --text answer --by round    a table")
    say("`hayflick watch --help` lists the tools that are known, and all options.")
    return USER_MISTAKE


def _executor(
    scheduler: str | None, workers: int | None
) -> AbstractContextManager[Executor | None]:
    """Return what opens where files are read; most calls load nothing for it."""
    options.check_threads(None, scheduler=scheduler, workers=workers)
    if scheduler is None:
        return nullcontext()
    from hayflick.simulation.executors import open_executor

    return open_executor(scheduler, workers=workers)


@contextmanager
def _opened(paths: Sequence[str], patterns: Sequence[str]) -> Iterator[Any]:
    """Yield the inputs: paths as they are, unless they are to be resolved or fetched."""
    if paths and not patterns and "-" not in paths and not any(map(is_url, paths)):
        yield paths
        return
    from hayflick.corpus.files import input_files

    if any(pattern.endswith(".summary") for pattern in patterns):
        from hayflick.monitor.watch_input import fitting_summaries

        yield [*paths, *fitting_summaries(patterns)]
        return
    if not patterns and any(path.endswith(".summary") for path in paths):
        yield paths
        return
    with input_files(paths, patterns=patterns) as files:
        yield files


def _web_hooks(urls: Sequence[str], form: NoticeForm | None) -> list[WebHook]:
    """Return the web hooks; bad addresses and a missing extra are refused before any work."""
    if not urls:
        return []
    from hayflick.monitor.notices import WebHook

    hooks = [WebHook(url, None if form is None else form.value) for url in dict.fromkeys(urls)]
    for hook in hooks:
        hook.client()
    return hooks


def _post(result: WatchResult, hooks: Sequence[WebHook], state: str | None) -> None:
    if hooks:
        from hayflick.monitor.notices import post_notices

        for failure in post_notices(result, hooks, state=state):
            say(f"note: {failure}")
