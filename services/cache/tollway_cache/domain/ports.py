"""What the domain needs of the outside; every adapter of `AnswerStore` passes tests/test_store_contract.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tollway_cache.domain.answer import Answer, Entry


Packed = TypeVar("Packed")


class StoreUnavailable(Exception):
    """The store did not answer in time or at all."""


class AnswerUnreadable(Exception):
    """The store holds something under this key that is no answer of this version."""


class AnswerStore(Protocol[Packed]):
    """
    Keeps answers under partition and key for a while; may forget any of them sooner.

    `Packed` is an entry in the form in which the store takes it: who lets many wait packs each when it comes.
    """

    async def get(self, partition: str, exact_key: bytes) -> Answer | None:
        """
        Return what is kept under partition and key.

        Raises:
            StoreUnavailable: It cannot be told whether there is one.
            AnswerUnreadable: There is something, but not a readable answer.
        """

    async def get_all(self, partition: str, exact_keys: Sequence[bytes]) -> list[Answer | AnswerUnreadable | None]:
        """
        Do as `get` does for each key, in one turn; what cannot be read stands in its place.

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

    def pack(self, entry: Entry) -> Packed:
        """Return the entry as `put_packed` takes it; raises whatever says that it cannot be kept."""
        ...

    async def put_packed(self, packed: Sequence[Packed]) -> int:
        """Do as `put` does."""
        ...
