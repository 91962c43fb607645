"""`hayflick serve`: the file of its settings, what its store begins with, and its processes.

One process runs on a SQLite file, several on PostgreSQL.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from multiprocessing.connection import wait
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from pydantic import ValidationError

from hayflick.core.checks import whole_number
from hayflick.core.documents import read_small_text
from hayflick.core.errors import ArgumentError, DataError, MissingExtraError
from hayflick.core.toml import read_toml
from hayflick.service.access import check_exposure
from hayflick.service.alerts import check_target
from hayflick.service.listening import address, allow_many_connections, listening
from hayflick.service.problems import first_fault
from hayflick.service.redaction import redaction
from hayflick.service.rule_files import rules_of_text
from hayflick.service.service import Clock, Service
from hayflick.service.settings import DeclaredTarget, Role, ServiceSettings
from hayflick.service.stream_settings import StreamSettings
from hayflick.service.streams import check_settings, put_stream
from hayflick.storage.accounts import (
    create_token,
    has_token,
    has_user,
    principal_of_token,
    project_named,
)
from hayflick.storage.database import Database
from hayflick.storage.rules import store_rules
from hayflick.storage.targets import put_target

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess


_LIBRARIES = ("apprise", "fastapi", "httpx", "prometheus_client", "python_multipart", "uvicorn")
_MOST_PROCESSES = 64
_SECONDS_TO_END = 10
_SECONDS_TO_KILL = 15.0
_SECONDS_BEFORE_ANEW = 1.0


def serve(
    place: str,
    settings: ServiceSettings,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    workers: int = 1,
    role: Role | None = None,
    announce: Callable[[str], None] = print,
) -> None:
    """Serve until the process is told to stop by SIGTERM or SIGINT.

    Parameters
    ----------
    place
        Path of a SQLite file, which is made if it is missing, or the URL of a PostgreSQL database.
    settings
        The settings.
    host, port
        Address to listen at; port 0 stands for a free one.
    workers
        Processes; more than one need PostgreSQL.
    role
        What they do: ``all``, ``ingest`` (answer requests) or ``rounds`` (close and measure
        rounds); None for what the settings say. Others than ``all`` need PostgreSQL.
    announce
        Called with lines for the operator: the first token, and the address.

    Raises
    ------
    ArgumentError
        If the address cannot be used, an argument is out of its range, or the service would be
        reached from other machines without an account.
    DataError, OutputError
        If the store, or a stream, rule file or target of the settings cannot be used.
    MissingExtraError
        If the extra ``server`` is not installed.
    """
    whole_number("workers", workers, at_least=1, at_most=_MOST_PROCESSES)
    if not all(find_spec(library) for library in _LIBRARIES):
        raise MissingExtraError("the service", extra="server")
    changes = {"host": host, "hosts": (*settings.hosts, host), "role": role or settings.role}
    settings = settings.model_copy(update=changes)
    with listening(host, port) as listener:
        url = address(listener)
        token, known = _prepare(place, settings, workers=workers)
        if token is not None:
            announce(f"admin token, shown only this once: {token}")
        if not known and settings.role != "rounds":
            announce(f"make the first user of the dashboard with an admin token: {url}/setup")
        announce(f"listening at {url}")
        if workers == 1:
            _run(place, settings, listener)
        else:
            _Processes(place, settings, listener, number=workers).run()


def _prepare(place: str, settings: ServiceSettings, *, workers: int) -> tuple[str | None, bool]:
    """Make the store ready; return the first token if it was made now, and whether users exist."""
    with Database(place, durable=True) as database:
        if database.dialect == "sqlite":
            _check_alone(workers=workers, role=settings.role)
        now = Clock().now()
        given = os.environ.get(TOKEN_VARIABLE)
        if given is not None:
            take_token(database, given, now=now)
        check_exposure(Service(database, settings), settings.host)
        declare(database, settings, now=now)
        token = make_first_token(database, now=now)
        with database.connect() as connection:
            return token, has_user(connection)


def _check_alone(*, workers: int, role: Role) -> None:
    """Refuse several processes, of which a file takes one."""
    for name, got, alone in (("workers", workers, 1), ("role", role, "all")):
        if got != alone:
            remedy = "give --database postgresql://HOST/NAME for several processes"
            takes = f"{alone} where the store is a file"
            raise ArgumentError(name, got=got, takes=takes, remedy=remedy)


def _run(place: str, settings: ServiceSettings, listener: socket.socket) -> None:
    """Serve in this process."""
    allow_many_connections()
    with Database(place, durable=True) as database:
        _server(Service(database, settings)).run(sockets=[listener])


def _server(service: Service) -> Any:
    import uvicorn

    from hayflick.service.app import create_app
    from hayflick.service.events import end_events
    from hayflick.service.guard import patient_protocol

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
            # Not raised again after the end, as uvicorn would: to be stopped is no failure.
            self.force_exit = self.should_exit and sig == signal.SIGINT
            self.should_exit = True
            # Otherwise the connections of those who listen would be waited for.
            end_events(service)

    config = uvicorn.Config(
        create_app(service),
        log_level="warning",
        access_log=False,
        http=patient_protocol(),
        server_header=False,
        timeout_graceful_shutdown=_SECONDS_TO_END,
    )
    return Server(config)


def _run_child(place: str, settings: ServiceSettings, listener: socket.socket) -> None:
    """Serve in a process of several, and end if the first one is killed."""
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, name="hayflick parent", daemon=True).start()
    _run(place, settings, listener)


class _Processes:
    """Processes that accept connections at one socket; one that dies is started anew."""

    def __init__(
        self, place: str, settings: ServiceSettings, listener: socket.socket, *, number: int
    ) -> None:
        self._arguments = (place, settings, listener)
        self._context = multiprocessing.get_context("spawn")
        self._ended = threading.Event()
        self._number = number

    def run(self) -> None:
        """Run them until this process is told to stop."""
        kinds = (signal.SIGTERM, signal.SIGINT)
        before = {kind: signal.signal(kind, self._end) for kind in kinds}
        running = [self._started() for _ in range(self._number)]
        try:
            while not self._ended.wait(_SECONDS_BEFORE_ANEW):
                running = [one if one.is_alive() else self._started() for one in running]
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.join(_SECONDS_TO_KILL)
                process.kill()
            for kind, handler in before.items():
                signal.signal(kind, handler)

    def _end(self, *_: object) -> None:
        self._ended.set()

    def _started(self) -> SpawnProcess:
        process = self._context.Process(target=_run_child, args=self._arguments)
        process.start()
        return process


PROJECT = "default"
"""The project of the first token, and of what the settings declare."""

TOKEN_VARIABLE = "HAYFLICK_ADMIN_TOKEN"
_SHORTEST_TOKEN = 20
_AUTHOR = "settings"


def take_token(database: Database, token: str, *, now: float) -> None:
    """Let a token that the operator chose be an administrator's.

    Parameters
    ----------
    database
        The store.
    token
        The token.
    now
        The time.

    Raises
    ------
    ArgumentError
        If it is too short, or was revoked.
    """
    if len(token) < _SHORTEST_TOKEN:
        takes = f"at least {_SHORTEST_TOKEN} letters that cannot be guessed"
        raise ArgumentError(TOKEN_VARIABLE, got=f"{len(token)} letters", takes=takes)
    with _alone(database) as connection:
        if principal_of_token(connection, token) is not None:
            return
        try:
            with connection.begin_nested():
                _make(connection, token, now=now)
        except sa.exc.IntegrityError:
            remedy = "choose another, or leave it out"
            raise ArgumentError(
                TOKEN_VARIABLE, got="a token that was revoked", takes="one in use", remedy=remedy
            ) from None


def make_first_token(database: Database, *, now: float) -> str | None:
    """Return an administrator's token for a store that never had any; None for another one."""
    with _alone(database) as connection:
        if has_token(connection, revoked=True):
            return None
        return _make(connection, None, now=now)


def _make(connection: sa.Connection, token: str | None, *, now: float) -> str:
    project = project_named(connection, PROJECT, now=now)
    name, scopes = "first admin", ("admin",)
    return create_token(connection, project, name=name, scopes=scopes, now=now, token=token)


def declare(database: Database, settings: ServiceSettings, *, now: float) -> None:
    """Make the rules, streams and targets that the settings declare, or bring them up to date.

    Nothing is deleted that they do not name.

    Parameters
    ----------
    database
        The store.
    settings
        The settings.
    now
        The time.

    Raises
    ------
    DataError
        If something cannot be made; the message names the table of the settings.
    """
    with _naming("defaults"):
        check_settings(settings.defaults, kind="answers")
    with _naming("redact"):
        redaction(settings.redact)
    with _alone(database) as connection:
        project = project_named(connection, PROJECT, now=now)
        for name, text in settings.rules.items():
            with _naming(f"rules.{name}"):
                rules_of_text(text, name=name)
                store_rules(connection, project, name, text, author=_AUTHOR, now=now)
        for name, stream in settings.streams.items():
            with _naming(f"streams.{name}"):
                given = stream.model_dump(exclude={"kind"})
                put_stream(
                    connection,
                    project,
                    name,
                    kind=stream.kind,
                    settings=StreamSettings.model_validate(given),
                    most=settings.limits.streams,
                    now=now,
                )
        for name, target in settings.targets.items():
            with _naming(f"targets.{name}"):
                _put_target(connection, project, name, target, now=now)


def _put_target(
    connection: sa.Connection, project: int, name: str, target: DeclaredTarget, *, now: float
) -> None:
    check_target(target.kind, target.url)
    put_target(
        connection, project, name, kind=target.kind, url=target.url, secret=target.secret, now=now
    )


@contextmanager
def _alone(database: Database) -> Iterator[sa.Connection]:
    """Yield a transaction: of several services that start at once, one is first."""
    with database.transaction() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("LOCK TABLE tokens IN SHARE ROW EXCLUSIVE MODE")
        yield connection


@contextmanager
def _naming(place: str) -> Iterator[None]:
    """Say where in the settings something is that cannot be used."""
    try:
        yield
    except (ArgumentError, DataError) as fault:
        raise DataError(f"settings, {place}: {fault}") from None


_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", re.ASCII)
_SECRET = ("url", "secret")


def read_settings(
    path: str | os.PathLike[str], *, environment: Mapping[str, str] = os.environ
) -> ServiceSettings:
    """Return the settings of a TOML file.

    Its tables and keys are those of `hayflick.service.settings.ServiceSettings`. In the ``url`` and
    ``secret`` of a target, ``$NAME`` and ``${NAME}`` are read from the environment, so that the
    file can be under version control. A rule file is named by its path, seen from the file's
    folder, or is written out.

    Parameters
    ----------
    path
        The file.
    environment
        Values by name.

    Raises
    ------
    DataError
        If the file cannot be used; the message names the file and the key.
    """
    place = Path(path)
    found = read_toml(place, what="a settings file")
    targets = found.get("targets")
    for name, target in targets.items() if isinstance(targets, dict) else ():
        for key in _SECRET:
            if isinstance(target, dict) and isinstance(target.get(key), str):
                where = f"{place}: targets.{name}.{key}"
                target[key] = _filled(target[key], environment, where=where)
    rules = found.get("rules")
    if isinstance(rules, dict):
        found["rules"] = {name: _rules(value, place.parent) for name, value in rules.items()}
    try:
        return ServiceSettings.model_validate(found)
    except ValidationError as fault:
        known = [*ServiceSettings.model_fields, *StreamSettings.model_fields]
        raise DataError(f"{place}: {first_fault(fault.errors(), known=known)}") from None


def _filled(text: str, environment: Mapping[str, str], *, where: str) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name not in environment:
            raise DataError(f"{where}: the environment has no variable {name}; set it")
        return environment[name]

    return _VARIABLE.sub(value, text)


def _rules(value: Any, folder: Path) -> Any:
    if not isinstance(value, str) or "\n" in value:
        return value
    return read_small_text(folder / value, what="a rules file")
