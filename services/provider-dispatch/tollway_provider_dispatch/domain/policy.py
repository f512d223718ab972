"""What a route or a workspace allows where the first choice does not answer; asked once for each call."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


# the gateway's own, and the maker's in what a provider calls a model
MOST_PREFIXES = 2


class Fallback(StrEnum):
    """Who may stand in for whom."""

    SAME_MODEL = "same-model"
    """Other providers of that very model."""
    CASCADE = "cascade"
    """Also the next models of the same provider."""
    ANY = "any"
    """Also the models of every other provider."""


class Rules(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the configuration says for a route or a workspace; None: nothing."""

    fallback: Fallback | None = None
    allowed_providers: tuple[str, ...] | None = None
    delivery: Literal["streamed", "buffered"] | None = None


class RouteRules(Rules, frozen=True):
    """What it says for a route."""

    system_prompt: str = ""
    last_resort: str = ""
    """Both are edge's business."""


class Policy(msgspec.Struct, frozen=True, eq=False):
    """What holds for a call."""

    fallback: Fallback = Fallback.SAME_MODEL
    allowed_providers: frozenset[str] | None = None
    """None: all."""
    is_buffered: bool = False
    """A stream is delivered once it is whole."""

    def allows(self, provider: str) -> bool:
        return self.allowed_providers is None or provider in self.allowed_providers


class Policies:
    """
    All of them.

    Args:
        routes: By the name that a client asks for, a model's; `default` is for all others.
        workspaces: By name; what they say comes before what the route says, and forbids what the route allows.
        providers: Names that a client may put before a model's, `provider/model`; its route is the model's then.
    """

    def __init__(
        self,
        routes: Mapping[str, Rules] | None = None,
        workspaces: Mapping[str, Rules] | None = None,
        providers: Collection[str] = (),
    ) -> None:
        self._routes = routes or {}
        self._by_folded = {name.casefold(): name for name in self._routes if name != "default"}
        self._providers = frozenset(name.casefold() for name in providers)
        self._workspaces = workspaces or {}
        self._default = _joined(Rules(), self._routes.get("default", Rules()))
        self._found: dict[tuple[str, str], Policy] = {}

    def of(self, workspace: str, asked: str) -> Policy:
        route = self._route_of(asked) if self._by_folded else "default"
        if workspace not in self._workspaces and route == "default":
            return self._default
        key = (workspace if workspace in self._workspaces else "", route)
        policy = self._found.get(key)
        if policy is None:  # as many as the configuration names
            policy = _joined(self._workspaces.get(key[0], Rules()), self._routes.get(key[1], Rules()))
            self._found[key] = policy
        return policy

    def _route_of(self, asked: str) -> str:
        """Return the route of a name however it is spelled: as it is, in other letters, behind a provider's name."""
        if asked in self._routes:
            return asked
        name = asked.casefold()
        for _ in range(MOST_PREFIXES):
            pinned, _, rest = name.partition("/")
            if name in self._by_folded or pinned not in self._providers:
                break
            name = rest
        return self._by_folded.get(name, "default")


def _joined(workspace: Rules, route: Rules) -> Policy:
    allowed = [frozenset(each.allowed_providers) for each in (workspace, route) if each.allowed_providers is not None]
    return Policy(
        workspace.fallback or route.fallback or Fallback.SAME_MODEL,
        frozenset.intersection(*allowed) if allowed else None,
        (workspace.delivery or route.delivery) == "buffered",
    )
