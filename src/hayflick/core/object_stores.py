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
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from hayflick.core.errors import DataError, MissingExtraError, OutputError, StoreError
from hayflick.core.progress import Progress, silent

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_URL = re.compile(r"(?i:(s3a?|gs|az|abfss?)):/{1,2}(?=[^/])")
"""A URL, or what is left of it as a path, in which two slashes are one."""

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
    found = _URL.match(source) if isinstance(source, str) else None
    return found is not None and found[0].endswith("//")


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
    with _faults(url):
        import obstore

        store = place.store()
        if place.key and not url.endswith("/"):
            try:
                found = obstore.head(store, place.key)
                return [StoredObject(url, found["size"], found["e_tag"])]
            except FileNotFoundError:
                # A folder, which is no object.
                pass
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
        raise _missing(url, "")
    return found


def find_object(url: str) -> tuple[bytes, ObjectVersion] | None:
    """Return what `read_object` does; None if there is no such object.

    Raises
    ------
    DataError, StoreError, MissingExtraError
        As `listed`.
    """
    place = _Place.of(url)
    with _faults(url):
        import obstore

        try:
            found = obstore.get(place.store(), place.named_key())
        except FileNotFoundError as fault:
            if _NO_BUCKET.search(str(fault)):
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
    with _faults(url):
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        store, key = place.store(), place.named_key()
        try:
            obstore.put(store, key, data, mode=mode, use_multipart=False)
            return
        except (AlreadyExistsError, PreconditionError):
            pass
        except FileNotFoundError:
            if version in (None, ABSENT):
                raise
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
    with _faults(url):
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
        with path.open("xb") as copy, _faults(url):
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
        if one.e_tag is not None:
            options["if_match"] = one.e_tag
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
        named = tuple(sorted(pair for pair in os.environ.items() if pair[0].startswith(_SETTINGS)))
        return _store(self.root, named)


_SETTINGS = ("AWS_", "AZURE_", "GOOGLE_", "HOME")


@lru_cache(maxsize=8)
def _store(root: str, settings: tuple[tuple[str, str], ...]) -> ObjectStore:
    """Return a bucket; the same one under the same settings, whose connections are used again."""
    from obstore.store import from_url

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
        # No such profile, or one without keys.
        raise _without_credentials(root) from None


_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE with boto3 installed",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_SERVICE_ACCOUNT, the path of a key file",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
}
_ADDRESSES = {"s3": "AWS_REGION and AWS_ENDPOINT_URL", "gs": "", "az": "AZURE_STORAGE_ACCOUNT_NAME"}
_NO_CREDENTIALS = re.compile(
    r"169\.254\.|metadata\.google|/oauth2/|computeMetadata|MissingAccessKey|MissingSecretAccessKey"
    r"|security-credentials|session\.get_credentials|service account|token request|credential",
    re.IGNORECASE,
)
_NO_BUCKET = re.compile(r"NoSuchBucket|ContainerNotFound|specified bucket does not exist")
_OTHER_REGION = re.compile(r"PermanentRedirect|AuthorizationHeaderMalformed|without LOCATION")
_REFUSED = re.compile(
    r"InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|AccessDenied"
    r"|AuthenticationFailed|AuthorizationFailure|RequestTimeTooSkewed"
)
_STATUS = re.compile(r"status code: (\d{3})")


def _without_credentials(url: str) -> DataError:
    names = _CREDENTIALS[_kind(url)]
    return DataError(f"{url}: no credentials were found, or they cannot be read; set {names}")


def _kind(url: str) -> str:
    scheme = url.partition(":")[0].lower()
    return "s3" if scheme.startswith("s3") else "gs" if scheme == "gs" else "az"


@contextmanager
def _faults(url: str) -> Iterator[None]:
    """Turn the errors of the library into errors of hayflick, which repeat nothing of its texts."""
    try:
        from obstore.exceptions import BaseError
    except ImportError:
        raise MissingExtraError("an object store", extra="objects") from None
    try:
        yield
    except StoreError:
        raise
    except FileNotFoundError as fault:
        raise _missing(url, str(fault)) from None
    except BaseError as fault:
        raise _error(url, fault) from None
    except ValueError as fault:
        if isinstance(fault, UnicodeError):
            raise DataError(f"{url!a}: is no name of an object") from None
        raise DataError(f"{url}: is no name of an object; check it") from None


def _missing(url: str, text: str) -> DataError:
    if _NO_BUCKET.search(text):
        return _no_bucket(url)
    return DataError(f"{url}: there is no such object; check the name")


def _no_bucket(url: str) -> DataError:
    names = _ADDRESSES[_kind(url)]
    check = f"check its name, {names}" if names else "check its name"
    return DataError(f"{url}: there is no such bucket; {check}")


def _error(url: str, fault: Exception) -> DataError | StoreError:
    """Return an error that says what is missing."""
    text, name = str(fault), type(fault).__name__
    # What is said of the request comes before the answer, in which anything may stand.
    said = text.partition("Debug source")[0]
    status, refused = _STATUS.search(said), _REFUSED.search(said)
    if "Account must be specified" in said:
        form = "abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/NAME"
        return DataError(f"{url}: names no account; set AZURE_STORAGE_ACCOUNT_NAME, or give {form}")
    if _NO_BUCKET.search(said):
        return _no_bucket(url)
    if _OTHER_REGION.search(said):
        return DataError(f"{url}: the bucket is in another region; set AWS_REGION")
    denied = status is not None and status[1] in ("401", "403")
    if refused is None and _NO_CREDENTIALS.search(said.partition("<?xml")[0]):
        return _without_credentials(url)
    if refused or denied or name in ("PermissionDeniedError", "UnauthenticatedError"):
        code = f" ({refused[0]})" if refused else ""
        check = "check the credentials in the environment, and what they may do in the bucket"
        return DataError(f"{url}: access is denied{code}; {check}")
    if status is not None and status[1] == "501":
        takes = "does not take writes on a condition, which keep what another process has written"
        return DataError(f"{url}: the store {takes}; use another store, or a file")
    if status is not None and status[1].startswith("4") and status[1] not in ("408", "429"):
        return DataError(f"{url}: the store refuses the request (status {status[1]})")
    where = re.search(r"https?://(?:[^\s/?@]*@)?([^\s/?]+)", said)
    at = f" at {where[1]}" if where else ""
    answer = f" (status {status[1]})" if status else ""
    check = "check the network" + (" and AWS_ENDPOINT_URL" if _kind(url) == "s3" else "")
    return StoreError(f"{url}: the store does not answer{at}{answer}; {check}, then run this again")
