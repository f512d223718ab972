"""The adapters over both kinds of stub: what is asked, what comes of the answer, and what when nobody answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tollway.cache.v1 import cache_pb2
from tollway.chat.v1 import chat_pb2
from tollway.classifier.v1 import classifier_pb2
from tollway.metering.v1 import metering_pb2
from tollway.prompt_registry.v1 import prompt_registry_pb2
from tollway_dialects.prompt import PromptFeatures
from tollway_edge import bootstrap
from tollway_edge.adapters.budget_client import BudgetClient
from tollway_edge.adapters.cache_client import CacheClient
from tollway_edge.adapters.classifier_client import ClassifierClient
from tollway_edge.adapters.prompt_client import PromptClient
from tollway_edge.domain.errors import GatewayError
from tollway_edge.domain.workspaces import Workspace
from tollway_servicekit.errors import (
    DeadlineExceeded,
    Exhausted,
    InternalError,
    InvalidRequest,
    NotFound,
    ServiceError,
    Unavailable,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tollway_edge.domain.call import Call

AWAY = Unavailable("UNAVAILABLE", "nobody there")


@pytest.fixture
def call(make_call: Callable[..., Call]) -> Call:
    call = make_call(traceparent="00-" + "4" * 32 + "-" + "7" * 16 + "-01")
    call.workspace, call.exact_key, call.models = Workspace("acme"), b"k" * 32, ["claude-haiku"]
    return call


def stored(**fields: Any) -> cache_pb2.LookupAnswerResponse:
    usual: dict[str, Any] = {"partition": "acme", "dialect": chat_pb2.DIALECT_ANTHROPIC_MESSAGES, "body": b"{}"}
    return cache_pb2.LookupAnswerResponse(
        hit=cache_pb2.CACHE_HIT_EXACT, answer=cache_pb2.StoredAnswer(**usual | fields)
    )


async def test_a_hit_is_an_answer_and_the_call_rides_along(serve: Any, call: Call) -> None:
    async with serve(bootstrap.CACHE, stored(cost_micro_usd=7)) as (stub, servicer):
        answer = await CacheClient(stub, 1000).look_up(call)
    assert answer is not None
    assert (answer.body, answer.layer, answer.cost_micro_usd) == (b"{}", "exact", 7)
    assert (servicer.asked.partition, servicer.asked.exact_key) == ("acme", b"k" * 32)
    assert (servicer.context.workspace, servicer.context.traceparent) == ("acme", call.traceparent)
    assert servicer.context.time_remaining() < 1


@pytest.mark.parametrize(
    "answer",
    [
        cache_pb2.LookupAnswerResponse(hit=cache_pb2.CACHE_HIT_NONE),
        cache_pb2.LookupAnswerResponse(),
        stored(partition="other"),
        stored(dialect=chat_pb2.DIALECT_OPENAI_CHAT),
        AWAY,
        DeadlineExceeded("DEADLINE_EXCEEDED", "slow"),
        RuntimeError("a defect"),
    ],
)
async def test_what_is_no_hit_of_this_workspace_and_dialect_is_a_miss(serve: Any, call: Call, answer: Any) -> None:
    async with serve(bootstrap.CACHE, answer) as (stub, _):
        assert await CacheClient(stub, 1000).look_up(call) is None


FEATURES = PromptFeatures("Hello", 3, 2, True, False)


async def test_the_classifier_gets_the_features_and_gives_a_tier(serve: Any, call: Call) -> None:
    chosen = classifier_pb2.ClassifyPromptResponse(
        tier=classifier_pb2.TIER_COMPLEX, layer=classifier_pb2.CLASSIFIER_LAYER_HEURISTIC
    )
    async with serve(bootstrap.CLASSIFIER, chosen) as (stub, servicer):
        choice = await ClassifierClient(stub).classify(call, FEATURES)
    assert (choice.tier, choice.layer) == ("complex", "heuristic")
    assert (servicer.asked.last_user_text, servicer.asked.turn_count, servicer.asked.has_images) == ("Hello", 3, True)


@pytest.mark.parametrize("answer", [AWAY, RuntimeError("a defect"), classifier_pb2.ClassifyPromptResponse()])
async def test_without_a_classifier_the_middle_tier_is_taken(serve: Any, call: Call, answer: Any) -> None:
    async with serve(bootstrap.CLASSIFIER, answer) as (stub, _):
        choice = await ClassifierClient(stub).classify(call, FEATURES)
    assert (choice.tier, choice.layer) == ("standard", "n/a")


async def refusal(awaitable: Any) -> GatewayError:
    with pytest.raises(GatewayError) as refused:
        await awaitable
    return refused.value


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Exhausted("QUOTA_EXCEEDED", "acme has used it", {"retryable": "false"}), (402, "QUOTA_EXCEEDED", None)),
        (Exhausted("QUOTA_EXCEEDED", "acme has used it", {"retryable": "true"}), (402, "QUOTA_EXCEEDED", 2)),
        (Exhausted("RESOURCE_EXHAUSTED", "the message is too large"), (503, "BUDGET_UNKNOWN", 2)),
        (AWAY, (503, "BUDGET_UNKNOWN", 2)),
        (InternalError("INTERNAL", "a defect"), (503, "BUDGET_UNKNOWN", 2)),
    ],
)
async def test_a_budget_that_leaves_no_room_or_cannot_be_asked_refuses(
    serve: Any, call: Call, error: ServiceError, told: Any
) -> None:
    async with serve(bootstrap.METERING, error) as (stub, _):
        refused = await refusal(BudgetClient(stub).reserve(call, 10, 20))
    assert (refused.kind.status, refused.reason, refused.retry_after) == told


async def test_a_reservation_names_call_workspace_and_tokens(serve: Any, call: Call) -> None:
    async with serve(bootstrap.METERING, metering_pb2.ReserveCallResponse()) as (stub, servicer):
        await BudgetClient(stub).reserve(call, 10, 20)
    asked = servicer.asked
    assert (asked.call_id, asked.workspace, asked.input_tokens, asked.output_tokens) == (call.call_id, "acme", 10, 20)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("PROMPT_UNKNOWN", "no prompt brief"), 404),
        (InvalidRequest("VARIABLE_MISSING", "set name"), 400),
        (AWAY, 503),
    ],
)
async def test_a_prompt_that_cannot_be_resolved_says_why(
    serve: Any, call: Call, error: ServiceError, status: int
) -> None:
    async with serve(bootstrap.PROMPT_REGISTRY, error) as (stub, _):
        refused = await refusal(PromptClient(stub).resolve(call, "brief", 0, {}))
    assert (refused.kind.status, refused.reason, refused.retry_after is None) == (status, error.reason, status != 503)
    assert (error.message in refused.message) == (status != 503)


async def test_a_prompt_is_named_with_its_version(serve: Any, call: Call) -> None:
    prompt = prompt_registry_pb2.ResolvePromptResponse(name="brief", version=4, text="Be brief.")
    async with serve(bootstrap.PROMPT_REGISTRY, prompt) as (stub, servicer):
        assert await PromptClient(stub).resolve(call, "brief", 0, {"a": "b"}) == ("brief@4", "Be brief.")
    assert dict(servicer.asked.variables) == {"a": "b"}
