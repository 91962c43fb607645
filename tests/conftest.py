"""What several rooms' tests share."""

import gc
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from hayflick.chains.discrete import Discrete

# Messages end the same whether or not the site was built here.
os.environ["HAYFLICK_DOCS"] = ""
SHARED = Path(__file__).parents[2] / "shared" / "data"


def pytest_collection_finish():
    # Modules and tests are kept to the end: looking through them for garbage takes a tenth of it.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_works():
    # A job that a shell started in the background ignores it, and so would its tests.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def wikitext() -> Path:
    path = SHARED / "wikitext2-500k.txt"
    if not path.exists():
        pytest.skip(f"{path} is not here; tests/corpus has smaller ones for the same code")
    return path


@pytest.fixture(scope="session")
def cases() -> Path:
    path = SHARED.parent / "cases"
    if not path.exists():
        pytest.skip(f"{path} is not here; smaller tests make inputs of the same kinds")
    return path


@pytest.fixture
def words() -> Discrete:
    return Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.Generator(np.random.Philox(20261121))


@pytest.fixture
def served():
    """Return a function that serves an application on loopback until the test ends."""
    for library in ("fastapi", "uvicorn"):
        pytest.importorskip(library, reason=f"{library} is not installed: extra server")
    from hayflick.service.agent import server
    from hayflick.service.listening import address, listening

    running = []

    def start(app) -> str:
        listener, uvicorn_server = listening(), server(app)
        thread = threading.Thread(target=uvicorn_server.run, kwargs={"sockets": [listener]})
        thread.start()
        running.append((uvicorn_server, thread, listener))
        while not uvicorn_server.started:
            assert thread.is_alive()
            time.sleep(0.005)
        return address(listener)

    yield start
    for uvicorn_server, thread, listener in running:
        uvicorn_server.should_exit = True
        thread.join(timeout=30)
        assert not thread.is_alive()
        listener.close()


@pytest.fixture(scope="session")
def object_store():
    """Return a store that answers as S3 does, on loopback."""
    for library in ("moto", "obstore"):
        pytest.importorskip(library, reason=f"{library} is not installed: extra objects")
    from object_store import Server

    server = Server()
    yield server
    server.stop()


@pytest.fixture
def bucket(object_store, monkeypatch):
    """Return a bucket that is empty; the environment names its store."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in object_store.environment.items():
        monkeypatch.setenv(name, value)
    return object_store.bucket()
