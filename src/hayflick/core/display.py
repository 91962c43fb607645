"""How a result draws itself in a notebook, without knowing the room that draws.

A result derives from `Displayed`. The package root says which function draws which
class, by name, so that a result from a lower room can be drawn by a higher one and
nothing is imported before a notebook asks.
"""

from __future__ import annotations

from importlib import import_module

_RENDERERS: dict[str, str] = {}


def register_renderer(result: str, *, renderer: str) -> None:
    """Say that `renderer` (``module:function``) draws the class `result` (``module:class``)."""
    _RENDERERS[result] = renderer


class Displayed:
    """Base of results that a notebook shows as HTML."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        kind = type(self)
        renderer = _RENDERERS.get(f"{kind.__module__}:{kind.__name__}")
        if renderer is None:
            return None
        module, _, function = renderer.partition(":")
        drawn = getattr(import_module(module), function)(self)
        return str(drawn)
