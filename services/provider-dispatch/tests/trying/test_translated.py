"""Providers of another dialect than the client's, against the simulator's faces of them."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tollway_dialects.dialect import Dialect
from tollway_dialects.header_lines import value_of
from tollway_dialects.translation.models.capabilities import ModelCapabilities
from tollway_dialects.wires import WIRES
from tollway_provider_dispatch.bootstrap import bootstrap
from tollway_provider_dispatch.domain.call import ChatCall, Piece
from tollway_provider_dispatch.settings import Model, ProviderSettings, Settings

MESSAGES, CHAT, RESPONSES = Dialect.ANTHROPIC_MESSAGES, Dialect.OPENAI_CHAT, Dialect.OPENAI_RESPONSES
BASES = {"anthropic": "/anthropic", "openai": "/openai/v1", "google": "/google", "deepseek": "/deepseek"}


def call(dialect: Dialect, text: str = "hello [words=9]", *, stream: bool = False, **more: Any) -> ChatCall:
    fields: dict[str, Any] = {"model": "m", "stream": stream}
    if dialect is RESPONSES:
        fields |= {"input": text, "max_output_tokens": 1000}
    else:
        fields |= {"max_tokens": 1000, "messages": [{"role": "user", "content": text}]}
    if dialect is CHAT and stream:
        fields["stream_options"] = {"include_usage": True}
    headers = b"content-type: application/json\r\nanthropic-version: 2023-06-01\r\n"
    body = json.dumps(fields | more).encode()
    return ChatCall("c1", dialect, ["m"], body, "m", headers, "", b"c", strip_usage_event=False)


@pytest.fixture
def served_by(simulator: Any) -> Any:
    @asynccontextmanager
    async def served_by(*names: str, **model: Any) -> Any:
        providers = {name: ProviderSettings(("sk-1",), simulator.url + BASES[name]) for name in names}
        async with bootstrap(Settings(providers=providers, models={"m": Model(list(names), **model)})) as servicer:
            yield servicer.dispatcher

    return served_by


async def pieces_of(dispatcher: Any, asked: ChatCall) -> list[Piece]:
    return [piece async for piece in dispatcher.stream(asked)]


PAIRS = [(MESSAGES, "openai"), (CHAT, "anthropic"), (RESPONSES, "anthropic")]
PAIRS += [(client, "google") for client in (MESSAGES, CHAT, RESPONSES)]


@pytest.mark.parametrize(("client", "name"), PAIRS)
async def test_a_whole_answer_comes_in_the_clients_dialect_with_the_providers_usage(simulator, served_by, client, name):
    async with served_by(name) as dispatcher:
        piece = await dispatcher.complete(call(client))
    assert piece.head.status == 200, piece.data
    assert WIRES[client].read_usage(piece.data)[0].output == 9
    (entry,) = await simulator.log()
    assert (entry["face"], entry["model"], entry["input_tokens"]) == (name, "m", piece.usage.input)
    assert (piece.usage.output, piece.usage.is_estimated, piece.attempts[-1].usage) == (9, False, piece.usage)
    assert (piece.head.provider, piece.head.body_changes[0]) == (name, "translated")
    assert value_of(piece.head.header_lines, b"content-type") == b"application/json"
    assert b"c1" in piece.head.header_lines


@pytest.mark.parametrize(("client", "name"), PAIRS)
async def test_a_stream_comes_in_the_clients_dialect_to_its_own_final_event(served_by, client, name):
    async with served_by(name) as dispatcher:
        whole = await dispatcher.complete(call(client))
        pieces = await pieces_of(dispatcher, call(client, "hello [words=9] [pace=0.002]", stream=True))
    assert (pieces[-1].end.is_complete, pieces[-1].usage.output) == (True, 9)
    assert pieces[-1].usage.is_estimated is False
    events = b"".join(piece.data for piece in pieces)
    again = json.loads(WIRES[client].from_events(events, pieces[-1].usage))
    said = json.loads(whole.data)
    for answer in (again, said):
        for name_of_ids in ("id", "created", "created_at", "completed_at"):
            answer.pop(name_of_ids, None)
        for item in answer.get("output", []):
            item.pop("id", None)
    assert again.get("content", again.get("choices")) == said.get("content", said.get("choices"))
    assert value_of(pieces[0].head.header_lines, b"content-type").startswith(b"text/event-stream")


@pytest.mark.parametrize(("client", "name"), PAIRS)
@pytest.mark.parametrize("status", [400, 404])
async def test_a_refusal_comes_in_the_clients_dialect(served_by, client, name, status):
    async with served_by(name) as dispatcher:
        piece = await dispatcher.complete(call(client, f"[status={status}]"))
        (streamed,) = await pieces_of(dispatcher, call(client, f"[status={status}]", stream=True))
    for each in (piece, streamed):
        assert each.head.status == status
        error = json.loads(each.data)["error"]
        assert error["message"]
        assert ("code" in error) == (client is not MESSAGES)


async def test_a_provider_of_another_dialect_takes_over(simulator, served_by):
    asked = call(MESSAGES, "hello [words=9]", stream=True)
    async with served_by("anthropic", "google") as dispatcher:
        async with simulator.http.post(
            f"{simulator.url}/_simulator/script", json={"status": 529, "face": "anthropic", "always": True}
        ) as answer:
            assert answer.status < 300
        pieces = await pieces_of(dispatcher, asked)
    assert (pieces[0].head.provider, pieces[-1].end.is_complete) == ("google", True)
    assert pieces[0].head.fallback == "from=anthropic/m; to=google/m; reason=status_529"
    assert b"".join(piece.data for piece in pieces).startswith(b"event: message_start")


async def test_what_the_other_dialect_cannot_say_is_told_and_what_changes_the_meaning_is_refused(simulator, served_by):
    async with served_by("openai") as dispatcher:
        piece = await dispatcher.complete(call(MESSAGES, top_k=5))
        assert (piece.head.status, piece.head.dropped) == (200, ("top_k",))
        refused = await dispatcher.complete(call(MESSAGES, container="c1"))
    assert refused.head.status == 400
    assert "container" in json.loads(refused.data)["error"]["message"]
    assert (refused.attempts[-1].reason, len(await simulator.log())) == ("untranslatable", 1)
    assert dispatcher.cooldowns.is_quiet()


async def test_one_who_cannot_be_asked_is_passed_over(served_by):
    forced = {"tools": [{"name": "f", "input_schema": {"type": "object"}}], "tool_choice": {"type": "any"}}
    async with served_by("openai", "google", capabilities=ModelCapabilities(takes_forced_tools=False)) as dispatcher:
        piece = await dispatcher.complete(call(MESSAGES, **forced))
    assert piece.head.status == 400
    assert [row.reason for row in piece.attempts] == ["untranslatable"] * 2


async def test_a_cut_stream_of_another_dialect_never_looks_complete(served_by):
    async with served_by("google") as dispatcher:
        pieces = await pieces_of(dispatcher, call(CHAT, "[words=60] [cut=20] [pace=0.002]", stream=True))
    assert (pieces[-1].end.is_complete, pieces[-1].end.reason) == (False, "reset")
    assert pieces[-1].usage.is_estimated
