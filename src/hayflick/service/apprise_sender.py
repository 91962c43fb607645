"""Send a message by apprise, in a process of its own.

Apprise knows more than a hundred services, each with code of its own for its connections. A process
of its own can be ended when it takes too long, and can check every address at the moment that a
connection is made, whatever a name or a redirect leads to.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from typing import Any
from urllib.parse import unquote

from hayflick.core.display_text import display_text
from hayflick.core.errors import ArgumentError, MissingExtraError
from hayflick.service.webhooks import ALLOWING, DeliveryFailure, is_public

TIMEOUT_S = 45.0
"""Seconds that a message may take."""

_EXAMPLES = "an address of apprise, such as mailto://… or slack://… (see https://appriseit.com)"
_CONNECTING = ("socket.connect", "socket.sendto", "socket.sendmsg")
_STARTING = ("subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system")
_LONGEST, _SHORTEST_KEY = 300, 6
_MOST_MEMORY = 2 << 30
"""Bytes of a process: a target may answer without end."""

_processes = threading.BoundedSemaphore(8)
"""Held by those who have a process of their own: each takes the memory of one."""

_PREFIXES = (sys.prefix, sys.base_prefix, "/etc/ssl", "/usr/share/zoneinfo")
_READABLE = (os.devnull, "/etc/mime.types", "/etc/localtime", "/etc/hosts", "/etc/resolv.conf")


def send_by_apprise(
    url: str, *, title: str, body: str, private: bool = False, timeout_s: float = TIMEOUT_S
) -> None:
    """Send a message.

    Parameters
    ----------
    url
        The address in the form of apprise.
    title, body
        The message.
    private
        Whether connections may go to addresses of this machine and of private networks.
    timeout_s
        Seconds that it may take.

    Raises
    ------
    DeliveryFailure
        If it was not accepted.
    """
    request = {"url": url, "title": title, "body": body, "private": private}
    error = _outcome(request, timeout_s=timeout_s)
    if error is not None:
        raise DeliveryFailure(error)


def check_apprise_url(url: str) -> None:
    """Refuse what is no address of apprise.

    Raises
    ------
    ArgumentError
        If it is not.
    MissingExtraError
        If the extra ``server`` is not installed.
    """
    try:
        error = _outcome({"url": url}, timeout_s=TIMEOUT_S)
    except DeliveryFailure as fault:
        error = str(fault)
    if error is not None:
        # The address may hold a key, and is not repeated.
        raise ArgumentError("url", got="something else", takes=_EXAMPLES)


def _outcome(request: dict[str, Any], *, timeout_s: float) -> str | None:
    """Return why a process of its own could not do it; None if it could."""
    # Without -P a file of the working directory could stand in for a library.
    command = [sys.executable, "-P", "-m", "hayflick.service.apprise_sender"]
    try:
        # The address holds passwords: other users of the machine see arguments, not the input.
        with _processes:
            done = subprocess.run(
                command, input=json.dumps(request).encode(), capture_output=True, timeout=timeout_s
            )
    except subprocess.TimeoutExpired:
        return f"it did not answer within {timeout_s:g} s"
    except OSError as fault:
        raise DeliveryFailure(f"no process could be started ({fault.strerror})") from None
    try:
        found = json.loads(done.stdout)
    except ValueError:
        return f"apprise ended with exit code {done.returncode}"
    if found.get("missing"):
        raise MissingExtraError("sending by apprise", extra="server")
    error = found["error"]
    return None if error is None else str(error)


def _send(request: dict[str, Any], refused: list[str]) -> str | None:
    """Return why a message could not be sent; None if it was."""
    import apprise

    sender = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False))
    capture: Any = apprise.LogCapture
    with capture(level=apprise.logging.WARNING, fmt="%(message)s") as log:
        if not sender.add(request["url"]):
            return f"it leads to {refused[0]}" if refused else f"it is not {_EXAMPLES}"
        if "body" not in request:
            return None
        done = sender.notify(
            title=request["title"], body=request["body"], body_format=apprise.NotifyFormat.TEXT
        )
        said = " ".join(log.getvalue().split())
    if done:
        return None
    if refused:
        return f"it leads to {refused[0]}"
    return without_secrets(said, request["url"]) or "it was not accepted"


def without_secrets(said: str, url: str) -> str:
    """Return what apprise or a target says as a line, without what may be a key of the address.

    Examples
    --------
    >>> without_secrets("no bot 123:s3cr3t-k3y here", "tgram://123:s3cr3t-k3y/chat?format=text")
    'no bot 123:… here'
    """
    parts = {url, *re.split(r"[:/@?&=,;#]+", url), *re.split(r"[:/@?&=,;#]+", unquote(url))}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= _SHORTEST_KEY:
            said = said.replace(part, "…")
    return display_text(said, longest=_LONGEST)


def _guard(refused: list[str], *, private: bool) -> None:
    """Refuse what an address of apprise could reach that is not for whoever may set it.

    These are connections to addresses that are not public, and files and programs of this machine:
    some services take a template or a key from a file.
    """
    roots = tuple(f"{os.path.realpath(root)}{os.sep}" for root in (*sys.path, *_PREFIXES) if root)

    def check(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _CONNECTING and not private:
            place = arguments[1]
            # Names have been looked up by now; what is no address is refused as well.
            address = str(place[0]) if isinstance(place, tuple) and place else str(place)
            if not is_public(address):
                refused.append(f"{address}, an address that is not public; {ALLOWING}")
                raise PermissionError(f"{address} is not public")
        elif event in _STARTING:
            refused.append("a program of this machine, which is not started for it")
            raise PermissionError("no program is started here")
        elif event == "open" and not isinstance(arguments[0], int):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if not path.startswith(roots) and path not in _READABLE:
                refused.append("a file of this machine, which is not read for it")
                raise PermissionError(f"{path} is not read here")

    sys.addaudithook(check)


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:
        # Windows has no such limit.
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = _MOST_MEMORY if hard == resource.RLIM_INFINITY else min(hard, _MOST_MEMORY)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def _main() -> None:
    request = json.loads(sys.stdin.buffer.read())
    _limit_memory()
    # What a library prints must not stand in the answer.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    refused: list[str] = []
    try:
        # All of it, before files are guarded.
        import apprise  # noqa: F401

        _guard(refused, private=bool(request.get("private")))
        found: dict[str, Any] = {"error": _send(request, refused)}
    except ImportError:
        found = {"missing": True}
    except Exception as fault:
        found = {"error": f"{type(fault).__name__} in apprise"}
    with answer:
        json.dump(found, answer)


if __name__ == "__main__":
    _main()
