"""Where a server of ours listens."""

from __future__ import annotations

import errno
import ipaddress
import socket
from contextlib import suppress

from hayflick.core.checks import whole_number
from hayflick.core.errors import ArgumentError

LOOPBACK = "127.0.0.1"
"""An address that no other machine can reach."""

_LARGEST_PORT = 65_535
_MOST_FILES = 65_536


def listening(host: str = LOOPBACK, port: int = 0) -> socket.socket:
    """Return a socket that listens.

    Raises
    ------
    ArgumentError
        If the address cannot be used.

    Examples
    --------
    >>> with listening() as listener:
    ...     address(listener).rpartition(":")[0]
    'http://127.0.0.1'
    """
    whole_number("port", port, at_least=0, at_most=_LARGEST_PORT)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as fault:
        if fault.errno == errno.EADDRINUSE:
            takes, remedy = "one that no other program listens at", "0 finds a free one"
            raise ArgumentError("port", got=port, takes=takes, remedy=remedy) from None
        takes = "an address of this machine and a free port"
        remedy = f"{fault.strerror}; port 0 finds a free one"
        raise ArgumentError(
            "host and port", got=f"{host}:{port}", takes=takes, remedy=remedy
        ) from None


def allow_many_connections() -> None:
    """Let this process have as many connections open as it may: a usual limit is soon reached."""
    try:
        import resource
    except ImportError:
        # Windows has no such limit.
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def address(listener: socket.socket) -> str:
    """Return the URL of a socket that listens."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
