"""The internal form loses nothing of a dialect: what is read and written in the same one is what it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tollway_dialects.dialect import Dialect
from tollway_dialects.translation.models.capabilities import ModelCapabilities
from tollway_dialects.translation.translate import READERS, WRITERS
from tollway_dialects.translation.wire.node import Node
from tollway_dialects.translation.wire.tool_ids import valid_tool_id

GOLDEN = Path(__file__).parent / "golden"
DIALECTS = {
    "anthropic": Dialect.ANTHROPIC_MESSAGES,
    "chat": Dialect.OPENAI_CHAT,
    "responses": Dialect.OPENAI_RESPONSES,
}
# two spellings of the same: names of today for former ones, and defaults that are said or not
FORMER = {"user": "safety_identifier", "max_tokens": "max_completion_tokens"}
DEFAULTS: dict[str, dict[str, Any]] = {
    "anthropic": {},
    "chat": {},
    "responses": {"truncation": "disabled"},
}
UNKNOWN = {"tools.defer_loading", "service_tier"}


def normal_message(message: Any) -> Any:
    message = {"content": None} | message
    if message["role"] == "developer":
        message["role"] = "system"
    message["content"] = normal_content(message["content"])
    return message


def normal_content(content: Any) -> Any:
    """A text alone may stand in a list."""
    if not isinstance(content, list):
        return content
    for part in content:
        part.pop("annotations", None)
        if part["type"] == "tool_result":
            part["content"] = normal_content(part["content"])
    match content:
        case [{"type": "text" | "input_text" | "output_text", "text": text} as part] if len(part) == 2:
            return text
        case _:
            return content


def normal_item(item: Any) -> Any:
    if item.get("type", "message") == "message":
        return normal_message({"type": "message"} | {name: item[name] for name in item if name not in ("id", "status")})
    return item if item["type"] == "reasoning" else {name: item[name] for name in item if name not in ("id", "status")}


def normal(client: str, body: Any) -> Any:
    body = DEFAULTS[client] | body
    if client == "anthropic":
        body.pop("service_tier", None)
        body["tools"] = [
            {name: tool[name] for name in tool if name != "defer_loading"} for tool in body.get("tools", ())
        ]
    elif client == "chat":
        body = {FORMER.get(name, name): value for name, value in body.items()}
        body["stop"] = [body["stop"]] if isinstance(body.get("stop"), str) else body.get("stop")
        for tool in body.get("tools", ()):
            tool["function"].setdefault("parameters", {"type": "object", "properties": {}})
        for message in body["messages"]:
            if "tool_call_id" in message:
                message["tool_call_id"] = valid_tool_id(message["tool_call_id"])
            for call in message.get("tool_calls", ()):
                call["id"] = valid_tool_id(call["id"])
                call["function"]["arguments"] = call["function"]["arguments"] or "{}"
    body |= {name: list(map(normal_message, body[name])) for name in ("messages",) if name in body}
    body |= {name: list(map(normal_item, body[name])) for name in ("input",) if name in body}
    return body


@pytest.mark.parametrize("case", ["tools", "content"])
@pytest.mark.parametrize("client", DIALECTS)
def test_a_request_is_read_and_written_as_it_was(client: str, case: str) -> None:
    asked = json.loads((GOLDEN / f"requests/{case}/{client}/asked.json").read_bytes())
    dropped: dict[str, None] = {}
    request = READERS[DIALECTS[client]](Node(asked, "", dropped))
    model = ModelCapabilities(wants_reasoning_content=True)
    again = json.loads(json.dumps(WRITERS[DIALECTS[client]](request, model)))
    assert normal(client, again) == normal(client, asked)
    assert set(dropped) <= UNKNOWN
