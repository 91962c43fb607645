"""An n-gram model of words with Witten-Bell smoothing: a trainer that needs Python alone.

    python ngram.py train DATA MODEL
    python ngram.py generate MODEL N OUT SEED

The next word follows what stood after the last two words, or else after the last one, or else
anywhere: the more different words have followed, the sooner a shorter context decides.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import defaultdict
from pathlib import Path

LINE = 25  # words a line


def train(data: Path, model: Path, order: int) -> None:
    """Save the words that follow every context, as often as they do."""
    words = re.findall(r"\w+", data.read_text(encoding="utf-8").lower())
    followers: dict[str, list[str]] = defaultdict(list)
    for place, word in enumerate(words):
        for length in range(min(order - 1, place) + 1):
            followers[" ".join(words[place - length : place])].append(word)
    model.write_text(json.dumps({"order": order, "followers": followers}), encoding="utf-8")


def generate(model: Path, items: int, out: Path, seed: int) -> None:
    """Write as many words as asked."""
    saved = json.loads(model.read_text(encoding="utf-8"))
    order, followers = saved["order"], saved["followers"]
    kinds = {context: len(set(words)) for context, words in followers.items()}
    rng = random.Random(seed)
    written: list[str] = []
    while len(written) < items:
        length = min(order - 1, len(written))
        while True:
            context = " ".join(written[len(written) - length :])
            known = len(followers.get(context, ()))
            # The shorter context decides with the probability kinds / (known + kinds).
            if length == 0 or (known and rng.random() * (known + kinds[context]) < known):
                break
            length -= 1
        written.append(rng.choice(followers[context]))
    lines = (" ".join(written[start : start + LINE]) for start in range(0, items, LINE))
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Read the command and carry it out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("train")
    one.add_argument("data", type=Path)
    one.add_argument("model", type=Path)
    one.add_argument("--order", type=int, default=3, help="words that are seen together")
    one = commands.add_parser("generate")
    one.add_argument("model", type=Path)
    one.add_argument("items", type=int)
    one.add_argument("out", type=Path)
    one.add_argument("seed", type=int)
    arguments = vars(parser.parse_args())
    {"train": train, "generate": generate}[arguments.pop("command")](**arguments)


if __name__ == "__main__":
    main()
