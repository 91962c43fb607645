"""The operator's function that takes what must not be stored out of texts."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

from hayflick.core.errors import ArgumentError
from hayflick.service.problems import Problem

Redact: TypeAlias = Callable[[str], str]


def redaction(name: str | None) -> Redact | None:
    """Return the function of a name ``module:function``; None for none.

    If it fails on a text, or returns none, the request is refused with 503, and nothing is stored.

    Parameters
    ----------
    name
        The name in the settings.

    Raises
    ------
    ArgumentError
        If there is no such function.

    Examples
    --------
    >>> redact = redaction("html:escape")
    >>> redact("a < b")
    'a &lt; b'
    """
    return None if name is None else _loaded(name)


@lru_cache
def _loaded(name: str) -> Redact:
    module, colon, attribute = name.partition(":")
    takes = "module:function, such as my_company.privacy:redact"
    if not colon:
        raise ArgumentError("redact", got=name, takes=takes)
    try:
        function: Any = importlib.import_module(module)
        for part in attribute.split("."):
            function = getattr(function, part)
    except Exception as fault:
        raise ArgumentError("redact", got=f"{name} ({fault})", takes=takes) from None
    if not callable(function):
        raise ArgumentError("redact", got=f"{name}, which is no function", takes=takes)

    def redact(text: str) -> str:
        try:
            found = function(text)
        except Exception as fault:
            raise _failure(type(fault).__name__) from fault
        if not isinstance(found, str):
            raise _failure(f"it returned {type(found).__name__}, no text")
        return found

    return redact


def _failure(reason: str) -> Problem:
    detail = f"the redaction hook failed ({reason}); nothing of this request was kept"
    return Problem(503, detail, headers={"Retry-After": "60"})
