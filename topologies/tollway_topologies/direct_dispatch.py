"""
provider-dispatch as the pipeline's `Dispatch` in one process, without messages between the two (ADR-0011).

What the one domain gives is what the other one takes: a body of 400 KB is copied into no message and out of none, and
an event of a stream passes no generator, as a rule (ADR-0014). Deadlines, cancellation and errors are those of a stub.
"""

from __future__ import annotations

import time
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from tollway_edge.adapters.dispatch_client import translated
from tollway_edge.domain.answer import AnswerFailure
from tollway_provider_dispatch.domain.call import ChatCall
from tollway_servicekit.errors import DeadlineExceeded, ServiceError
from tollway_servicekit.limit import Limits, SharedLimit, StreamLimit

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from tollway_edge.domain.answer import AnswerPiece
    from tollway_edge.domain.call import Call
    from tollway_edge.domain.errors import GatewayError
    from tollway_provider_dispatch.domain.call import Attempt, Failure
    from tollway_provider_dispatch.domain.dispatch import Dispatcher


class DirectDispatch:
    """
    Sends calls on.

    Args:
        dispatcher: The other service's domain.
        timeout: Seconds that a whole call may take.
    """

    def __init__(self, dispatcher: Dispatcher, timeout: float) -> None:
        self._dispatcher = dispatcher
        self._timeout = timeout
        self._limits = Limits(timeout)

    async def complete(self, call: Call) -> AnswerPiece:
        limit, asked = SharedLimit(self._limits), self._asked(call)
        try:
            with limit:
                piece: Any = await self._dispatcher.complete(asked)
        except ServiceError as error:
            raise translated(error) from error
        except TimeoutError as error:
            raise _late(limit, error) from error
        finally:
            call.attempts = asked.rows  # also of what is given up before anybody tells it
        return piece if piece.failure is None else _told_failed(piece)

    @asynccontextmanager
    async def stream(
        self, call: Call, hand_on: Callable[[bytes, int], bool]
    ) -> AsyncIterator[AsyncIterator[AnswerPiece]]:
        async with aclosing(self._pieces(call, hand_on)) as pieces:
            yield pieces

    async def _pieces(self, call: Call, hand_on: Callable[[bytes, int], bool]) -> AsyncGenerator[AnswerPiece, None]:
        limit, asked = StreamLimit(self._timeout), self._asked(call)
        try:
            async with aclosing(self._dispatcher.stream(asked, hand_on)) as pieces:
                while True:
                    with limit:
                        piece: Any = await anext(pieces, None)
                    if piece is None:
                        return
                    yield piece if piece.failure is None else _told_failed(piece)
        except ServiceError as error:
            raise translated(error) from error
        except TimeoutError as error:
            raise _late(limit, error) from error
        finally:
            limit.close()
            call.attempts = asked.rows

    def _asked(self, call: Call) -> ChatCall:
        return ChatCall(
            call_id=call.call_id,
            dialect=call.dialect,
            models=call.models,
            body=call.body.raw if call.body else b"",
            body_model=call.requested_model,
            header_lines=call.forwarded.lines,
            query=call.query,
            conversation=call.conversation_id.encode(),
            strip_usage_event=call.strips_usage_event,
            workspace=call.workspace.name if call.workspace else "",
            kept_answer_id=call.kept_answer_id,
            is_kept=call.is_kept,
            thinks=call.is_stream and call.thinks(),
            deadline=time.monotonic() + self._timeout,
        )


def _told_failed(piece: Any) -> AnswerPiece:
    """Return a piece as edge knows it; any other has the same fields under the same names, and is taken as it is."""
    told: AnswerPiece = msgspec.structs.replace(piece, failure=_failure(piece.failure, piece.attempts))
    return told


def _failure(failure: Failure, attempts: tuple[Attempt, ...]) -> AnswerFailure:
    retry_after = failure.retry_after_ms / 1000 if failure.retry_after_ms else None
    provider, model = (attempts[-1].provider, attempts[-1].model) if attempts else ("", "")
    return AnswerFailure(failure.reason, failure.message, retry_after, provider, model)


def _late(limit: SharedLimit | StreamLimit, error: TimeoutError) -> GatewayError | TimeoutError:
    if not limit.has_expired:
        return error
    return translated(DeadlineExceeded("DEADLINE_EXCEEDED", "the call did not end within its deadline"))
