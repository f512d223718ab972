"""Thinking blocks and prompt caching, as Anthropic's own SDK sees them; caching by OpenAI's key."""

from __future__ import annotations

from typing import Any

import pytest
from tollway_simulator.domain.prompt import Segment
from tollway_simulator.domain.prompt_cache import NO_CACHE, CacheUse, PromptCache

MARK = {"type": "ephemeral"}
LONG = "x" * 8192  # 2,048 tokens


def asking(text: str, /, **more: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 5000, "messages": [{"role": "user", "content": text}], **more}


async def streamed_and_whole(simulator, asked: dict[str, Any]) -> list[Any]:
    async with simulator.anthropic.messages.stream(**asked) as stream:
        streamed = await stream.get_final_message()
    return [await simulator.anthropic.messages.create(**asked), streamed]


@pytest.mark.parametrize("thinking", [{"type": "enabled", "budget_tokens": 1024}, {"type": "adaptive"}, None])
async def test_thinking_comes_before_the_text_and_is_signed(simulator, thinking):
    asked = asking("[think=4] hi") | ({"thinking": thinking} if thinking else {})
    for message in await streamed_and_whole(simulator, asked):
        thought, text = message.content
        assert (thought.type, len(thought.thinking.split()), text.type) == ("thinking", 4, "text")
        assert len(thought.signature) > 20
        assert message.usage.output_tokens == 4 + 12
        assert message.usage.output_tokens_details.thinking_tokens == 4


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "claude-opus-5-5", "thinking": {"type": "adaptive"}},
        {"thinking": {"type": "adaptive", "display": "omitted"}},
    ],
)
async def test_newer_models_think_without_showing_it(simulator, fields):
    for message in await streamed_and_whole(simulator, asking("hi") | fields):
        assert (message.content[0].thinking, bool(message.content[0].signature)) == ("", True)
        assert message.usage.output_tokens == 6 + 12


@pytest.mark.parametrize("thinking", ["disabled", "between_tools"])
async def test_no_thinking_is_no_block(simulator, thinking):
    message = await simulator.anthropic.messages.create(**asking("hi", thinking={"type": thinking}))
    assert [block.type for block in message.content] == ["text"]


async def test_redacted_thinking_and_tool_calls_follow_one_another(simulator):
    tool = {"name": "lookup", "input_schema": {"type": "object", "properties": {"q": {"type": "string"}}}}
    for message in await streamed_and_whole(simulator, asking("[think=2][redacted][tools=2] hi", tools=[tool])):
        assert [block.type for block in message.content] == ["thinking", "redacted_thinking", "tool_use", "tool_use"]
        assert message.content[1].data
        assert message.content[2].id != message.content[3].id
        history = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": message.content}]
        results = [{"type": "tool_result", "tool_use_id": call.id, "content": "x"} for call in message.content[2:]]
        await simulator.anthropic.messages.create(
            **asking("") | {"messages": [*history, {"role": "user", "content": results}]}
        )


async def test_a_limit_may_end_an_answer_while_it_thinks(simulator):
    for message in await streamed_and_whole(simulator, asking("[think=9] hi", max_tokens=5)):
        assert (message.stop_reason, message.usage.output_tokens) == ("max_tokens", 5)
        assert [block.type for block in message.content] == ["thinking"]


async def cached(simulator, *system: Any, **more: Any) -> tuple[int, int, int]:
    message = await simulator.anthropic.messages.create(**asking("y" * 400, system=list(system), **more))
    usage = message.usage
    return usage.cache_creation_input_tokens, usage.cache_read_input_tokens, usage.input_tokens


async def test_a_marked_prefix_is_written_once_and_then_read(simulator):
    marked = {"type": "text", "text": LONG, "cache_control": MARK}
    assert await cached(simulator, marked) == (2048, 0, 100)
    assert await cached(simulator, marked) == (0, 2048, 100)
    assert await cached(simulator, marked, model="other") == (2048, 0, 100)
    assert await cached(simulator, {"type": "text", "text": LONG}) == (0, 0, 2148)


async def test_a_growing_prompt_reads_what_was_there_and_writes_the_rest(simulator):
    first = {"type": "text", "text": LONG}
    more = {"type": "text", "text": "z" * 4096, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    assert await cached(simulator, first | {"cache_control": MARK}) == (2048, 0, 100)
    message = await simulator.anthropic.messages.create(**asking("y" * 400, system=[first, more]))
    usage = message.usage
    assert (usage.cache_creation_input_tokens, usage.cache_read_input_tokens, usage.input_tokens) == (1024, 2048, 100)
    assert usage.cache_creation.ephemeral_1h_input_tokens == 1024


async def test_automatic_caching_marks_the_end_of_the_prompt(simulator):
    text = {"type": "text", "text": LONG}
    assert await cached(simulator, text, cache_control=MARK) == (2148, 0, 0)
    assert await cached(simulator, text, cache_control=MARK) == (0, 2148, 0)


@pytest.mark.parametrize(("model", "is_kept"), [("claude-opus-5-5", True), ("m", False), ("claude-opus-4-6", False)])
async def test_what_is_below_the_models_minimum_is_not_kept(simulator, model, is_kept):
    marked = {"type": "text", "text": "x" * 4000, "cache_control": MARK}
    written, read, _ = await cached(simulator, marked, model=model)
    assert (written, read) == (1000 if is_kept else 0, 0)


async def test_streams_report_the_cache_too(simulator):
    asked = asking("hi", system=[{"type": "text", "text": LONG, "cache_control": MARK}])
    whole, streamed = await streamed_and_whole(simulator, asked)  # the stream goes first
    assert (streamed.usage.cache_creation_input_tokens, streamed.usage.cache_read_input_tokens) == (2048, 0)
    assert (whole.usage.cache_creation_input_tokens, whole.usage.cache_read_input_tokens) == (0, 2048)


@pytest.mark.parametrize(("model", "written"), [("gpt-6-luna", 2048), ("gpt-4o", 0)])
async def test_openai_caches_under_a_key(simulator, model, written):
    asked: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": LONG}]}
    first, second = [await simulator.openai.chat.completions.create(**asked, prompt_cache_key="k") for _ in range(2)]
    assert first.usage.prompt_tokens_details.cached_tokens == 0
    assert first.usage.prompt_tokens_details.cache_write_tokens == written
    assert second.usage.prompt_tokens_details.cached_tokens == 2048
    assert first.usage.prompt_tokens == second.usage.prompt_tokens == 2048
    other = await simulator.openai.chat.completions.create(**asked, prompt_cache_key="other")
    assert other.usage.prompt_tokens_details.cached_tokens == 0
    response = await simulator.openai.responses.create(model=model, input=LONG, prompt_cache_key="k")
    again = await simulator.openai.responses.create(model=model, input=LONG, prompt_cache_key="k")
    assert response.usage.input_tokens_details.cached_tokens == 0
    assert again.usage.input_tokens_details.cached_tokens == 2048


def test_a_kept_prefix_dies_with_its_time():
    now = [0.0]
    cache = PromptCache(lambda: now[0])
    prompt = [Segment(b"a", 4000, "5m"), Segment(b"b", 4000)]
    assert cache.use("s", prompt, 100) == CacheUse(write=1000)
    now[0] = 299
    assert cache.use("s", prompt, 100) == CacheUse(read=1000)
    now[0] = 299 + 301
    assert cache.use("s", prompt, 100) == CacheUse(write=1000)


def test_a_prefix_is_found_twenty_segments_back_and_no_further():
    def prompt(length: int) -> list[Segment]:
        return [Segment(b"%d" % at, 400, "5m" if at == length - 1 else "") for at in range(length)]

    near, far = PromptCache(), PromptCache()
    near.use("s", prompt(5), 1)
    assert near.use("s", prompt(25), 1) == CacheUse(read=500, write=2000)
    far.use("s", prompt(5), 1)
    assert far.use("s", prompt(26), 1) == CacheUse(write=2600)


def test_a_prompt_without_marks_uses_no_cache():
    assert PromptCache().use("s", [Segment(b"a", 40_000)], 1) is NO_CACHE
