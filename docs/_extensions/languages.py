"""The Japanese site beside the English one: the pages that are translated, with links to the rest.

A page is translated where docs/locale/ja/LC_MESSAGES has its messages. The Japanese site, in the
folder ja of the English one, holds these pages alone. Links and the menu lead from them over to the
English pages, which are marked as English, and every page has a link to the other language.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.transforms.post_transforms import SphinxPostTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

DOCS = Path(__file__).parents[1]
MESSAGES = DOCS / "locale" / "ja" / "LC_MESSAGES"
# The menu takes addresses with a scheme; this one becomes the way up to the English site.
ENGLISH = "english://"
TOCTREE = re.compile(r"(?<=```\{toctree\}\n)(.*?)(?=^```$)", re.DOTALL | re.MULTILINE)


def translated() -> set[str]:
    """Return the pages with Japanese messages."""
    return {
        path.relative_to(MESSAGES).with_suffix("").as_posix() for path in MESSAGES.rglob("*.po")
    }


def pages() -> set[str]:
    """Return all pages that stand in docs."""
    files = (path.relative_to(DOCS) for path in DOCS.rglob("*.md"))
    return {path.with_suffix("").as_posix() for path in files}


def is_partial(config: Config) -> bool:
    """Return whether only translated pages are read: for their site, or for their messages."""
    return bool(config.language == "ja" or config.translated_only)


def leave_out(_app: Sphinx, config: Config) -> None:
    """Leave what is not translated out of the Japanese site."""
    if is_partial(config):
        config.exclude_patterns += [f"{page}.md" for page in pages() - translated()]


def title(page: str) -> str:
    """Return the heading of an English page."""
    from repository_pages import original

    text = original(DOCS / f"{page}.md").read_text(encoding="utf-8")
    heading = re.search(r"^# (.*)", text, re.MULTILINE)
    return heading[1] if heading is not None else page


def link_menu(app: Sphinx, docname: str, source: list[str]) -> None:
    """Let the entries of a Japanese menu lead to English pages where there is no other."""
    if not is_partial(app.config):
        return
    folder = (DOCS / docname).parent

    def entries(block: re.Match[str]) -> str:
        lines: list[str] = []
        for line in block[1].splitlines():
            if not line or line.startswith(":"):
                lines += [line] * (line != ":glob:")
                continue
            found = sorted(page.relative_to(DOCS) for page in folder.glob(f"{line}.md"))
            for page in (path.with_suffix("").as_posix() for path in found):
                if page in translated():
                    lines.append(page)
                elif app.builder.format == "html":  # else messages are collected
                    lines.append(f"{title(page)} <{ENGLISH}{page}.html>")
        return "\n".join(lines) + "\n"

    source[0] = TOCTREE.sub(entries, source[0])


class EnglishLinks(SphinxPostTransform):
    """Links from a Japanese page to pages that are not translated."""

    default_priority = 8  # before MyST resolves them, at 9

    def run(self, **_options: Any) -> None:
        """Replace the references to pages that this site does not hold."""
        if not is_partial(self.config):
            return
        for node in list(self.document.findall(pending_xref)):
            page = node["reftarget"]
            if node.get("refdomain") == "doc" and page not in self.env.all_docs and page in pages():
                anchor = f"#{node['reftargetid']}" if node.get("reftargetid") else ""
                link = nodes.reference(refuri=f"{ENGLISH}{page}.html{anchor}", internal=False)
                node.replace_self(link)
                link += node.children


def add_switch(app: Sphinx, page: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
    """Say where this page stands in the other language, and write the way to English pages."""
    up = "../" * page.count("/")
    if app.config.language == "ja":
        for name in ("body", "furo_navigation_tree"):
            if name in context:
                link = f'hreflang="en" href="../{up}'
                context[name] = context[name].replace(f'href="{ENGLISH}', link)
        context["other_language"] = ("en", "English", f"../{up}{page}.html")
    else:
        other = page if page in translated() else "index"
        context["other_language"] = ("ja", "日本語", f"{up}ja/{other}.html")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the hooks."""
    app.add_config_value("translated_only", default=False, rebuild="env", types=[bool])
    app.connect("config-inited", leave_out)
    app.connect("source-read", link_menu)
    app.add_post_transform(EnglishLinks)
    app.connect("html-page-context", add_switch, priority=900)  # after the theme has its menu
    return {"parallel_read_safe": True, "parallel_write_safe": True}
