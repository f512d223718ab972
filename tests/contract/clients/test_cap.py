"""A workspace whose month is spent is told so in the client's dialect, before any upstream byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anthropic
import httpx2
import openai
import pytest
from gateway import Gateway, config_with, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def capped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("capped")
    config = config_with(folder, edge={"default_max_tokens": 50})
    with running("local", folder, LLM_MONTHLY_TOKEN_CAP_PER_WORKSPACE="2000", TOLLWAY_CONFIG=config) as gateway:
        yield gateway


@pytest.mark.xdist_group("capped")
def test_a_call_over_the_cap_is_a_402_that_no_client_repeats(capped: Gateway) -> None:
    served = capped.log_end()
    ask = [{"role": "user", "content": "hello"}]
    with anthropic.Anthropic(base_url=capped.url, api_key=capped.key) as claude:
        with pytest.raises(anthropic.PaymentRequiredError) as refused:
            claude.messages.create(model="claude-haiku-5-5", max_tokens=2000, messages=ask)
    assert refused.value.response.json()["error"]["type"] == "billing_error"
    assert refused.value.response.headers["x-should-retry"] == "false"
    for fact in ("default", "2000"):
        assert fact in str(refused.value)
    with openai.OpenAI(base_url=f"{capped.url}/v1", api_key=capped.key) as gpt:
        with pytest.raises(openai.APIStatusError) as refused_too:
            gpt.chat.completions.create(model="gpt-6-luna", max_completion_tokens=2000, messages=ask)
    assert (refused_too.value.status_code, refused_too.value.code) == (402, "insufficient_quota")
    assert capped.log_end() == served, "the provider was asked all the same"
    rows = [row for row in capped.recent() if row["reason"] == "QUOTA_EXCEEDED"]
    assert len(rows) == 2, "each client asked once"


@pytest.mark.xdist_group("capped")
def test_calls_within_the_cap_are_served_and_counted(capped: Gateway) -> None:
    with anthropic.Anthropic(base_url=capped.url, api_key=capped.key) as claude:
        ask = [{"role": "user", "content": "hello within the cap"}]
        message = claude.messages.create(model="claude-haiku-5-5", max_tokens=20, messages=ask)
    figures = httpx2.get(f"{capped.url}/v1/metrics", headers={"x-api-key": capped.key}).json()
    assert figures["monthly_token_cap"] == 2000
    assert figures["month_tokens"] == message.usage.input_tokens + message.usage.output_tokens


@pytest.mark.xdist_group("capped")
def test_an_answer_without_a_limit_of_its_own_ends_at_the_one_that_was_reserved(capped: Gateway) -> None:
    ask = [{"role": "user", "content": "[words=400] hello at length"}]
    with openai.OpenAI(base_url=f"{capped.url}/v1", api_key=capped.key) as gpt:
        answer = gpt.chat.completions.with_raw_response.create(model="gpt-6-luna", messages=ask)
        response = gpt.responses.create(model="gpt-6-luna", input="[words=400] hello at length")
    completion = answer.parse()
    assert answer.headers["x-gateway-body-changes"] == "max_completion_tokens"
    assert completion.choices[0].finish_reason == "length"
    assert completion.usage.completion_tokens <= 50
    assert (response.status, response.max_output_tokens) == ("incomplete", 50)
