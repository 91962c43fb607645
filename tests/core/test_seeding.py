import pytest

from hayflick.core.errors import ArgumentError
from hayflick.core.reproducibility import logical_blocks, stream


def test_streams_depend_on_seed_and_block_alone():
    draws = {
        (seed, block): stream(seed, block=block).random(4).tolist()
        for seed in (1, 2)
        for block in (0, 1)
    }
    assert len({tuple(values) for values in draws.values()}) == 4
    assert stream(1, block=1).random(4).tolist() == draws[1, 1]


@pytest.mark.parametrize(("replicates", "sizes"), [(1, [1]), (32, [32]), (65, [32, 32, 1])])
def test_blocks_cover_all_replicates(replicates, sizes):
    assert list(logical_blocks(replicates)) == list(enumerate(sizes))


@pytest.mark.parametrize("seed", [-1, 0.5, None])
def test_a_bad_seed_is_refused(seed):
    with pytest.raises(ArgumentError, match="seed"):
        stream(seed, block=0)
