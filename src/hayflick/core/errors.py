"""The errors of hayflick.

::

    HayflickError                    catch this one to catch them all
    ├── ArgumentError                an argument is out of its range (also a ValueError)
    ├── DataError                    what was read cannot be used
    │   ├── UnknownLogError          no column of it is named, and no tool's log is like it
    │   └── UndecodableError         its bytes are not text in the stated encoding
    ├── OutputError                  a result cannot be written to the requested path
    ├── EffortError                  work that needs more than there is, or that was not agreed to
    ├── EndpointError                an endpoint refused, or went on failing after all retries
    ├── BudgetExhausted              the next request could exceed the budget: it is not made
    ├── ExecutorError                the processes or machines that do the work were lost
    ├── StoreError                   an object store does not answer (also an OSError)
    ├── TrainerError                 the user's own trainer failed, or took too long
    └── MissingExtraError            an optional dependency is not installed (also an ImportError)

    SimulationInterrupted            Ctrl-C in a long run (a KeyboardInterrupt)

A message names the argument, what it got, what it takes and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

_LONGEST_BITS = 400


def listed(names: Sequence[str], *, most: int = 10) -> str:
    """Return names for a message: the first `most`, and the number of further ones.

    Examples
    --------
    >>> listed(["cat", "dog", "cow"], most=2)
    "'cat', 'dog' and 1 more"
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(repr, names[:most])) + more


def _shown(value: object) -> str:
    """Return a value for a message; whole numbers of thousands of digits cannot be spelled out."""
    if isinstance(value, int) and value.bit_length() > _LONGEST_BITS:
        return f"a whole number of about {int(value.bit_length() * 0.30103)} digits"
    return repr(value)


class HayflickError(Exception):
    """Base of all errors of hayflick.

    Examples
    --------
    >>> import pickle
    >>> fault = ArgumentError("share", got=1.5, takes="a number from 0 to 1")
    >>> print(pickle.loads(pickle.dumps(fault)))
    share: got 1.5, takes a number from 0 to 1
    """

    page: ClassVar[str | None] = None
    """The page of the documentation about it, where that is not the one of the command."""

    def __reduce__(self) -> tuple[Any, ...]:
        # It may come from another process, and what made its message is no argument again.
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[HayflickError], args: tuple[Any, ...], state: Any) -> HayflickError:
    fault = kind.__new__(kind, *args)
    fault.args = args
    fault.__dict__.update(state)
    return fault


class ArgumentError(HayflickError, ValueError):
    """An argument is out of its range, or of the wrong kind.

    Parameters
    ----------
    argument
        Its name.
    got
        The value that was given.
    takes
        What the argument takes, as a phrase: ``"a whole number of at least 1"``.
    remedy
        What to do, if that does not follow from `takes`.

    Examples
    --------
    >>> print(ArgumentError("share", got=1.5, takes="a number from 0 to 1"))
    share: got 1.5, takes a number from 0 to 1
    """

    def __init__(self, argument: str, *, got: object, takes: str, remedy: str = "") -> None:
        self.argument = argument
        shown = got if isinstance(got, str) else _shown(got)
        message = f"{argument}: got {shown}, takes {takes}"
        super().__init__(f"{message}; {remedy}" if remedy else message)


class DataError(HayflickError):
    """What was read cannot be used: a missing, empty or malformed file, an unknown column."""


class UnknownLogError(DataError):
    """A table whose columns are not named is no log of a tool that is known.

    The message has several lines: the paths that hold text and times, and a command to copy.
    """

    page: ClassVar[str | None] = "logs"

    @property
    def places(self) -> str:
        """The message without the command, which is one of ``hayflick watch``."""
        return str(self).partition("\nSay what to read:")[0]


class UndecodableError(DataError):
    """A file's bytes are not text in the stated encoding.

    Attributes
    ----------
    offset : int
        Position of the first byte that cannot be decoded, counted from 0.
    """

    def __init__(self, message: str, *, offset: int) -> None:
        self.offset = offset
        super().__init__(message)


class OutputError(HayflickError):
    """A result cannot be written to the requested path."""


class EffortError(HayflickError):
    """Work would take more memory than the machine has, or was not agreed to."""


class EndpointError(HayflickError):
    """An endpoint refused, or went on failing after all retries.

    Attributes
    ----------
    agent, url : str
        Who asked, and where.

    Examples
    --------
    >>> print(EndpointError("it answers 404", agent="anna", url="http://127.0.0.1:8000/v1"))
    agent anna, http://127.0.0.1:8000/v1: it answers 404
    """

    def __init__(self, reason: str, *, agent: str, url: str) -> None:
        self.agent, self.url = agent, url
        super().__init__(f"agent {agent}, {url}: {reason}")


class ExecutorError(HayflickError):
    """The processes or machines that do the work were lost, or cannot be reached."""


class StoreError(HayflickError, OSError):
    """An object store does not answer, after a few tries; it may later."""


class BudgetExhausted(HayflickError):  # noqa: N818
    """The next request could exceed the budget, so it is not made."""


class TrainerError(HayflickError):
    """The user's own trainer failed, took too long, or could not be started; a loop can go on."""


class MissingExtraError(HayflickError, ImportError):
    """An optional dependency is not installed.

    Examples
    --------
    >>> print(MissingExtraError("the japanese tokenizer", extra="ja"))
    the japanese tokenizer needs an extra: pip install "hayflick[ja]"
    """

    page: ClassVar[str | None] = "how-to/check-installation"

    def __init__(self, feature: str, *, extra: str) -> None:
        super().__init__(f'{feature} needs an extra: pip install "hayflick[{extra}]"')


class SimulationInterrupted(KeyboardInterrupt):
    """A long run was stopped; `partial` holds the replicates that were finished.

    Attributes
    ----------
    partial : xarray.Dataset or None
        The finished replicates, ``None`` if none was finished.
    """

    def __init__(self, partial: Any) -> None:
        self.partial = partial
        super().__init__("the simulation was interrupted")
