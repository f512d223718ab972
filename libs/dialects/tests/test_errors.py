"""The gateway's own errors raise the right class in both SDKs, as an answer and in mid-stream."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import openai
import pytest
from anthropic import _exceptions as anthropic_errors
from tollway_dialects.dialect import Dialect
from tollway_dialects.errors import GatewayErrorKind as Kind
from tollway_dialects.wires import WIRES

ANTHROPIC = WIRES[Dialect.ANTHROPIC_MESSAGES]
OPENAI = WIRES[Dialect.OPENAI_CHAT]
MESSAGE = 'workspace "default" has used 1000 of 1000 tokens'

ANTHROPIC_CLASSES = {
    Kind.INVALID_REQUEST: anthropic.BadRequestError,
    Kind.UNAUTHENTICATED: anthropic.AuthenticationError,
    Kind.QUOTA_EXCEEDED: anthropic_errors.PaymentRequiredError,
    Kind.NOT_FOUND: anthropic.NotFoundError,
    Kind.PREVIOUS_NOT_FOUND: anthropic.BadRequestError,
    Kind.MODEL_NOT_FOUND: anthropic.NotFoundError,
    Kind.METHOD_NOT_ALLOWED: anthropic.APIStatusError,
    Kind.REQUEST_TIMEOUT: anthropic.RequestTimeoutError,
    Kind.TOO_LARGE: anthropic_errors.ContentTooLargeError,
    Kind.UNSUPPORTED_MEDIA_TYPE: anthropic.APIStatusError,
    Kind.HEADERS_TOO_LARGE: anthropic.RequestHeaderFieldsTooLargeError,
    Kind.INTERNAL: anthropic.InternalServerError,
    Kind.UNAVAILABLE: anthropic_errors.ServiceUnavailableError,
    Kind.TIMEOUT: anthropic_errors.DeadlineExceededError,
}
OPENAI_CLASSES = {
    Kind.INVALID_REQUEST: openai.BadRequestError,
    Kind.UNAUTHENTICATED: openai.AuthenticationError,
    Kind.QUOTA_EXCEEDED: openai.APIStatusError,
    Kind.NOT_FOUND: openai.NotFoundError,
    Kind.PREVIOUS_NOT_FOUND: openai.BadRequestError,
    Kind.MODEL_NOT_FOUND: openai.NotFoundError,
    Kind.METHOD_NOT_ALLOWED: openai.APIStatusError,
    Kind.REQUEST_TIMEOUT: openai.APIStatusError,
    Kind.TOO_LARGE: openai.APIStatusError,
    Kind.UNSUPPORTED_MEDIA_TYPE: openai.APIStatusError,
    Kind.HEADERS_TOO_LARGE: openai.APIStatusError,
    Kind.INTERNAL: openai.InternalServerError,
    Kind.UNAVAILABLE: openai.InternalServerError,
    Kind.TIMEOUT: openai.InternalServerError,
}


def ask_anthropic(client: anthropic.Anthropic, **more: Any) -> Any:
    return client.messages.create(model="m", max_tokens=1, messages=[{"role": "user", "content": "?"}], **more)


def ask_openai(client: openai.OpenAI, **more: Any) -> Any:
    return client.chat.completions.create(model="m", messages=[{"role": "user", "content": "?"}], **more)


@pytest.mark.parametrize("kind", Kind)
def test_anthropics_sdk_raises_its_class(answering: Any, kind: Kind) -> None:
    body = ANTHROPIC.error_body(kind, MESSAGE, "req_1")
    with pytest.raises(anthropic.APIStatusError) as error:
        ask_anthropic(answering.anthropic(body, kind.status))
    raised = error.value
    assert type(raised) is ANTHROPIC_CLASSES[kind]
    assert (raised.status_code, raised.type) == (kind.status, kind.anthropic_type)
    assert raised.body == {
        "type": "error",
        "error": {"type": kind.anthropic_type, "message": MESSAGE},
        "request_id": "req_1",
    }


@pytest.mark.parametrize("kind", Kind)
def test_openais_sdk_raises_its_class(answering: Any, kind: Kind) -> None:
    body = OPENAI.error_body(kind, MESSAGE, "req_1")
    with pytest.raises(openai.APIStatusError) as error:
        ask_openai(answering.openai(body, kind.status))
    raised = error.value
    assert type(raised) is OPENAI_CLASSES[kind]
    assert (raised.status_code, raised.code, raised.type) == (kind.status, kind.openai_code, kind.openai_type)
    assert raised.param == ("previous_response_id" if kind is Kind.PREVIOUS_NOT_FOUND else None)
    assert MESSAGE in raised.message


@pytest.mark.parametrize("end", [1.0, 0.9, 0.5, 0.1])
def test_in_anthropic_an_error_event_ends_a_stream_wherever_it_broke_off(answering: Any, end: float) -> None:
    answer = {"id": "m", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn"}
    content = [{"type": "text", "text": "x" * 300}]
    whole = ANTHROPIC.to_events(json.dumps(answer | {"content": content, "usage": {}}).encode(), with_usage=True)
    handed_on = ANTHROPIC.stream_reader(1, strip_usage=False).feed(whole[: int(len(whole) * end) - 1])
    event = ANTHROPIC.error_event(Kind.INTERNAL, MESSAGE, "req_1")
    with pytest.raises(anthropic.APIStatusError, match="has used 1000") as error:
        list(ask_anthropic(answering.anthropic(handed_on + event), stream=True))
    assert error.value.type == "api_error"


@pytest.mark.parametrize("strip", [True, False])
@pytest.mark.parametrize("end", [1.0, 0.9, 0.5, 0.1])
def test_in_openai_an_error_chunk_ends_a_stream_wherever_it_broke_off(answering: Any, end: float, strip: bool) -> None:
    choice = {"index": 0, "message": {"content": "x" * 300}, "finish_reason": "stop"}
    whole = OPENAI.to_events(json.dumps({"id": "c", "choices": [choice], "usage": {}}).encode(), with_usage=True)
    whole = whole.removesuffix(b"data: [DONE]\n\n")
    handed_on = OPENAI.stream_reader(1, strip_usage=strip).feed(whole[: int(len(whole) * end) - 1])
    event = OPENAI.error_event(Kind.UNAVAILABLE, MESSAGE, "req_1")
    with pytest.raises(openai.APIError, match="has used 1000") as error:
        list(ask_openai(answering.openai(handed_on + event), stream=True))
    assert error.value.code == "unavailable"


@pytest.mark.parametrize("dialect", [Dialect.OPENAI_CHAT, Dialect.OPENAI_RESPONSES, Dialect.OPENAI_EMBEDDINGS])
@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            "messages: Field required",
            ("messages", "missing_required_parameter", "Missing required parameter: 'messages'."),
        ),
        (
            "max_tokens: must be a whole number",
            ("max_tokens", "invalid_type", "Invalid type for 'max_tokens': it must be a whole number."),
        ),
        ("n: must be at most 8", ("n", None, "n: must be at most 8")),
        ("prompt.version: must be\nless", ("prompt.version", None, "prompt.version: must be\nless")),
        ("the request body is not valid JSON: x", (None, None, "the request body is not valid JSON: x")),
    ],
)
def test_in_openais_form_a_refused_field_is_named(dialect: Dialect, message: str, told: tuple[str | None, ...]) -> None:
    error = json.loads(WIRES[dialect].error_body(Kind.INVALID_REQUEST, message, "req_1"))["error"]
    assert (error["param"], error["code"], error["message"]) == told
    other = json.loads(WIRES[dialect].error_body(Kind.INTERNAL, message, "req_1"))["error"]
    assert (other["param"], other["message"]) == (None, message)


@pytest.mark.parametrize(
    ("dialect", "told", "is_told"),
    [
        (
            Dialect.ANTHROPIC_MESSAGES,
            b'event: error\ndata: {"type":"error","error":{"type":"api_error"}}\n\n',
            True,
        ),
        (Dialect.ANTHROPIC_MESSAGES, b'event: ping\ndata: {"type":"ping"}\n\n', False),
        (Dialect.ANTHROPIC_MESSAGES, b"event: error\ndata: <html>\n\n", False),
        (Dialect.OPENAI_CHAT, b'data: {"error":{"message":"m","code":null}}\n\n', True),
        (Dialect.OPENAI_CHAT, b'data: {"choices":[]}\n\n', False),
        (Dialect.OPENAI_CHAT, b"", False),
    ],
)
def test_a_stream_in_which_the_provider_told_its_error_gets_no_second_one(
    dialect: Dialect, told: bytes, is_told: bool
) -> None:
    event = WIRES[dialect].error_event(Kind.INTERNAL, "it broke off", "req_1", told)
    assert (event == b"") is is_told
