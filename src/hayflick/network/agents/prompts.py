"""A query and its context as the messages of a chat."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hayflick.core.errors import ArgumentError

_FIELDS = re.compile(r"\{(context|query)\}")
_LIKE_FIELDS = re.compile(r"\{(\w+)\}")

TEMPLATE = "{context}\n\n{query}"
PERSONA = (
    "Answer the last paragraph in a few sentences. "
    "The paragraphs before it, if there are any, are texts that you may use."
)


@dataclass(frozen=True, slots=True)
class Prompt:
    r"""How a query is put.

    Parameters
    ----------
    template
        The user's message, with ``{query}`` and, mostly, ``{context}``. Other braces stand for
        themselves.
    persona
        The system message; none is sent where it is empty.

    Raises
    ------
    ArgumentError
        If the template has no ``{query}``, or another field.

    Examples
    --------
    >>> Prompt(persona="").messages("Why?", ["It rains.", "It snows."])
    [{'role': 'user', 'content': 'It rains.\n\nIt snows.\n\nWhy?'}]
    """

    template: str = TEMPLATE
    persona: str = PERSONA

    def __post_init__(self) -> None:
        fields = set(_LIKE_FIELDS.findall(self.template))
        if "query" not in fields or not fields <= {"context", "query"}:
            takes = "a text with {query}, and {context} if it is to be read"
            raise ArgumentError("template", got=self.template, takes=takes)

    def messages(self, query: str, context: Sequence[str]) -> list[dict[str, str]]:
        """Return the messages, in the form of the chat interface; texts stand a line apart."""
        values = {"query": query, "context": "\n\n".join(context)}
        # In one go, so that a text that holds "{query}" is left as it is.
        content = _FIELDS.sub(lambda found: values[found[1]], self.template).strip()
        user = {"role": "user", "content": content}
        return [{"role": "system", "content": self.persona}, user] if self.persona else [user]
