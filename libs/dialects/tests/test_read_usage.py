"""Usage and stop reason of whole answers: cached parts counted once, null is not 0."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tollway_dialects.dialect import Dialect
from tollway_dialects.usage import Usage
from tollway_dialects.wires import WIRES

ANTHROPIC = WIRES[Dialect.ANTHROPIC_MESSAGES]
OPENAI = WIRES[Dialect.OPENAI_CHAT]
RESPONSES = WIRES[Dialect.OPENAI_RESPONSES]
CHARGED = [dialect for dialect, wire in WIRES.items() if not wire.is_free]


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        ({"input_tokens": 14, "output_tokens": 31}, Usage(uncached_input=14, output=31)),
        (
            {"input_tokens": 1, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 7, "output_tokens": 2},
            Usage(uncached_input=1, cache_write_short=5, cache_read=7, output=2),
        ),
        (
            {
                "input_tokens": 1,
                "cache_creation_input_tokens": 50,
                "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
                "output_tokens": 2,
            },
            Usage(uncached_input=1, cache_write_short=20, cache_write_long=30, output=2),
        ),
        (
            {"cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30}},
            Usage(cache_write_short=20, cache_write_long=30),
        ),
        (
            {"cache_creation_input_tokens": 50, "cache_creation": {"ephemeral_1h_input_tokens": 50}},
            Usage(cache_write_long=50),
        ),
        (
            {
                "input_tokens": 9,
                "cache_creation_input_tokens": None,
                "cache_read_input_tokens": None,
                "cache_creation": None,
                "output_tokens": 3,
                "output_tokens_details": None,
                "server_tool_use": {"web_search_requests": 1},
                "service_tier": "standard",
            },
            Usage(uncached_input=9, output=3),
        ),
        (
            {"input_tokens": 9, "output_tokens": 30, "output_tokens_details": {"thinking_tokens": 20}},
            Usage(uncached_input=9, output=30, reasoning=20),
        ),
        ({}, Usage()),
    ],
)
def test_anthropic_counts_are_parts_that_do_not_overlap(told: dict[str, Any], usage: Usage) -> None:
    body = msgspec.json.encode({"type": "message", "stop_reason": "end_turn", "usage": told})
    assert ANTHROPIC.read_usage(body) == (usage, "end_turn")


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        ({"prompt_tokens": 40, "completion_tokens": 9}, Usage(uncached_input=40, output=9)),
        (
            {"prompt_tokens": 40, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 32}},
            Usage(uncached_input=8, cache_read=32, output=9),
        ),
        (
            {"prompt_tokens": 40, "prompt_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 10}},
            Usage(cache_write_short=10, cache_read=30),
        ),
        (
            {
                "prompt_tokens": 40,
                "completion_tokens": 9,
                "prompt_tokens_details": {"cached_tokens": None, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 8},
            },
            Usage(uncached_input=40, output=9, reasoning=8),
        ),
        (
            {"prompt_tokens": None, "completion_tokens": 0, "completion_tokens_details": None},
            Usage(),
        ),
        # more cached than read: never a negative count
        ({"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 5}}, Usage(cache_read=5)),
        # DeepSeek, with and without the field that it shares with OpenAI
        (
            {"prompt_tokens": 9, "prompt_cache_hit_tokens": 5, "prompt_cache_miss_tokens": 4},
            Usage(uncached_input=4, cache_read=5),
        ),
        (
            {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 5}, "prompt_cache_hit_tokens": 5},
            Usage(uncached_input=4, cache_read=5),
        ),
    ],
)
def test_openai_counts_are_taken_apart(told: dict[str, Any], usage: Usage) -> None:
    body = msgspec.json.encode({"choices": [{"index": 0, "finish_reason": "stop"}], "usage": told})
    assert OPENAI.read_usage(body) == (usage, "stop")


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        ({"input_tokens": 40, "output_tokens": 9}, Usage(uncached_input=40, output=9)),
        (
            {"input_tokens": 40, "input_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 6}},
            Usage(uncached_input=4, cache_read=30, cache_write_short=6),
        ),
        (
            {
                "input_tokens": 40,
                "input_tokens_details": {
                    "cache_write_tokens": 6,
                    "cache_write_tokens_details": {"ttl_30m_tokens": 2, "ttl_12h_tokens": 4},
                },
            },
            Usage(uncached_input=34, cache_write_short=2, cache_write_long=4),
        ),
        (
            {"input_tokens": 40, "input_tokens_details": {"cache_write_tokens_details": {"ttl_12h_tokens": 4}}},
            Usage(uncached_input=36, cache_write_long=4),
        ),
        (
            {
                "input_tokens": 40,
                "input_tokens_details": {
                    "cache_write_tokens": 3,
                    "cache_write_tokens_details": {"ttl_30m_tokens": None, "ttl_12h_tokens": 9},
                },
                "output_tokens_details": {"reasoning_tokens": None},
            },
            Usage(uncached_input=37, cache_write_long=3),
        ),
        (
            {"input_tokens": None, "input_tokens_details": None, "output_tokens": 9, "output_tokens_details": None},
            Usage(output=9),
        ),
        ({"output_tokens": 9, "output_tokens_details": {"reasoning_tokens": 8}}, Usage(output=9, reasoning=8)),
        # more cached than read: never a negative count
        ({"input_tokens": 3, "input_tokens_details": {"cached_tokens": 5}}, Usage(cache_read=5)),
    ],
)
def test_counts_of_responses_are_taken_apart(told: dict[str, Any], usage: Usage) -> None:
    body = msgspec.json.encode({"object": "response", "status": "completed", "output": [], "usage": told})
    assert RESPONSES.read_usage(body) == (usage, "completed")


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_a_response_that_is_still_at_work_tells_no_usage(status: str) -> None:
    body = msgspec.json.encode({"object": "response", "status": status, "output": [], "usage": None})
    assert RESPONSES.read_usage(body) == (None, status)


@pytest.mark.parametrize("dialect", CHARGED)
@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"usage": 7}', b'{"stop_reason": "\xff", "choices": "\xff"}', b"[" * 100_000]
)
def test_an_answer_that_cannot_be_read_tells_nothing(dialect: Dialect, body: bytes) -> None:
    assert WIRES[dialect].read_usage(body) == (None, None)


@pytest.mark.parametrize("dialect", CHARGED)
@pytest.mark.parametrize("body", [b"{}", b'{"usage": null}'])
def test_no_usage_is_not_a_usage_of_zero(dialect: Dialect, body: bytes) -> None:
    assert WIRES[dialect].read_usage(body)[0] is None


@pytest.mark.parametrize(
    ("dialect", "whole", "not_whole"),
    [
        (
            Dialect.ANTHROPIC_MESSAGES,
            ["end_turn", "stop_sequence", "max_tokens"],
            ["tool_use", "pause_turn", "refusal", "model_context_window_exceeded", "", None],
        ),
        (Dialect.OPENAI_CHAT, ["stop", "length"], ["tool_calls", "content_filter", "function_call", "error", "", None]),
    ],
)
def test_only_whole_answers_are_storable(dialect: Dialect, whole: list[str], not_whole: list[str | None]) -> None:
    wire = WIRES[dialect]
    assert [reason for reason in [*whole, *not_whole] if wire.is_storable(reason)] == whole


def test_totals_are_sums_of_the_parts() -> None:
    usage = Usage(uncached_input=1, cache_write_short=2, cache_write_long=4, cache_read=8, output=16, reasoning=5)
    assert (usage.input, usage.total) == (15, 31)
