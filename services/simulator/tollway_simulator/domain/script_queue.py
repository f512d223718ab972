"""Scripts that wait for the next requests; filled by the control API, emptied by the requests."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec

from tollway_simulator.domain.script import Script

ScriptedPath = Literal[
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/responses/input_tokens",
    "/v1/embeddings",
    "/v1/models",
]
FOR_ANY = frozenset(get_args(ScriptedPath)) - {"/v1/models"}
"""The paths that a script without a path is for."""


class Order(Script, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A script for the next `times` requests, of one path or of any."""

    times: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1
    path: ScriptedPath | None = None


class ScriptQueue:
    """Orders in the order of their posting; a request takes the first that fits its path."""

    def __init__(self) -> None:
        self._orders: list[Order] = []

    def add(self, order: Order) -> None:
        self._orders.append(order)

    def clear(self) -> None:
        self._orders.clear()

    def pending(self) -> list[Order]:
        return list(self._orders)

    def take(self, path: str) -> Script | None:
        for index, order in enumerate(self._orders):
            if order.path == path or (order.path is None and path in FOR_ANY):
                if order.times == 1:
                    del self._orders[index]
                else:
                    self._orders[index] = msgspec.structs.replace(order, times=order.times - 1)
                return order
        return None
