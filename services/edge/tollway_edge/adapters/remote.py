"""Opens stubs of services in other processes, the way that the settings say; used by `bootstrap` and topologies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollway_servicekit.channel import open_channel
from tollway_servicekit.link.peers import Links, open_links
from tollway_servicekit.stubs import link_stub, plain_stub
from tollway_servicekit.tls import Credentials

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from tollway_servicekit.contract import Contract

    from tollway_edge.settings import Calling


class Remote:
    """
    Stubs over links, or over a gRPC channel each; closed with `stack`.

    Raises:
        SettingError: The files of TLS cannot be used.
    """

    def __init__(self, calling: Calling, stack: AsyncExitStack) -> None:
        self.links: dict[str, Links] = {}
        """By service, as `cache` or `provider_dispatch`."""
        self._use_links = calling.use_links
        self._tls = calling.tls
        self._credentials = None if calling.tls is None else Credentials(calling.tls)
        self._stack = stack

    async def stub(self, contract: Contract, address: str) -> Any:
        if not self._use_links:
            channel = open_channel(address, self._credentials)
            return plain_stub(contract, await self._stack.enter_async_context(channel))
        links = await self._stack.enter_async_context(open_links(address, self._tls))
        self.links[contract.name.split(".")[1]] = links  # tollway.<service>.v1.<Service>
        return link_stub(contract, links)
