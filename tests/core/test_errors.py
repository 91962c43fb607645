import pytest

import hayflick as hf
from hayflick.core.errors import (
    ArgumentError,
    DataError,
    MissingExtraError,
    OutputError,
    SimulationInterrupted,
    UndecodableError,
)


@pytest.mark.parametrize("kind", [ArgumentError, DataError, OutputError, MissingExtraError])
def test_every_error_is_a_hayflick_error(kind):
    assert issubclass(kind, hf.HayflickError)


def test_builtin_bases_let_callers_catch_what_they_know():
    assert issubclass(ArgumentError, ValueError)
    assert issubclass(MissingExtraError, ImportError)
    assert issubclass(UndecodableError, DataError)
    assert issubclass(SimulationInterrupted, KeyboardInterrupt)


def test_a_message_names_argument_value_range_and_remedy():
    error = ArgumentError("samples", got=0, takes="a whole number", remedy="raise it")
    assert str(error) == "samples: got 0, takes a whole number; raise it"
