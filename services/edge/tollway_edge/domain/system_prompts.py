"""Routes' system prompts, which the operator puts before whatever clients say; the pipeline asks once for each call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.dialect import Dialect
from tollway_dialects.prompt import prepend_system

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tollway_dialects.request import RequestBody

    from tollway_edge.domain.call import Call

OF_ALL_OTHERS = "default"
CHANGE = "system_prompt"


class SystemPrompts:
    """
    All of them.

    Args:
        by_route: By the name that a client asks for, a model's; `default` is for all others. An empty one is none.
    """

    def __init__(self, by_route: Mapping[str, str]) -> None:
        self._by_route = by_route
        self._default = by_route.get(OF_ALL_OTHERS, "")

    @classmethod
    def where_any(cls, by_route: Mapping[str, str]) -> SystemPrompts | None:
        return cls(by_route) if any(by_route.values()) else None

    def put_before(self, call: Call, body: RequestBody) -> None:
        """Put the route's text before all others; an input that is embedded has no place for one."""
        text = self._by_route.get(call.requested_model, self._default)
        if text and call.dialect is not Dialect.OPENAI_EMBEDDINGS:
            prepend_system(body, call.dialect, text, CHANGE)
