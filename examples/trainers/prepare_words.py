"""Write the words of a part of a text, all but the most frequent ones as "unknownword".

    python prepare_words.py TEXT DATA --words 1500 --items 15000

A small model cannot learn words that it sees once, and a language model has a fixed vocabulary.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from pathlib import Path

UNKNOWN, LINE = "unknownword", 25  # words a line


def prepare(text: Path, data: Path, words: int, items: int, skip: int) -> None:
    """Write some of the words of a text in lower case, 25 a line."""
    found = re.findall(r"\w+", text.read_text(encoding="utf-8").lower())[skip : skip + items]
    frequent = {word for word, _ in Counter(found).most_common(words)}
    written = [word if word in frequent else UNKNOWN for word in found]
    lines = (" ".join(written[start : start + LINE]) for start in range(0, len(written), LINE))
    data.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--words", type=int, default=1500, help="of them the vocabulary is made")
    parser.add_argument("--items", type=int, default=15_000, help="words of the text to take")
    parser.add_argument("--skip", type=int, default=0, help="words of the text to leave out first")
    prepare(**vars(parser.parse_args()))
