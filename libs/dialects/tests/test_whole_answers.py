"""The endpoints that never stream: embeddings, which have input alone, and token counting, which is free."""

from __future__ import annotations

from typing import Any

import msgspec
import openai
import pytest
from tollway_dialects.dialect import Dialect
from tollway_dialects.errors import GatewayErrorKind as Kind
from tollway_dialects.request import RequestBody
from tollway_dialects.usage import Usage
from tollway_dialects.wires import WIRES

COUNTING = WIRES[Dialect.ANTHROPIC_COUNT_TOKENS]
EMBEDDINGS = WIRES[Dialect.OPENAI_EMBEDDINGS]
VECTOR = {"object": "embedding", "index": 0, "embedding": "AACAPwAAAEA="}
ANSWER = {"object": "list", "data": [VECTOR], "model": "text-embedding-3-small"}


def embedded(**fields: Any) -> bytes:
    return msgspec.json.encode(ANSWER | fields)


def test_an_embeddings_usage_is_its_input() -> None:
    body = embedded(usage={"prompt_tokens": 8, "total_tokens": 8})
    assert EMBEDDINGS.read_usage(body) == (Usage(uncached_input=8), "list")


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None}])
def test_an_embeddings_answer_that_tells_no_usage_is_whole_all_the_same(usage: Any) -> None:
    told, reason = EMBEDDINGS.read_usage(embedded(usage=usage))
    assert told == (None if usage is None else Usage())
    assert EMBEDDINGS.is_storable(reason)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"usage": 7}', b"{}", b'{"object": "error"}', b"[" * 100_000]
)
def test_what_is_no_list_of_embeddings_is_not_kept(body: bytes) -> None:
    assert not EMBEDDINGS.is_storable(EMBEDDINGS.read_usage(body)[1])


@pytest.mark.parametrize("body", [b'{"input_tokens": 2095}', b"{}", b"<html>", b""])
def test_counting_tokens_uses_none_whatever_is_answered(body: bytes) -> None:
    assert COUNTING.read_usage(body) == (Usage(), None)
    assert COUNTING.is_free
    assert not COUNTING.is_storable(COUNTING.read_usage(body)[1])


@pytest.mark.parametrize("wire", [COUNTING, EMBEDDINGS], ids=["counting", "embeddings"])
def test_they_never_stream_and_have_no_output_to_bound(wire: Any) -> None:
    assert (wire.streams, wire.output_limits) == (False, ())
    for refused in (
        lambda: wire.to_events(b"{}", with_usage=True),
        lambda: wire.from_events(b"", Usage()),
        lambda: wire.stream_reader(1, strip_usage=False),
        lambda: wire.error_event(Kind.INTERNAL, "x", "req_1"),
    ):
        with pytest.raises(TypeError, match=f"{wire.path} does not stream"):
            refused()


def test_equal_inputs_may_share_a_vector_and_counts_are_always_asked_for() -> None:
    body = RequestBody.parse(b'{"model": "m", "input": "x"}')
    assert EMBEDDINGS.is_cacheable(body)
    assert not COUNTING.is_cacheable(body)


def test_errors_have_the_vendors_shape(answering: Any) -> None:
    body = EMBEDDINGS.error_body(Kind.QUOTA_EXCEEDED, "spent", "req_1")
    with pytest.raises(openai.APIStatusError) as error:
        answering.openai(body, 402).embeddings.create(model="m", input="x")
    assert (error.value.code, error.value.type) == ("insufficient_quota", "insufficient_quota")
    told = msgspec.json.decode(COUNTING.error_body(Kind.QUOTA_EXCEEDED, "spent", "req_1"))
    assert told == {"type": "error", "error": {"type": "billing_error", "message": "spent"}, "request_id": "req_1"}
