"""Token counts, models, and whether anybody is there."""

from __future__ import annotations

import anthropic
import openai
import pytest
from tollway_simulator.bootstrap import bootstrap
from tollway_simulator.settings import Settings

NAMES = ("claude-opus-5-5", "claude-haiku-5-5", "gpt-4o", "simulator")


@pytest.fixture
async def catalogue():
    async with bootstrap(Settings("127.0.0.1:0", NAMES)) as port:
        url = f"http://127.0.0.1:{port}"
        async with (
            anthropic.AsyncAnthropic(base_url=url, api_key="k", max_retries=0) as claude,
            openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0) as gpt,
        ):
            yield claude, gpt


async def test_a_count_is_what_a_message_then_reports(simulator):
    asked = {
        "model": "m",
        "system": "be brief",
        "messages": [{"role": "user", "content": "hello there"}],
        "tools": [{"name": "t", "input_schema": {"type": "object"}}],
    }
    counted = await simulator.anthropic.messages.count_tokens(**asked)
    message = await simulator.anthropic.messages.create(**asked, max_tokens=9)
    assert counted.input_tokens == message.usage.input_tokens
    [counting, _] = await simulator.log()
    assert (counting["path"], counting["input_tokens"]) == ("/v1/messages/count_tokens", counted.input_tokens)
    beta = await simulator.anthropic.beta.messages.count_tokens(**asked)
    assert beta.input_tokens == counted.input_tokens


async def test_a_wrong_body_is_not_counted(simulator):
    with pytest.raises(anthropic.BadRequestError, match="messages"):
        await simulator.anthropic.messages.count_tokens(model="m", messages=[])


async def test_a_models_pages_follow_one_another(catalogue):
    claude, _ = catalogue
    page = await claude.models.list(limit=3)
    assert ([model.id for model in page.data], page.has_more) == (list(NAMES[:3]), True)
    assert (page.first_id, page.last_id) == (NAMES[0], NAMES[2])
    assert [model.id async for model in await claude.models.list(limit=3)] == list(NAMES)
    before = await claude.models.list(limit=1, before_id=NAMES[2])
    assert ([model.id for model in before.data], before.has_more) == ([NAMES[1]], True)
    with pytest.raises(anthropic.BadRequestError):
        await claude.models.list(limit=1001)
    with pytest.raises(anthropic.BadRequestError):
        await claude.models.list(after_id="nothing")


async def test_a_model_says_what_it_can_do(catalogue):
    claude, gpt = catalogue
    opus = await claude.models.retrieve("claude-opus-5-5")
    assert (opus.line, opus.lifecycle, opus.max_input_tokens) == ("opus", "active", 1_000_000)
    assert opus.capabilities.thinking.types.enabled.supported is False
    assert opus.capabilities.thinking.types.adaptive.supported is True
    old = await gpt.models.retrieve("gpt-4o")
    assert (old.id, old.object, old.shutdown_date) == ("gpt-4o", "model", "2027-01-14")


async def test_an_unknown_model_is_404_in_either_shape(catalogue):
    claude, gpt = catalogue
    with pytest.raises(anthropic.NotFoundError) as theirs:
        await claude.models.retrieve("nothing")
    assert theirs.value.body["error"]["type"] == "not_found_error"
    with pytest.raises(openai.NotFoundError) as ours:
        await gpt.models.retrieve("nothing")
    assert ours.value.code == "model_not_found"


@pytest.mark.parametrize("path", ["/", "/api/hello"])
async def test_whoever_asks_whether_somebody_is_there_needs_no_key(simulator, path):
    async with simulator.http.head(simulator.url + path) as response:
        assert (response.status, await response.read()) == (200, b"")
