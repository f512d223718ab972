"""What the pipeline needs from outside; adapters call the other services, entrypoints stand for the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractAsyncContextManager
    from typing import Any

    from tollway_dialects.prompt import PromptFeatures

    from tollway_edge.domain.answer import AnswerPiece, CachedAnswer, KeptAnswerQuestion, TierChoice
    from tollway_edge.domain.call import Call


class Client(Protocol):
    """The other end of one HTTP exchange."""

    is_begun: bool
    """Status and headers have left."""

    def body_at_hand(self) -> bytes | None:
        """Return what `read_body` would where all of it is here and nobody need wait; else None, and that is due."""

    async def read_body(self) -> bytes:
        """Return the whole body; raises `GatewayError` where it is too large. Cancels the call if the client leaves."""

    async def answer(self, status: int, header_lines: bytes, body: bytes) -> None:
        """Send an answer, headers as `header_lines` joins them; return once the client has taken enough of it."""

    def send_whole(self, status: int, header_lines: bytes, body: bytes) -> bool:
        """Do so without waiting; false: the client has not taken enough of it, and `end` is due."""

    async def begin(self, status: int, header_lines: bytes) -> None:
        """Send status and headers; pieces follow."""

    def send(self, data: bytes) -> bool:
        """Send a piece; false: it waits for the client, who reads slower than it is sent to."""

    def send_last(self, data: bytes) -> bool:
        """Do so with the last one, which leaves together with the body's end."""

    async def drained(self) -> None:
        """Return once the client has taken enough of what was sent."""

    async def end(self) -> None:
        """Close the body properly; return once the client has taken enough of it."""


class AnswerCache(Protocol):
    """Earlier answers. Fails open: what cannot be asked is a miss."""

    def may_hold(self, exact_key: bytes) -> bool:
        """Say whether there may be an answer to look up; false: there was none a moment ago."""
        ...

    async def look_up(self, call: Call) -> CachedAnswer | None:
        """Return an answer of the call's own workspace, or None."""

    def store(self, call: Call, body: bytes, cost_micro_usd: int) -> None:
        """Keep an answer, later and off the path."""


class Classifier(Protocol):
    """Which tier a prompt needs. Falls to the middle tier when it cannot be asked."""

    async def classify(self, call: Call, features: PromptFeatures) -> TierChoice:
        """Return a tier, always."""


class Prompts(Protocol):
    """Published system prompts."""

    async def resolve(self, call: Call, name: str, version: int, variables: Mapping[str, str]) -> tuple[str, str]:
        """Return (name@version, rendered text); raises `GatewayError`."""


class Budget(Protocol):
    """Caps. Fails closed."""

    async def reserve(self, call: Call, input_tokens: int, output_tokens: int) -> None:
        """Set tokens aside for the call; raises `GatewayError` where the cap leaves no room or cannot be asked."""


class Dispatch(Protocol):
    """Providers."""

    async def complete(self, call: Call) -> AnswerPiece:
        """Return the whole answer; raises `GatewayError` where no provider can be asked."""

    def stream(self, call: Call, hand_on: Callable[[bytes, int], bool]) -> AbstractAsyncContextManager[Any]:
        """
        Return an async iterator of pieces; leaving the block cancels the upstream call at once.

        What brings nothing but events may go to `hand_on` instead, while the next piece is awaited: data, and the
        tokens counted so far. Once that says no, a piece comes, with or without data, and who iterates can wait.
        """


class Ledger(Protocol):
    """Where every call ends up, once, and is counted for metrics."""

    def record(self, call: Call, cost_micro_usd: int | None) -> None:
        """Take note of an ended call, and of what it cost where that is known; it is booked later and off the path."""


class Catalogue(Protocol):
    """What can be called. Raises `GatewayError` where provider-dispatch cannot be asked."""

    async def providers(self) -> list[str]:
        """Return the providers in the chain, in order."""

    async def trouble(self) -> list[str]:
        """Return why no call can be served; empty when all is well."""

    async def openai_list(self) -> dict[str, Any]:
        """Return the models as OpenAI lists them."""

    async def openai_model(self, name: str) -> dict[str, Any]:
        """Return one model as OpenAI shows it; raises `GatewayError` where it is not listed."""

    async def anthropic_list(self, limit: int, after: str, before: str) -> dict[str, Any]:
        """Return at most `limit` models as Anthropic lists them: those behind `after`, or the last before `before`."""

    async def anthropic_model(self, name: str) -> dict[str, Any]:
        """Return one model as Anthropic shows it; raises `GatewayError` where it is not listed."""


class KeptAnswers(Protocol):
    """Answers that a provider keeps. Raises `GatewayError` where none of the workspace has the id, or nobody says."""

    async def ask(self, question: KeptAnswerQuestion) -> AnswerPiece:
        """Return what the provider says, whole."""


class Figures(Protocol):
    """A workspace's own figures. Raises `GatewayError` where metering cannot be asked."""

    async def month(self, workspace: str) -> dict[str, Any]:
        """Return the sums of the calendar month that runs, in UTC."""

    async def recent(self, workspace: str, limit: int) -> dict[str, Any]:
        """Return the latest calls, newest first."""


class ProviderBoard(Protocol):
    """How providers fare. Raises `GatewayError` where provider-dispatch cannot be asked."""

    async def providers(self) -> dict[str, Any]:
        """Return each provider of the chain with its keys by fingerprint, breakers and latest errors."""
