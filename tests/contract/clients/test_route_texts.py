"""A route's texts, from the one file that all services read: what providers get, and what clients do at worst."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anthropic
import httpx2
import openai
import pytest
from gateway import ONE_TRY, Gateway, config_with, running

if TYPE_CHECKING:
    from collections.abc import Iterator

SORRY = "Please come back in a minute."
FAILS = [{"role": "user", "content": "[status=503] hello"}]
ASKED = {"messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture(scope="module")
def prompted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("prompted")
    luna = {"fallback": "any", "system_prompt": "Be kind. " * 50, "last_resort": SORRY}
    config = config_with(folder, routes={"gpt-6-luna": luna}, provider_dispatch=ONE_TRY)
    with running("local", folder, TOLLWAY_CONFIG=config) as gateway:
        yield gateway


@pytest.mark.xdist_group("prompted")
@pytest.mark.parametrize(
    ("path", "limit"), [("/v1/chat/completions", "max_completion_tokens"), ("/v1/messages", "max_tokens")]
)
def test_the_route_that_has_one_sends_it_and_the_others_do_not(prompted: Gateway, path: str, limit: str) -> None:
    headers = {"authorization": f"Bearer {prompted.key}"}
    told = {}
    for model in ("gpt-6-luna", "gpt-6-astra"):
        answer = httpx2.post(f"{prompted.url}{path}", json=ASKED | {"model": model, limit: 9}, headers=headers)
        assert answer.status_code == 200
        usage = answer.json()["usage"]
        changes = answer.headers.get("x-gateway-body-changes", "")
        told[model] = "system_prompt" in changes, usage.get("prompt_tokens") or usage["input_tokens"]
    assert [sent for sent, _ in told.values()] == [True, False]
    assert told["gpt-6-luna"][1] >= told["gpt-6-astra"][1] + 100


@pytest.mark.xdist_group("prompted")
def test_where_nobody_answers_clients_read_the_last_resort_as_an_answer(prompted: Gateway) -> None:
    with openai.OpenAI(base_url=f"{prompted.url}/v1", api_key=prompted.key) as gpt:
        whole = gpt.chat.completions.with_raw_response.create(model="gpt-6-luna", messages=FAILS)
        chunks = list(gpt.chat.completions.create(model="gpt-6-luna", messages=FAILS, stream=True))
        response = gpt.responses.create(model="gpt-6-luna", input=FAILS)
        with gpt.responses.stream(model="gpt-6-luna", input=FAILS) as events:
            streamed = events.get_final_response()
    with anthropic.Anthropic(base_url=prompted.url, api_key=prompted.key) as claude:
        message = claude.messages.create(model="gpt-6-luna", max_tokens=9, messages=FAILS)
        with claude.messages.stream(model="gpt-6-luna", max_tokens=9, messages=FAILS) as pieces:
            assert pieces.get_final_text() == SORRY
    assert (whole.parse().choices[0].message.content, whole.headers["x-gateway-provider"]) == (SORRY, "last-resort")
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == SORRY
    assert (response.output_text, streamed.output_text, message.content[0].text) == (SORRY, SORRY, SORRY)
    row = prompted.call(whole.headers["x-gateway-query-id"])
    assert (row["status"], row["http_status"], row["provider"]) == ("failed", 200, "last-resort")
    assert "tollway_last_resorts_total 6.0" in httpx2.get(f"{prompted.url}/metrics").text
