"""Under a cap no answer may outgrow its reservation: the provider is told the limit that the request does not name."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tollway_edge.domain.pipeline import Pipeline
    from tollway_edge.domain.workspaces import Workspaces

FIELDS = {"anthropic": "max_tokens", "openai": "max_completion_tokens", "openai_responses": "max_output_tokens"}


@pytest.fixture
def unlimited(make_body: Any) -> bytes:
    body: bytes = make_body(max_tokens=..., input="Hello")
    return body


@pytest.mark.parametrize(("dialect", "field"), FIELDS.items())
async def test_the_limit_that_was_reserved_goes_to_the_provider(
    pipeline: Pipeline,
    capped: Workspaces,
    ports: Any,
    make_call: Any,
    unlimited: bytes,
    make_piece: Any,
    dialect: str,
    field: str,
) -> None:
    ports.body, ports.whole = unlimited, make_piece()
    call = make_call(dialect)
    await replace(pipeline, limits=replace(pipeline.limits, default_max_tokens=700)).serve(call, ports)
    assert ports.reserved == [(len(unlimited), 700)]
    assert json.loads(call.body.raw) == json.loads(unlimited) | {field: 700}
    assert ports.headers[b"x-gateway-body-changes"] == field.encode()


@pytest.mark.parametrize("dialect", FIELDS)
async def test_without_a_cap_the_body_keeps_its_bytes(
    pipeline: Pipeline, ports: Any, make_call: Any, unlimited: bytes, make_piece: Any, dialect: str
) -> None:
    ports.body, ports.whole = unlimited, make_piece()
    call = make_call(dialect)
    await pipeline.serve(call, ports)
    assert call.body.raw == unlimited
    assert b"x-gateway-body-changes" not in ports.headers


@pytest.mark.parametrize("dialect", ["anthropic_count_tokens", "openai_embeddings"])
async def test_what_says_nothing_is_given_no_limit(
    pipeline: Pipeline, capped: Workspaces, ports: Any, make_call: Any, unlimited: bytes, make_piece: Any, dialect: str
) -> None:
    ports.body, ports.whole = unlimited, make_piece()
    call = make_call(dialect)
    await pipeline.serve(call, ports)
    assert (call.status, call.body.raw) == ("succeeded", unlimited)


@pytest.mark.parametrize(("dialect", "field"), [*FIELDS.items(), ("openai", "max_tokens")], ids=lambda each: each)
async def test_a_limit_that_the_request_names_is_left_alone(
    pipeline: Pipeline,
    capped: Workspaces,
    ports: Any,
    make_call: Any,
    make_body: Any,
    make_piece: Any,
    dialect: str,
    field: str,
) -> None:
    ports.body, ports.whole = make_body(**{"max_tokens": ..., "input": "Hello", field: 9000}), make_piece()
    call = make_call(dialect)
    await pipeline.serve(call, ports)
    assert ports.reserved == [(len(ports.body), 9000)]
    assert call.body.raw == ports.body


async def test_null_is_no_limit(
    pipeline: Pipeline, capped: Workspaces, ports: Any, make_call: Any, make_body: Any, make_piece: Any
) -> None:
    ports.body, ports.whole = make_body(max_tokens=None), make_piece()
    call = make_call("anthropic")
    await pipeline.serve(call, ports)
    assert json.loads(call.body.raw)["max_tokens"] == 4096


async def test_each_of_several_choices_may_take_the_limit_that_was_reserved_for_it(
    pipeline: Pipeline, capped: Workspaces, ports: Any, make_call: Any, make_body: Any, make_piece: Any
) -> None:
    ports.body, ports.whole = make_body(max_tokens=..., n=3), make_piece()
    call = make_call("openai")
    await pipeline.serve(call, ports)
    assert ports.reserved == [(len(ports.body), 3 * 4096)]
    assert json.loads(call.body.raw)["max_completion_tokens"] == 4096


async def test_the_question_stays_the_same_for_the_cache(
    pipeline: Pipeline,
    workspaces: Workspaces,
    ports: Any,
    make_call: Any,
    unlimited: bytes,
    make_piece: Any,
    request: Any,
) -> None:
    ports.body, ports.whole = unlimited, make_piece()
    free, held = make_call(), make_call()
    await pipeline.serve(free, ports)
    request.getfixturevalue("capped")
    ports.status = 0
    await pipeline.serve(held, ports)
    assert held.body.raw != free.body.raw
    assert held.exact_key == free.exact_key != b""
