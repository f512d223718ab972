"""Bytes of the text in a request, which is what its tokens are counted from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_simulator.domain.tokens import text_bytes
from tollway_simulator.entrypoints.anthropic.schema import nested_content

if TYPE_CHECKING:
    from tollway_simulator.entrypoints.anthropic.schema import Content, Part, ToolSpec


def content_bytes(content: Content | None) -> int:
    if content is None or isinstance(content, str):
        return text_bytes(content) if content else 0
    return sum(map(part_bytes, content))


def part_bytes(part: Part) -> int:
    total = text_bytes(part.text or part.thinking or "") + len(bytes(part.input))
    return total + content_bytes(nested_content(part)) if part.type == "tool_result" else total


def tool_bytes(tool: ToolSpec) -> int:
    return text_bytes(tool.name + (tool.description or "")) + len(bytes(tool.input_schema))
