"""Pages that many look at, rendered once for all who may see the same.

Fifty viewers ask for a page at once when something has changed. What differs between them, the
name and what their forms must hold, is put in afterwards.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from markupsafe import escape

from hayflick.core.display_text import display_text
from hayflick.service.pages.rendering import language_of, page_answer, page_text, principal_of

# Nobody can write them into an answer of a model.
_NAME, _CSRF = f"name-{secrets.token_hex(16)}", f"csrf-{secrets.token_hex(16)}"

_REFRESH = "x-hayflick-refresh"
"""The header of requests by which the script refreshes a page."""

_LONGEST_S = 2.0
_MOST_KEPT = 16


@dataclass
class _Page:
    """A page as it was at a time, and the lock of who renders it."""

    lock: threading.Lock
    text: str = ""
    made: float = -1e9


class SharedPages:
    """Pages that were rendered a moment ago."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, _Page] = OrderedDict()
        self._lock = threading.Lock()

    def render(
        self, request: Request, template: str, values: Callable[[], Mapping[str, Any]]
    ) -> HTMLResponse:
        """Answer a request with a page that does not depend on who asks.

        One that refreshes itself may get a page that is two seconds old, but which knows every
        change that was told before the request.

        Parameters
        ----------
        request
            The request, of a route of `page_router`.
        template
            Name of the template.
        values
            Returns what it shows; called where it is rendered anew.
        """
        principal = principal_of(request)
        key = (
            template,
            principal.project,
            principal.scopes,
            principal.user is None,
            request.scope["path"],
            request.scope["query_string"],
            language_of(request).code,
            request.state.last_change,
        )
        page = self._page(key)
        with page.lock:
            is_refresh = _REFRESH in request.headers
            if not is_refresh or time.monotonic() - page.made > _LONGEST_S:
                anybody = replace(principal, name=_NAME)
                page.text = page_text(request, template, anybody, csrf=_CSRF, **values())
                page.made = time.monotonic()
            text = page.text
        own = str(escape(display_text(principal.name)))
        text = text.replace(_NAME, own).replace(_CSRF, str(escape(request.state.csrf)))
        return page_answer(request, text)

    def _page(self, key: Hashable) -> _Page:
        with self._lock:
            page = self._kept.setdefault(key, _Page(threading.Lock()))
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
            return page
