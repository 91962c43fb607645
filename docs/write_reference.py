"""Write what of docs/reference comes from the code; tests hold the two together."""

from __future__ import annotations

import write_api
import write_settings
import write_tables
import write_trust


def main() -> None:
    """Write the pages."""
    pages = write_api.pages() | {write_settings.PAGE: write_settings.page()} | write_tables.pages()
    pages[write_trust.PAGE] = write_trust.with_records()
    for path, text in pages.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
