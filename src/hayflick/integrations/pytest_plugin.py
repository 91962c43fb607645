"""The plugin of pytest: the fixture `assert_diverse`.

It is loaded into every pytest of an environment that has hayflick, so that it imports nothing else
of hayflick before a test asks for the fixture.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hayflick.monitor.compare_result import Comparison


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what the fixture can be told on the command line."""
    group = parser.getgroup("hayflick", "diversity of answers")
    group.addoption(
        "--diversity-pages",
        metavar="FOLDER",
        default=None,
        help="Save a page here for every comparison of the fixture assert_diverse.",
    )


@pytest.fixture
def assert_diverse(request: pytest.FixtureRequest) -> Callable[..., Comparison]:
    """Fail a test whose answers are less diverse than a baseline: see `assertions.assert_diverse`.

    A relative path of a file that is not in the working folder is looked for beside the test.
    """
    beside = request.path.parent
    folder = request.config.getoption("--diversity-pages")
    pages: list[Path] = []

    def found(given: Any) -> Any:
        if not isinstance(given, str | os.PathLike) or Path(given).exists():
            return given
        other = beside / given
        return other if other.exists() else given

    def save(result: Comparison) -> None:
        if folder is not None:
            name = re.sub(r"[^\w.-]+", "-", request.node.nodeid).strip("-")[-120:]
            page = Path(folder) / f"{name}-{len(pages) + 1}.html"
            page.parent.mkdir(parents=True, exist_ok=True)
            pages.append(result.save(page, force=True))

    def check(answers: Any, baseline: Any, **options: Any) -> Comparison:
        __tracebackhide__ = True
        from hayflick.core.errors import HayflickError
        from hayflick.integrations import assertions

        try:
            result = assertions.assert_diverse(found(answers), found(baseline), **options)
        except assertions.DiversityError as loss:
            save(loss.comparison)
            raise
        except HayflickError as fault:
            mistake = str(fault)
        else:
            save(result)
            return result
        # What is wrong is said in full; where hayflick noticed it helps nobody.
        pytest.fail(f"assert_diverse: {mistake}", pytrace=False)

    return check
