"""``hayflick network``: agents that answer from one shared pool, round by round."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from hayflick.cli.printing import (
    INCOMPLETE,
    INTERRUPTED,
    Format,
    Lang,
    print_json,
    print_tables,
    say,
    say_written,
    split_columns,
)
from hayflick.core.progress import Progress, progress_bar

network_app = typer.Typer(
    name="network",
    help="Run language models, or cheap stand-ins, over one shared pool of texts.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

_Format = Annotated[Format, typer.Option("--format", help="What standard output carries.")]
_Lang = Annotated[Lang, typer.Option(help="Language of the table.")]


@network_app.command("run")
def run_command(
    experiment: Annotated[Path, typer.Argument(metavar="EXPERIMENT", help="A TOML file.")],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN_DIR",
            help="Folder to make for the run. [default: the file's name, numbered if taken]",
            show_default=False,
        ),
    ] = None,
    output_format: _Format = Format.TABLE,
    lang: _Lang = Lang.EN,
) -> int:
    """Run an experiment. Exit code 3: it stopped before its end and can be resumed."""
    from hayflick.network.run import run_experiment

    folder = out or _free(experiment.stem)

    def work(progress: Progress) -> None:
        run_experiment(experiment, out=folder, say=say, progress=progress)

    return _finished(work, folder, output_format, lang)


@network_app.command("resume")
def resume_command(
    folder: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="Folder of the run.")],
    tokens: Annotated[
        int | None,
        typer.Option(help="Another budget in tokens, for the whole run.", show_default=False),
    ] = None,
    money: Annotated[
        float | None,
        typer.Option(help="Another budget in money, for the whole run.", show_default=False),
    ] = None,
    output_format: _Format = Format.TABLE,
    lang: _Lang = Lang.EN,
) -> int:
    """Go on with a run that was stopped, or killed. No answer is asked for again."""
    from hayflick.network.run import resume_experiment

    def work(progress: Progress) -> None:
        resume_experiment(folder, tokens=tokens, money=money, say=say, progress=progress)

    return _finished(work, folder, output_format, lang)


@network_app.command("estimate")
def estimate_command(
    experiment: Annotated[Path, typer.Argument(metavar="EXPERIMENT", help="A TOML file.")],
    output_format: _Format = Format.TABLE,
    lang: _Lang = Lang.EN,
) -> None:
    """Say how many answers, tokens and how much money a run takes. Nobody is asked."""
    from hayflick.network.estimate import estimate_network
    from hayflick.report.network_estimate import estimate_record, estimate_tables

    estimate = estimate_network(experiment)
    if output_format is Format.JSON:
        print_json(estimate_record(estimate))
    else:
        print_tables(estimate_tables(estimate, lang=lang.value))


@network_app.command("report")
def report_command(
    folder: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="Folder of the run.")],
    out: Annotated[Path, typer.Option(help="HTML page to write.")],
    lang: Annotated[Lang, typer.Option(help="Language of the page.")] = Lang.EN,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Write the page of a run, finished or not."""
    from hayflick.core.output import check_page, write_text
    from hayflick.network.run_results import read_run
    from hayflick.report.network_page import network_page

    check_page(out, force=force)
    write_text(out, network_page(read_run(folder), lang=lang.value), force=force)
    say_written(out)


@network_app.command("record")
def record_command(
    folder: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="Folder of the run.")],
    out: Annotated[Path, typer.Option(help="File of JSON lines to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Write the answers of a run, for agents of the kind replay and for watch."""
    from hayflick.core.output import write_text
    from hayflick.network.run_results import read_run

    lines = read_run(folder).records()
    write_text(out, "".join(f"{line}\n" for line in lines), force=force)
    say_written(out)


@network_app.command("serve-agent")
def serve_agent_command(
    corpus: Annotated[Path, typer.Argument(metavar="TEXT", help="A text file or folder.")],
    name: Annotated[str, typer.Option(help="Name of the model.")] = "ngram",
    order: Annotated[int, typer.Option(help="Words of an n-gram.")] = 3,
    trust: Annotated[float, typer.Option(help="Weight of the texts before the query.")] = 0.5,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at; 0 for a free one.")] = 8000,
    encoding: Annotated[str, typer.Option(help="Encoding of the text.")] = "utf-8",
) -> None:
    """Serve a built-in agent behind the chat interface of OpenAI."""
    from hayflick.network.agents.ngram import NGramAgent
    from hayflick.service.agent import serve

    agent = NGramAgent.from_text(name, corpus, encoding=encoding, order=order, trust=trust)
    serve([agent], host=host, port=port)


@network_app.command("mitigation")
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
    output_format: _Format = Format.TABLE,
    out: Annotated[
        Path | None,
        typer.Option(help="Page (.html) or picture (.svg, .png) to write.", show_default=False),
    ] = None,
    lang: Annotated[Lang, typer.Option(help="Language of the table and the page.")] = Lang.EN,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Say what keeps diversity, at what cost in real texts: built-in agents, and mixtures."""
    from hayflick.core.grammar import number, whole
    from hayflick.network.experiment import read_experiment
    from hayflick.network.mitigation import mitigation_study
    from hayflick.report.mitigation_page import check_mitigation_file, write_mitigation
    from hayflick.report.mitigation_table import mitigation_record, mitigation_tables

    check_mitigation_file(out, inputs=[experiment], force=force)
    with progress_bar() as progress:
        study = mitigation_study(
            read_experiment(experiment),
            folder=experiment.parent,
            injections=[whole("injections", one) for one in split_columns(injections)],
            topologies=topologies.split(),
            models=[whole("models", one) for one in split_columns(models)],
            irrelevant=[number("irrelevant", one) for one in split_columns(irrelevant)],
            prompts=None if prompts is None else split_columns(prompts),
            progress=progress,
        )
    if out is not None:
        write_mitigation(study, out, lang=lang.value, force=force)
    if output_format is Format.JSON:
        print_json(mitigation_record(study))
    else:
        print_tables(mitigation_tables(study, lang=lang.value))
    say_written(out)


def _finished(
    work: Callable[[Progress], None], folder: Path, output_format: Format, lang: Lang
) -> int:
    """Do the work, print the run, and return the exit code."""
    code = _worked(work, folder)
    if code != INTERRUPTED:
        _print(folder, output_format, lang)
    say(f"the run is in {folder}")
    return code


def _worked(work: Callable[[Progress], None], folder: Path) -> int:
    from hayflick.core.errors import BudgetExhausted, EndpointError
    from hayflick.network.interventions import ReviewPending

    try:
        with progress_bar() as progress:
            work(progress)
    except (BudgetExhausted, EndpointError, ReviewPending) as stop:
        say(f"stopped: {stop}")
        say(f"go on with: hayflick network resume {folder}")
        return INCOMPLETE
    except KeyboardInterrupt:
        say(f"interrupted; go on with: hayflick network resume {folder}")
        return INTERRUPTED
    return 0


def _print(folder: Path, output_format: Format, lang: Lang) -> None:
    from hayflick.network.run_results import read_run

    run = read_run(folder)
    if output_format is Format.JSON:
        print_json(run.record())
        return
    from hayflick.report.network_table import network_tables

    print_tables(network_tables(run, lang=lang.value))


def _free(stem: str) -> Path:
    """Return the first name for a run that is not taken in the present folder."""
    folder, number = Path(stem), 1
    while folder.exists():
        number += 1
        folder = Path(f"{stem}-{number}")
    return folder
