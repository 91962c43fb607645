"""Object stores: what is listed, fetched and written, and what is said where that fails."""

import builtins
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hayflick.cli.main import main
from hayflick.core.errors import DataError, MissingExtraError, OutputError, StoreError
from hayflick.core.object_stores import (
    ABSENT,
    StoredObject,
    fetched,
    find_object,
    is_url,
    listed,
    read_object,
    was_url,
    write_object,
)

KEY, SECRET = "AKIAQUITEPUBLIC00", "wJalrXUtnFEMIsecretEXAMPLEKEY"
SETTINGS = ("AWS_", "GOOGLE_", "AZURE_")


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """Leave no setting of a store in the environment, and keep retries short."""
    import os

    pytest.importorskip("obstore", reason="obstore is not installed: extra objects")
    for name in [name for name in os.environ if name.startswith(SETTINGS)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("hayflick.core.object_stores._RETRIES", 1)
    return monkeypatch.setenv


@pytest.fixture
def answers(environment):
    """Return the answer that a store gives to every request, to be changed; and the requests."""
    answer, asked = [403, b""], []

    class Store(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            status, body = answer
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_PUT = do_GET  # noqa: N815

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    environment("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    environment("AWS_REGION", "us-east-1")
    environment("AWS_ACCESS_KEY_ID", KEY)
    environment("AWS_SECRET_ACCESS_KEY", SECRET)
    yield answer, asked
    server.shutdown()
    thread.join()
    server.server_close()


# Names.


def test_urls_are_told_from_paths():
    for url in ("s3://b/a", "S3://b", "s3a://b/a", "gs://b/*", "az://c/a", "abfss://c@a.net/x"):
        assert is_url(url)
        assert was_url(url) is not None
    for path in (
        "a.csv",
        "s3/a",
        "s3:a",
        "/s3://a",
        "https://b/a",
        b"s3://b/a",
        None,
        "postgresql://",
    ):
        assert not is_url(path)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"s3://{KEY}:{SECRET}@bucket/a.csv", "the URL holds credentials; give them in the env"),
        ("s3://", "names no bucket"),
        ("s3:///a.csv", "names no bucket"),
        ("s3://b/a/../c", "which is not read"),
        ("s3://b/a\ud800", "is no name of an object"),
        ("az://container/a.csv", "names no account; set AZURE_STORAGE_ACCOUNT_NAME"),
    ],
)
def test_bad_names_are_refused(environment, url, message):
    environment("AWS_ACCESS_KEY_ID", KEY)
    environment("AWS_SECRET_ACCESS_KEY", SECRET)
    environment("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(DataError, match=message) as refused:
        listed(url)
    assert SECRET not in str(refused.value)


# Objects.


def test_objects_are_written_on_a_condition(bucket):
    url = f"{bucket.url}/a/state"
    assert find_object(url) is None
    write_object(url, b"one", version=ABSENT)
    data, version = read_object(url)
    assert data == b"one"
    write_object(url, b"two", version=version)
    # Nobody notices that the same is written twice: a reply that was lost is asked for again.
    write_object(url, b"two", version=version)
    for known in (version, ABSENT):
        with pytest.raises(OutputError, match="another process has written it since it was read"):
            write_object(url, b"three", version=known)
    with pytest.raises(OutputError, match="exists already"):
        write_object(url, b"three")
    assert read_object(url)[0] == b"two"
    write_object(url, b"three", force=True)
    assert read_object(url)[0] == b"three"
    with pytest.raises(DataError, match="there is no such object"):
        read_object(f"{bucket.url}/a/b")
    with pytest.raises(DataError, match="is a bucket, takes an object in it"):
        read_object(bucket.url)
    with pytest.raises(DataError, match="there is no such bucket"):
        write_object("s3://no-such-bucket-here/a", b"")


def test_large_objects_are_fetched_in_parts(bucket, monkeypatch):
    monkeypatch.setattr("hayflick.core.object_stores._CHUNK_BYTES", 1000)
    data = bytes(range(256)) * 20
    url = bucket.put("a b/é#?.csv", data)
    told = []
    (one,) = listed(url)
    assert one == StoredObject(url, len(data), one.e_tag)
    with fetched(one, progress=lambda *done: told.append(done)) as path:
        assert path.read_bytes() == data
        assert path.name == "é#?.csv"
    assert told[0] == ("fetch", 1000, 5120)
    assert told[-1] == ("fetch", 5120, 5120)
    with fetched(url) as path:
        assert path.read_bytes() == data
    assert not path.exists()
    with fetched(bucket.put(f"{'x' * 300}.jsonl.gz", b"")) as path:
        assert path.read_bytes() == b""
        assert path.name.endswith("x.jsonl.gz")


@pytest.mark.parametrize("root", ["gs://bucket", "az://container"])
def test_other_stores_than_s3_do_the_same(environment, tmp_path, root):
    from plain_store import plain_store

    key = tmp_path / "key.json"
    environment("GOOGLE_SERVICE_ACCOUNT", str(key))
    environment("AZURE_STORAGE_ACCOUNT_NAME", "account")
    environment("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0")
    with plain_store() as address:
        plain = {"client_email": "", "private_key": "", "private_key_id": ""}
        key.write_text(json.dumps({"gcs_base_url": address, "disable_oauth": True, **plain}))
        environment("AZURE_STORAGE_ENDPOINT", address)
        url = f"{root}/states/watch.state"
        write_object(url, b"one", version=ABSENT)
        _, version = read_object(url)
        write_object(url, b"two", version=version)
        for known in (version, ABSENT):
            with pytest.raises(OutputError, match="another process has written it since"):
                write_object(url, b"three", version=known)
        with pytest.raises(OutputError, match="exists already"):
            write_object(url, b"three")
        write_object(url, b"three", force=True)
        (one,) = listed(f"{root}/states/")
        assert (one.url, one.size) == (url, 5)
        with fetched(one) as path:
            assert path.read_bytes() == b"three"
        write_object(url, b"four!", force=True)
        with pytest.raises(DataError, match="was written while it was read"), fetched(one):
            pass
        assert find_object(f"{root}/none") is None


# What fails.


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (403, "AccessDenied", r"access is denied \(AccessDenied\)"),
        (403, "InvalidAccessKeyId", r"access is denied \(InvalidAccessKeyId\)"),
        (403, "SignatureDoesNotMatch", r"access is denied \(SignatureDoesNotMatch\)"),
        (400, "ExpiredToken", r"access is denied \(ExpiredToken\)"),
        (401, "Whatever", r"access is denied; check the credentials"),
        (404, "NoSuchBucket", "there is no such bucket; check its name, AWS_REGION and AWS_ENDP"),
        (301, "PermanentRedirect", "the bucket is in another region; set AWS_REGION"),
        (400, "InvalidRequest", r"the store refuses the request \(status 400\)"),
        (501, "NotImplemented", r"the store refuses the request \(status 501\)"),
        (503, "SlowDown", r"the store does not answer at 127\.0\.0\.1:\d+ \(status 503\)"),
    ],
)
def test_what_a_store_answers_is_said_without_secrets(
    answers, monkeypatch, capsys, status, code, message
):
    answer, asked = answers
    more = f"<AWSAccessKeyId>{KEY}</AWSAccessKeyId><StringToSign>{SECRET}</StringToSign>"
    answer[:] = status, f"<Error><Code>{code}</Code>{more}</Error>".encode()
    monkeypatch.setenv("HAYFLICK_TRACEBACK", "1")
    kind = StoreError if status == 503 else DataError
    # In the name of an object anything may stand.
    url = "s3://bucket/credentials/NoSuchKey/AccessDeniedNot/"
    with pytest.raises(kind, match=message) as told:
        listed(url)
    assert told.value.__suppress_context__
    assert main(["watch", url, "--by", "a", "--text", "b"]) == (3 if status == 503 else 2)
    said = capsys.readouterr().err
    assert str(told.value) in said
    assert said.count("\n") == 1
    assert KEY not in said
    assert SECRET not in said
    assert len(asked) == (4 if status in (501, 503) else 2)


def test_a_store_that_takes_no_conditions_is_told(answers):
    answers[0][:] = 501, b"<Error><Code>NotImplemented</Code></Error>"
    with pytest.raises(DataError, match="does not take writes on a condition"):
        write_object("s3://bucket/a", b"", version=ABSENT)


def test_a_store_that_does_not_answer_is_told(environment, capsys):
    environment("AWS_ACCESS_KEY_ID", KEY)
    environment("AWS_SECRET_ACCESS_KEY", SECRET)
    environment("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(OSError, match=r"the store does not answer at 127\.0\.0\.1:9; check"):
        listed("s3://bucket/a/")
    assert main(["gate", "--state", "s3://bucket/a"]) == 3
    assert SECRET not in capsys.readouterr().err
    for address in ("", "nonsense", "127.0.0.1:9", f"http://{KEY}:{SECRET}@127.0.0.1:9"):
        environment("AWS_ENDPOINT_URL", address)
        with pytest.raises(DataError, match="AWS_ENDPOINT_URL is no address of a store") as told:
            listed("s3://bucket/a/")
        assert SECRET not in str(told.value)


@pytest.mark.parametrize(
    ("url", "settings", "message"),
    [
        ("s3://b/a", {"AWS_ACCESS_KEY_ID": KEY}, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS"),
        ("s3://b/a", {"AWS_PROFILE": "none"}, "the profile of AWS_PROFILE has no credentials"),
        ("gs://b/a", {"GOOGLE_SERVICE_ACCOUNT": "/no/key"}, "set GOOGLE_APPLICATION_CREDENTIALS"),
        ("az://c/a", {"AZURE_STORAGE_ACCOUNT_KEY": SECRET}, "set AZURE_STORAGE_ACCOUNT_NAME and"),
    ],
)
def test_credentials_that_are_missing_are_named(environment, url, settings, message):
    environment("AZURE_STORAGE_ACCOUNT_NAME", "account")
    for name, value in settings.items():
        environment(name, value)
    with pytest.raises(DataError, match=message) as told:
        listed(url)
    assert SECRET not in str(told.value)


def test_a_process_that_was_forked_is_refused(bucket, monkeypatch):
    url = bucket.put("a.csv", "x")
    assert read_object(url)[0] == b"x"
    monkeypatch.setattr("hayflick.core.object_stores.os.getpid", lambda: -1)
    with pytest.raises(DataError, match=r"was forked from one that has read a store.* by spawn"):
        read_object(url)


def test_a_profile_is_read_by_its_own_library(bucket, monkeypatch, tmp_path):
    pytest.importorskip("boto3")
    url = bucket.put("a.csv", "x")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.delenv(name)
    keys = f"[work]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"
    (tmp_path / "credentials").write_text(keys)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert read_object(url)[0] == b"x"


def test_the_extra_is_named(monkeypatch, capsys):
    found = builtins.__import__

    def missing(name, *given, **named):
        if name.startswith("obstore"):
            raise ImportError(name)
        return found(name, *given, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingExtraError, match=r'pip install "hayflick\[objects\]"'):
        listed("s3://bucket/a/")
    assert main(["watch", "s3://bucket/a/", "--by", "a", "--text", "b"]) == 2
