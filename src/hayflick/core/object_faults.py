"""What the errors of object stores mean, in words that hold no secret.

No message repeats what a store has answered beside its code: answers hold keys and signatures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from hayflick.core.errors import DataError, HayflickError, MissingExtraError, StoreError

_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE with boto3 installed",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_SERVICE_ACCOUNT, the path of a key file",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
}
_ADDRESSES = {"s3": "AWS_REGION and AWS_ENDPOINT_URL", "gs": "", "az": "AZURE_STORAGE_ACCOUNT_NAME"}
_NO_CREDENTIALS = re.compile(
    r"Missing ?\w*(?:Key|Secret|Token|Credential)"
    r"|//169\.254\.|//metadata\.google|//oauth2\.|//login\.microsoft|//sts\."
    r"|service account|token request|credential",
    re.IGNORECASE,
)
_NO_BUCKET = re.compile(r"NoSuchBucket|ContainerNotFound|specified bucket does not exist")
_OTHER_REGION = re.compile(r"PermanentRedirect|AuthorizationHeaderMalformed|without LOCATION")
_REFUSED = re.compile(
    r"InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|AccessDenied"
    r"|AuthenticationFailed|AuthorizationFailure|RequestTimeTooSkewed"
)
_LASTING_STATUSES = {*map(str, range(300, 500)), "501", "505"} - {"408", "425", "429"}
_REQUEST = re.compile(r"(https?://)(?:[^\s/?@]*@)?([^\s/?]+)\S*")
_STATUS = re.compile(r"status code: (\d{3})")


class AccessError(DataError):
    """An object store that does not let this process in."""


def without_credentials(url: str) -> AccessError:
    """Return the error of a store that needs credentials, with what to set."""
    names = _CREDENTIALS[_kind(url)]
    return AccessError(f"{url}: no credentials were found, or they cannot be read; set {names}")


def _kind(url: str) -> str:
    scheme = url.partition(":")[0].lower()
    return "s3" if scheme.startswith("s3") else "gs" if scheme == "gs" else "az"


@contextmanager
def store_faults(url: str) -> Iterator[None]:
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
        raise (_no_bucket(url) if is_no_bucket(fault) else missing_object(url)) from None
    except BaseError as fault:
        raise _error(url, fault) from None
    except BaseException as fault:
        if type(fault).__name__ == "PanicException":
            remedy = "check the settings of the store in the environment"
            raise DataError(f"{url}: the store cannot be used; {remedy}") from None
        if not isinstance(fault, ValueError) or isinstance(fault, HayflickError):
            raise
        if isinstance(fault, UnicodeError):
            raise DataError(f"{url!a}: is no name of an object") from None
        raise DataError(f"{url}: is no name of an object; check it") from None


def is_no_bucket(fault: Exception) -> bool:
    """Return whether it is the bucket that is missing, not an object in it."""
    return _NO_BUCKET.search(str(fault)) is not None


def missing_object(url: str) -> DataError:
    """Return the error of an object that is missing."""
    return DataError(f"{url}: there is no such object; check the name")


def _no_bucket(url: str) -> DataError:
    names = _ADDRESSES[_kind(url)]
    check = f"check its name, {names}" if names else "check its name"
    return DataError(f"{url}: there is no such bucket; {check}")


def _error(url: str, fault: Exception) -> DataError | StoreError:
    """Return an error that says what is missing."""
    text, name = str(fault), type(fault).__name__
    # Without the names of objects, in which anything may stand.
    said = _REQUEST.sub(r"\1\2", text.partition("Debug source")[0])
    status, refused = _STATUS.search(said), _REFUSED.search(said)
    if "Account must be specified" in said:
        form = "abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/NAME"
        return DataError(f"{url}: names no account; set AZURE_STORAGE_ACCOUNT_NAME, or give {form}")
    if _NO_BUCKET.search(said):
        return _no_bucket(url)
    if _OTHER_REGION.search(said):
        return DataError(f"{url}: the bucket is in another region; set AWS_REGION")
    denied = status is not None and status[1] in ("401", "403")
    if refused is None and _NO_CREDENTIALS.search(said.partition("status code")[0]):
        return without_credentials(url)
    if refused or denied or name in ("PermissionDeniedError", "UnauthenticatedError"):
        code = f" ({refused[0]})" if refused else ""
        check = "check the credentials in the environment, and what they may do in the bucket"
        return AccessError(f"{url}: access is denied{code}; {check}")
    if status is not None and status[1] == "501" and "performing PUT" in said:
        takes = "does not take writes on a condition, which keep what another process has written"
        return DataError(f"{url}: the store {takes}; use another store, or a file")
    if status is not None and status[1] in _LASTING_STATUSES:
        return DataError(f"{url}: the store refuses the request (status {status[1]})")
    where = re.search(r"https?://([^\s/?]+)", said)
    if where is None and status is None and "HTTP error" not in said:
        # Nothing was asked: a key that is no key, or a setting that is none.
        return without_credentials(url)
    at = f" at {where[1]}" if where else ""
    answer = f" (status {status[1]})" if status else ""
    check = "check the network" + (" and AWS_ENDPOINT_URL" if _kind(url) == "s3" else "")
    return StoreError(f"{url}: the store does not answer{at}{answer}; {check}, then run this again")
