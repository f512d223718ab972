"""What a provider and a dialect of it must be able to do for the simulator; implemented in the folders beside this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tollway_simulator.entrypoints.connection.exchange import EVENTS, JSON

if TYPE_CHECKING:
    from tollway_simulator.domain.answer import Answer
    from tollway_simulator.domain.faces import Face
    from tollway_simulator.domain.prompt import Prompt
    from tollway_simulator.domain.refusal import Refusal
    from tollway_simulator.entrypoints.connection.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer as events: what comes first, one delta for each piece of the answer, what comes last."""

    head: bytes
    deltas: list[bytes]
    tail: bytes
    lines: bytes = EVENTS
    """Header lines that say what the body is."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The JSON answer of an endpoint that generates nothing, and what a script may stand in."""

    body: bytes
    text: str = ""
    model: str = ""
    input_tokens: int = 0


class ErrorAnswer(NamedTuple):
    """An error as it is sent."""

    status: int
    body: bytes
    lines: bytes = JSON
    says_when: bool = True
    """Whether a header tells when to come back."""


class Provider(Protocol):
    """Whose API it is: keys, headers and errors."""

    @property
    def name(self) -> Face: ...

    @property
    def shape(self) -> str:
        """Whose requests and answers it takes and gives."""

    @property
    def default_failure(self) -> int:
        """The status of an error that is asked for without saying which."""

    def read_key(self, exchange: Exchange) -> bytes:
        """Return the key; empty where the request has none."""

    def check_headers(self, exchange: Exchange) -> None:
        """Raise a Refusal where a header that the provider demands is missing or unknown."""

    def head_lines(self, request_id: str, received_at: float, remaining: int | None = None) -> bytes:
        """Return the headers of every answer as they are on the wire; `remaining` requests are left."""

    def render_error(self, refusal: Refusal, request_id: str) -> ErrorAnswer: ...


class Endpoint(Protocol):
    """Answers with one JSON body."""

    def reply(self, exchange: Exchange, body: bytes) -> Reply: ...


class Dialect(Protocol):
    """Reads requests and writes answers, streams and their failures."""

    @property
    def keep_alive(self) -> bytes:
        """What a stream carries when it has nothing to say."""

    @property
    def garbage(self) -> bytes:
        """An event that is not JSON."""

    def read_prompt(self, exchange: Exchange, body: bytes) -> Prompt:
        """Return what the body means; raise a Refusal where the provider would."""

    def check_strictly(self, body: bytes) -> None:
        """Raise a Refusal where the body has fields that the provider does not know."""

    def render_json(self, prompt: Prompt, answer: Answer, request_id: str) -> bytes: ...

    def render_stream(self, prompt: Prompt, answer: Answer, request_id: str, *, is_padded: bool) -> Stream:
        """Return the answer as events, with OpenAI's padding where it is asked for."""

    def render_failure(self, prompt: Prompt, refusal: Refusal, request_id: str, sent_events: int) -> bytes:
        """Return what ends a stream that fails after so many events."""


@dataclass(frozen=True, slots=True)
class Route:
    """What serves a path: a dialect where it generates, an endpoint where it does not."""

    provider: Provider
    methods: tuple[str, ...]
    dialect: Dialect | None = None
    endpoint: Endpoint | None = None
    needs_key: bool = True
    path: str = ""
    """What scripts call it; empty where it takes none."""
