"""Write what of docs/reference comes from the code; tests hold the two together."""

from __future__ import annotations

import write_api


def main() -> None:
    """Write the pages."""
    for path, text in write_api.pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
