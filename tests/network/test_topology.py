import networkx as nx
import numpy as np
import pytest
from numpy.testing import assert_allclose

from hayflick.core.errors import ArgumentError, DataError
from hayflick.network.topology import (
    blocks,
    complete,
    of_edges,
    of_file,
    parse_topology,
    ring,
    small_world,
    star,
)

GRAMMAR = [
    "complete",
    "ring:2",
    "small-world",
    "small-world:neighbours=3,rewired=0.5,seed=4",
    "blocks:3",
    "blocks:count=3,bridges=2",
    "star",
]


@pytest.mark.parametrize("text", GRAMMAR)
@pytest.mark.parametrize("itself", [True, False])
def test_rows_add_up_to_one_and_match_the_lists(text, itself):
    topology = parse_topology(text, agents=13)
    matrix = topology.reading(itself=itself).toarray()
    assert_allclose(matrix.sum(axis=1), 1.0)
    for agent, read in enumerate(topology.neighbours):
        assert set(np.flatnonzero(matrix[agent])) == {*read, *([agent] if itself else [])}
        assert len(set(matrix[agent][matrix[agent] > 0])) == 1
    assert topology.isolated == ()


@pytest.mark.parametrize("text", GRAMMAR)
def test_what_is_undirected_is_read_both_ways(text):
    read = parse_topology(text, agents=13).neighbours
    assert all(agent in read[other] for agent in range(13) for other in read[agent])


def test_shapes_by_hand():
    assert complete(3).neighbours == ((1, 2), (0, 2), (0, 1))
    assert ring(6, neighbours=2).neighbours[0] == (1, 2, 4, 5)
    assert ring(4, neighbours=9).neighbours == complete(4).neighbours
    assert star(4).neighbours == ((1, 2, 3), (0,), (0,), (0,))
    assert blocks(5, count=2).neighbours == ((1, 2), (0, 2), (0, 1), (4,), (3,))
    assert blocks(3, count=3).isolated == (0, 1, 2)


def test_a_small_world_is_networkxs_and_follows_its_seed():
    made = small_world(20, neighbours=2, rewired=0.3, seed=5)
    graph = nx.watts_strogatz_graph(20, 4, 0.3, seed=5)
    assert made.neighbours == tuple(tuple(sorted(graph.adj[agent])) for agent in range(20))
    assert made.neighbours != small_world(20, neighbours=2, rewired=0.3, seed=6).neighbours
    assert (
        small_world(20, neighbours=2, rewired=0.0).neighbours == ring(20, neighbours=2).neighbours
    )


def test_bridges_join_the_blocks():
    apart, joined = blocks(12, count=3), blocks(12, count=3, bridges=1)
    assert apart.groups == 3
    assert apart.warnings == ("the network falls into 3 parts that never hear of another",)
    assert joined.groups == 1
    assert joined.warnings == ()


def test_edges_have_a_direction():
    topology = of_edges([(0, 1), (0, 1), (1, 1), (2, 0)], agents=4)
    assert topology.neighbours == ((1,), (), (0,), ())
    assert topology.isolated == (1, 3)
    assert topology.warnings[0] == "agents that read nobody else: 1, 3"
    assert topology.reading(itself=False).toarray().sum(axis=1).tolist() == [1, 0, 1, 0]
    assert topology.reading(itself=True).toarray()[3].tolist() == [0, 0, 0, 1]


def test_many_isolated_agents_are_counted():
    assert "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more" in of_edges([], agents=12).warnings[0]


def test_a_file_of_edges(tmp_path):
    path = tmp_path / "edges.txt"
    path.write_text("# reader read\n0 1\n1,2\n\n2\t0\n")
    assert of_file(path, agents=3).neighbours == ((1,), (2,), (0,))
    named = parse_topology(f"edges:{path}", agents=3)
    assert named.neighbours == ((1,), (2,), (0,))
    path.write_text("0 1\n1 two\n")
    with pytest.raises(DataError, match="line 2 is '1 two', takes two numbers"):
        of_file(path, agents=3)
    path.write_text("0 7\n")
    with pytest.raises(ArgumentError, match="edges: got 7, takes a whole number from 0 to 2"):
        of_file(path, agents=3)
    with pytest.raises(DataError, match="cannot be read"):
        of_file(tmp_path / "nowhere.txt", agents=3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rnig", "topology: got rnig, takes one of .* did you mean ring"),
        ("blocks", "topology: got blocks, takes blocks:count=COUNT"),
        ("blocks:9", "count: got 9, takes a whole number from 1 to 5"),
        ("blocks:count=2,bridges=3", "bridges: got 3, takes a whole number from 0 to 2"),
        ("ring:0", "neighbours: got 0"),
        ("ring:x", "neighbours: got x, takes a whole number"),
        ("small-world:3", "neighbours: got 3, takes fewer than half of the 5 agents"),
        ("small-world:rewired=2", "rewired: got 2"),
    ],
)
def test_mistakes_are_refused(text, message):
    with pytest.raises(ArgumentError, match=message):
        parse_topology(text, agents=5)


def test_a_network_needs_an_agent():
    with pytest.raises(ArgumentError, match="agents: got 0"):
        complete(0)
