"""A route's system prompt goes before the client's, in every dialect, and makes another question of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tollway_edge.domain.route_texts import RouteTexts
from tollway_edge.settings import Settings
from tollway_servicekit.settings import SettingError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tollway_edge.domain.call import Call
    from tollway_edge.domain.pipeline import Pipeline

    Serve = Callable[..., Awaitable[Call]]

TIERS = "tiers: {standard: {named: [claude-haiku]}}\n"
TURN = {"role": "user", "content": "Hello"}
SYSTEM = {"role": "system", "content": "Be kind."}


@pytest.fixture
def serve_with(pipeline: Pipeline, ports: Any, make_call: Any, make_body: Any, make_piece: Any) -> Serve:
    async def serve(by_route: dict[str, str], dialect: str = "anthropic", **fields: Any) -> Call:
        ports.body, ports.whole, ports.status, ports.sent = make_body(**fields), make_piece(), 0, b""
        call: Call = make_call(dialect)
        await replace(pipeline, system_prompts=RouteTexts.where_any(by_route)).serve(call, ports)
        return call

    return serve


def said(call: Call) -> Any:
    assert call.body is not None
    return json.loads(call.body.raw)


@pytest.mark.parametrize(
    ("dialect", "fields", "expected"),
    [
        ("anthropic", {"system": "Be brief."}, {"system": "Be kind.\n\nBe brief."}),
        ("anthropic_count_tokens", {}, {"system": "Be kind."}),
        ("openai", {}, {"messages": [SYSTEM, TURN]}),
        ("openai_responses", {"input": "x"}, {"instructions": "Be kind."}),
        ("openai_input_tokens", {"input": "x", "instructions": "Be brief."}, {"instructions": "Be kind.\n\nBe brief."}),
    ],
)
async def test_a_routes_text_goes_before_the_clients(
    serve_with: Serve, ports: Any, dialect: str, fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    call = await serve_with({"claude-haiku": "Be kind."}, dialect, **fields)
    assert said(call) == json.loads(ports.body) | expected
    assert ports.headers[b"x-gateway-body-changes"] == b"system_prompt"


async def test_a_routes_text_goes_before_a_published_prompt(serve_with: Serve, ports: Any) -> None:
    call = await serve_with({"default": "Be kind."}, prompt={"id": "brief"}, system="Be true.")
    assert said(call)["system"] == "Be kind.\n\nBe brief.\n\nBe true."
    assert ports.headers[b"x-gateway-body-changes"] == b"prompt, system_prompt"


@pytest.mark.parametrize(
    ("by_route", "model", "text"),
    [
        ({"auto": "A.", "default": "D."}, "auto", "A."),
        ({"auto": "A.", "default": "D."}, "claude-haiku", "D."),
        ({"auto": "A."}, "claude-haiku", None),
        ({"claude-haiku": "", "default": "D."}, "claude-haiku", None),
    ],
)
async def test_a_route_is_the_name_that_is_asked_for_and_default_stands_for_those_without(
    serve_with: Serve, by_route: dict[str, str], model: str, text: str | None
) -> None:
    assert said(await serve_with(by_route, model=model)).get("system") == text


@pytest.mark.parametrize("by_route", [{}, {"default": ""}, {"claude-opus": "Be kind."}])
async def test_where_a_route_has_none_the_body_keeps_its_bytes(
    serve_with: Serve, ports: Any, by_route: dict[str, str]
) -> None:
    call = await serve_with(by_route)
    assert call.body is not None
    assert call.body.raw == ports.body
    assert b"x-gateway-body-changes" not in ports.headers


async def test_an_input_that_is_embedded_stays_as_it_is(serve_with: Serve, ports: Any) -> None:
    call = await serve_with({"default": "Be kind."}, "openai_embeddings", input="x")
    assert (call.status, said(call)) == ("succeeded", json.loads(ports.body))


async def test_a_changed_text_is_another_question(serve_with: Serve) -> None:
    texts = ("Be kind.", "Be kind.", "Be brief.", "")
    first, same, changed, none = [(await serve_with({"default": text})).exact_key for text in texts]
    assert first == same
    assert len({first, changed, none, b""}) == 4


async def test_under_a_cap_it_is_reserved_as_input(serve_with: Serve, capped: Any, ports: Any) -> None:
    await serve_with({"default": "Be kind." * 100})
    assert ports.reserved[0][0] > len(ports.body) + 800


def test_where_no_route_has_one_there_is_nothing_to_ask() -> None:
    assert RouteTexts.where_any({"default": "", "auto": ""}) is None


def test_they_are_read_from_the_section_that_provider_dispatch_reads_too(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        TIERS
        + "routes: {default: {fallback: any, last_resort: Sorry.}, auto: {delivery: buffered, system_prompt: Be kind.}}"
    )
    settings = Settings.from_env({"TOLLWAY_CONFIG": str(tmp_path / "config.yaml")})
    assert settings.system_prompts == {"default": "", "auto": "Be kind."}
    assert settings.last_resorts == {"default": "Sorry.", "auto": ""}


def test_one_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(TIERS + "routes: {default: {system_prompt: [a]}}")
    with pytest.raises(SettingError, match=r"section routes: .*system_prompt"):
        Settings.from_env({"TOLLWAY_CONFIG": str(tmp_path / "config.yaml")})
