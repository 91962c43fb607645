"""A small neural language model of words: a GRU in PyTorch that learns from nothing, on a CPU.

It needs torch, which hayflick does not install:

    pip install torch numpy
    python prepare_words.py TEXT DATA
    python gru.py train DATA MODEL
    python gru.py generate MODEL N OUT SEED --temperature 0.9

It learns every word of the data, so a long text is better prepared first: the rare words as one.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import cross_entropy

LINE, BATCH = 25, 32  # words a line, lines a batch


class Model(nn.Module):
    """Words to vectors, a recurrent layer, vectors to words; word 0 starts a line."""

    def __init__(self, words: list[str], size: int) -> None:
        super().__init__()
        self.words = words
        self.enter = nn.Embedding(len(words), size // 2)
        self.layer = nn.GRU(size // 2, size, batch_first=True)
        self.leave = nn.Linear(size, len(words))

    def forward(
        self, numbers: torch.Tensor, state: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the scores of the next words, and the state that they depend on."""
        outputs, state = self.layer(self.enter(numbers), state)
        return self.leave(outputs), state


def train(data: Path, model: Path, epochs: int, size: int, rate: float, seed: int) -> None:
    """Train a new model on a file of words and save it."""
    torch.manual_seed(seed)
    found = data.read_text(encoding="utf-8").split()
    words = ["", *sorted(set(found))]
    number = {word: place for place, word in enumerate(words)}
    targets = torch.full((-(-len(found) // LINE) * LINE,), -100)  # cross_entropy skips -100
    targets[: len(found)] = torch.tensor([number[word] for word in found])
    targets = targets.view(-1, LINE)
    inputs = torch.cat([torch.zeros(len(targets), 1, dtype=torch.long), targets[:, :-1]], dim=1)
    network = Model(words, size)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate)
    for _ in range(epochs):
        for batch in torch.randperm(len(targets)).split(BATCH):
            scores, _ = network(inputs[batch].clamp(min=0))
            cross_entropy(scores.flatten(0, 1), targets[batch].flatten()).backward()
            optimizer.step()
            optimizer.zero_grad()
    torch.save({"words": words, "size": size, "weights": network.state_dict()}, model)


@torch.no_grad()
def generate(model: Path, items: int, out: Path, seed: int, temperature: float, top_k: int) -> None:
    """Write as many words as asked, all lines drawn at once, a word of each at a time."""
    saved = torch.load(model)
    network = Model(saved["words"], saved["size"])
    network.load_state_dict(saved["weights"])
    torch.manual_seed(seed)
    drawn = torch.zeros(-(-items // LINE), 1, dtype=torch.long)
    lines, state = [], None
    for _ in range(LINE):
        scores, state = network(drawn, state)
        scores = scores[:, -1] / temperature
        scores[:, 0] = -torch.inf
        if top_k:
            scores[scores < scores.topk(min(top_k, scores.shape[1])).values[:, -1:]] = -torch.inf
        drawn = scores.softmax(dim=-1).multinomial(1)
        lines.append(drawn)
    numbers = torch.cat(lines, dim=1).flatten()[:items]
    write_lines(out, [network.words[number] for number in numbers.tolist()])


def write_lines(path: Path, words: list[str]) -> None:
    """Write words, 25 a line."""
    lines = (" ".join(words[start : start + LINE]) for start in range(0, len(words), LINE))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Read the command and carry it out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("train")
    one.add_argument("data", type=Path)
    one.add_argument("model", type=Path)
    one.add_argument("--epochs", type=int, default=12)
    one.add_argument("--size", type=int, default=128)
    one.add_argument("--rate", type=float, default=3e-3)
    one.add_argument("--seed", type=int, default=1)
    one = commands.add_parser("generate")
    one.add_argument("model", type=Path)
    one.add_argument("items", type=int)
    one.add_argument("out", type=Path)
    one.add_argument("seed", type=int)
    one.add_argument("--temperature", type=float, default=1.0)
    one.add_argument("--top-k", type=int, default=0, help="0 for all words")
    arguments = vars(parser.parse_args())
    torch.set_num_threads(1)
    {"train": train, "generate": generate}[arguments.pop("command")](**arguments)


if __name__ == "__main__":
    main()
