"""Bring docs/locale up to date with the pages; `make translations` runs it after Sphinx's gettext.

Every file of docs/locale/ja/LC_MESSAGES is a page that is translated. For another page, begin with
an empty file of its name.
"""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.pofile import read_po, write_po

MESSAGES = Path(__file__).with_name("locale") / "ja" / "LC_MESSAGES"


def update(messages: Path, template: Path) -> None:
    """Take new messages from a template, and drop those that the page has no more."""
    with template.open("rb") as file:
        new = read_po(file, ignore_obsolete=True)
    with messages.open("rb") as file:
        catalog = read_po(file, locale="ja", ignore_obsolete=True)
    catalog.update(new, no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    with messages.open("wb") as file:
        write_po(file, catalog, width=100, no_location=True, omit_header=True)


def main(templates: Path) -> None:
    """Update the messages of every page that is translated."""
    for messages in sorted(MESSAGES.rglob("*.po")):
        update(messages, templates / messages.relative_to(MESSAGES).with_suffix(".pot"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
