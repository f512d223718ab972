"""What a provider's dialect must be able to do for the simulator; implemented by `messages` and `chat`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tollway_simulator.domain.answer import Answer
    from tollway_simulator.domain.prompt import Prompt
    from tollway_simulator.domain.refusal import Refusal
    from tollway_simulator.entrypoints.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer as events: what comes first, one delta for each piece of the answer, what comes last."""

    head: bytes
    deltas: list[bytes]
    tail: bytes


class Dialect(Protocol):
    """Reads requests and writes answers and errors of one provider."""

    @property
    def name(self) -> str: ...

    @property
    def request_id_header(self) -> bytes: ...

    def check_headers(self, exchange: Exchange) -> None:
        """Raise a Refusal where a header that the dialect demands is missing or unknown."""

    def read_prompt(self, exchange: Exchange, body: bytes) -> Prompt:
        """Return what the body means; raise a Refusal where the provider would."""

    def render_models(self, names: tuple[str, ...]) -> bytes: ...

    def render_error(self, refusal: Refusal, request_id: str) -> bytes: ...

    def render_json(self, prompt: Prompt, answer: Answer, request_id: str) -> bytes: ...

    def render_stream(self, prompt: Prompt, answer: Answer, request_id: str) -> Stream: ...
