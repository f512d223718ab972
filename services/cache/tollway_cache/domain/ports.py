"""What the domain needs of the outside; every adapter of `AnswerStore` passes tests/test_store_contract.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from tollway_cache.domain.answer import Entry


class StoreUnavailable(Exception):
    """The store did not answer in time or at all."""


class AnswerUnreadable(Exception):
    """The store holds something under this key that is no answer of this version."""


class KeyNews(NamedTuple):
    """Some of the keys under which there are answers, in any partition."""

    exact_keys: Sequence[bytes] = ()
    is_whole: bool = False
    """All that were kept before the watch began have been told now."""
    expected_keys: int = 0
    """About how many those are; told first."""


class AnswerStore(Protocol):
    """Keeps answers under partition and key for a while; may forget any of them sooner."""

    async def get(self, partition: str, exact_key: bytes) -> bytes | None:
        """
        Return what is kept under partition and key.

        Raises:
            StoreUnavailable: It cannot be told whether there is one.
            AnswerUnreadable: There is something, but no answer.
        """

    async def get_all(self, partition: str, exact_keys: Sequence[bytes]) -> list[bytes | None]:
        """
        Do as `get` does for each key, at once; what is no answer may pass for none.

        Raises:
            StoreUnavailable: It cannot be told whether there are any.
        """
        ...

    async def put(self, entries: Sequence[Entry]) -> int:
        """
        Keep every entry for its lifetime, replacing earlier ones; return how many were kept.

        Raises:
            StoreUnavailable: Some or all may not have been kept.
        """

    def watch_keys(self) -> AsyncGenerator[KeyNews, None]:
        """
        Yield the keys of all that is kept, then those of what anybody puts, until it is closed.

        Some may come twice. Nobody is told of what is forgotten.

        Raises:
            StoreUnavailable: It cannot be told, or something may have been missed.
        """
        ...
