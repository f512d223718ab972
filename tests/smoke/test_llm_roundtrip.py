"""One small question to each provider's own servers, JSON and stream, in two dialects, and what it cost."""

from __future__ import annotations

import json
import os
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from gateway import Gateway, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_USD = 0.001
"""For a whole run."""
PATIENCE_SECONDS = 60
# what calls may need beside keys and addresses
SURROUNDINGS = ("OPENAI_ORG_ID", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")

pytestmark = [pytest.mark.network, pytest.mark.xdist_group("network")]


@dataclass(frozen=True)
class Cheapest:
    """A provider's cheapest model, and how it is kept from thinking."""

    provider: str
    model: str
    max_tokens: int = 32
    without_thought: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Fields by dialect."""

    @property
    def variable(self) -> str:
        return f"{self.provider.upper()}_API_KEY"

    @property
    def is_there(self) -> bool:
        return bool(os.environ.get(self.variable))


OFF: dict[str, Any] = {"thinking": {"type": "disabled"}}
NO_EFFORT = {"messages": OFF, "chat": {"reasoning_effort": "none"}}
# gpt-oss always thinks, so it is given more tokens
PROVIDERS = (
    Cheapest("openrouter", "gpt-6-luna", without_thought=NO_EFFORT),
    Cheapest("anthropic", "claude-haiku-5-5", without_thought=NO_EFFORT),
    Cheapest("openai", "gpt-6-luna", without_thought=NO_EFFORT),
    Cheapest("google", "gemini-2.5-flash-lite", without_thought=NO_EFFORT),
    Cheapest("deepseek", "deepseek-flash", without_thought={"messages": OFF, "chat": OFF}),
    Cheapest("huggingface", "gpt-oss-20b", 256, {"chat": {"reasoning_effort": "low"}}),
)
PATHS = {"messages": "/v1/messages", "chat": "/v1/chat/completions"}
LIMITS = {"messages": "max_tokens", "chat": "max_completion_tokens"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    handed_on = [f"{each.provider.upper()}_{end}" for each in PROVIDERS for end in ("API_KEY", "BASE_URL")]
    known = {name: os.environ[name] for name in (*handed_on, *SURROUNDINGS) if os.environ.get(name)}
    if not any(each.is_there for each in PROVIDERS):
        pytest.skip(f"no provider has a key: set one or more of {', '.join(each.variable for each in PROVIDERS)}")
    with running("local", tmp_path_factory.mktemp("network"), **known) as started:
        yield started


@pytest.fixture
def ask(gateway: Gateway, record_property: Callable[[str, object], None]) -> Iterator[Callable[..., httpx2.Response]]:
    """Ask a provider, and note what the ledger says of it."""
    headers = {"x-api-key": gateway.key, "anthropic-version": "2023-06-01"}
    with httpx2.Client(base_url=gateway.url, headers=headers, timeout=PATIENCE_SECONDS) as client:

        def asked(cheapest: Cheapest, dialect: str, stream: bool) -> httpx2.Response:
            answer = client.post(PATHS[dialect], json=question(cheapest, dialect, stream))
            row = gateway.call(answer.headers["x-gateway-query-id"])
            record_property("table", {"title": "what it cost", "row": told(row, cheapest)})
            return answer

        yield asked


def question(cheapest: Cheapest, dialect: str, stream: bool) -> dict[str, Any]:
    text = f"Answer with the word OK and nothing else. ({uuid.uuid4().hex[:8]})"
    body = {
        "model": f"{cheapest.provider}/{cheapest.model}",
        LIMITS[dialect]: cheapest.max_tokens,
        "messages": [{"role": "user", "content": text}],
        **cheapest.without_thought.get(dialect, {}),
    }
    return body | ({"stream": True} if stream else {})


def told(row: dict[str, Any], cheapest: Cheapest) -> dict[str, Any]:
    cost = row["cost_usd"]
    return {
        "provider": cheapest.provider,
        "model": row["model"],
        "dialect": row["dialect"],
        "answer": "stream" if row["streamed"] else "json",
        "status": row["http_status"],
        "input": input_of(row),
        "output": row["usage"]["output_tokens"],
        "usd": "no price" if cost is None else f"{cost:.6f}",
    }


@pytest.mark.parametrize("stream", [False, True], ids=["json", "stream"])
@pytest.mark.parametrize("dialect", PATHS)
@pytest.mark.parametrize("cheapest", PROVIDERS, ids=lambda cheapest: cheapest.provider)
def test_a_provider_answers(
    request: pytest.FixtureRequest, gateway: Gateway, cheapest: Cheapest, dialect: str, stream: bool
) -> None:
    if not cheapest.is_there:
        pytest.skip(f"{cheapest.provider} has no key: set {cheapest.variable}")
    answer = request.getfixturevalue("ask")(cheapest, dialect, stream)
    assert answer.status_code == 200, f"{answer.status_code} {answer.text[:300]}"
    assert answer.headers["x-gateway-provider"] == cheapest.provider
    assert words(answer.text, dialect) if stream else text_of(answer.json(), dialect)
    row = gateway.call(answer.headers["x-gateway-query-id"])
    assert (row["status"], row["streamed"], row["usage"]["estimated"]) == ("succeeded", stream, False)
    assert input_of(row) > 0
    assert row["usage"]["output_tokens"] > 0


def test_the_whole_run_cost_next_to_nothing(gateway: Gateway, record_property: Callable[[str, object], None]) -> None:
    calls = gateway.recent(200)
    cost = sum(call["cost_usd"] or 0 for call in calls)
    unpriced = sum(call["cost_usd"] is None for call in calls)
    row = {"calls": len(calls), "of them without a price": unpriced, "usd": f"{cost:.6f}"}
    record_property("table", {"title": "what all of it cost", "row": row})
    assert cost < MOST_USD


def input_of(row: dict[str, Any]) -> int:
    kinds = ("uncached_input_tokens", "cache_write_short_tokens", "cache_write_long_tokens", "cache_read_tokens")
    return sum(row["usage"][kind] for kind in kinds)


def text_of(body: dict[str, Any], dialect: str) -> str:
    if dialect == "messages":
        return "".join(block.get("text", "") for block in body["content"])
    return body["choices"][0]["message"]["content"] or ""


def words(events: str, dialect: str) -> str:
    """Return the text of a stream, which must have come to its end."""
    data = [line.removeprefix("data: ") for line in events.splitlines() if line.startswith("data: ")]
    if dialect == "messages":
        told = [json.loads(each) for each in data]
        assert told[-1]["type"] == "message_stop"
        return "".join(each["delta"].get("text", "") for each in told if each["type"] == "content_block_delta")
    assert data[-1] == "[DONE]"
    choices = [choice for each in data[:-1] for choice in json.loads(each)["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)
