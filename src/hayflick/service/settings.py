"""The settings of the service: what `hayflick serve` is told, and what its TOML file holds."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hayflick.service.listening import LOOPBACK
from hayflick.service.stream_settings import Kind, StreamSettings

Role: TypeAlias = Literal["all", "ingest", "rounds"]
"""What a process does: both of the others, answer requests, or close and measure rounds."""


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DeclaredStream(StreamSettings):
    """A stream of the file: its settings, and what its items hold."""

    kind: Kind = "answers"


class DeclaredTarget(_Settings):
    """Where alerts go to.

    Parameters
    ----------
    kind
        ``apprise`` for a URL of apprise, ``webhook`` for signed JSON.
    url
        The address; ``$NAME`` is read from the environment.
    secret
        What signs the messages of a web hook, which must have one; ``$NAME`` is read from the
        environment.
    """

    kind: Literal["apprise", "webhook"] = "apprise"
    url: str
    secret: Annotated[str, Field(min_length=16, max_length=200)] | None = None

    @model_validator(mode="after")
    def _signed(self) -> Self:
        if self.kind == "webhook" and self.secret is None:
            # One that is drawn here would be known to nobody.
            raise ValueError("a web hook takes a secret, such as $HOOK_SECRET")
        return self


class Limits(_Settings):
    """What a request may hold.

    Parameters
    ----------
    body, unpacked
        Bytes of a body as it is sent, and after decompression.
    items
        Items of a request.
    text, vector
        Letters of a text, numbers of a vector.
    waiting
        Writes that may wait; another one is answered 429.
    streams
        Streams of a project.
    viewers
        Viewers of the live page at once.
    """

    body: Annotated[int, Field(ge=1000)] = 16_000_000
    unpacked: Annotated[int, Field(ge=1000)] = 64_000_000
    items: Annotated[int, Field(ge=1)] = 10_000
    text: Annotated[int, Field(ge=1)] = 1_000_000
    vector: Annotated[int, Field(ge=1)] = 16_384
    waiting: Annotated[int, Field(ge=1)] = 1000
    streams: Annotated[int, Field(ge=1)] = 1000
    viewers: Annotated[int, Field(ge=1)] = 500


class ServiceSettings(_Settings):
    """The settings of the service.

    Parameters
    ----------
    role
        What the process does: ``ingest`` answers requests, ``rounds`` closes and measures rounds,
        sends alerts and removes what is old, ``all`` does both; the first two need PostgreSQL.
    create_streams
        Whether an answer to an unknown stream makes that stream, with the `defaults`.
    defaults
        Settings of streams that are made so.
    streams, rules, targets
        Streams, rule files (paths, or their text) and alert targets, by name; they are made, or
        brought up to date, when the service starts.
    redact
        ``module:function`` that is given each text and returns what is stored; None for none.
    private_addresses
        Whether alerts and web hooks may go to addresses of this machine and of private networks.
    public_url
        Where people reach the service, such as ``https://hayflick.example.com``: alerts link to
        it. None for no links.
    language
        The language of alerts: ``en`` or ``ja``.
    host
        The address that it listens at.
    hosts
        Names under which the service may be addressed, beside those of loopback.
    insecure
        Whether it may listen beyond loopback without an account.
    limits
        What a request may hold.
    """

    role: Role = "all"
    create_streams: bool = True
    defaults: StreamSettings = StreamSettings()
    streams: dict[str, DeclaredStream] = Field(default_factory=dict)
    rules: dict[str, str] = Field(default_factory=dict)
    targets: dict[str, DeclaredTarget] = Field(default_factory=dict)
    redact: str | None = None
    private_addresses: bool = False
    public_url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")] | None = None
    language: Literal["en", "ja"] = "en"
    host: str = LOOPBACK
    hosts: tuple[str, ...] = ()
    insecure: bool = False
    limits: Limits = Limits()

    @property
    def embedders(self) -> frozenset[str]:
        """The embedders that the operator has chosen, for any stream."""
        return frozenset(one.embedder for one in (self.defaults, *self.streams.values()))
