"""A synthesiser of tables as a trainer: it is not about text only.

    pip install scikit-learn
    python tabular.py example TABLE                      # a table of customers to try it with
    python tabular.py train TABLE MODEL
    python tabular.py generate MODEL N OUT SEED

Columns of numbers are drawn together from a Gaussian mixture. Every column of labels is drawn from
a decision tree on the columns before it: from the labels of the leaf that the new row falls in.
"""

from __future__ import annotations

import argparse
import csv
import pickle
from pathlib import Path

import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.tree import DecisionTreeClassifier

Table = dict[str, np.ndarray]


def read(path: Path) -> Table:
    """Return the columns of a CSV file, numbers where all of a column's cells are."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    columns = {}
    for name, cells in zip(header, zip(*rows, strict=True), strict=True):
        try:
            columns[name] = np.array(cells, dtype=float)
        except ValueError:
            columns[name] = np.array(cells)
    return columns


def write(path: Path, table: Table) -> None:
    """Write the columns as a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(zip(*(column.tolist() for column in table.values()), strict=True))


def features(table: Table, known: dict[str, np.ndarray]) -> np.ndarray:
    """Return numbers as they are and labels as the place in the list of known ones."""
    columns = [np.searchsorted(known[n], c) if n in known else c for n, c in table.items()]
    return np.column_stack(columns)


def train(data: Path, model: Path, components: int, leaf: int, seed: int) -> None:
    """Fit the mixture and the trees, and save them."""
    table = read(data)
    numbers = {name: cells for name, cells in table.items() if cells.dtype.kind == "f"}
    labels = {name: cells for name, cells in table.items() if name not in numbers}
    known = {name: np.unique(cells) for name, cells in labels.items()}
    mixture = GaussianMixture(components, random_state=seed) if numbers else None
    if mixture:
        mixture.fit(features(numbers, {}))
    trees, before = {}, dict(numbers)
    for name, cells in labels.items():
        tree = DecisionTreeClassifier(min_samples_leaf=leaf, random_state=seed)
        # The first column of a table of labels depends on nothing.
        trees[name] = tree.fit(features(before or {"": np.zeros(len(cells))}, known), cells)
        before[name] = cells
    saved = {"columns": list(table), "numbers": list(numbers), "known": known}
    model.write_bytes(pickle.dumps(saved | {"mixture": mixture, "trees": trees}))


def generate(model: Path, items: int, out: Path, seed: int) -> None:
    """Write as many rows as asked."""
    saved = pickle.loads(model.read_bytes())
    rng = np.random.default_rng(seed)
    made: Table = {}
    if saved["mixture"]:
        saved["mixture"].random_state = seed
        drawn = rng.permutation(saved["mixture"].sample(items)[0])
        made = dict(zip(saved["numbers"], drawn.T, strict=True))
    for name, tree in saved["trees"].items():
        chances = tree.predict_proba(features(made or {"": np.zeros(items)}, saved["known"]))
        # A row's label is where its random number falls among the summed probabilities.
        places = (chances.cumsum(axis=1) < rng.random((items, 1))).sum(axis=1)
        made[name] = tree.classes_[np.minimum(places, len(tree.classes_) - 1)]
    write(out, {name: made[name] for name in saved["columns"]})


def example(table: Path, rows: int, seed: int) -> None:
    """Write a table of customers: age, income, town (300 of them) and product (400)."""
    rng = np.random.default_rng(seed)
    age = rng.gamma(9.0, 5.0, rows).round(1)
    income = (rng.lognormal(10.0, 0.4, rows) * (1.0 + age / 100.0)).round(0)
    often = 1.0 / np.arange(1, 301)
    town = rng.choice(300, rows, p=often / often.sum())
    product = (town * 7 + (age // 10).astype(int) * 3 + rng.geometric(0.1, rows)) % 400
    columns = {"town": town, "product": product}
    labels = {name: np.array([f"{name} {one}" for one in cells]) for name, cells in columns.items()}
    write(table, {"age": age, "income": income, **labels})


def main() -> None:
    """Read the command and carry it out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("example")
    one.add_argument("table", type=Path)
    one.add_argument("--rows", type=int, default=5000)
    one.add_argument("--seed", type=int, default=1)
    one = commands.add_parser("train")
    one.add_argument("data", type=Path)
    one.add_argument("model", type=Path)
    one.add_argument("--components", type=int, default=5)
    one.add_argument("--leaf", type=int, default=5, help="rows that a leaf has at least")
    one.add_argument("--seed", type=int, default=1)
    one = commands.add_parser("generate")
    one.add_argument("model", type=Path)
    one.add_argument("items", type=int)
    one.add_argument("out", type=Path)
    one.add_argument("seed", type=int)
    arguments = vars(parser.parse_args())
    command = {"example": example, "train": train, "generate": generate}
    command[arguments.pop("command")](**arguments)


if __name__ == "__main__":
    main()
