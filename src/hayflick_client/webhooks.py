"""Web hooks of hayflick: how a receiver tells a message of the service from a forged one.

Messages are signed in the form of Standard Webhooks (https://www.standardwebhooks.com), so that
its libraries, in many languages, verify them too.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

_PREFIX = "whsec_"


class WebhookError(ValueError):
    """A message that was not sent by the holder of the secret, or not now."""


def sign_webhook(body: bytes, *, secret: str, message: str, at: float) -> dict[str, str]:
    """Return the headers that sign a message.

    Parameters
    ----------
    body
        The body as it is sent.
    secret
        Known to both sides: ``whsec_`` and base64, or any other text.
    message
        What identifies the message; the same where it is sent again.
    at
        When it is sent, in seconds since 1970.

    Examples
    --------
    >>> headers = sign_webhook(b"{}", secret="whsec_c2VjcmV0", message="hf_7", at=1790000000.0)
    >>> headers["webhook-id"], headers["webhook-timestamp"]
    ('hf_7', '1790000000')
    """
    stamp = str(int(at))
    return {
        "webhook-id": message,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + _signature(body, secret=secret, message=message, stamp=stamp),
    }


def verify_webhook(
    body: bytes,
    headers: Mapping[str, str],
    *,
    secret: str,
    tolerance_s: float = 300.0,
    now: float | None = None,
) -> dict[str, Any]:
    """Return a message that the service has sent.

    A message can arrive twice, with the same header ``webhook-id``: keep those that you have
    acted on.

    Parameters
    ----------
    body
        The body of the request as it arrived, before it is parsed.
    headers
        Its headers; capital letters make no difference.
    secret
        The secret of the web hook, as the service shows it.
    tolerance_s
        Seconds that the message may be old, or the clocks apart.
    now
        Seconds since 1970; None reads the clock.

    Raises
    ------
    WebhookError
        If a header is missing, the signature is not of this body and secret, the message is too
        old, or the body is no JSON object.

    Examples
    --------
    >>> body = b'{"type": "alarm", "data": {"stream": "talk"}}'
    >>> headers = sign_webhook(body, secret="whsec_c2VjcmV0", message="hf_7", at=1790000000.0)
    >>> verify_webhook(body, headers, secret="whsec_c2VjcmV0", now=1790000004.0)["type"]
    'alarm'
    >>> verify_webhook(body + b" ", headers, secret="whsec_c2VjcmV0", now=1790000004.0)
    Traceback (most recent call last):
    hayflick_client.webhooks.WebhookError: the signature is not of this body and this secret
    """
    held = {name.lower(): value for name, value in headers.items()}
    message, stamp, signatures = (_header(held, name) for name in ("id", "timestamp", "signature"))
    expected = "v1," + _signature(body, secret=secret, message=message, stamp=stamp)
    # Several signatures stand side by side while a secret is being replaced.
    given = signatures.encode().split()
    if not any(hmac.compare_digest(expected.encode(), one) for one in given):
        raise WebhookError("the signature is not of this body and this secret")
    # The signature holds the timestamp, so it is a number that the sender wrote.
    apart = abs((time.time() if now is None else now) - float(stamp))
    if apart > tolerance_s:
        raise WebhookError(f"the message is {apart:.0f} s old, or the clocks differ by as much")
    try:
        found = json.loads(body)
    except ValueError:
        raise WebhookError("the body is not JSON") from None
    if not isinstance(found, dict):
        raise WebhookError("the body is no JSON object")
    return found


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(f"webhook-{name}", "")
    if not value:
        raise WebhookError(f"the header webhook-{name} is missing")
    return value


def _signature(body: bytes, *, secret: str, message: str, stamp: str) -> str:
    signed = f"{message}.{stamp}.".encode() + body
    return base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode()


def _key(secret: str) -> bytes:
    if secret.startswith(_PREFIX):
        # A secret that is no base64 is taken as text.
        with suppress(binascii.Error):
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    return secret.encode("utf-8")
