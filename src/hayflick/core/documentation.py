"""Where the documentation is, so that a message can name the page that explains it."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "HAYFLICK_DOCS"
"""Address or folder of the built site; empty for none."""


def page_address(page: str) -> str | None:
    """Return where a page of the documentation can be read; None if that is not known.

    It is looked for at the place that the environment names (`VARIABLE`), else at the URL of the
    documentation in the package's metadata, else in the site that ``make docs`` has built in a
    checkout. A file is only named if there is one.

    Parameters
    ----------
    page
        Its path in the site, without an ending: ``how-to/slurm``.

    Examples
    --------
    >>> import os
    >>> os.environ["HAYFLICK_DOCS"] = "https://docs.example.org/hayflick/"
    >>> page_address("rules")
    'https://docs.example.org/hayflick/rules.html'
    >>> os.environ["HAYFLICK_DOCS"] = ""
    >>> page_address("rules") is None
    True
    """
    base = os.environ.get(VARIABLE)
    if base is None:
        base = _published() or str(Path(__file__).parents[3] / "build" / "site")
    if not base:
        return None
    if "://" in base:
        return f"{base.rstrip('/')}/{page}.html"
    file = Path(base, f"{page}.html")
    return str(file) if file.is_file() else None


def _published() -> str:
    """Return the URL of the documentation that the package names; empty if it names none."""
    import importlib.metadata

    try:
        urls = importlib.metadata.metadata("hayflick").get_all("Project-URL") or []
    except importlib.metadata.PackageNotFoundError:
        return ""
    pairs = (url.partition(",") for url in urls)
    return next((url.strip() for name, _, url in pairs if name.lower() == "documentation"), "")
