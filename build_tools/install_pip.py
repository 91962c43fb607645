"""Install pip into the environment that runs this, where Python came without it.

Debian's python3 has no ensurepip unless python3-venv is installed, so `make setup` fetches
pip from PyPI instead: a wheel of pip can install itself.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urljoin
from urllib.request import urlopen

INDEX = "https://pypi.org/simple/pip/"


def main() -> None:
    """Fetch the newest wheel of pip and let it install itself."""
    with urlopen(INDEX, timeout=60) as answer:
        links = re.findall(r'href="([^"#]+-py3-none-any\.whl)', answer.read().decode())
    released = [link for link in links if re.search(r"pip-[\d.]+-py3", link)]
    newest = max(released, key=version)
    with tempfile.TemporaryDirectory() as folder:
        wheel = Path(folder, newest.rpartition("/")[2])
        with urlopen(urljoin(INDEX, newest), timeout=60) as answer:
            wheel.write_bytes(answer.read())
        install = [sys.executable, f"{wheel}/pip", "install", "--quiet", "--no-index", str(wheel)]
        subprocess.run(install, check=True)


def version(link: str) -> tuple[int, ...]:
    """Return the version in a wheel's name."""
    return tuple(int(part) for part in link.rpartition("/pip-")[2].split("-")[0].split("."))


if __name__ == "__main__":
    main()
