"""Puts provider-dispatch together: the registry of providers, an HTTP client for each one that has a key."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from tollway_servicekit.settings import SettingError

from tollway_provider_dispatch.adapters.aiohttp_upstream import AiohttpUpstream, proxy_of
from tollway_provider_dispatch.adapters.httptools_upstream import HttptoolsUpstream
from tollway_provider_dispatch.adapters.memory_accounts import MemoryAccounts
from tollway_provider_dispatch.adapters.providers.anthropic import ANTHROPIC
from tollway_provider_dispatch.adapters.providers.openai import OPENAI
from tollway_provider_dispatch.adapters.providers.simulator import SIMULATOR
from tollway_provider_dispatch.adapters.system_clock import SystemClock
from tollway_provider_dispatch.domain.dispatch import Dispatcher
from tollway_provider_dispatch.domain.provider import Provider, ProviderKey
from tollway_provider_dispatch.domain.route import Chain
from tollway_provider_dispatch.entrypoints.servicer import ProviderDispatchServicer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tollway_provider_dispatch.domain.ports import Accounts, UpstreamClient
    from tollway_provider_dispatch.settings import DispatchConfig, Settings

log = logging.getLogger(__name__)

# the order of the chain
PROVIDERS = (ANTHROPIC, OPENAI)
_KINDS = {kind.name: kind for kind in PROVIDERS}
PROVIDER_NAMES = tuple(_KINDS)


@asynccontextmanager
async def bootstrap(settings: Settings) -> AsyncIterator[ProviderDispatchServicer]:
    providers = chain_of(settings)
    if not providers:
        log.warning("no provider has a key: every call will be refused; set one, e.g. ANTHROPIC_API_KEY")
    async with AsyncExitStack() as stack:
        clients: dict[str, UpstreamClient] = {}
        for provider in providers:
            client = client_for(provider, settings.config)
            stack.push_async_callback(client.aclose)
            clients[provider.name] = client
        models = {name: [_KINDS[provider] for provider in model.providers] for name, model in settings.models.items()}
        embedders = [name for name, model in settings.models.items() if model.embeds]
        accounts = await stack.enter_async_context(open_accounts(settings.state_redis_url))
        chain = Chain(providers, models, embedders)
        yield ProviderDispatchServicer(Dispatcher(chain, clients, SystemClock(), accounts))


@asynccontextmanager
async def open_accounts(redis_url: str) -> AsyncIterator[Accounts]:
    """Yield what remembers who made what: Redis where there is a URL, else this process; raises `SettingError`."""
    if not redis_url:
        yield MemoryAccounts()
        return
    # imported only here: a process that remembers by itself does not pay for the driver
    from tollway_provider_dispatch.adapters.redis_accounts import RedisAccounts

    try:
        accounts = RedisAccounts.from_url(redis_url)
    except ValueError as error:
        raise SettingError("STATE_REDIS_URL must look like redis://host:6379/0") from error
    try:
        yield accounts
    finally:
        await accounts.close()


def client_for(provider: Provider, config: DispatchConfig) -> HttptoolsUpstream | AiohttpUpstream:
    """Return the client that the settings name; raises `SettingError`."""
    try:
        if config.http_client == "aiohttp":
            proxy = proxy_of(provider.base_url)
            return AiohttpUpstream(config.connect_timeout, config.read_timeout, proxy, config.ca_file)
        return HttptoolsUpstream(config.connect_timeout, config.read_timeout, config.ca_file)
    except OSError as error:
        raise SettingError(f"provider_dispatch.ca_file: {config.ca_file} holds no CA certificates ({error})") from error


def chain_of(settings: Settings) -> list[Provider]:
    """Return the providers that have a key, in order; the simulator last, where it was switched on."""
    chain = []
    for kind in PROVIDERS:
        known = settings.providers.get(kind.name)
        if known is None or not known.keys:
            continue
        organization = settings.openai_organization if kind is OPENAI else ""
        headers = (("openai-organization", organization),) if organization else ()
        keys = tuple(ProviderKey.of(key) for key in known.keys)
        chain.append(Provider(kind, known.base_url or kind.base_url, keys, headers))
    if settings.simulator_url:
        key = ProviderKey("simulator", "")
        chain.append(Provider(SIMULATOR, settings.simulator_url, (key,), serves_any_model=True))
    return chain
