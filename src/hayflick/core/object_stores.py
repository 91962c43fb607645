"""Objects of S3, Google Cloud Storage and Azure, by their URLs: listed, fetched, read and written.

The settings are those that the stores' own tools take from the environment. No message holds one of
them, nor what a store has answered beside its code: answers repeat keys and signatures.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from hayflick.core.errors import DataError, OutputError, StoreError
from hayflick.core.object_faults import is_no_bucket, missing_object, store_faults
from hayflick.core.progress import Progress, silent

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_URL = re.compile(r"(?i:(s3a?|gs|az|abfss?)):/{1,2}(?=[^/])")
"""A URL, or what is left of it as a path, in which two slashes are one."""
_WHOLE_URL = re.compile(r"(?i:s3a?|gs|az|abfss?)://")

FETCH = "fetch"
"""The stage of progress in which objects are fetched."""

_CHUNK_BYTES = 8 << 20
_RETRIES = 3
_LONGEST_NAME = 100


class StoredObject(NamedTuple):
    """An object of a store: its URL, its size in bytes and the tag of its content."""

    url: str
    size: int
    e_tag: str | None


@dataclass(frozen=True)
class ObjectVersion:
    """What tells whether an object was written since it was read."""

    e_tag: str | None
    version: str | None


ABSENT = ObjectVersion(None, None)
"""The version of an object that was not there."""


def is_url(source: object) -> TypeGuard[str]:
    """Return whether something is the URL of an object store.

    Examples
    --------
    >>> is_url("s3://bucket/answers/"), is_url("answers.jsonl"), is_url("https://example.org/a")
    (True, False, False)
    """
    return isinstance(source, str) and _WHOLE_URL.match(source) is not None


def was_url(path: str | os.PathLike[str]) -> str | None:
    """Return the URL that was given as a path; None if none was.

    Examples
    --------
    >>> was_url(Path("s3://bucket/answers.jsonl")), was_url("answers.jsonl")
    ('s3://bucket/answers.jsonl', None)
    """
    text = os.fsdecode(path)
    found = _URL.match(text)
    return None if found is None else f"{found[1]}://{text[found.end() :]}"


def object_place(url: str) -> tuple[str, str]:
    """Return the bucket that a URL names, with the scheme, and what stands behind it.

    Raises
    ------
    DataError
        If it holds credentials, or a name that is not read.

    Examples
    --------
    >>> object_place("s3://bucket/logs/a.jsonl")
    ('s3://bucket', 'logs/a.jsonl')
    """
    place = _Place.of(url)
    return place.root, place.key


def listed(url: str) -> list[StoredObject]:
    """Return an object, or those below a folder at any depth.

    Parameters
    ----------
    url
        An object, or a folder: everything whose name begins with it and a slash.

    Raises
    ------
    DataError
        If there is nothing, or no such bucket, or it may not be listed.
    StoreError
        If the store does not answer.
    MissingExtraError
        If the extra is not installed.
    """
    place = _Place.of(url)
    with store_faults(url):
        import obstore

        store = place.store()
        if place.key and not url.endswith("/"):
            # A folder is no object.
            with suppress(FileNotFoundError):
                found = obstore.head(store, place.key)
                return [StoredObject(url, found["size"], found["e_tag"])]
        below = f"{place.key}/" if place.key else ""
        objects = [
            StoredObject(f"{place.root}/{one['path']}", one["size"], one["e_tag"])
            for batch in obstore.list(store, place.key or None)
            for one in batch
            if one["path"].startswith(below) and not one["path"].endswith("/")
        ]
    if not objects:
        what = "there is no such object, nor is anything below it" if place.key else "holds nothing"
        raise DataError(f"{url}: {what}; check the name, and the rights to list the bucket")
    return objects


def read_object(url: str) -> tuple[bytes, ObjectVersion]:
    """Return the content of an object, and what tells whether it was written since.

    Raises
    ------
    DataError, StoreError, MissingExtraError
        As `listed`.
    """
    found = find_object(url)
    if found is None:
        raise missing_object(url)
    return found


def find_object(url: str) -> tuple[bytes, ObjectVersion] | None:
    """Return what `read_object` does; None if there is no such object.

    Raises
    ------
    DataError, StoreError, MissingExtraError
        As `listed`.
    """
    place = _Place.of(url)
    with store_faults(url):
        import obstore

        try:
            found = obstore.get(place.store(), place.named_key())
        except FileNotFoundError as fault:
            if is_no_bucket(fault):
                raise
            return None
        version = ObjectVersion(found.meta["e_tag"], found.meta["version"])
        return bytes(found.bytes()), version


def write_object(
    url: str, data: bytes, *, force: bool = False, version: ObjectVersion | None = None
) -> None:
    """Write an object, whole or not at all.

    Parameters
    ----------
    url
        The object.
    data
        Its content.
    force
        Whether an existing object is replaced, whoever has written it.
    version
        The only one that is replaced: what `read_object` returned, `ABSENT` if there was none.
        None for a new object.

    Raises
    ------
    OutputError
        If there is such an object, or another process has written it since it was read.
    DataError, StoreError, MissingExtraError
        As `listed`.
    """
    place = _Place.of(url)
    mode: Any = "overwrite" if force else "create"
    if version is not None and version != ABSENT:
        known = {"e_tag": version.e_tag, "version": version.version}
        mode = {name: value for name, value in known.items() if value is not None}
    with store_faults(url):
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        store, key = place.store(), place.named_key()
        refused: tuple[type[Exception], ...] = (AlreadyExistsError, PreconditionError)
        # What was to be replaced may be gone.
        if version not in (None, ABSENT):
            refused += (FileNotFoundError,)
        # What a refusal means is said below.
        with suppress(*refused):
            obstore.put(store, key, data, mode=mode, use_multipart=False)
            return
    # A reply that was lost is asked for again: then it was this process that has written.
    if _holds(url, data):
        return
    if version is None:
        raise _taken(url)
    raise OutputError(
        f"{url}: another process has written it since it was read, and nothing of this one is "
        "kept; run this again"
    )


def check_new_object(url: str, *, force: bool) -> None:
    """Refuse an object that cannot be written, before any work starts.

    Raises
    ------
    OutputError
        If there is one, and `force` is not given.
    DataError, StoreError, MissingExtraError
        As `listed`.
    """
    place = _Place.of(url)
    with store_faults(url):
        import obstore

        try:
            obstore.head(place.store(), place.named_key())
        except FileNotFoundError:
            return
    if not force:
        raise _taken(url)


def _taken(url: str) -> OutputError:
    remedy = "choose another name, or replace it with --force (in Python, force=True)"
    return OutputError(f"{url}: exists already; {remedy}")


def _holds(url: str, data: bytes) -> bool:
    try:
        return read_object(url)[0] == data
    except DataError:
        return False


@contextmanager
def fetched(one: StoredObject | str, *, progress: Progress = silent) -> Iterator[Path]:
    """Hold a copy of an object in a temporary file, whose name ends as the object's.

    Parameters
    ----------
    one
        The object; one that `listed` returned is refused if it was written since.
    progress
        Called with the number of bytes that have come.

    Raises
    ------
    OutputError
        If the copy cannot be written.
    DataError, StoreError, MissingExtraError
        As `listed`.
    """
    folder = Path(tempfile.mkdtemp(prefix="hayflick-"))
    try:
        url = one if isinstance(one, str) else one.url
        # The end of a long name is kept: it says what the file holds.
        name = os.fsencode(url.rpartition("/")[2])[-_LONGEST_NAME:].decode(errors="ignore")
        yield fetch(one, folder / (name or "object"), progress=progress)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fetch(one: StoredObject | str, path: Path, *, progress: Progress = silent) -> Path:
    """Copy an object into a new file, a few megabytes at a time, and return the path of the copy.

    Raises
    ------
    OutputError, DataError, StoreError, MissingExtraError
        As `fetched`.
    """
    url = one if isinstance(one, str) else one.url
    place = _Place.of(url)
    try:
        with path.open("xb") as copy, store_faults(url):
            from obstore.exceptions import PreconditionError

            try:
                for chunk in _chunks(place, one):
                    copy.write(chunk)
                    progress(FETCH, copy.tell(), max(copy.tell(), _size(one)))
            except PreconditionError:
                raise DataError(f"{url}: was written while it was read; run this again") from None
    except StoreError:
        raise
    except OSError as fault:
        remedy = "free some space, or name another folder with TMPDIR"
        raise OutputError(f"{path.parent}: {fault.strerror}; {remedy}") from None
    return path


def _size(one: StoredObject | str) -> int:
    return 0 if isinstance(one, str) else one.size


def _chunks(place: _Place, one: StoredObject | str) -> Iterator[bytes]:
    """Yield the content of an object by requests for parts of it, each of which is tried again."""
    import obstore

    store, key = place.store(), place.named_key()
    if isinstance(one, str):
        found = obstore.head(store, key)
        one = StoredObject(one, found["size"], found["e_tag"])
    for begin in range(0, one.size, _CHUNK_BYTES):
        options: Any = {"range": (begin, min(begin + _CHUNK_BYTES, one.size))}
        # A weak tag matches nothing.
        if one.e_tag is not None and not one.e_tag.startswith("W/"):
            # Azure lists tags without the quotes that it takes them with.
            options["if_match"] = '"' + one.e_tag.strip('"') + '"'
        yield bytes(obstore.get(store, key, options=options).bytes())


class _Place(NamedTuple):
    """What a URL names: the bucket with its scheme, and the key below it."""

    root: str
    key: str

    @classmethod
    def of(cls, url: str) -> _Place:
        scheme, _, rest = url.partition("://")
        bucket, _, key = rest.partition("/")
        account, at, host = bucket.rpartition("@")
        if at and (not scheme.lower().startswith("abfs") or ":" in account):
            takes = "give them in the environment, where no log keeps them"
            raise DataError(f"{scheme}://***@{host}/{key}: the URL holds credentials; {takes}")
        if not bucket:
            raise DataError(f"{url}: names no bucket; takes {scheme}://BUCKET/NAME")
        key = key.strip("/")
        if "//" in key or any(part in (".", "..") for part in key.split("/")):
            raise DataError(f"{url}: a name holds //, /./ or /../, which is not read; rename it")
        return cls(f"{scheme.lower()}://{bucket}", key)

    def named_key(self) -> str:
        """Return the key; a bucket alone is refused."""
        if not self.key:
            raise DataError(f"{self.root}: is a bucket, takes an object in it")
        return self.key

    def store(self) -> ObjectStore:
        """Return the bucket, with the settings of the environment."""
        if _USERS and os.getpid() not in _USERS:
            # The threads of the library stay behind: it would wait for them for ever.
            forked = "this process was forked from one that has read a store"
            remedy = "start processes anew, as open_executor('processes') does, by spawn"
            raise DataError(f"{self.root}: {forked}, and cannot go on; {remedy}")
        _USERS.add(os.getpid())
        named = tuple(sorted(pair for pair in os.environ.items() if pair[0].startswith(_SETTINGS)))
        return _store(self.root, named)


_USERS: set[int] = set()
"""The number of the process that reads stores; processes that are forked from it see it too."""

_SETTINGS = ("AWS_", "AZURE_", "GOOGLE_", "HOME")


_ADDRESS = re.compile(r"https?://[^/\s@?#]+(/[^\s@?#]*)?")


@lru_cache(maxsize=8)
def _store(root: str, settings: tuple[tuple[str, str], ...]) -> ObjectStore:
    """Return a bucket; the same one under the same settings, whose connections are used again."""
    from obstore.store import from_url

    for name, value in settings:
        if "ENDPOINT" in name and not _ADDRESS.fullmatch(value):
            takes = "an address without credentials, such as http://127.0.0.1:9000, or is unset"
            raise DataError(f"{root}: {name} is no address of a store; takes {takes}")
    how: dict[str, Any] = {
        # Ours are HTTP alone where the address of the store is.
        "client_options": {"allow_http": True, "connect_timeout": "5s", "timeout": "120s"},
        "retry_config": {"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=60)},
    }
    if root.startswith("s3"):
        provider = _profile(root, dict(settings))
        if provider is not None:
            how["credential_provider"] = provider
    return from_url(root, **how)


_AWS_IDENTITIES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_SKIP_SIGNATURE",
)


def _profile(root: str, settings: Mapping[str, str]) -> Any:
    """Return what reads a profile of AWS, by its own library; None where none is to be read."""
    if any(settings.get(name) for name in _AWS_IDENTITIES):
        return None
    profile = settings.get("AWS_PROFILE")
    files = ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE")
    kept = [Path(settings[name]) for name in files if settings.get(name)]
    kept += [Path.home() / ".aws" / name for name in ("credentials", "config")]
    if profile is None and not any(path.is_file() for path in kept):
        return None
    try:
        import boto3
        from botocore.exceptions import BotoCoreError
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        if profile is None:
            return None
        remedy = "pip install boto3, which reads profiles, or set AWS_ACCESS_KEY_ID in its place"
        raise DataError(f"{root}: AWS_PROFILE is set; {remedy}") from None
    try:
        return Boto3CredentialProvider(boto3.Session())
    except (BotoCoreError, ValueError):
        if profile is None:
            return None
        remedy = "name another, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in its place"
        raise DataError(
            f"{root}: the profile of AWS_PROFILE has no credentials; {remedy}"
        ) from None
