"""A client that has not taken its whole answer is waited for: its call has not ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tollway_dialects.usage import Usage
from tollway_edge.domain.answer import CachedAnswer
from tollway_edge.domain.errors import GatewayError, GatewayErrorKind

if TYPE_CHECKING:
    from tollway_edge.domain.pipeline import Pipeline

ANSWER = b'{"content": [], "stop_reason": "end_turn"}'
HIT = CachedAnswer(ANSWER, "anthropic", "claude-haiku", "n/a", Usage(), 0, "exact")


@pytest.mark.parametrize("kind", ["whole", "cached", "refused", "whole_for_a_stream"])
async def test_a_whole_answer_is_waited_for_before_its_call_is_booked(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_piece: Any, kind: str
) -> None:
    ports.body, ports.is_slow = make_body(stream=kind == "whole_for_a_stream"), True
    ports.whole = make_piece(ANSWER)
    ports.pieces = [ports.whole]
    if kind == "cached":
        ports.cached = HIT
    elif kind == "refused":
        ports.failures["look_up"] = GatewayError(GatewayErrorKind.UNAVAILABLE, "AWAY", "come again")
    await pipeline.serve(make_call(), ports)
    assert ports.is_ended
    assert ports.steps.index("begin") < ports.steps.index("end") < ports.steps.index("record")


async def test_a_stream_whose_end_is_not_taken_has_not_succeeded(
    pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_stream: Any
) -> None:
    ports.body, ports.pieces, ports.holds_at = make_body(stream=True), make_stream(), "end"
    serving = asyncio.create_task(pipeline.serve(make_call(), ports))
    await ports.reached.wait()
    serving.cancel()
    await asyncio.wait([serving])
    assert [(each.status, each.reason) for each in ports.records] == [("cancelled", "CLIENT_LEFT")]
    assert ports.stored == []
