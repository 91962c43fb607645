"""A service over a store of its own, on SQLite and where it is installed on PostgreSQL."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from hayflick.service.service import Clock, Service
from hayflick.service.settings import ServiceSettings
from hayflick.storage.accounts import create_session, create_token, create_user, project_named
from hayflick.storage.database import Database

BEGIN = 1_790_000_000.0
"""The time at which a service of a test begins."""


class SetClock:
    """A machine's clock that a test sets."""

    def __init__(self, now: float = BEGIN) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def go_on(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server that runs for these tests."""
    pgserver = pytest.importorskip("pgserver", reason="pgserver is not installed")
    # Paths of sockets are short.
    folder = tempfile.mkdtemp(prefix="hf")
    server = pgserver.get_server(folder)
    # No test cuts the power; to wait for the disk takes most of the time of a new database.
    server.psql("ALTER SYSTEM SET fsync = off;")
    server.psql("SELECT pg_reload_conf();")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    """A new store: the path of a SQLite file, or the URL of a database."""
    if request.param == "sqlite":
        return str(tmp_path / "service.db")
    url = sa.make_url(request.getfixturevalue("postgres"))
    name = f"t{uuid.uuid4().hex}"
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return url.set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def database(place: str) -> Iterator[Database]:
    """A new store, on each engine."""
    with Database(place, durable=True) as database:
        yield database


@pytest.fixture
def machine_clock() -> SetClock:
    """The clock of the machine that the service runs on."""
    return SetClock()


@pytest.fixture
def settings() -> ServiceSettings:
    """The settings of the service; a test file may have others."""
    return ServiceSettings()


@pytest.fixture
def service(database: Database, settings: ServiceSettings, machine_clock: SetClock) -> Service:
    """A service that is not started."""
    return Service(database, settings, clock=Clock(machine_clock))


@pytest.fixture
def client(service: Service) -> Iterator[Any]:
    """A client of the service's application, which runs as long as the test does."""
    from fastapi.testclient import TestClient

    from hayflick.service.app import create_app

    with TestClient(create_app(service), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def token(service: Service) -> Callable[..., dict[str, str]]:
    """Make headers with a new token of some scopes, in the project ``default``."""

    def headers(*scopes: str, project: str = "default") -> dict[str, str]:
        now = service.clock.now()
        with service.database.transaction() as connection:
            number = project_named(connection, project, now=now)
            made = create_token(connection, number, name="test", scopes=scopes, now=now)
        return {"Authorization": f"Bearer {made}"}

    return headers


@pytest.fixture
def sign_in(service: Service, client: Any) -> Callable[..., str]:
    """Sign the client in as a new user with some scopes; returns what forms must hold."""

    def signed_in(*scopes: str, name: str = "ann") -> str:
        now = service.clock.now()
        with service.database.transaction() as connection:
            project = project_named(connection, "default", now=now)
            # No test types a password.
            user = create_user(connection, project, name=name, hashed="-", scopes=scopes, now=now)
            cookie, csrf = create_session(connection, user, now=now)
        client.cookies.set("hayflick_session", cookie)
        return csrf

    return signed_in
