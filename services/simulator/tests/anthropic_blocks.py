"""Blocks and turns of Anthropic conversations, for tests of what is refused."""

from __future__ import annotations

from typing import Any

TOOL = {"name": "lookup", "input_schema": {"type": "object", "properties": {"q": {"type": "string"}}}}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "lookup", "input": {"q": "a"}}
OTHER_CALL = {**CALL, "id": "toolu_2"}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "found"}
OTHER_RESULT = {**RESULT, "tool_use_id": "toolu_2"}
MARK = {"cache_control": {"type": "ephemeral"}}
PIXEL = "iVBORw0KGgo="
HI = {"role": "user", "content": "hi"}


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def image(source: dict[str, Any]) -> dict[str, Any]:
    return {"type": "image", "source": source}
