"""A web application, served on a port that is free."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from hayflick.core.checks import whole_number
from hayflick.core.errors import ArgumentError, MissingExtraError

LOOPBACK = "127.0.0.1"
"""No other machine reaches it."""

_LARGEST_PORT = 65_535


def run(
    app: Any, *, host: str = LOOPBACK, port: int = 0, announce: Callable[[str], None] = print
) -> None:
    """Serve an application until the process is told to stop.

    Parameters
    ----------
    app
        An ASGI application.
    host, port
        Where to listen; at a free port for 0.
    announce
        Called with the URL once it is known.

    Raises
    ------
    ArgumentError
        If the address cannot be listened at.
    MissingExtraError
        If the extra ``server`` is not installed.
    """
    uvicorn_server = server(app)
    with listening(host, port) as listener:
        announce(address(listener))
        uvicorn_server.run(sockets=[listener])


def server(app: Any) -> Any:
    """Return a `uvicorn.Server` of an application; setting `should_exit` stops it.

    Raises
    ------
    MissingExtraError
        If the extra ``server`` is not installed.
    """
    try:
        import uvicorn
    except ImportError:
        raise MissingExtraError("serving an application", extra="server") from None
    return uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))


def listening(host: str = LOOPBACK, port: int = 0) -> socket.socket:
    """Return a socket that listens.

    Raises
    ------
    ArgumentError
        If the address cannot be listened at.

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
        takes = "an address of this machine and a free port"
        remedy = f"{fault.strerror}; port 0 finds a free one"
        raise ArgumentError(
            "host and port", got=f"{host}:{port}", takes=takes, remedy=remedy
        ) from None


def address(listener: socket.socket) -> str:
    """Return the URL of a socket that listens."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
