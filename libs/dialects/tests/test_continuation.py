"""Whether another stream may go on where one broke off, and what is left of it to send."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tollway_dialects.continuation import CannotGoOn, continuation_of, delivered_of
from tollway_dialects.dialect import Dialect

MESSAGES, CHAT = Dialect.ANTHROPIC_MESSAGES, Dialect.OPENAI_CHAT


def anthropic(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def text(piece: str, index: int = 0) -> bytes:
    return anthropic("content_block_delta", index=index, delta={"type": "text_delta", "text": piece})


START = anthropic("message_start", message={"id": "msg_1", "usage": {"input_tokens": 7}})
OTHER_START = anthropic("message_start", message={"id": "msg_2", "usage": {"input_tokens": 9}})
BLOCK = anthropic("content_block_start", index=0, content_block={"type": "text", "text": ""})
TOOL = anthropic(
    "content_block_start", index=1, content_block={"type": "tool_use", "id": "t", "name": "n", "input": {}}
)
THOUGHT = anthropic("content_block_start", index=0, content_block={"type": "thinking", "thinking": ""})
STOP = anthropic("content_block_stop", index=0)
END = anthropic("message_delta", delta={"stop_reason": "end_turn"}) + anthropic("message_stop")
PING = anthropic("ping")


def chunk(number: int, delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    fields = {"id": f"chatcmpl-{number}", "created": number, "model": f"m-{number}", "choices": [choice], **more}
    return f"data: {json.dumps(fields)}\n\n".encode()


def said(number: int, piece: str) -> bytes:
    return chunk(number, {"content": piece})


def role(number: int) -> bytes:
    return chunk(number, {"role": "assistant", "content": ""})


DONE = b"data: [DONE]\n\n"


def rest(dialect: Dialect, delivered: list[bytes], other: list[bytes], **more: bool) -> bytes:
    continuation = continuation_of(dialect, delivered_of(dialect, delivered), **more)
    return b"".join(continuation.feed(each) for each in other)


def texts(events: bytes) -> str:
    found = ""
    for line in events.splitlines():
        if line.startswith(b"data: {"):
            seen = json.loads(line[6:])
            found += (seen.get("delta") or {}).get("text", "")
            found += "".join(choice["delta"].get("content") or "" for choice in seen.get("choices", []))
    return found


@pytest.mark.parametrize(
    "pieces",
    [["the sun was", " red"], ["the sun", " was", " red"], ["the sun was red"], ["t", "he sun was r", "ed"]],
)
def test_an_equal_beginning_is_left_out_wherever_its_pieces_are_cut(pieces):
    delivered = [START, BLOCK, text("the "), text("sun was")]
    other = [OTHER_START, PING, BLOCK, *map(text, pieces), STOP, END]
    got = rest(MESSAGES, delivered, other)
    assert texts(got) == " red"
    assert got.endswith(STOP + END)
    assert b"message_start" not in got
    assert b"content_block_start" not in got
    chat = [role(2), *(said(2, each) for each in pieces), chunk(2, {}, "stop"), DONE]
    got = rest(CHAT, [role(1), said(1, "the sun"), said(1, " was")], chat)
    assert texts(got) == " red"
    # one answer has one id
    assert {json.loads(line[6:])["id"] for line in got.splitlines() if line.startswith(b"data: {")} == {"chatcmpl-1"}
    assert got.endswith(DONE)


@pytest.mark.parametrize("pieces", [["the moon"], ["a"], ["the sun w", "ent"], ["the sun"], [""]])
def test_a_text_that_differs_or_is_shorter_is_not_gone_on_with(pieces):
    with pytest.raises(CannotGoOn):
        rest(MESSAGES, [START, BLOCK, text("the sun was")], [OTHER_START, BLOCK, *map(text, pieces), STOP, END])
    other = [role(2), *(said(2, each) for each in pieces), chunk(2, {}, "stop"), DONE]
    with pytest.raises(CannotGoOn):
        rest(CHAT, [role(1), said(1, "the sun was")], other)


def test_an_answer_that_is_whole_but_for_its_end_gets_its_end():
    assert rest(MESSAGES, [START, BLOCK, text("a")], [OTHER_START, BLOCK, text("a"), STOP, END]) == STOP + END
    got = rest(CHAT, [role(1), said(1, "a")], [role(2), said(2, "a"), chunk(2, {}, "stop"), DONE])
    assert b'"finish_reason":"stop"' in got


def test_where_signs_of_life_alone_were_delivered_any_answer_fits():
    other = [OTHER_START, THOUGHT, STOP, TOOL, END]
    assert rest(MESSAGES, [START, PING], other) == THOUGHT + STOP + TOOL + END
    assert texts(rest(CHAT, [role(1)], [role(2), said(2, "a"), DONE])) == "a"


def test_what_follows_the_text_passes_as_it_is():
    got = rest(MESSAGES, [START, BLOCK, text("a")], [OTHER_START, BLOCK, text("a b"), STOP, TOOL, END])
    assert (
        got
        == text(" b")
        .replace(b": ", b":")
        .replace(b", ", b",")
        .replace(b"event:content_block_delta\ndata:", b"event: content_block_delta\ndata: ")
        + STOP
        + TOOL
        + END
    )


@pytest.mark.parametrize(
    ("dialect", "delivered"),
    [
        (MESSAGES, [START, BLOCK, text("a"), STOP]),
        (MESSAGES, [START, TOOL]),
        (MESSAGES, [START, THOUGHT]),
        (MESSAGES, [START, BLOCK, text("a"), STOP, TOOL]),
        (CHAT, [role(1), chunk(1, {"tool_calls": [{"index": 0, "id": "c"}]})]),
        (CHAT, [role(1), chunk(1, {"reasoning_content": "hm"})]),
        (CHAT, [role(1), said(1, "a"), chunk(1, {}, "stop")]),
        (Dialect.OPENAI_RESPONSES, [anthropic("response.created")]),
    ],
)
def test_more_than_the_beginning_of_one_text_is_never_gone_on_from(dialect, delivered):
    with pytest.raises(CannotGoOn):
        delivered_of(dialect, delivered)


def test_another_answer_with_a_tool_in_place_of_the_text_is_another_one():
    with pytest.raises(CannotGoOn):
        rest(MESSAGES, [START, BLOCK, text("a")], [OTHER_START, TOOL])
    with pytest.raises(CannotGoOn):
        rest(CHAT, [role(1), said(1, "a")], [role(2), chunk(2, {"tool_calls": [{"index": 0, "id": "c"}]})])


@pytest.mark.parametrize(
    ("told", "goes_on", "adds"), [("the sun ", "was", "was"), ("the sun ", " was", "was"), ("a", " b", " b")]
)
def test_a_prefilled_answer_goes_on_behind_the_delivered_text_and_its_spaces(told, goes_on, adds):
    got = rest(MESSAGES, [START, BLOCK, text(told)], [OTHER_START, BLOCK, text(goes_on), STOP, END], is_prefilled=True)
    assert texts(got) == adds
    assert got.endswith(STOP + END)


def test_a_prefilled_answer_may_have_nothing_to_add():
    assert rest(MESSAGES, [START, BLOCK, text("a ")], [OTHER_START, BLOCK, STOP, END], is_prefilled=True) == STOP + END


@pytest.mark.parametrize(("told", "goes_on", "adds"), [("the sun ", "was", "was"), ("a", " b", " b"), ("a ", "", "")])
def test_a_prefilled_answer_of_chat_keeps_how_it_ends_and_what_it_used(told, goes_on, adds):
    usage = b'data: {"choices":[],"usage":{"total_tokens":3}}\n\n'
    other = [role(2), *([said(2, goes_on)] if goes_on else []), chunk(2, {}, "stop"), usage, DONE]
    got = rest(CHAT, [role(1), said(1, told)], other, is_prefilled=True)
    assert texts(got) == adds
    assert (got.count(b'"finish_reason":"stop"'), got.count(b"total_tokens"), got.endswith(DONE)) == (1, 1, True)


def test_a_reason_to_stop_is_kept_from_a_chunk_that_names_its_role_again():
    over = chunk(2, {"role": "assistant", "content": ""}, "stop")
    assert b'"finish_reason":"stop"' in rest(CHAT, [role(1)], [over, DONE])
