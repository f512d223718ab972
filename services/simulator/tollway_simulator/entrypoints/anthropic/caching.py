"""Where a request asks for prompt caching, and its prompt in the order of caching."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tollway_simulator.domain.prompt import Segment
from tollway_simulator.entrypoints.anthropic.schema import nested_content
from tollway_simulator.entrypoints.anthropic.sizes import content_bytes, part_bytes, tool_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tollway_simulator.entrypoints.anthropic.schema import CacheControl, Content, Part, Request


def marks_of(request: Request) -> list[CacheControl]:
    """Return the marks in the order of caching: tools, system, messages, and the one for the whole."""
    marks = [tool.cache_control for tool in request.tools] if request.tools else []
    if request.system is not None and not isinstance(request.system, str):
        marks += _marks_in(request.system)
    for message in request.messages:
        if not isinstance(message.content, str):
            marks += _marks_in(message.content)
    if not marks and request.cache_control is None:
        return []
    return [mark for mark in (*marks, request.cache_control) if mark is not None]


def _marks_in(content: list[Part]) -> Iterator[CacheControl | None]:
    for part in content:
        if part.type == "tool_result":
            nested = nested_content(part)
            if not isinstance(nested, str):
                yield from [inner.cache_control for inner in nested]
        yield part.cache_control


def segments_of(request: Request) -> tuple[Segment, ...]:
    """Return the prompt in the order of caching; marks are no part of what is compared."""
    segments = [
        Segment(
            msgspec.json.encode((tool.name, tool.type, tool.description, tool.input_schema or None)),
            tool_bytes(tool),
            _ttl(tool.cache_control),
        )
        for tool in request.tools or ()
    ]
    segments += _content_segments("system", request.system)
    for message in request.messages:
        segments += _content_segments(message.role, message.content)
    if request.cache_control is not None and segments:
        segments[-1] = msgspec.structs.replace(segments[-1], ttl=_ttl(request.cache_control))
    return tuple(segments)


def _content_segments(role: str, content: Content | None) -> Iterator[Segment]:
    if content is None:
        return
    if isinstance(content, str):
        yield Segment(msgspec.json.encode((role, content)), content_bytes(content))
        return
    for part in content:
        raws = [raw or None for raw in (part.input, part.content, part.source)]
        fields = (role, part.type, part.text, part.thinking, part.data, part.id, part.name, part.tool_use_id, *raws)
        yield Segment(msgspec.json.encode(fields), part_bytes(part), _mark_within(part))


def _mark_within(part: Part) -> str:
    nested = nested_content(part) if part.type == "tool_result" else ""
    inner = None if isinstance(nested, str) else next((one.cache_control for one in nested if one.cache_control), None)
    return _ttl(part.cache_control or inner)


def _ttl(mark: CacheControl | None) -> str:
    return "" if mark is None else mark.ttl or "5m"
