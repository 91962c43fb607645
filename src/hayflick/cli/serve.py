"""``hayflick serve``: the monitor as a service."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Role(StrEnum):
    """What a process of the service does."""

    ALL = "all"
    INGEST = "ingest"
    ROUNDS = "rounds"


def serve_command(
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A TOML file of settings, streams, rules and alert targets.",
            show_default=False,
        ),
    ] = None,
    database: Annotated[
        str,
        typer.Option(
            metavar="PLACE",
            help="The store: a SQLite file, or a URL such as postgresql://HOST/NAME.",
            envvar="HAYFLICK_DATABASE",
        ),
    ] = "hayflick.db",
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at; 0 for a free one.")] = 8080,
    workers: Annotated[int, typer.Option(help="Processes; more than one need PostgreSQL.")] = 1,
    role: Annotated[
        Role | None,
        typer.Option(
            help="ingest answers requests, rounds closes and measures rounds and sends alerts, all "
            "does both; others than all need PostgreSQL. [default: all]",
            show_default=False,
        ),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen beyond this machine also without an account.")
    ] = False,
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
    """Watch streams of answers as a service, with a dashboard.

    Answers come in over HTTP.

    The first start prints a token for the administrator, once.
    """
    from hayflick.service.serve import read_settings, serve
    from hayflick.service.settings import ServiceSettings

    settings = ServiceSettings() if config is None else read_settings(config)
    hosts = (*settings.hosts, *(allow_host or ()))
    insecure = insecure or settings.insecure
    settings = settings.model_copy(update={"hosts": hosts, "insecure": insecure})
    serve(
        database,
        settings,
        host=host,
        port=port,
        workers=workers,
        role=None if role is None else role.value,
        announce=_say,
    )


def _say(line: str) -> None:
    print(line, flush=True)
