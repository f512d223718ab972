"""Scripts that wait for the next requests; filled by the control API, emptied by the requests."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, get_args

import msgspec

from tollway_simulator.domain.faces import Face
from tollway_simulator.domain.script import Script, Seconds

if TYPE_CHECKING:
    from collections.abc import Callable

ScriptedPath = Literal[
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/responses/input_tokens",
    "/v1/embeddings",
    "/v1/models",
    "/v1beta/models/{model}:generateContent",
    "/v1beta/models/{model}:countTokens",
]
FOR_ANY = frozenset(get_args(ScriptedPath)) - {"/v1/models"}
"""The paths that a script without a path is for."""

Fingerprint = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8}$")]


class Arrival(NamedTuple):
    """A request as scripts choose among requests."""

    path: str
    face: str
    model: str
    key: str


class Order(Script, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A script for the next request that fits, or for more of them."""

    times: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    """For so many requests; one where neither this nor `lasts` nor `always` is said."""
    lasts: Seconds | None = None
    """For so many seconds from its posting."""
    always: bool = False
    """Until it is withdrawn."""
    path: ScriptedPath | None = None
    face: Face | None = None
    model: str | None = None
    key: Fingerprint | None = None

    def fits(self, arrival: Arrival) -> bool:
        if self.path != arrival.path and (self.path is not None or arrival.path not in FOR_ANY):
            return False
        wanted = ((self.face, arrival.face), (self.model, arrival.model), (self.key, arrival.key))
        return all(mine is None or mine == theirs for mine, theirs in wanted)


class Selection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which orders are meant: those that were posted for just this; all where nothing is said."""

    path: ScriptedPath | None = None
    face: Face | None = None
    model: str | None = None
    key: Fingerprint | None = None

    def has(self, order: Order) -> bool:
        names = Selection.__struct_fields__
        return all(getattr(self, name) in (None, getattr(order, name)) for name in names)


class ScriptQueue:
    """Orders in the order of their posting; a request takes the first that fits it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._orders: list[tuple[Order, float]] = []
        self._clock = clock

    def add(self, order: Order) -> None:
        until = float("inf") if order.lasts is None else self._clock() + order.lasts
        self._orders.append((order, until))

    def withdraw(self, selection: Selection) -> None:
        self._orders = [(order, until) for order, until in self._orders if not selection.has(order)]

    def pending(self) -> list[Order]:
        self._forget_expired()
        return [order for order, _ in self._orders]

    def take(self, arrival: Arrival) -> Script | None:
        if not self._orders:
            return None
        self._forget_expired()
        for index, (order, until) in enumerate(self._orders):
            if order.fits(arrival):
                self._count(index, order, until)
                return order
        return None

    def _count(self, index: int, order: Order, until: float) -> None:
        if order.times is None and (order.always or order.lasts is not None):
            return
        left = (order.times or 1) - 1
        if left:
            self._orders[index] = (msgspec.structs.replace(order, times=left), until)
        else:
            del self._orders[index]

    def _forget_expired(self) -> None:
        now = self._clock()
        self._orders = [(order, until) for order, until in self._orders if until > now]
