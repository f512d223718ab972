"""A fixed text as an answer: what SDKs need is there, and it used nothing."""

from __future__ import annotations

import pytest
from tollway_dialects.dialect import Dialect
from tollway_dialects.translation.encoder import AnswerContext
from tollway_dialects.translation.fixed_answer import CAN_SAY, fixed_answer
from tollway_dialects.wires import WIRES

CONTEXT = AnswerContext("m", 0, 1_700_000_000, "abc")
STOPS = {Dialect.ANTHROPIC_MESSAGES: "end_turn", Dialect.OPENAI_CHAT: "stop", Dialect.OPENAI_RESPONSES: "completed"}


@pytest.mark.parametrize("dialect", sorted(CAN_SAY))
def test_a_whole_answer_is_read_as_one_that_ended_and_used_nothing(dialect: Dialect) -> None:
    answer = fixed_answer(dialect, CONTEXT, "Come back.", is_stream=False)
    usage, stop = WIRES[dialect].read_usage(answer)
    assert b'"Come back."' in answer
    assert usage is not None
    assert (usage.input, usage.output, stop) == (0, 0, STOPS[dialect])


@pytest.mark.parametrize("dialect", sorted(CAN_SAY))
def test_a_stream_is_read_as_one_that_is_complete(dialect: Dialect) -> None:
    reader = WIRES[dialect].stream_reader(0, strip_usage=False)
    events = fixed_answer(dialect, CONTEXT, "Come back.", is_stream=True)
    assert reader.feed(events) == events
    assert (reader.is_complete, reader.error, reader.stop_reason) == (True, None, STOPS[dialect])
