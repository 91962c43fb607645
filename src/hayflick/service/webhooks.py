"""Web hooks: a message is posted as signed JSON, to an address that was checked."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hayflick.core.errors import ArgumentError, HayflickError
from hayflick_client.webhooks import sign_webhook

if TYPE_CHECKING:
    import httpx


TIMEOUT_S = 15.0
"""Seconds that a message may take, from the name's look-up to the answer's headers."""

_LARGEST_URL = 2000
_REFUSALS = (400, 413, 415, 422)


class DeliveryFailure(HayflickError):  # noqa: N818
    """A message could not be sent; the text says why, without the address's secrets.

    Parameters
    ----------
    reason
        Why.
    refused
        Whether the target was reached, and does not take this message.
    """

    def __init__(self, reason: str, *, refused: bool = False) -> None:
        self.refused = refused
        super().__init__(reason)


def check_webhook_url(url: str) -> None:
    """Refuse what is no address of a web hook.

    Raises
    ------
    ArgumentError
        If it is not.
    """
    takes = "an address such as https://hooks.example.com/hayflick"
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        known = None
    # The address may hold a key, and is not repeated.
    if not known or len(url) > _LARGEST_URL or not url.isprintable() or " " in url:
        raise ArgumentError("url", got="something else", takes=takes)


def post_webhook(
    url: str,
    *,
    secret: str,
    message: str,
    content: Mapping[str, Any],
    at: float,
    private: bool = False,
    timeout_s: float = TIMEOUT_S,
) -> None:
    """Post a message.

    The name is looked up once, all its addresses are checked, and the connection goes to one of
    them: what the name means a moment later makes no difference. Redirects are not followed, and
    neither proxies nor passwords of the environment are used.

    Parameters
    ----------
    url, secret
        The web hook.
    message
        What identifies the message.
    content
        The message, ready for JSON.
    at
        The time, in seconds since 1970.
    private
        Whether it may go to addresses of this machine and of private networks.
    timeout_s
        Seconds that it may take.

    Raises
    ------
    DeliveryFailure
        If it was not accepted.
    """
    body = json.dumps(dict(content), ensure_ascii=False).encode("utf-8", "replace")
    headers = {
        "content-type": "application/json",
        "user-agent": "hayflick",
        **sign_webhook(body, secret=secret, message=message, at=at),
    }
    asyncio.run(_post(url, body, headers, private=private, timeout_s=timeout_s))


async def _post(
    url: str, body: bytes, headers: Mapping[str, str], *, private: bool, timeout_s: float
) -> None:
    import httpx

    try:
        async with asyncio.timeout(timeout_s):
            status = await _status(httpx.URL(url), body, headers, private=private)
    except TimeoutError:
        raise DeliveryFailure(f"it did not answer within {timeout_s:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        # The text of an error of a connection holds an address, never the path.
        raise DeliveryFailure(f"no connection ({fault or type(fault).__name__})") from None
    if 300 <= status < 400:
        raise DeliveryFailure(f"it answers {status}, a redirect: give the address it leads to")
    if not 200 <= status < 300:
        raise DeliveryFailure(f"it answers {status}", refused=status in _REFUSALS)


async def _status(url: httpx.URL, body: bytes, headers: Mapping[str, str], *, private: bool) -> int:
    import httpx

    address = await _checked_address(url, private=private)
    name = url.raw_host.decode("ascii")
    host = f"[{name}]" if ":" in name else name
    host = host if url.port is None else f"{host}:{url.port}"
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=None) as client:
        request = client.build_request(
            "POST",
            url.copy_with(host=address),
            content=body,
            headers={**headers, "host": host},
            # The certificate must be of the name.
            extensions={"sni_hostname": name},
        )
        response = await client.send(request, stream=True)
        await response.aclose()
        return response.status_code


async def _checked_address(url: httpx.URL, *, private: bool) -> str:
    """Return the address of a host, once all its addresses have been checked."""
    port = url.port or {"https": 443}.get(url.scheme, 80)
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(url.raw_host.decode("ascii"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as fault:
        reason = getattr(fault, "strerror", None) or "it is no name"
        raise DeliveryFailure(f"the host {url.host} is not found ({reason})") from None
    addresses = [str(place[0]) for *_, place in found]
    refused = [] if private else [one for one in addresses if not is_public(one)]
    if refused or not addresses:
        what = f"the host {url.host} is at {', '.join(refused[:3])}, an address that is not public"
        raise DeliveryFailure(f"{what}; {ALLOWING}")
    return addresses[0]


ALLOWING = "set private_addresses = true in the settings of the service to allow it"
"""What an operator does who wants such an address."""

_TUNNELS = ipaddress.IPv6Network("2002::/16")


def is_public(address: str) -> bool:
    """Return whether an IP address can be reached, and means the same, from everywhere.

    Addresses of IPv6 that stand for one of IPv4 (mapped, translated, 6to4) are not public.

    Parameters
    ----------
    address
        The address, with or without a zone; anything else is not public.

    Examples
    --------
    >>> is_public("8.8.8.8"), is_public("2001:4860:4860::8888")
    (True, True)
    >>> [is_public(one) for one in ("127.0.0.1", "10.1.2.3", "169.254.169.254", "::ffff:8.8.8.8")]
    [False, False, False, False]
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if found.is_multicast or found.is_reserved or not found.is_global:
        return False
    return isinstance(found, ipaddress.IPv4Address) or not (
        found.is_site_local or found in _TUNNELS
    )
