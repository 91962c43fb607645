"""Simulations on a Dask cluster, and clusters that cannot be used."""

import socket
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, ExecutorError
from hayflick.simulation.executors import completed, open_executor

distributed = pytest.importorskip("distributed", reason="the extra cluster is not installed")


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None, protocol="tcp"
    ) as cluster:
        yield cluster


def test_a_cluster_gives_the_numbers_of_threads(cluster):
    how = {"samples": 40, "generations": 5, "replicates": 96, "seed": 2}
    with open_executor(cluster.scheduler_address) as executor:
        there = hf.simulate("zipf:50", **how, executor=executor)
    assert there.drop_attrs().identical(hf.simulate("zipf:50", **how).drop_attrs())


class LargeWork:
    """Work with a megabyte a number, that counts how often it is sent."""

    sent = 0

    def __init__(self):
        self.numbers = np.ones((25, 1 << 17))

    def __call__(self, task):
        return task * self.numbers[0, 0]

    def __getstate__(self):
        LargeWork.sent += 1
        return vars(self)


def test_large_work_is_sent_once(cluster):
    with open_executor(cluster.scheduler_address) as executor:
        found = completed(executor, LargeWork(), range(20))
        assert sorted(found) == list(range(20))
    assert LargeWork.sent == 1


def kill(task):
    raise distributed.KilledWorker("task", SimpleNamespace(address="tcp://host:1"), 3)


def test_a_task_that_kills_workers_is_told(cluster):
    with (
        open_executor(cluster.scheduler_address) as executor,
        pytest.raises(ExecutorError, match="was killed, perhaps as the memory was full"),
    ):
        list(completed(executor, kill, [1]))


def test_an_error_of_a_task_is_that_of_the_user(cluster):
    with open_executor(cluster.scheduler_address) as executor, pytest.raises(ValueError, match="x"):
        list(completed(executor, int, ["x"]))


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr("hayflick.simulation.executors._CONNECT_S", 0.5)
    with (
        pytest.raises(ExecutorError, match=r"tcp://127.0.0.1:9: no scheduler answers; check"),
        open_executor("tcp://127.0.0.1:9"),
    ):
        pass


@pytest.mark.parametrize("answer", [None, b"HTTP/1.1 400 Bad Request\r\n\r\n" + bytes(99)])
def test_another_server_is_no_scheduler(answer, monkeypatch):
    monkeypatch.setattr("hayflick.simulation.executors._CONNECT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"

        def serve():
            connection, _ = server.accept()
            with connection:
                connection.recv(99)
                if answer:
                    connection.sendall(answer)
                else:
                    time.sleep(1)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(ExecutorError, match="no scheduler answers"), open_executor(address):
            pass
        thread.join()


def test_a_worker_is_no_scheduler(cluster):
    [worker] = cluster.workers.values()
    with pytest.raises(ExecutorError, match="no scheduler answers"), open_executor(worker.address):
        pass


def test_tls_without_certificates_says_where_they_are_named():
    with (
        pytest.raises(ExecutorError, match=r"no scheduler answers; .*distributed\.comm\.tls"),
        open_executor("tls://127.0.0.1:9"),
    ):
        pass


@pytest.mark.parametrize("package", ["hayflick", "numpy", "cloudpickle"])
def test_other_versions_are_refused_by_the_name_of_the_package(cluster, monkeypatch, package):
    found_by = distributed.Client.get_versions

    def changed(client, **how):
        found = found_by(client, **how)
        for worker in found["workers"].values():
            worker["packages"][package] = "0.0.1"
        return found

    monkeypatch.setattr(distributed.Client, "get_versions", changed)
    with (
        pytest.raises(ExecutorError, match=f"has {package} 0.0.1, this machine has .*; install"),
        open_executor(cluster.scheduler_address),
    ):
        pass


def test_a_cluster_without_workers_is_refused(cluster, monkeypatch):
    found = {"workers": {}, "scheduler": {}, "client": {}}
    monkeypatch.setattr(distributed.Client, "get_versions", lambda client, **how: found)
    with (
        pytest.raises(ExecutorError, match="has no worker; start some: dask worker"),
        open_executor(cluster.scheduler_address),
    ):
        pass


@pytest.mark.parametrize(
    ("scheduler", "workers"), [("dask", None), ("tcp://host", None), ("tcp://host:1", 2)]
)
def test_what_is_no_scheduler_is_refused(scheduler, workers):
    with pytest.raises(ArgumentError), open_executor(scheduler, workers=workers):
        pass
