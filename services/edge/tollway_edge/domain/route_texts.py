"""Texts that the operator gives to routes, a system prompt or a last resort; looked up once for each call."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

OF_ALL_OTHERS = "default"


class RouteTexts:
    """
    All texts of one kind.

    Args:
        by_route: By the name that a client asks for, a model's; `default` is for all others. An empty one is none.
    """

    def __init__(self, by_route: Mapping[str, str]) -> None:
        self._by_route = by_route
        self._default = by_route.get(OF_ALL_OTHERS, "")

    @classmethod
    def where_any(cls, by_route: Mapping[str, str]) -> RouteTexts | None:
        return cls(by_route) if any(by_route.values()) else None

    def of(self, asked: str) -> str:
        return self._by_route.get(asked, self._default)
