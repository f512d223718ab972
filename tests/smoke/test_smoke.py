"""What a running Tollway must do, seen from outside with a URL and a key. Docstrings say what to do where it fails."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

import anthropic
import httpx2
import openai
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conftest import Target

TIERS = ("simple", "standard", "complex")
# models that think take tokens before the first word
LIMIT = 2048
HIT_SECONDS = 5
PATIENCE = 30

pytestmark = pytest.mark.xdist_group("smoke")


def question(text: str) -> str:
    """Return a question that no cache has seen."""
    return f"{text} (number {uuid.uuid4()})"


def test_it_is_ready_to_serve_calls(target: Target) -> None:
    """Check the address; a 503 names its reasons: a service that is away, or no provider key set."""
    answer = target.client.get("/health")
    assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
    assert answer.json()["status"] == "ok"


def test_the_key_is_known_and_some_provider_can_be_called(target: Target) -> None:
    """Give the workspace's virtual key (tw_…) as KEY, and set a provider's key, e.g. ANTHROPIC_API_KEY."""
    assert target.dialects()


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_answers_an_anthropic_client(claude: anthropic.Anthropic, tier: str) -> None:
    """Look at the tiers of config.yaml, at the provider's status page, and at the log of provider-dispatch."""
    asked = [{"role": "user", "content": question("Say hello.")}]
    raw = claude.messages.with_raw_response.create(model=tier, max_tokens=LIMIT, messages=asked)
    assert raw.headers["x-gateway-tier"] == tier
    assert raw.parse().content[0].text


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_answers_an_openai_client(gpt: openai.OpenAI, tier: str) -> None:
    """Look at the tiers of config.yaml, at the provider's status page, and at the log of provider-dispatch."""
    asked = [{"role": "user", "content": question("Say hello.")}]
    raw = gpt.chat.completions.with_raw_response.create(model=tier, max_completion_tokens=LIMIT, messages=asked)
    assert raw.headers["x-gateway-tier"] == tier
    assert raw.parse().choices[0].message.content


def test_a_question_asked_twice_is_answered_from_the_cache(target: Target, dialects: set[str]) -> None:
    """See that edge.use_exact_cache is on, that Redis runs and CACHE_REDIS_URL names it; then read the cache's log."""
    path, body = _request(dialects, question("Say hello."))
    bought = _post(target, path, body)
    hit = _until_hit(target, path, body)
    saved = float(hit.headers["x-gateway-saved-usd"])
    if bought.headers["x-gateway-provider"] == "simulator":
        assert saved == 0, "the simulator's answers cost nothing"
    else:
        assert saved > 0, "the answer cost nothing: its model has no price"


def test_the_system_prompt_reaches_the_provider(target: Target, dialects: set[str]) -> None:
    """See that nothing between the application and the provider changes request bodies."""
    word = f"heron{uuid.uuid4().int % 10000:04d}"
    system = f"The secret word is {word}. When you are asked for the secret word, answer with it and nothing else."
    asked = question("What is the secret word?")
    path, body = _request(dialects, asked, system)
    answer = _post(target, path, body)
    if answer.headers["x-gateway-provider"] != "simulator":
        assert word in _text(answer).lower()
        return
    # the simulator says the same to everybody, but counts what it was sent: four bytes a token
    usage = answer.json()["usage"]
    counted = usage["input_tokens"] if "input_tokens" in usage else usage["prompt_tokens"]
    assert counted == len(system + asked) // 4


def test_an_anthropic_client_gets_a_stream_as_it_is_made(claude: anthropic.Anthropic) -> None:
    """Let no proxy in front of Tollway buffer answers (nginx: proxy_buffering off), and none cut long ones."""
    asked = [{"role": "user", "content": _long_question()}]
    with claude.messages.stream(model="simple", max_tokens=LIMIT, messages=asked) as stream:
        moments, last = _watch(event.type for event in stream)
    assert last == "message_stop"
    _assert_spread(moments)


def test_an_openai_client_gets_a_stream_as_it_is_made(gpt: openai.OpenAI) -> None:
    """Let no proxy in front of Tollway buffer answers (nginx: proxy_buffering off), and none cut long ones."""
    asked = [{"role": "user", "content": _long_question()}]
    chunks = gpt.chat.completions.create(model="simple", max_completion_tokens=LIMIT, messages=asked, stream=True)
    moments, last = _watch(chunk.choices[0].finish_reason for chunk in chunks if chunk.choices)
    assert last == "stop"
    _assert_spread(moments)


def test_a_call_is_booked(target: Target, dialects: set[str]) -> None:
    """See whether metering runs, what its log says, and whether its volume is full."""
    path, body = _request(dialects, question("Say hello."))
    query_id = _post(target, path, body).headers["x-gateway-query-id"]
    recent = target.client.get("/v1/metrics/recent", params={"n": 200}).raise_for_status().json()["calls"]
    rows = [row for row in recent if row["query_id"] == query_id]
    assert [row["status"] for row in rows] == ["succeeded"]
    assert rows[0]["usage"]["output_tokens"] > 0
    month = target.client.get("/v1/metrics").raise_for_status().json()
    assert month["calls"] >= 1


def test_prometheus_can_read_its_metrics(target: Target) -> None:
    """Look at the log of edge."""
    answer = target.client.get("/metrics")
    if answer.status_code in (403, 404):
        pytest.skip("GET /metrics is not routed to the outside, as it should be")
    assert answer.status_code == 200
    assert "tollway_calls_total" in answer.text


def test_an_anthropic_client_without_a_key_gets_a_401_of_its_dialect(target: Target) -> None:
    """Something in front of Tollway answers instead: errors must reach clients as they are."""
    stranger = anthropic.Anthropic(base_url=target.url, api_key="tw_nobody", max_retries=0, timeout=PATIENCE)
    with stranger, pytest.raises(anthropic.AuthenticationError) as refused:
        stranger.messages.create(model="simple", max_tokens=8, messages=[{"role": "user", "content": "hello"}])
    assert refused.value.response.json()["error"]["type"] == "authentication_error"
    assert refused.value.response.headers["x-should-retry"] == "false"


def test_an_openai_client_without_a_key_gets_a_401_of_its_dialect(target: Target) -> None:
    """Something in front of Tollway answers instead: errors must reach clients as they are."""
    stranger = openai.OpenAI(base_url=f"{target.url}/v1", api_key="tw_nobody", max_retries=0, timeout=PATIENCE)
    with stranger, pytest.raises(openai.AuthenticationError) as refused:
        stranger.chat.completions.create(model="simple", messages=[{"role": "user", "content": "hello"}])
    assert refused.value.code == "invalid_api_key"


def _request(dialects: set[str], text: str, system: str = "") -> tuple[str, dict[str, Any]]:
    asked = [{"role": "user", "content": text}]
    if "anthropic" in dialects:
        body = {"model": "simple", "max_tokens": LIMIT, "messages": asked}
        return "/v1/messages", body | ({"system": system} if system else {})
    first = [{"role": "system", "content": system}] if system else []
    return "/v1/chat/completions", {"model": "simple", "max_completion_tokens": LIMIT, "messages": [*first, *asked]}


def _post(target: Target, path: str, body: dict[str, Any]) -> httpx2.Response:
    answer = target.client.post(path, json=body, headers={"anthropic-version": "2023-06-01"})
    assert answer.status_code == 200, f"{answer.status_code} {answer.text[:200]}"
    return answer


def _text(answer: httpx2.Response) -> str:
    told = answer.json()
    if "choices" in told:
        return told["choices"][0]["message"]["content"]
    return "".join(block.get("text", "") for block in told["content"])


def _until_hit(target: Target, path: str, body: dict[str, Any]) -> httpx2.Response:
    """Ask again until the answer, which is stored behind the call, comes from the cache."""
    deadline = time.monotonic() + HIT_SECONDS
    while True:
        answer = _post(target, path, body)
        if answer.headers["x-gateway-cache"] == "exact":
            return answer
        assert time.monotonic() < deadline, f"x-gateway-cache stays {answer.headers['x-gateway-cache']}"
        time.sleep(0.2)


def _long_question() -> str:
    # what stands in brackets tells a simulator how long and how fast; a model can live with it
    return question("Count from one to sixty in words, all in one line. [words=40] [pace=0.02]")


def _watch(events: Iterable[Any]) -> tuple[list[float], Any]:
    seen = [(time.monotonic(), event) for event in events]
    assert seen, "no event came"
    return [moment for moment, _ in seen], seen[-1][1]


def _assert_spread(moments: list[float]) -> None:
    assert len(moments) >= 5, f"{len(moments)} events in all"
    assert moments[-1] - moments[0] > 0.1, "all events came at once: something held them back"
