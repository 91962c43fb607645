"""Read the running text of files: decoded, without markup, in one Unicode spelling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from hayflick.core.notes import Note
from hayflick.core.progress import Progress, silent
from hayflick.corpus.compression import content_suffix, opened
from hayflick.corpus.encodings import CHUNK_BYTES, check_encoding, decoded, pieces
from hayflick.corpus.normalization import normalized_pieces

_HTML = (".html", ".htm", ".xhtml")
_MARKDOWN = (".md", ".markdown")
TEXT_SUFFIXES = (".txt", ".text", *_MARKDOWN, *_HTML)
"""Suffixes of the files of a folder that are read; each also with ``.gz`` behind it."""

_WINDOWS = 16
_WINDOW_BYTES = 1 << 15
_HEAD_CHARACTERS = 1 << 14
_FILES = 4096


def plain_text(
    path: Path, *, encoding: str = "utf-8", progress: Progress = silent
) -> Iterator[str]:
    """Yield the text of a file; that of HTML and Markdown, by the suffix, without markup.

    Parameters and errors are those of `hayflick.corpus.encodings.decoded`.
    """
    text = decoded(path, encoding=encoding, progress=progress)
    kind = content_suffix(path)
    if kind not in (*_HTML, *_MARKDOWN):
        return text
    from hayflick.corpus.markup import html_text, markdown_text

    return html_text(text, name=str(path)) if kind in _HTML else markdown_text(text)


def running_text(
    path: Path,
    *,
    separators: str,
    encoding: str = "utf-8",
    normalize: str = "nfc",
    progress: Progress = silent,
) -> Iterator[str]:
    """Yield the text of a file in pieces that are cut between words.

    Parameters
    ----------
    path
        The file; gzip is decompressed, and HTML and Markdown are read without markup.
    separators
        Characters after which the text may be cut.
    encoding, progress
        See `hayflick.corpus.encodings.decoded`.
    normalize
        See `hayflick.corpus.normalization.normalized_expression`.

    Raises
    ------
    DataError, UndecodableError
        If the file cannot be read.
    ArgumentError
        If there is no such encoding or normalization.
    """
    text = plain_text(path, encoding=encoding, progress=progress)
    return normalized_pieces(pieces(text, separators=separators), normalize)


def markup_notes(files: Sequence[Path]) -> tuple[Note, ...]:
    """Return what to say of the markup that reading files removes.

    Examples
    --------
    >>> markup_notes([Path("page.html.gz"), Path("notes.txt")])
    (Note('HTML markup was removed'),)
    """
    kinds = {content_suffix(file) for file in files}
    html = (Note("HTML markup was removed"),) if kinds & set(_HTML) else ()
    markdown = (Note("Markdown markup was removed"),) if kinds & set(_MARKDOWN) else ()
    return html + markdown


def sample_files(files: Sequence[Path], *, encoding: str) -> Iterator[str]:
    """Yield the heads of up to 4096 files, and windows throughout the long ones.

    Raises
    ------
    DataError
        If a sampled head cannot be read as text in `encoding`.
    """
    step = -(-len(files) // _FILES)
    for file in files[::step]:
        yield next(plain_text(file, encoding=encoding), "")[:_HEAD_CHARACTERS]
        yield from _windows(file, check_encoding(encoding))


def _windows(path: Path, codec: str) -> Iterator[str]:
    size = path.stat().st_size
    with opened(path) as (stream, file):
        # Places in a compressed file cannot be reached, and those in a page may be in a tag.
        if size <= CHUNK_BYTES or stream is not file or content_suffix(path) in _HTML:
            return
        for window in range(1, _WINDOWS):
            # Multiples of 4 bytes keep UTF-16 and UTF-32 in step.
            file.seek(size * window // _WINDOWS // 4 * 4)
            yield file.read(_WINDOW_BYTES).decode(codec, errors="ignore")
