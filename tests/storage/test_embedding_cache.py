import hashlib
import signal
import subprocess
import sys

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

import hayflick as hf
from hayflick.storage.embedding_cache import upsert

KEYS = [hashlib.sha256(b"text %d" % number).digest() for number in range(2500)]


@pytest.fixture
def database(tmp_path):
    with hf.Database(tmp_path / "kept.db") as database:
        yield database


@pytest.fixture
def cache(database):
    return hf.EmbeddingCache(database, embedder="an embedder")


@pytest.fixture
def vectors(rng):
    return dict(zip(KEYS, rng.standard_normal((len(KEYS), 4)).astype(np.float32), strict=True))


def assert_same(found, expected):
    assert set(found) == set(expected)
    for key, vector in expected.items():
        assert found[key].dtype == np.float32
        assert np.array_equal(found[key], vector)


def test_vectors_come_back_bit_for_bit(cache, vectors):
    assert cache.get_many(KEYS) == {}
    cache.put_many(vectors)
    assert_same(cache.get_many(KEYS), vectors)
    assert_same(cache.get_many([KEYS[3], b"unknown"]), {KEYS[3]: vectors[KEYS[3]]})
    assert cache.get_many([]) == {}


def test_they_outlive_the_process_and_are_those_of_one_embedder(tmp_path, vectors):
    path = tmp_path / "kept.db"
    with hf.Database(path) as database:
        hf.EmbeddingCache(database, embedder="an embedder").put_many(vectors)
    with hf.Database(path) as database:
        assert_same(hf.EmbeddingCache(database, embedder="an embedder").get_many(KEYS), vectors)
        assert hf.EmbeddingCache(database, embedder="another").get_many(KEYS) == {}


def test_a_second_write_replaces_the_first(cache):
    for number in (1.0, 2.0):
        cache.put_many({KEYS[0]: np.full(3, number, np.float32)})
    assert cache.get_many(KEYS[:1])[KEYS[0]].tolist() == [2.0, 2.0, 2.0]


def test_a_vector_with_nan_is_not_kept(cache):
    cache.put_many({KEYS[0]: np.array([1.0, np.nan], np.float32)})
    cache.put_many({})
    assert cache.get_many(KEYS) == {}


@pytest.mark.parametrize(
    "damage",
    ["vector = x'00'", "vector = zeroblob(16)", "dimensions = 5", "checksum = 1", "vector = 7"],
)
def test_a_damaged_row_is_a_miss_and_is_mended(cache, database, vectors, damage):
    some = dict(list(vectors.items())[:2])
    cache.put_many(some)
    with database.transaction() as connection:
        query = text(f"UPDATE embeddings SET {damage} WHERE text_hash = :key")
        connection.execute(query, {"key": KEYS[0]})
    assert_same(cache.get_many(KEYS), {KEYS[1]: some[KEYS[1]]})
    cache.put_many(some)
    assert_same(cache.get_many(KEYS), some)


def test_a_write_that_fails_keeps_nothing(cache, vectors):
    with pytest.raises(AttributeError):
        cache.put_many({**vectors, KEYS[0]: np.ones(4, np.float32), b"bad": 1.0})
    assert cache.get_many(KEYS) == {}


def test_a_server_is_told_the_same():
    statement = str(upsert("postgresql").compile(dialect=postgresql.dialect()))
    assert "ON CONFLICT (embedder, text_hash) DO UPDATE SET dimensions = excluded.dim" in statement


WRITER = """
import sys
import numpy as np
import hayflick as hf
path, worker = sys.argv[1], int(sys.argv[2])
cache = hf.EmbeddingCache(hf.Database(path), embedder="shared")
for round in range(25):
    keys = [b"both %d" % (20 * round + k) for k in range(20)]
    keys += [b"%d of %d" % (20 * round + k, worker) for k in range(20)]
    cache.get_many(keys)
    cache.put_many({key: np.full(8, len(key), np.float32) for key in keys})
    print(round, flush=True)
"""


def run_writer(path, worker):
    arguments = [sys.executable, "-c", WRITER, str(path), str(worker)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def test_several_processes_write_at_once(tmp_path):
    path = tmp_path / "kept.db"
    workers = [run_writer(path, worker) for worker in range(3)]
    for worker in workers:
        worker.communicate()
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    keys = [b"both %d" % number for number in range(500)]
    keys += [b"%d of %d" % (number, worker) for worker in range(3) for number in range(500)]
    with hf.Database(path) as database:
        found = hf.EmbeddingCache(database, embedder="shared").get_many(keys)
    assert_same(found, {key: np.full(8, len(key), np.float32) for key in keys})


def test_a_killed_process_loses_one_batch_at_most(tmp_path):
    path = tmp_path / "kept.db"
    worker = run_writer(path, 0)
    for _ in range(5):
        last = int(worker.stdout.readline())
    worker.send_signal(signal.SIGKILL)
    worker.communicate()
    keys = [b"both %d" % number for number in range(20 * (last + 1))]
    with hf.Database(path) as database:
        assert len(hf.EmbeddingCache(database, embedder="shared").get_many(keys)) == len(keys)
