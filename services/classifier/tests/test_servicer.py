"""ClassifierService as its callers see it, over every kind of stub."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tollway.classifier.v1 import classifier_pb2
from tollway_classifier.bootstrap import bootstrap
from tollway_classifier.domain.choose_tier import Tier
from tollway_classifier.entrypoints.servicer import _TO_WIRE, CONTRACT
from tollway_classifier.settings import Settings
from tollway_servicekit.testing import STUB_KINDS, stub_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture(params=STUB_KINDS)
async def stub(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    settings = Settings.from_env({"LISTEN_ADDRESS": "127.0.0.1:0"})
    async with bootstrap(settings) as servicer, stub_of(request.param, CONTRACT, servicer) as stub:
        yield stub


async def test_a_prompt_is_answered_with_tier_layer_score_and_rule(stub: Any) -> None:
    answer = await stub.ClassifyPrompt(classifier_pb2.ClassifyPromptRequest(last_user_text="hi"), timeout=5)
    assert answer.tier == classifier_pb2.TIER_SIMPLE
    assert answer.layer == classifier_pb2.CLASSIFIER_LAYER_HEURISTIC
    assert 0 <= answer.score < 0.3
    assert answer.rule == "greeting"


@pytest.mark.parametrize(
    "fact",
    [{"request_bytes": 10**6}, {"turn_count": 50}, {"tool_count": 4}, {"has_images": True}, {"wants_thinking": True}],
    ids=lambda fact: next(iter(fact)),
)
async def test_every_fact_of_the_request_counts(stub: Any, fact: dict[str, Any]) -> None:
    text = "What should we have for dinner tonight?"
    plain = await stub.ClassifyPrompt(classifier_pb2.ClassifyPromptRequest(last_user_text=text))
    more = await stub.ClassifyPrompt(classifier_pb2.ClassifyPromptRequest(last_user_text=text, **fact))
    assert more.score > plain.score


async def test_an_empty_request_gets_a_tier(stub: Any) -> None:
    answer = await stub.ClassifyPrompt(classifier_pb2.ClassifyPromptRequest())
    assert answer.tier != classifier_pb2.TIER_UNSPECIFIED


async def test_prompts_classified_at_once_do_not_mix(stub: Any) -> None:
    texts = ["hi", "Our production database is down."] * 50
    requests = [classifier_pb2.ClassifyPromptRequest(last_user_text=text) for text in texts]
    answers = await asyncio.gather(*map(stub.ClassifyPrompt, requests))
    expected = [classifier_pb2.TIER_SIMPLE, classifier_pb2.TIER_CRITICAL] * 50
    assert [answer.tier for answer in answers] == expected


def test_every_tier_has_a_name_on_the_wire() -> None:
    assert set(_TO_WIRE) == set(Tier)
    assert set(_TO_WIRE.values()) == set(classifier_pb2.Tier.values()) - {classifier_pb2.TIER_UNSPECIFIED}


def test_the_readme_names_every_setting() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    assert Settings.from_env({}).listen == "127.0.0.1:50052"
    assert "| `LISTEN_ADDRESS` | `127.0.0.1:50052` |" in readme
