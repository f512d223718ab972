"""provider-dispatch over both kinds of stub: whole answers, streams, what can be called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tollway.chat.v1 import chat_pb2
from tollway.provider_dispatch.v1 import provider_dispatch_pb2 as dispatch_pb2
from tollway_dialects.request import RequestBody
from tollway_dialects.usage import Usage
from tollway_edge import bootstrap
from tollway_edge.adapters.catalogue import DispatchCatalogue
from tollway_edge.adapters.dispatch_client import DispatchClient
from tollway_edge.domain.errors import GatewayError
from tollway_edge.domain.workspaces import Workspace
from tollway_servicekit.errors import DeadlineExceeded, NotFound, ServiceError, Unavailable
from tollway_servicekit.link.frames import LONG_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tollway_edge.domain.call import Call

AWAY = Unavailable("UNAVAILABLE", "nobody there")


@pytest.fixture
def call(make_call: Callable[..., Call]) -> Call:
    call = make_call(traceparent="00-" + "4" * 32 + "-" + "7" * 16 + "-01")
    call.workspace, call.exact_key, call.models = Workspace("acme"), b"k" * 32, ["claude-haiku"]
    return call


async def refusal(awaitable: Any) -> GatewayError:
    with pytest.raises(GatewayError) as refused:
        await awaitable
    return refused.value


async def test_a_whole_answer_comes_as_one_piece(serve: Any, call: Call) -> None:
    answer = dispatch_pb2.CompleteChatResponse(
        head=dispatch_pb2.AnswerHead(status=200, provider="anthropic", model="claude-haiku"),
        body=b"{}",
        usage=chat_pb2.Usage(uncached_input_tokens=3, estimated=True),
        stop_reason="end_turn",
        attempts=[chat_pb2.Attempt(number=1)],
    )
    async with serve(bootstrap.PROVIDER_DISPATCH, answer) as (stub, servicer):
        piece = await DispatchClient(stub, 5).complete(call)
    assert (piece.data, piece.usage, piece.failure) == (b"{}", Usage(3, is_estimated=True), None)
    assert (piece.head.status, piece.end.stop_reason, len(piece.attempts)) == (200, "end_turn", 1)
    assert servicer.asked.call.models == ["claude-haiku"]
    assert servicer.asked.call.header_lines == b"anthropic-version: 2023-06-01\r\n"


@pytest.mark.parametrize("size", [0, LONG_BYTES + 1, 700_000])
async def test_a_body_of_any_size_is_part_of_its_call(
    serve: Any, call: Call, make_body: Callable[..., bytes], size: int
) -> None:
    call.body = RequestBody.parse(make_body(metadata={"user_id": "u" * size}))
    async with serve(bootstrap.PROVIDER_DISPATCH, dispatch_pb2.CompleteChatResponse()) as (stub, servicer):
        await DispatchClient(stub, 5).complete(call)
    assert (servicer.asked.call.body, servicer.asked.call.models) == (call.body.raw, ["claude-haiku"])


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NotFound("KEPT_ANSWER_UNKNOWN", "Response with id 'r' not found."), (400, "KEPT_ANSWER_UNKNOWN", None)),
        (NotFound("MODEL_UNKNOWN", "no such model"), (404, "MODEL_UNKNOWN", None)),
        (DeadlineExceeded("DEADLINE_EXCEEDED", "slow"), (504, "DEADLINE_EXCEEDED", 1)),
        (Unavailable("NO_PROVIDER", "no provider has a key"), (503, "NO_PROVIDER", None)),
        (AWAY, (503, "UNAVAILABLE", 2)),
    ],
)
async def test_without_an_answer_of_provider_dispatch_the_call_says_why(
    serve: Any, call: Call, error: ServiceError, told: Any
) -> None:
    async with serve(bootstrap.PROVIDER_DISPATCH, error) as (stub, _):
        client = DispatchClient(stub, 5)
        whole = await refusal(client.complete(call))
        with pytest.raises(GatewayError) as streamed:
            async with client.stream(call, lambda *_: True) as pieces:
                await anext(pieces)
    for refused in (whole, streamed.value):
        assert (refused.kind.status, refused.reason, refused.retry_after) == told


async def test_a_stream_that_loses_provider_dispatch_halfway_gives_what_came_and_then_fails(
    serve: Any, call: Call
) -> None:
    first = dispatch_pb2.StreamChatResponse(head=dispatch_pb2.AnswerHead(status=200), data=b"a")
    async with serve(bootstrap.PROVIDER_DISPATCH, [first, AWAY]) as (stub, _):
        async with DispatchClient(stub, 5).stream(call, lambda *_: True) as pieces:
            assert (await anext(pieces)).data == b"a"
            assert (await refusal(anext(pieces))).kind.status == 503


async def test_a_header_that_would_break_the_answer_is_left_out(serve: Any, call: Call) -> None:
    head = dispatch_pb2.AnswerHead(status=200, header_lines=b"x: a\nb: c\r\ny: d\r\n")
    async with serve(bootstrap.PROVIDER_DISPATCH, dispatch_pb2.CompleteChatResponse(head=head)) as (stub, _):
        whole = await DispatchClient(stub, 5).complete(call)
    async with serve(bootstrap.PROVIDER_DISPATCH, [dispatch_pb2.StreamChatResponse(head=head)]) as (stub, _):
        async with DispatchClient(stub, 5).stream(call, lambda *_: True) as pieces:
            streamed = await anext(pieces)
    assert [each.head.header_lines for each in (whole, streamed)] == [b"y: d\r\n"] * 2


async def test_what_only_counts_is_not_handed_on_as_data(serve: Any, call: Call) -> None:
    counted = dispatch_pb2.StreamChatResponse(output_tokens_so_far=3)
    handed_on = []
    async with serve(bootstrap.PROVIDER_DISPATCH, [counted]) as (stub, _):
        async with DispatchClient(stub, 5).stream(call, lambda *each: handed_on.append(each) or True) as pieces:
            assert [piece.data async for piece in pieces] == [b""]
    assert handed_on == []


async def test_models_are_listed_with_the_tiers_and_trouble_is_told(serve: Any) -> None:
    listed = dispatch_pb2.ListModelsResponse(
        models=[dispatch_pb2.ServedModel(name="m", provider="p", dialects=[chat_pb2.DIALECT_OPENAI_CHAT])],
        providers=["p"],
    )
    async with serve(bootstrap.PROVIDER_DISPATCH, listed) as (stub, servicer):
        catalogue = DispatchCatalogue(stub, ["auto"], max_age=0)
        assert [model["id"] for model in (await catalogue.openai_list())["data"]] == ["m", "auto"]
        assert [model["id"] for model in (await catalogue.anthropic_list(20, "", ""))["data"]] == ["auto"]
        assert await catalogue.trouble() == []
        servicer.answer = dispatch_pb2.ListModelsResponse()
        assert "no provider has a key" in (await catalogue.trouble())[0]
        servicer.answer = AWAY
        assert await catalogue.trouble() == [
            "provider-dispatch cannot be asked now (UNAVAILABLE); try again in a moment"
        ]
        assert (await refusal(catalogue.openai_list())).retry_after == 2


async def test_a_model_is_listed_once_to_those_whose_dialects_it_speaks(serve: Any) -> None:
    spoken = {
        "gpt": [chat_pb2.DIALECT_OPENAI_CHAT, chat_pb2.DIALECT_OPENAI_RESPONSES],
        "embed": [chat_pb2.DIALECT_OPENAI_EMBEDDINGS],
        "claude": [chat_pb2.DIALECT_ANTHROPIC_MESSAGES, chat_pb2.DIALECT_ANTHROPIC_COUNT_TOKENS],
    }
    models = [dispatch_pb2.ServedModel(name=name, provider="p", dialects=each) for name, each in spoken.items()]
    async with serve(bootstrap.PROVIDER_DISPATCH, dispatch_pb2.ListModelsResponse(models=models)) as (stub, _):
        catalogue = DispatchCatalogue(stub, [], max_age=0)
        assert [model["id"] for model in (await catalogue.openai_list())["data"]] == ["gpt", "embed"]
        assert [model["id"] for model in (await catalogue.anthropic_list(20, "", ""))["data"]] == ["claude"]
