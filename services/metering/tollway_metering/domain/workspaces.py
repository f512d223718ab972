"""Who may call: workspaces with their key digests and caps, and the watch that tells the data plane."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tollway_servicekit.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable


@dataclass(frozen=True, slots=True)
class Workspace:
    """A tenant. Keys are known by their SHA-256 only; a cap of 0 is none."""

    name: str
    key_digests: tuple[bytes, ...]
    monthly_token_cap: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All workspaces at one revision."""

    revision: int
    workspaces: tuple[Workspace, ...]


class WorkspaceDirectory:
    """Holds the present workspaces and wakes who watches them; keeps nothing per watcher, so none can leak."""

    def __init__(self) -> None:
        self._snapshot = Snapshot(0, ())
        self._by_name: dict[str, Workspace] = {}
        self._changed = asyncio.Event()
        self._is_ended = False

    def publish(self, workspaces: Iterable[Workspace]) -> None:
        """Replace all workspaces."""
        self._snapshot = Snapshot(self._snapshot.revision + 1, tuple(workspaces))
        self._by_name = {workspace.name: workspace for workspace in self._snapshot.workspaces}
        before, self._changed = self._changed, asyncio.Event()
        before.set()

    def end_watches(self) -> None:
        """End every watch, so that a server that stops need not wait for them."""
        self._is_ended = True
        self._changed.set()

    def find(self, name: str) -> Workspace:
        """
        Return a workspace.

        Raises:
            NotFound: There is none of that name.
        """
        workspace = self._by_name.get(name)
        if workspace is None:
            raise NotFound("WORKSPACE_UNKNOWN", f"there is no workspace {name[:64]!r}; check the caller's name for it")
        return workspace

    async def watch(self) -> AsyncGenerator[Snapshot, None]:
        """Yield the present state at once, then the newest one after each change."""
        while not self._is_ended:
            changed = self._changed
            yield self._snapshot
            await changed.wait()
