import gzip
import time

import pytest

import hayflick as hf
from hayflick.core.errors import DataError
from hayflick.corpus import markup
from hayflick.corpus.markup import html_text, markdown_text
from hayflick.corpus.reading import read_text
from hayflick.corpus.sentences import read_sentences

PAGE = """<!DOCTYPE html><html lang=en><head><meta charset="utf-8"><title>The title</title>
<style>p { color: red }</style><script>if (a < b) { document.write("<p>never</p>"); }</script>
</head><body class="x"><!-- a <b>comment</b> --><h1>Head</h1><p>One<b>two</b> caf&eacute; &#128512;
&amp; A&shy;B</p><ul><li>first<li>second</ul>line<br>break<br/>again <img alt="no" src="x.png">
<table><tr><td>c1</td><td>c2</td></tr></table><pre><code>x = 1 &lt; 2</code></pre>
<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rt>じ</rt></ruby>です <noscript>enable</noscript>
<a href="https://example.org/path">link</a> if 3 < 4</body></html>"""
SEEN = (
    "Head Onetwo café 😀 & A\u00adB first second line break again c1 c2 x = 1 < 2 漢字です link"
    " if 3 < 4"
)
NOTES = """---
title: Not text
tags: [a, b]
---
# Head *emph*asis

Text with **bold**, [a link](https://example.org "title"), ![picture](pic.png) and `code`.
<b>html</b> &amp; snake_case ~~gone~~ <script>no()</script>

```python title="no"
def f(): pass
```

| a | b |
|---|---|
| 1 | 2 |

* item
  > quote <https://example.org/auto>

[ref]: https://example.org/ref
"""


@pytest.mark.parametrize("step", [1, 2, 7, 100, 10_000])
def test_the_text_of_a_page_however_it_is_cut(step):
    parts = [PAGE[at : at + step] for at in range(0, len(PAGE), step)]
    assert "".join(html_text(parts)).split() == SEEN.split()


@pytest.mark.parametrize(
    ("page", "seen"),
    [
        ("plain text", "plain text"),
        ("<p>one<p>two", "one two"),
        ("a<div>b</div>c", "a b c"),
        ("w<em>o</em>rd <span>is</span>n't", "word isn't"),
        ("<SCRIPT>x</SCRIPT>y<Style>z</Style>", "y"),
        ("&lt;b&gt; &nbsp; &#x96e8; &unknown; AT&T", "<b> 雨 &unknown; AT&T"),
        ("<title>never ended<body>text", "text"),
        ("before <!-- never ended > text", "before"),
        ("before <a href='never ended", "before"),
        ("<select><option>one<option>two</select>", "one two"),
        ("<svg><title>no</title><text>yes</text></svg>", "yes"),
        ("<textarea>a <b> c</textarea>", "a c"),
        ("<p hidden title='no' data-x='<no>'>yes", "yes"),
        ("<?xml version='1.0'?><p>yes</p>", "yes"),
        ("a<wbr>b", "ab"),
        ("<h1>Titel</h1><hr>Text", "Titel Text"),
        ("</p></div>text</b>", "text"),
    ],
)
def test_pages_by_hand(page, seen):
    for parts in ([page], list(page)):
        assert "".join(html_text(parts)).split() == seen.split()


@pytest.mark.parametrize("step", [1, 3, 10_000])
def test_the_text_of_markdown(step):
    parts = [NOTES[at : at + step] for at in range(0, len(NOTES), step)]
    seen = (
        "Head emphasis Text with bold, a link, and code. html & snake_case gone def f(): pass "
        "a b 1 2 item quote https://example.org/auto"
    )
    assert " ".join("".join(markdown_text(parts)).split()) == seen


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("+++\ntitle = 1\n+++\ntext", "text"),
        ("---\nnot: ended\n\ntext", "not: ended text"),
        ("text\n\n---\n\nmore\n\n---\n", "text more"),
        ("    indented code\n", "indented code"),
        ("~~~\n# no head\n~~~\n", "# no head"),
        ("Title\n=====\n\n1. one\n2. two", "Title one two"),
        ("[a][b] and [c]\n\n[b]: x\n[c]: y", "a and c"),
        (r"\*not emphasis\* 2 * 3 * 4", "*not emphasis* 2 * 3 * 4"),
        ("<div>\n<p>html</p>\n</div>\n\n*text*", "html text"),
        ("<!-- gone -->\n\ntext", "text"),
        ("two\n", "two"),
    ],
)
def test_markdown_by_hand(text, seen):
    assert "".join(markdown_text([text])).split() == seen.split()
    assert "".join(markdown_text([text.replace("\n", "\r\n")])).split() == seen.split()


def test_long_markdown_is_cut_between_paragraphs(monkeypatch):
    monkeypatch.setattr(markup, "_MARKDOWN_AT_ONCE", 50)
    text = "A *paragraph* of text.\n\n```\n# code\n\n# more code\n```\n\n"
    found = "".join(markdown_text([text * 20]))
    assert " ".join(found.split()) == " ".join(["A paragraph of text. # code # more code"] * 20)


@pytest.mark.parametrize(
    "page",
    [
        *("<" * 300_000, "</" * 200_000, "<!" * 200_000, "&" * 300_000, "<![CDATA[" * 20_000),
        *("<!--" + "x" * 3_000_000, "<a b='" + "x" * 3_000_000, "<script>" + "a<b " * 500_000),
    ],
)
def test_hostile_pages_take_no_time(page):
    begun = time.perf_counter()
    parts = [page[at : at + 65_536] for at in range(0, len(page), 65_536)]
    for _ in html_text(parts):
        pass
    assert time.perf_counter() - begun < 10


def test_a_tag_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(markup, "_LONGEST_TAG", 1000)
    with pytest.raises(DataError, match=r"page\.html: a tag or comment is longer"):
        list(html_text(["<!--", "x" * 900, "y" * 3000], name="page.html"))


@pytest.mark.parametrize(
    "name", ["page.html", "page.HTM", "page.html.gz", "notes.md", "notes.md.gz"]
)
def test_files_with_markup_are_read_without_it_and_it_is_said(tmp_path, name):
    path = tmp_path / name
    text, kind = (NOTES, "Markdown") if "md" in name else (PAGE, "HTML")
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    read = read_text(path, tokenizer="words")
    assert not {"href", "script", "style", "b", "title", "div"} & set(read.counts.symbols[:0])
    assert not {"href", "style", "png", "color", "picture"} & set(read.counts.symbols)
    assert "head" in read.counts.symbols
    assert [str(note) for note in read.source.notes] == [f"{kind} markup was removed"]
    assert "head" in read_sentences(path).symbols
    assert read_sentences(path).source.notes == read.source.notes


def test_a_folder_of_pages_texts_and_notes(tmp_path):
    (tmp_path / "a.html").write_text("<p>page <b>one</b></p>", encoding="utf-8")
    (tmp_path / "b.md").write_text("*note*", encoding="utf-8")
    (tmp_path / "c.txt").write_text("text <b> kept", encoding="utf-8")
    (tmp_path / "d.txt.gz").write_bytes(gzip.compress(b"packed"))
    (tmp_path / "e.css").write_text("p { }", encoding="utf-8")
    read = hf.Discrete.from_text(tmp_path)
    assert sorted(read.symbols) == ["b", "kept", "note", "one", "packed", "page", "text"]
    assert [str(note) for note in read.source.notes] == [
        "HTML markup was removed",
        "Markdown markup was removed",
    ]


def test_a_page_in_japanese_is_split_by_its_text_and_not_by_its_tags(tmp_path):
    pytest.importorskip("sudachipy")
    path = tmp_path / "page.html"
    row = (
        '<div class="row item long-name" data-key="abcdefgh"><span>今日は東京です。</span></div>\n'
    )
    path.write_text(row * 100, encoding="utf-8")
    assert read_text(path).source.tokenizer == "japanese"
