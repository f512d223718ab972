"""pydantic-ai's agents on both vendors' models: text, streams, tools, structured output, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from checklist import BASE_URL, KEY, ask, named, raised
from plain import plain
from pydantic import BaseModel
from pydantic_ai import Agent, ToolOutput
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider


class City(BaseModel):
    """What structured outputs are parsed into."""

    city: str


def _anthropic() -> AnthropicModel:
    return AnthropicModel("claude-haiku-4-5", provider=AnthropicProvider(base_url=BASE_URL, api_key=KEY))


def _openai_chat() -> OpenAIChatModel:
    return OpenAIChatModel("gpt-4.1", provider=OpenAIProvider(base_url=f"{BASE_URL}/v1", api_key=KEY))


def _openai_responses() -> OpenAIResponsesModel:
    return OpenAIResponsesModel("gpt-4.1", provider=OpenAIProvider(base_url=f"{BASE_URL}/v1", api_key=KEY))


def _told(run: Any) -> dict[str, Any]:
    parts = [part for message in run.all_messages() for part in message.parts]
    messages = [(part.part_kind, plain(getattr(part, "content", None))) for part in parts]
    usage = run.usage() if callable(run.usage) else run.usage
    return {"output": plain(run.output), "messages": messages, "tokens": [usage.input_tokens, usage.output_tokens]}


def _text(model: Any) -> Any:
    return _told(Agent(model, instructions="Be brief.").run_sync(ask("hello [words=7]")))


async def _stream(model: Any) -> Any:
    async with Agent(model).run_stream(ask("hello [words=9]")) as run:
        pieces = [piece async for piece in run.stream_text(delta=True, debounce_by=None)]
        return {"pieces": pieces, "output": await run.get_output()}


def _tool(model: Any) -> Any:
    agent = Agent(model)

    @agent.tool_plain
    def weather(city: str) -> str:
        """Weather of a city."""
        return f"sunny in {city}"

    run = agent.run_sync(ask("weather? [tool]"))
    assert "sunny" in run.output
    return _told(run)


def _structured(model: Any) -> Any:
    run = Agent(model, output_type=ToolOutput(City)).run_sync(ask("a city"))
    assert run.output.city
    return plain(run.output)


def _conversation(model: Any) -> Any:
    agent = Agent(model)
    first = agent.run_sync(ask("hello"))
    return _told(agent.run_sync(ask("and again"), message_history=first.all_messages()))


def _errors(model: Any) -> Any:
    return {
        status: raised(lambda: Agent(model, retries=0).run_sync(ask(f"hello [status={status}] [should_retry=false]")))  # noqa: B023
        for status in (400, 401, 402, 403, 404, 413, 429, 500, 503, 529)
    }


def _on(make_model: Callable[[], Any], run: Callable[[Any], Any]) -> Callable[[], Any]:
    return lambda: run(make_model())


for _name, _make in (("anthropic", _anthropic), ("openai_chat", _openai_chat), ("openai_responses", _openai_responses)):
    for _run in (_text, _stream, _tool, _structured, _conversation, _errors):
        named(f"{_name}{_run.__name__}")(_on(_make, _run))
