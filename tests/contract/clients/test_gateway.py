"""What the gateway adds, in every topology: headers, cache, prompts, cancellation, the ledger."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

if TYPE_CHECKING:
    import anthropic
    import openai
    from gateway import Gateway

GATEWAY_HEADERS = {
    f"x-gateway-{name}"
    for name in ("model", "provider", "tier", "cache", "saved-usd", "classifier", "escalations", "query-id")
}


def anthropic_body(text: str, **fields: Any) -> dict[str, Any]:
    prompt = f"{text} {uuid.uuid4()}"
    return {"model": "claude-haiku-5-5", "max_tokens": 512, "messages": [{"role": "user", "content": prompt}], **fields}


def post(gateway: Gateway, body: Any, path: str = "/v1/messages", key: str | None = None) -> httpx2.Response:
    headers = {"x-api-key": gateway.key if key is None else key, "anthropic-version": "2026-10-21"}
    content = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    return httpx2.post(f"{gateway.url}{path}", content=content, headers=headers, timeout=30)


def test_a_body_reaches_the_provider_byte_for_byte(gateway: Gateway) -> None:
    since = gateway.log_end()
    body = json.dumps(anthropic_body("odd   spacing"), indent=3).replace("512", "512e0").encode()
    body = body.replace(b"512e0", b" 512 ")
    assert post(gateway, body).status_code == 200
    assert gateway.await_served(since, finished=1)["body_sha256"] == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/chat/completions"])
@pytest.mark.parametrize(
    "case", ["json", "stream", "refused by the provider", "malformed", "unknown key", "unknown model", "cached"]
)
def test_every_answer_carries_the_gateway_headers(gateway: Gateway, path: str, case: str) -> None:
    body: Any = anthropic_body("hello [status=529]" if case == "refused by the provider" else "hello")
    if path.endswith("completions"):
        body |= {"model": "gpt-6-luna", "max_completion_tokens": body.pop("max_tokens")}
    body["stream"] = case == "stream"
    if case == "unknown model":
        body["model"] = "no-such-model"
    if case == "malformed":
        body = b'{"model": '
    if case == "cached":
        post(gateway, body, path)
    answer = post(gateway, body, path, key="tw_nobody" if case == "unknown key" else None)
    assert set(answer.headers) >= GATEWAY_HEADERS
    assert len(answer.headers["x-gateway-query-id"]) == 8


def test_an_equal_question_is_answered_from_the_cache_in_either_form(
    claude: anthropic.Anthropic, gateway: Gateway
) -> None:
    body = anthropic_body("cache me [words=20]")
    bought, hit = _until_hit(gateway, body)
    assert hit.content in [answer.content for answer in bought]
    message = claude.messages.create(**body)
    assert message.id == hit.json()["id"]
    with claude.messages.stream(**body) as stream:
        replayed = stream.get_final_message()
        assert stream.response.headers["x-gateway-cache"] == "exact"
    assert replayed.content[0].text == message.content[0].text
    assert replayed.usage.output_tokens == message.usage.output_tokens
    row = gateway.call(hit.headers["x-gateway-query-id"])
    assert (row["cache"], row["cost_usd"], row["attempts"]) == ("exact", 0, [])


def test_a_stored_stream_is_answered_as_json_too(gpt: openai.OpenAI, gateway: Gateway) -> None:
    body = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": f"stream me [words=20] {uuid.uuid4()}"}]}
    pieces = [
        chunk.choices[0].delta.content or ""
        for chunk in gpt.chat.completions.create(**body, stream=True)
        if chunk.choices
    ]
    _, hit = _until_hit(gateway, body, "/v1/chat/completions")
    assert hit.json()["choices"][0]["message"]["content"] == "".join(pieces)
    assert hit.json()["usage"]["completion_tokens"] == 20


def test_a_temperature_above_zero_is_never_cached(gateway: Gateway) -> None:
    body = anthropic_body("hello", temperature=0.7)
    assert [post(gateway, body).headers["x-gateway-cache"] for _ in range(3)] == ["none"] * 3


def test_a_prompt_is_put_before_the_clients_own_system_text(gateway: Gateway) -> None:
    body = anthropic_body("hello", system="own words", prompt={"id": "concise-assistant", "version": 1})
    plain = post(gateway, {name: value for name, value in body.items() if name != "prompt"})
    answer = post(gateway, body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-gateway-body-changes"] == "prompt"
    assert answer.json()["usage"]["input_tokens"] > plain.json()["usage"]["input_tokens"] + 10
    assert gateway.call(answer.headers["x-gateway-query-id"])["prompt"] == "concise-assistant@1"


def test_an_unknown_prompt_is_a_404_of_the_dialect(gateway: Gateway) -> None:
    answer = post(gateway, anthropic_body("hello", prompt={"id": "no-such-prompt"}))
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found_error")
    assert "no-such-prompt" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/chat/completions"])
def test_a_stream_that_its_client_leaves_is_cancelled_at_once_and_booked_once(gateway: Gateway, path: str) -> None:
    since = gateway.log_end()
    body = anthropic_body("go on [words=500] [pace=0.02]", stream=True)
    if path.endswith("completions"):
        body |= {"model": "gpt-6-luna", "max_completion_tokens": body.pop("max_tokens")}
    left = _leave_after(gateway, path, body, words=10)
    served = gateway.await_served(since, disconnected=1)
    assert served["disconnected_at"] - left.at < 0.2
    row = gateway.call(left.query_id)
    assert (row["status"], row["reason"], row["usage"]["estimated"]) == ("cancelled", "CLIENT_LEFT", True)
    # what was on its way between simulator and gateway may differ by a few words
    assert 10 <= row["usage"]["output_tokens"] <= served["output_tokens"]
    assert served["output_tokens"] - row["usage"]["output_tokens"] <= 5
    if path.endswith("messages"):  # OpenAI tells its input count at the end only
        assert row["usage"]["uncached_input_tokens"] == served["input_tokens"]
    assert [attempt["outcome"] for attempt in row["attempts"]] == ["cancelled"]


def test_a_whole_answer_that_its_client_does_not_await_is_cancelled_at_once(gateway: Gateway) -> None:
    since = gateway.log_end()
    body = anthropic_body("think long [delay=20]")
    with httpx2.Client() as client, pytest.raises(httpx2.ReadTimeout):
        client.post(
            f"{gateway.url}/v1/messages",
            json=body,
            headers={"x-api-key": gateway.key, "anthropic-version": "2026-10-21"},
            timeout=1,
        )
    left_at = time.time()
    assert gateway.await_served(since, disconnected=1)["disconnected_at"] - left_at < 0.2
    row = gateway.recent(1)[0]
    assert (row["status"], row["usage"]["estimated"], row["usage"]["output_tokens"]) == ("cancelled", True, 0)
    assert len(row["attempts"]) == 1


def test_a_stream_that_was_cut_ends_in_an_error_event_and_is_booked_as_failed(gateway: Gateway) -> None:
    answer = post(gateway, anthropic_body("go on [words=60] [cut=40]", stream=True))
    assert "event: error" in answer.text
    assert "message_stop" not in answer.text
    row = gateway.call(answer.headers["x-gateway-query-id"])
    assert (row["status"], row["usage"]["output_tokens"], row["usage"]["estimated"]) == ("failed", 40, True)
    assert [attempt["outcome"] for attempt in row["attempts"]] == ["broken"]


def test_a_workspace_sees_its_sums(gateway: Gateway) -> None:
    before = _month(gateway)
    post(gateway, anthropic_body("hello [words=9]"))
    post(gateway, anthropic_body("hello [status=500]"))
    after = _month(gateway)
    assert after["calls"] - before["calls"] == 2
    assert after["failed_calls"] - before["failed_calls"] == 1
    assert after["usage"]["output_tokens"] - before["usage"]["output_tokens"] == 9


def test_metrics_and_figures_need_a_key_and_health_does_not(gateway: Gateway) -> None:
    assert httpx2.get(f"{gateway.url}/v1/metrics").status_code == 401
    assert httpx2.get(f"{gateway.url}/v1/metrics/recent").status_code == 401
    assert httpx2.get(f"{gateway.url}/health").json() == {"status": "ok", "providers": ["simulator"]}
    assert "tollway_calls_total" in httpx2.get(f"{gateway.url}/metrics").text


def _until_hit(
    gateway: Gateway, body: Any, path: str = "/v1/messages"
) -> tuple[list[httpx2.Response], httpx2.Response]:
    """Ask until an answer, which is stored off the path, comes from the cache; return the bought ones and the hit."""
    bought = []
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        answer = post(gateway, body, path)
        if answer.headers["x-gateway-cache"] == "exact":
            return bought, answer
        bought.append(answer)
    raise AssertionError("the answer never came from the cache")


class _Left:
    def __init__(self, query_id: str, at: float) -> None:
        self.query_id, self.at = query_id, at


def _leave_after(gateway: Gateway, path: str, body: Any, words: int) -> _Left:
    headers = {"x-api-key": gateway.key, "anthropic-version": "2026-10-21"}
    with httpx2.stream("POST", f"{gateway.url}{path}", json=body, headers=headers, timeout=30) as answer:
        seen = 0
        for line in answer.iter_lines():
            seen += '"text_delta"' in line or '"content":" ' in line or '"content": " ' in line
            if seen > words:
                break
        query_id = answer.headers["x-gateway-query-id"]
    return _Left(query_id, time.time())


def _month(gateway: Gateway) -> dict[str, Any]:
    return httpx2.get(f"{gateway.url}/v1/metrics", headers={"x-api-key": gateway.key}).raise_for_status().json()
