"""`hayflick serve`: one process on a SQLite file, or several on PostgreSQL."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable
from importlib.util import find_spec
from multiprocessing.connection import wait
from types import FrameType
from typing import TYPE_CHECKING, Any

from hayflick.core.checks import whole_number
from hayflick.core.errors import ArgumentError, MissingExtraError
from hayflick.service.access import check_exposure
from hayflick.service.clock import Clock
from hayflick.service.listening import address, allow_many_connections, listening
from hayflick.service.service import Service
from hayflick.service.settings import Role, ServiceSettings
from hayflick.service.startup import TOKEN_VARIABLE, declare, make_first_token, take_token
from hayflick.storage.accounts import has_user
from hayflick.storage.database import Database

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
