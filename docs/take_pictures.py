"""Take the pictures of the README: a report, and the dashboard of the service.

It needs Chromium and what `make test-browser` and `make demo-service` install::

    python docs/take_pictures.py report dashboard

The report is what `make demo` writes; the dashboard shows the stream of `make demo-service` after
it has collapsed.
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hayflick as hf

DOCS = Path(__file__).resolve().parent
EXAMPLES = DOCS.parent / "examples"
WIDTH = 940
DASHBOARD_WIDTH, DASHBOARD_HEIGHT = 1180, 1100
FOLD = """
const [summary, first] = document.querySelectorAll("section");
[...summary.querySelectorAll("p")].slice(1).forEach(line => line.remove());
first.querySelector("figure").getBoundingClientRect().bottom
"""
"""Leaves the action of a forecast's summary alone, and returns where its first chart ends."""


def main() -> None:
    """Take the pictures that are named."""
    parser = argparse.ArgumentParser(description="Take the pictures of the README.")
    parser.add_argument("pictures", nargs="+", choices=["report", "dashboard"])
    for name in parser.parse_args().pictures:
        {"report": take_report, "dashboard": take_dashboard}[name](DOCS / f"{name}.png")


@contextmanager
def _page(width: int, height: int, *, scale: float) -> Iterator[Any]:
    """Open a page of Chromium, whose pictures have `scale` pixels for one of the page."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-lcd-text"],
        )
        viewport = {"width": width, "height": height}
        yield browser.new_page(viewport=viewport, device_scale_factor=scale)
        browser.close()


def take_report(picture: Path) -> None:
    """Take a forecast from the verdict to the first chart, without the text between."""
    with TemporaryDirectory() as name, _page(WIDTH, WIDTH, scale=0.8) as page:
        folder = Path(name)
        text, report = folder / "docstrings.txt", folder / "forecast.html"
        collect = [sys.executable, str(EXAMPLES / "collect_docstrings.py"), str(text)]
        subprocess.run(collect, check=True)
        hf.forecast(text).save(report)
        page.goto(report.as_uri())
        bottom = page.evaluate(FOLD)
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": bottom + 16}
        page.screenshot(path=picture, clip=clip, full_page=True)


def take_dashboard(picture: Path) -> None:
    """Take the page of a stream that has collapsed."""
    size = (DASHBOARD_WIDTH, DASHBOARD_HEIGHT)
    with TemporaryDirectory() as folder, _page(*size, scale=0.68) as page:
        demo = [sys.executable, str(EXAMPLES / "demo_service.py"), folder, "--pause", "0.2"]
        with subprocess.Popen(demo, stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            printed = ""
            for line in running.stdout:
                printed += line
                if line.startswith("all rounds are sent"):
                    break
            url = re.search(r"open (\S+)", printed)
            password = re.search(r"password (\S+)", printed)
            assert url, printed
            assert password, printed
            page.goto(f"{url[1]}/login")
            page.fill("#name", "demo")
            page.fill("#password", password[1])
            page.get_by_role("button").first.click()
            page.goto(f"{url[1]}/streams/demo")
            page.locator("#stream-body .verdict.alarm").wait_for()
            page.wait_for_load_state("networkidle")
            page.screenshot(path=picture)
            # As Ctrl-C, at which the demonstration stops its service.
            running.send_signal(signal.SIGINT)


if __name__ == "__main__":
    main()
