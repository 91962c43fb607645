"""The files that pages load: one style sheet and one script, both of this service."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import Response

from hayflick.service.problems import Problem

_TYPES = {
    "app.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "style.css": "text/css; charset=utf-8",
}
_YEAR_S = 365 * 86_400


def router() -> APIRouter:
    """Return the routes of the static files."""
    routes = APIRouter(include_in_schema=False)

    # Not async: the first one reads a file.
    @routes.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in _TYPES:
            raise Problem(404, f"there is no file {name!r}")
        # The address changes with the content.
        headers = {"Cache-Control": f"public, max-age={_YEAR_S}, immutable"}
        return Response(static_file(name), media_type=_TYPES[name], headers=headers)

    return routes


@cache
def static_file(name: str) -> bytes:
    """Return a file of ours; the style sheet of reports comes before that of the service."""
    found = (files("hayflick.service") / "static" / name).read_bytes()
    if name == "style.css":
        return (files("hayflick.report") / "templates" / name).read_bytes() + b"\n" + found
    return found


@cache
def static_url(name: str) -> str:
    """Return the address of a file, which changes with its content."""
    return f"/static/{name}?v={hashlib.sha256(static_file(name)).hexdigest()[:12]}"
