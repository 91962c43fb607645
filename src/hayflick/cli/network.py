"""``hayflick network``: agents that answer from one shared pool, round by round."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hayflick.cli import options
from hayflick.cli.help import examples
from hayflick.cli.printing import INCOMPLETE, INTERRUPTED, print_result, say, say_written
from hayflick.core.progress import Progress, progress_bar

if TYPE_CHECKING:
    from hayflick.network.run_results import NetworkRun

network_app = typer.Typer(
    name="network",
    help="Run language models, or stand-ins, over one pool.",
    epilog=examples("hayflick network run experiment.toml"),
    rich_markup_mode=None,
)

ExperimentArgument = Annotated[Path, typer.Argument(metavar="EXPERIMENT", help="A TOML file.")]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN_DIR", help="Folder of the run.")]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        help="Processes of this machine that hold the built-in agents, a share each. "
        "[default: none, they are in this one]",
        show_default=False,
    ),
]


@network_app.command("run", epilog=examples("hayflick network run experiment.toml"))
def run_command(
    experiment: ExperimentArgument,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN_DIR",
            help="Folder to make for the run. [default: the file's name, numbered if taken]",
            show_default=False,
        ),
    ] = None,
    workers: WorkersOption = None,
    output_format: options.FormatOption = options.Format.TABLE,
    lang: options.LangOption = options.Lang.EN,
    yes: options.YesOption = False,
) -> int:
    """Run an experiment. Exit code 3: it stopped before its end and can be resumed."""
    from hayflick.network.run import run_network

    folder = out or _free_name(experiment.stem)

    def work(progress: Progress) -> NetworkRun:
        return run_network(experiment, out=folder, workers=workers, say=say, progress=progress)

    return _finish(work, folder, output_format, lang, yes=yes)


@network_app.command(
    "resume", epilog=examples("hayflick network resume experiment --tokens 500000")
)
def resume_command(
    folder: RunArgument,
    tokens: Annotated[
        int | None,
        typer.Option(help="Another budget in tokens, for the whole run.", show_default=False),
    ] = None,
    money: Annotated[
        float | None,
        typer.Option(help="Another budget in money, for the whole run.", show_default=False),
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Rules that decide from the next round on.", show_default=False
        ),
    ] = None,
    workers: WorkersOption = None,
    output_format: options.FormatOption = options.Format.TABLE,
    lang: options.LangOption = options.Lang.EN,
    yes: options.YesOption = False,
) -> int:
    """Go on with a run that was stopped, or killed. No answer is asked for again."""
    from hayflick.network.run import resume_network

    def work(progress: Progress) -> NetworkRun:
        return resume_network(
            folder,
            tokens=tokens,
            money=money,
            rules=rules,
            workers=workers,
            say=say,
            progress=progress,
        )

    return _finish(work, folder, output_format, lang, yes=yes)


@network_app.command("estimate", epilog=examples("hayflick network estimate experiment.toml"))
def estimate_command(
    experiment: ExperimentArgument,
    output_format: options.FormatOption = options.Format.TABLE,
    lang: options.LangOption = options.Lang.EN,
) -> None:
    """Say what a run takes: answers, tokens and money.

    Nobody is asked.
    """
    from hayflick.network.estimate import estimate_network

    print_result(estimate_network(experiment), output_format, lang)


@network_app.command(
    "report", epilog=examples("hayflick network report experiment --out network.html")
)
def report_command(
    folder: RunArgument,
    out: options.PageOption = None,
    output_format: Annotated[
        options.Format | None,
        typer.Option(
            "--format",
            help="What standard output carries. [default: table, or nothing beside a page]",
            show_default=False,
        ),
    ] = None,
    lang: options.LangOption = options.Lang.EN,
    force: options.ForceOption = False,
) -> None:
    """Write the page of a run, finished or not, or print it."""
    from hayflick.core.output import check_page
    from hayflick.network.run_results import report_network

    if out is not None:
        check_page(out, force=force)
    run = report_network(folder)
    if out is not None:
        run.save(out, lang=lang.value, force=force)
    if out is None or output_format is not None:
        print_result(run, output_format or options.Format.TABLE, lang)
    say_written(out)


@network_app.command(
    "record", epilog=examples("hayflick network record experiment --out answers.jsonl")
)
def record_command(
    folder: RunArgument,
    out: Annotated[Path, typer.Option(help="File of JSON lines to write.")],
    force: options.ForceOption = False,
) -> None:
    """Write the answers of a run, for watch.

    Agents of the kind replay read them too.
    """
    from hayflick.network.run_results import record_network

    record_network(folder).save(out, force=force)
    say_written(out)


@network_app.command("verify", epilog=examples("hayflick network verify experiment"))
def verify_command(
    folder: RunArgument,
    output_format: options.FormatOption = options.Format.TABLE,
    lang: options.LangOption = options.Lang.EN,
) -> int:
    """Check a run against itself. Exit code 1: something differs. Nobody is asked."""
    from hayflick.network.verify import verify_network

    found = verify_network(folder)
    print_result(found, output_format, lang)
    return 0 if found.sound else 1


@network_app.command(
    "serve-agent", epilog=examples("hayflick network serve-agent corpus.txt --port 8000")
)
def serve_agent_command(
    corpus: Annotated[Path, typer.Argument(metavar="TEXT", help="A text file or folder.")],
    name: Annotated[str, typer.Option(help="Name of the model.")] = "ngram",
    order: Annotated[int, typer.Option(help="Words of an n-gram.")] = 3,
    trust: Annotated[float, typer.Option(help="Weight of the texts before the query.")] = 0.5,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at; 0 for a free one.")] = 8000,
    encoding: Annotated[str, typer.Option(help="Encoding of the text.")] = "utf-8",
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A name under which it may be addressed, beside those of this machine; may be "
            "repeated; * for any.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Serve a built-in agent behind the chat interface of OpenAI."""
    from hayflick.network.agents.ngram import NGramAgent
    from hayflick.service.agent import serve

    agent = NGramAgent.from_text(name, corpus, encoding=encoding, order=order, trust=trust)
    serve([agent], host=host, port=port, allow_hosts=allow_host or ())


@network_app.command("mitigation", epilog=examples("hayflick network mitigation experiment.toml"))
def mitigation_command(
    experiment: Annotated[
        Path, typer.Argument(metavar="EXPERIMENT", help="A TOML file of built-in agents.")
    ],
    injections: Annotated[str, typer.Option(help="Real texts a round.")] = "0,3,9",
    topologies: Annotated[str, typer.Option(help="Separated by spaces.")] = "complete ring:1",
    models: Annotated[str, typer.Option(help="Among how many the text is split.")] = "4,8",
    irrelevant: Annotated[str, typer.Option(help="Shares of irrelevant texts.")] = "0,0.25",
    prompts: Annotated[
        str | None,
        typer.Option(
            help="one, varied or both. [default: both where the experiment states "
            "prompt_variations, else one]",
            show_default=False,
        ),
    ] = None,
    output_format: options.FormatOption = options.Format.TABLE,
    out: Annotated[
        Path | None,
        typer.Option(help="Page (.html) or picture (.svg, .png) to write.", show_default=False),
    ] = None,
    lang: options.LangOption = options.Lang.EN,
    force: options.ForceOption = False,
    yes: options.YesOption = False,
) -> None:
    """Say what keeps diversity, at what cost in real texts.

    Built-in agents, and mixtures.
    """
    from hayflick.core.grammar import number, whole
    from hayflick.network.mitigation import mitigation_network
    from hayflick.report.drawing import check_picture

    if out is not None:
        check_picture(out, inputs=[experiment], force=force)
    with progress_bar(yes=yes) as progress:
        study = mitigation_network(
            experiment,
            injections=[whole("injections", one) for one in options.split_columns(injections)],
            topologies=topologies.split(),
            models=[whole("models", one) for one in options.split_columns(models)],
            irrelevant=[number("irrelevant", one) for one in options.split_columns(irrelevant)],
            prompts=None if prompts is None else options.split_columns(prompts),
            progress=progress,
        )
    if out is not None:
        study.save(out, lang=lang.value, force=force)
    print_result(study, output_format, lang)
    say_written(out)


def _finish(
    work: Callable[[Progress], NetworkRun],
    folder: Path,
    output_format: options.Format,
    lang: options.Lang,
    *,
    yes: bool,
) -> int:
    """Do the work, print the run as far as it has come, and return the exit code."""
    from hayflick.core.errors import BudgetExhausted, EndpointError, ExecutorError
    from hayflick.network.interventions import ReviewPending
    from hayflick.network.run_results import report_network

    code = 0
    try:
        with progress_bar(yes=yes) as progress:
            run = work(progress)
    except (BudgetExhausted, EndpointError, ExecutorError, ReviewPending) as stop:
        if not folder.is_dir():
            # A process was lost before the run was begun.
            raise
        say(f"stopped: {stop}")
        say(f"go on with: hayflick network resume {folder}")
        run, code = report_network(folder), INCOMPLETE
    except KeyboardInterrupt:
        say(f"interrupted; go on with: hayflick network resume {folder}")
        say(f"the run is in {folder}")
        return INTERRUPTED
    print_result(run, output_format, lang)
    say(f"the run is in {folder}")
    return code


def _free_name(stem: str) -> Path:
    """Return the first name for a run that is not taken in the present folder."""
    folder, number = Path(stem), 1
    while folder.exists():
        number += 1
        folder = Path(f"{stem}-{number}")
    return folder
