"""A request with a long field beside its message is that message to whoever serves it, by every kind of stub."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway.provider_dispatch.v1 import provider_dispatch_pb2 as dispatch_pb2
from tollway_servicekit.contract import Contract
from tollway_servicekit.link.frames import LONG_BYTES
from tollway_servicekit.link.writer import PART_BYTES
from tollway_servicekit.stubs import LongRequest
from tollway_servicekit.testing import STUB_KINDS, stub_of

VERSIONED = pb.ResolvePromptRequest(version=7, variables={"tone": "dry"})
BODY = (dispatch_pb2.StreamChatRequest.CALL_FIELD_NUMBER, dispatch_pb2.ChatCall.BODY_FIELD_NUMBER)


@pytest.mark.parametrize("length", [0, 1, LONG_BYTES, LONG_BYTES + 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES])
async def test_it_arrives_as_its_message(connect: Any, length: int) -> None:
    asked: list[Any] = []

    async def note(request: Any, context: Any) -> pb.ResolvePromptResponse:
        asked.append(request)
        return pb.ResolvePromptResponse()

    name = ("abcdefghijk" * (length // 11 + 1))[:length]
    stub = await connect(resolve=note)
    await stub.ResolvePrompt(LongRequest(VERSIONED, (1,), name.encode()))
    assert asked == [pb.ResolvePromptRequest(name=name, version=7, variables={"tone": "dry"})]


@pytest.mark.parametrize("kind", STUB_KINDS)
@pytest.mark.parametrize("length", [1, LONG_BYTES + 1, PART_BYTES + 1, 3 * PART_BYTES])
async def test_a_servicer_that_says_so_finds_it_beside_its_message_where_it_came_so(
    serve_with: Any, kind: str, length: int
) -> None:
    contract = Contract.of(pb, "PromptRegistryService", {"ResolvePrompt": (1,)})
    asked: list[Any] = []

    async def note(request: Any, context: Any) -> pb.ResolvePromptResponse:
        asked.append((request.name or bytes(context.beside).decode(), request.version, context.beside is not None))
        return pb.ResolvePromptResponse()

    name = ("abcdefghijk" * (length // 11 + 1))[:length]
    async with stub_of(kind, contract, serve_with(resolve=note)) as stub:
        await stub.ResolvePrompt(LongRequest(VERSIONED, (1,), name.encode()))
        await stub.ResolvePrompt(pb.ResolvePromptRequest(name=name, version=8))
    assert asked == [(name, 7, kind == "link" and length > LONG_BYTES), (name, 8, False)]


@given(st.binary(max_size=40_000), st.text(max_size=300))
def test_a_field_of_a_message_within_is_merged_with_the_others(body: bytes, call_id: str) -> None:
    call = dispatch_pb2.ChatCall(call_id=call_id, models=["claude-haiku"], thinks=True)
    request = LongRequest(dispatch_pb2.StreamChatRequest(call=call), BODY, body)
    call.body = body
    assert request.whole() == dispatch_pb2.StreamChatRequest(call=call)
