"""What a translation changed, in the words of the client's dialect; filled while a request is translated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.dialect import Dialect

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES: Mapping[Dialect, Mapping[str, str]] = {
    Dialect.ANTHROPIC_MESSAGES: {
        "effort": "output_config.effort",
        "budget": "thinking.budget_tokens",
        "format": "output_config.format",
        "stop": "stop_sequences",
        "stop beyond four": "stop_sequences beyond four",
        "user": "metadata.user_id",
        "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
        "document.kind": "messages",
        "image.url": "messages",
        "document.url": "messages",
    },
    Dialect.OPENAI_CHAT: {
        "effort": "reasoning_effort",
        "thinking": "reasoning_effort",
        "format": "response_format",
        "json_object": "response_format",
        "document.kind": "messages",
        "image.url": "messages",
        "document.url": "messages",
    },
    Dialect.OPENAI_RESPONSES: {
        "effort": "reasoning.effort",
        "thinking": "reasoning",
        "thinking.display": "reasoning.summary",
        "format": "text.format",
        "json_object": "text.format",
        "messages": "input",
        "messages.name": "input.name",
        "verbosity": "text.verbosity",
        "document.kind": "input",
        "max_tokens": "max_output_tokens",
        "image.url": "input",
        "document.url": "input",
    },
}
_IN_PROMPT = frozenset({"files of OpenAI", "files of Anthropic"})


class Changes:
    """`dropped` and `adapted` keep order and hold each name once; `dropped` begins with what the reader left."""

    def __init__(self, source: Dialect, dropped: dict[str, None]) -> None:
        self._names = _NAMES[source]
        self.dropped = dropped
        self.adapted: dict[str, None] = {}

    def named(self, name: str) -> str:
        """Return the client's word for a field."""
        if name in _IN_PROMPT:
            name = "messages"
        return self._names.get(name, str(name))

    def drop(self, name: str) -> None:
        self.dropped[self.named(name)] = None
        self.adapted.pop(self.named(name), None)

    def drop_if(self, is_dropped: bool, name: str) -> None:
        if is_dropped:
            self.drop(name)

    def adapt(self, name: str) -> None:
        self.adapted[self.named(name)] = None
