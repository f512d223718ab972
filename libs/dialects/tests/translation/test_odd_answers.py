"""Answers that providers do send, and some that none should: never two starts, never a made-up end, bounded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tollway_dialects.sse import MAX_EVENT, EventSplitter, event_data
from tollway_dialects.translation.errors import MalformedAnswer
from tollway_dialects.translation.form.faults import Fault, FaultKind
from tollway_dialects.usage import Usage

CHUNK = {"id": "c1", "model": "m", "object": "chat.completion.chunk"}


def data(*chunks: Any) -> bytes:
    return b"".join(
        b"data: %b\n\n" % (each if isinstance(each, bytes) else json.dumps(each).encode()) for each in chunks
    )


def said(delta: Any = None, finish: str | None = None, **more: Any) -> Any:
    return CHUNK | {"choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish}]} | more


def call(index: int, arguments: str, **more: Any) -> Any:
    name = {"name": more.pop("name")} if "name" in more else {}
    return said({"tool_calls": [{"index": index, **more, "function": {**name, "arguments": arguments}}]})


def events(stream: bytes) -> list[Any]:
    return [json.loads(event_data(event)) for event in EventSplitter().feed(stream)]


def kinds(stream: bytes) -> list[str]:
    return [event["type"].removeprefix("content_block_") for event in events(stream)]


def calls(stream: bytes) -> list[tuple[str, Any]]:
    """Name and arguments of each call, from its own block."""
    names, pieces = {}, {}
    for event in events(stream):
        if event.get("content_block", {}).get("type") == "tool_use":
            names[event["index"]], pieces[event["index"]] = event["content_block"]["name"], ""
        elif event.get("delta", {}).get("type") == "input_json_delta":
            pieces[event["index"]] += event["delta"]["partial_json"]
    return [(name, json.loads(pieces[index])) for index, name in names.items()]


def test_chunks_that_say_nothing_open_no_block_and_end_no_stream(answer: Any) -> None:
    translator = answer("chat", "anthropic")
    told = translator.feed(
        data(
            said({"role": "assistant", "content": ""}),
            said({"tool_calls": []}),
            CHUNK | {"choices": []},
            said({"content": None, "reasoning_content": "", "refusal": None}),
        )
    )
    assert kinds(told) == ["message_start"]
    assert not translator.is_complete


def test_a_reason_that_is_repeated_with_the_usage_ends_the_stream_once(answer: Any) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 2}
    told = answer("chat", "anthropic").feed(
        data(said({"content": "x"}), said({}, "stop"), said({"content": ""}, "stop", usage=usage), b"[DONE]", b"[DONE]")
    )
    assert kinds(told) == ["message_start", "start", "delta", "stop", "message_delta", "message_stop"]


def test_parallel_calls_that_are_all_given_index_0_are_kept_apart(answer: Any) -> None:
    told = answer("chat", "anthropic").feed(
        data(
            call(0, '{"a":1}', id="one", name="f"), call(0, '{"b":2}', id="two", name="g"), said({}, "stop"), b"[DONE]"
        )
    )
    assert calls(told) == [("f", {"a": 1}), ("g", {"b": 2})]
    assert events(told)[-2]["delta"]["stop_reason"] == "tool_use"


def test_a_call_whose_arguments_are_whole_does_not_hold_up_the_next(answer: Any) -> None:
    translator = answer("chat", "anthropic")
    translator.feed(data(call(0, '{"a":1}', id="one", name="f"), call(1, "", id="two", name="g")))
    assert b"second" in translator.feed(data(call(1, '{"second":')))


def test_a_later_call_waits_for_one_that_is_not_whole_and_loses_nothing(answer: Any) -> None:
    translator = answer("chat", "anthropic")
    begun = data(call(0, '{"a":', id="one", name="f"), call(1, '{"second":', id="two", name="g"))
    assert b"second" not in translator.feed(begun)
    translator.feed(data(call(1, "2}")))
    told = answer("chat", "anthropic").feed(
        begun + data(call(1, "2}"), call(0, "1}"), said({}, "tool_calls"), b"[DONE]")
    )
    assert calls(told) == [("f", {"a": 1}), ("g", {"second": 2})]


def test_a_call_that_ended_while_it_waited_ends_once(answer: Any) -> None:
    begun = [call(0, '{"a":', id="one", name="f"), call(1, '{"b":2}', id="two", name="g")]
    told = answer("chat", "anthropic").feed(
        data(*begun, said({"content": "x"}), call(0, "1}"), said({}, "tool_calls"), b"[DONE]")
    )
    assert calls(told) == [("f", {"a": 1}), ("g", {"b": 2})]
    assert [kind for kind in kinds(told) if kind in ("start", "stop")] == ["start", "stop"] * 3


def test_arguments_that_come_whole_arrive_as_pieces_do(answer: Any) -> None:
    block = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}
    message = {"id": "m", "model": "m", "usage": {"input_tokens": 1}}
    of_anthropic = answer("anthropic", "chat").feed(
        data(
            {"type": "message_start", "message": message},
            {"type": "content_block_start", "index": 0, "content_block": block},
            {"type": "content_block_stop", "index": 0},
        )
    )
    deltas = [event["choices"][0]["delta"] for event in events(of_anthropic)]
    assert deltas[-1]["tool_calls"][0]["function"]["arguments"] == '{"a":1}'
    item = {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"a":1}'}
    of_openai = answer("responses", "anthropic").feed(
        data(
            {"type": "response.created", "response": {"id": "r", "model": "m"}},
            {"type": "response.output_item.added", "output_index": 0, "item": item | {"arguments": ""}},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
        )
    )
    assert calls(of_openai) == [("f", {"a": 1})]


def test_a_signature_of_gemini_right_after_its_thought_signs_that(answer: Any) -> None:
    thought = {"text": "Hm", "thought": True}
    signed = {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "sig="}
    told = answer("gemini", "anthropic").feed(
        data({"candidates": [{"content": {"parts": [thought, signed]}, "finishReason": "STOP"}], "responseId": "r"})
    )
    blocks = [event["content_block"]["type"] for event in events(told) if "content_block" in event]
    assert blocks == ["thinking", "tool_use"]
    assert b'"signature":"tollway:gemini::sig="' in told


@given(order=some.permutations([0, 0, 0, 1, 1, 1, 2, 2, 2]))
def test_calls_in_any_interleaving_arrive_whole_and_one_after_the_other(answer: Any, order: list[int]) -> None:
    left = {index: ['{"n"', ":", f"{index}}}"] for index in range(3)}
    chunks = [call(index, "", id=f"id{index}", name=f"f{index}") for index in range(3)]
    chunks += [call(index, left[index].pop(0)) for index in order]
    told = answer("chat", "anthropic").feed(data(*chunks, said({}, "tool_calls"), b"[DONE]"))
    assert calls(told) == [(f"f{index}", {"n": index}) for index in range(3)]
    blocks = [event["index"] for event in events(told) if "index" in event]
    assert blocks == sorted(blocks)
    assert [kind for kind in kinds(told) if kind in ("start", "stop")] == ["start", "stop"] * 3


@pytest.mark.parametrize(
    "stream",
    [
        data(said({"content": "x"}), b"[DONE]"),
        data(said({"content": "x"}), said({}, "tomorrow"), b"[DONE]"),
        data(said({"content": "x"}), b"<html>"),
        data(said({"content": "x"}), b"[]"),
        data(said({"content": 7})),
        data(CHUNK | {"choices": 7}),
        data(call(0, "{}", name="f")),
        data(call(0, "{}", id="one")),
        data(call(0, '{"a":1}', id="one", name="f"), call(1, "", id="two", name="g"), call(0, "}")),
        data(b"[DONE]"),
        data(said({"content": "x"}), b"[" * 100_000),
    ],
    ids=[
        *("no reason", "an unknown reason", "no json", "a list", "a text that is none", "choices that are none"),
        *("a call without id", "a call without name", "more after the whole", "nothing at all", "too deep"),
    ],
)
@pytest.mark.parametrize("client", ["anthropic", "responses"])
def test_what_cannot_be_read_ends_in_one_error_event(answer: Any, client: str, stream: bytes) -> None:
    translator = answer("chat", client)
    told = translator.feed(stream)
    assert events(told)[-1]["type"] == "error"
    assert (translator.is_complete, translator.error.kind) == (False, FaultKind.SERVER)
    assert translator.feed(data(said({}, "stop"), b"[DONE]")) == b""
    assert translator.break_off(Fault(FaultKind.TIMEOUT, "late")) == b""


@pytest.mark.parametrize(
    ("client", "code"), [("anthropic", "timeout_error"), ("chat", "timeout"), ("responses", "timeout")]
)
def test_a_stream_that_was_cut_ends_as_it_is_told_to(answer: Any, client: str, code: str) -> None:
    translator = answer("gemini", client)
    begun = translator.feed(data({"candidates": [{"content": {"parts": [{"text": "x"}]}}], "responseId": "r"}))
    assert not translator.is_complete
    told = translator.break_off(Fault(FaultKind.TIMEOUT, "it stalled"))
    last = events(begun + told)[-1]
    error = last.get("error", last)
    assert code in (error.get("code"), error.get("type"))
    assert error["message"] == "it stalled"
    if client == "responses":
        assert [event["sequence_number"] for event in events(begun + told)] == list(range(len(events(begun + told))))


def test_without_the_providers_word_usage_is_counted_and_estimated(answer: Any) -> None:
    translator = answer("chat", "anthropic", input_estimate=50)
    told = translator.feed(data(said({"content": "twelve bytes"}), said({}, "stop"), b"[DONE]"))
    assert translator.usage == Usage(uncached_input=50, output=3, is_estimated=True)
    begun, ended = events(told)[0], events(told)[-2]
    assert begun["message"]["usage"]["input_tokens"] == ended["usage"]["input_tokens"] == 50
    assert ended["usage"]["output_tokens"] == 3


def test_no_answer_begins_with_an_input_of_nothing(answer: Any) -> None:
    told = answer("chat", "anthropic", input_estimate=0).feed(data(said({"content": "x"})))
    assert events(told)[0]["message"]["usage"]["input_tokens"] == 1


def test_a_chat_client_gets_the_usage_chunk_only_if_it_asked(answer: Any) -> None:
    stream = data(
        {"candidates": [{"finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 9}, "responseId": "r"}
    )
    assert b"prompt_tokens" in answer("gemini", "chat").feed(stream)
    assert b"usage" not in answer("gemini", "chat", streams_usage=False).feed(stream)


@pytest.mark.parametrize(("code", "kind"), [(429, FaultKind.RATE_LIMITED), ("server_error", FaultKind.SERVER)])
def test_an_error_chunk_may_have_a_status_for_a_code(answer: Any, code: Any, kind: FaultKind) -> None:
    translator = answer("chat", "anthropic")
    told = translator.feed(data(said({"content": ""}, "error", error={"code": code, "message": "m"})))
    assert (translator.error.kind, events(told)[0]["error"]["type"]) == (kind, kind.anthropic_type)


@pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "OTHER", "UNEXPECTED_TOOL_CALL", "TOMORROW"])
def test_an_answer_that_gemini_could_not_give_is_an_error(answer: Any, reason: str) -> None:
    translator = answer("gemini", "chat")
    told = translator.feed(data({"candidates": [{"finishReason": reason}], "responseId": "r"}))
    assert "error" in events(told)[-1]
    assert translator.error


@pytest.mark.parametrize(
    ("upstream", "body"),
    [
        ("anthropic", b'{"type":"message"}'),
        ("anthropic", b"<html>"),
        ("anthropic", b"[]"),
        ("chat", b'{"id":"c","choices":[]}'),
        ("chat", b'{"error":{"message":"m","code":"server_error"},"choices":[]}'),
        ("responses", b'{"id":"r","status":"failed","output":[],"error":{"code":"server_error","message":"m"}}'),
        ("responses", b'{"id":"r","status":"queued","output":[]}'),
        ("gemini", b"{}"),
        ("gemini", b'{"candidates":[{"content":{"parts":[{"text":"x"}]}}]}'),
        ("gemini", b"[" * 100_000),
    ],
)
def test_what_is_no_whole_answer_is_malformed_and_never_quoted(answer: Any, upstream: str, body: bytes) -> None:
    client = "chat" if upstream == "anthropic" else "anthropic"
    translator = answer(upstream, client)
    with pytest.raises(MalformedAnswer):
        translator.whole(body)
    assert translator.error
    assert not translator.is_complete


def test_what_waits_is_bounded(answer: Any) -> None:
    translator = answer("responses", "anthropic")
    item = {"type": "function_call", "call_id": "c", "name": "f"}
    translator.feed(data({"type": "response.created", "response": {"id": "r", "model": "m"}}))
    for index in range(2):
        translator.feed(data({"type": "response.output_item.added", "output_index": index, "item": item}))
    piece = {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": "x" * (1 << 20)}
    told = [translator.feed(data(piece)) for _ in range(MAX_EVENT // (1 << 20) + 1)]
    assert translator.error
    assert b"event: error" in told[-1]
    endless = answer("responses", "anthropic")
    assert b"event: error" in endless.feed(b"data: " + b"x" * (MAX_EVENT + 1))


def test_what_the_final_event_repeats_is_bounded(answer: Any) -> None:
    translator = answer("chat", "responses")
    piece = data(said({"content": "x" * (1 << 20)}))
    told = [translator.feed(piece) for _ in range(MAX_EVENT // (1 << 20) + 1)]
    assert b"event: error" not in told[-2]
    assert b"event: error" in told[-1]


def test_a_part_that_only_the_upstreams_dialect_has_is_listed(answer: Any) -> None:
    translator = answer("anthropic", "chat")
    message = {"id": "m", "model": "m", "role": "assistant", "stop_reason": "end_turn", "usage": {}}
    block = {"type": "web_search_tool_result", "tool_use_id": "x", "content": []}
    translator.whole(json.dumps(message | {"content": [block, {"type": "text", "text": "x"}]}).encode())
    assert list(translator.dropped) == ["web_search_tool_result"]


def test_a_response_repeats_what_its_request_asked(answer: Any) -> None:
    request = (
        b'{"model":"m","input":"?","temperature":0.5,"tools":[{"type":"function","name":"t"}],"metadata":{"a":"b"}}'
    )
    told = answer("gemini", "responses", request=request).feed(
        data({"candidates": [{"finishReason": "STOP"}], "responseId": "r"})
    )
    final = events(told)[-1]["response"]
    assert (final["temperature"], final["metadata"], final["tools"][0]["name"]) == (0.5, {"a": "b"}, "t")
    assert (final["tool_choice"], final["instructions"]) == ("auto", None)
