"""The grammar of names with values: ``name``, ``name:value`` or ``name:key=value,…``.

A value without a key belongs to the first key: ``fresh:0.05`` is short for
``fresh:share=0.05``.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, Generic, Self, TypeVar

from typing_extensions import override

from hayflick.core.errors import ArgumentError

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Entry(Generic[T_co]):
    """An entry of the grammar: the keys of a name, and the function that makes its object.

    Parameters
    ----------
    make
        Called with the text of each key, by keyword; dashes become underscores.
    required, optional
        Keys in order.
    """

    make: Callable[..., T_co]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys, in order."""
        return self.required + self.optional

    def usage(self, name: str) -> str:
        """Return the entry's syntax."""
        keys = [f"{key}={key.upper()}" for key in self.required]
        keys += [f"[{key}={key.upper()}]" for key in self.optional]
        return f"{name}:{','.join(keys)}" if keys else name


class LazyEntries(Mapping[str, Entry[T_co]]):
    """Entries by name, each made when it is first looked up: the others are not loaded."""

    def __init__(self, names: Iterable[str], make: Callable[[str], Entry[T_co]]) -> None:
        self._names, self._make = tuple(names), make

    @override
    def __getitem__(self, name: str) -> Entry[T_co]:
        if name not in self._names:
            raise KeyError(name)
        return self._make(name)

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    @override
    def __len__(self) -> int:
        return len(self._names)

    @override
    def __contains__(self, name: object) -> bool:
        return name in self._names


def parse(argument: str, text: str, entries: Mapping[str, Entry[T_co]]) -> T_co:
    """Return the object that `text` names.

    Parameters
    ----------
    argument
        Name of the argument, for messages.
    text
        A name with values.
    entries
        The entries by name.

    Raises
    ------
    ArgumentError
        If the name, a key or a value is unknown; the message suggests the nearest name.

    Examples
    --------
    >>> shapes = {"box": Entry(lambda width, height="1": (width, height), ("width",), ("height",))}
    >>> parse("shape", "box:3", shapes), parse("shape", "box:width=3,height=4", shapes)
    (('3', '1'), ('3', '4'))
    """
    name, _, rest = text.partition(":")
    if name not in entries:
        near = difflib.get_close_matches(name, entries, n=1)
        remedy = f"did you mean {near[0]}?" if near else ""
        takes = f"one of {', '.join(entry.usage(name) for name, entry in entries.items())}"
        raise ArgumentError(argument, got=text, takes=takes, remedy=remedy)
    options = _options(rest, entries[name].keys)
    if options is None or not set(entries[name].required) <= set(options):
        raise ArgumentError(argument, got=text, takes=entries[name].usage(name))
    return entries[name].make(**{key.replace("-", "_"): v for key, v in options.items()})


def _options(rest: str, keys: tuple[str, ...]) -> dict[str, str] | None:
    # A single value may hold commas and equals signs, as file names do.
    parts = [rest] if len(keys) == 1 else rest.split(",")
    options: dict[str, str] = {}
    for place, part in enumerate(filter(None, parts)):
        key, _, value = part.partition("=")
        if key not in keys and place == 0 and keys:
            key, value = keys[0], part
        if key not in keys or key in options or not value:
            return None
        options[key] = value
    return options


def values(*texts: str | None) -> list[str]:
    """Return all values in texts of the grammar, which include the names of files.

    Examples
    --------
    >>> values("contamination:0.5,file=law.json", None, "anchor:stored,items.txt")
    ['0.5', 'law.json', 'stored', 'items.txt', 'stored,items.txt']
    """
    found: list[str] = []
    for text in filter(None, texts):
        rest = text.partition(":")[2]
        parts = rest.split(",")
        # A single value may itself hold commas.
        whole_value = [rest] if len(parts) > 1 and "=" not in rest else []
        found += [part.rpartition("=")[2] for part in parts] + whole_value
    return [value for value in found if value]


def number(argument: str, text: str) -> float:
    """Return a number from its text.

    Raises
    ------
    ArgumentError
        If the text is not a number.
    """
    try:
        return float(text)
    except ValueError:
        raise ArgumentError(argument, got=text, takes="a number") from None


def whole(argument: str, text: str) -> int:
    """Return a whole number from its text.

    Raises
    ------
    ArgumentError
        If the text is not a whole number.
    """
    try:
        return int(text)
    except ValueError:
        raise ArgumentError(argument, got=text, takes="a whole number") from None


_READERS: dict[str, Callable[[str, str], float]] = {"float": number, "int": whole}


class Term:
    """Base of frozen dataclasses whose fields are the keys of a name of the grammar.

    The fields are of type ``float`` or ``int``; a class with other types overrides the methods.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Box(Term):
    ...     name: ClassVar[str] = "box"
    ...     width: float
    ...     depth: int = 1
    >>> parse("shape", "box:2.5,depth=3", {"box": Box.entry(None)}).describe()
    'box:width=2.5,depth=3'
    """

    __slots__ = ()

    name: ClassVar[str]

    @classmethod
    def entry(cls, data: Any) -> Entry[Self]:  # noqa: ARG003
        """Return the entry of the grammar; `data` says how files are read."""
        readers = {field.name: _READERS[_kind(field)] for field in _fields(cls)}

        def make(**texts: str) -> Any:
            return cls(**{key: readers[key](_dashed(key), text) for key, text in texts.items()})

        required = [_dashed(f.name) for f in _fields(cls) if f.default is MISSING]
        optional = [_dashed(f.name) for f in _fields(cls) if f.default is not MISSING]
        return Entry(make, tuple(required), tuple(optional))

    def describe(self) -> str:
        """Return the object in the grammar of the command line."""
        kinds = {"float": float, "int": int}
        values = {f.name: kinds[_kind(f)](getattr(self, f.name)) for f in _fields(type(self))}
        keys = ",".join(f"{_dashed(key)}={value!r}" for key, value in values.items())
        return f"{self.name}:{keys}" if keys else self.name


def _fields(kind: Any) -> tuple[Any, ...]:
    return fields(kind)


def _kind(field: Any) -> str:
    """Return the name of a field's type, which is a string where annotations are not evaluated."""
    return str(getattr(field.type, "__name__", field.type))


def _dashed(key: str) -> str:
    return key.replace("_", "-")
