"""Asynchronous work for a caller who is not, in a notebook too."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def run_to_end(work: Coroutine[Any, Any, None]) -> None:
    """Do asynchronous work, and return when it is done.

    Where an event loop runs already, as in a notebook, it waits: the work has a loop of its own
    in another thread.

    Examples
    --------
    >>> async def greet():
    ...     print("hello")
    >>> run_to_end(greet())
    hello
    """
    if not _running():
        asyncio.run(work)
        return
    with ThreadPoolExecutor(1) as beside:
        beside.submit(asyncio.run, work).result()


def _running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
