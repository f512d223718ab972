"""Who made what, in this process: for one replica, and where no Redis is configured."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tollway_provider_dispatch.domain.account import Account

MOST_REMEMBERED = 100_000


class MemoryAccounts:
    """An `Accounts` that forgets the oldest where it is full."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._by_id: OrderedDict[str, Account] = OrderedDict()

    async def remember(self, kept_id: str, account: Account) -> None:
        self._by_id[kept_id] = account
        if len(self._by_id) > self._most:
            self._by_id.popitem(last=False)

    async def find(self, kept_id: str) -> Account | None:
        return self._by_id.get(kept_id)
