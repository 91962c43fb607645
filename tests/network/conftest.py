"""Small experiments, and agents that cost nothing."""

import asyncio
from dataclasses import dataclass, field

import pytest

from hayflick.network.agents.protocol import Answer
from hayflick.network.experiment import Experiment
from hayflick.network.rounds import NetworkLoop
from hayflick.network.run_results import report_network
from hayflick.network.setup import set_up_network
from hayflick.storage.database import Database
from hayflick.storage.runs import RunStore

WORDS = (
    *("rain", "snow", "wind", "river", "stone", "bread", "salt", "lamp", "road", "field"),
    *(
        "horse",
        "apple",
        "winter",
        "morning",
        "bell",
        "boat",
        "letter",
        "window",
        "garden",
        "candle",
    ),
)
REAL = [
    f"The {WORDS[place]} and the {WORDS[(3 * place + 1) % 20]} met a {WORDS[(7 * place + 2) % 20]}."
    for place in range(20)
]


def village(**changes):
    """Return an experiment of three built-in agents."""
    agents = [
        {"name": name, "kind": "ngram", "texts": REAL[start::3], "order": 2, "most_tokens": 12}
        for start, name in enumerate(("anna", "bert", "cleo"))
    ]
    values = {
        "format_version": 1,
        "seed": 7,
        "rounds": 3,
        "answers": 4,
        "query": "Tell me of the village",
        "pool": {"texts": REAL},
        "agents": agents,
        "embedder": "hashing:dimensions=64",
        **changes,
    }
    return Experiment.of({key: value for key, value in values.items() if value is not None})


@dataclass
class Scripted:
    """An agent that answers what a function of the place says."""

    name: str
    say: object
    asked: list = field(default_factory=list)

    async def answer(self, query, context, *, seed):
        self.asked.append((query, tuple(context), seed))
        await asyncio.sleep(0)
        said = self.say(seed)
        if isinstance(said, Exception):
            raise said
        return Answer(said, tokens_in=3, tokens_out=2, cost=0.5)

    async def close(self):
        pass

    def describe(self):
        return {"name": self.name}


@dataclass
class Runner:
    """Runs an experiment with agents that are given, in memory or in a file."""

    folder: object

    def start(self, experiment, agents=None, *, rule=None, say=lambda _: None):
        from dataclasses import replace

        setup = set_up_network(experiment, folder=self.folder)
        if agents is not None:
            setup = replace(setup, agents=tuple(agents))
        self.database = Database(self.folder / "run.db")
        store = RunStore(self.database)
        if not store.begun:
            pool = setup.first_pool(folder=self.folder)
            config = {
                "experiment": experiment.model_dump(mode="json", exclude_none=True),
                "folder": str(self.folder),
                "files": {},
            }
            store.begin(config, seed=experiment.seed, texts=pool.texts)
        return NetworkLoop(setup=setup, store=store, folder=self.folder, rule=rule, say=say)

    def run(self, experiment, agents=None, **more):
        rounds = self.start(experiment, agents, **more)
        try:
            asyncio.run(rounds.run())
        finally:
            self.database.close()
        return report_network(self.folder)


@pytest.fixture
def runner(tmp_path):
    return Runner(tmp_path)
