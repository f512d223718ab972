"""Puts provider-dispatch together: the registry of providers, an HTTP client for each one that has a key."""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING

import msgspec
from tollway_servicekit.settings import SettingError

from tollway_provider_dispatch.adapters.aiohttp_upstream import AiohttpUpstream, proxy_of
from tollway_provider_dispatch.adapters.cooldown_refresh import refresh_for_ever
from tollway_provider_dispatch.adapters.httptools_upstream import HttptoolsUpstream
from tollway_provider_dispatch.adapters.memory_accounts import MemoryAccounts
from tollway_provider_dispatch.adapters.memory_cooldowns import MemoryCooldowns
from tollway_provider_dispatch.adapters.providers.anthropic import ANTHROPIC
from tollway_provider_dispatch.adapters.providers.compatible import compatible
from tollway_provider_dispatch.adapters.providers.deepseek import DEEPSEEK
from tollway_provider_dispatch.adapters.providers.google import GOOGLE
from tollway_provider_dispatch.adapters.providers.huggingface import HUGGINGFACE
from tollway_provider_dispatch.adapters.providers.openai import OPENAI
from tollway_provider_dispatch.adapters.providers.openrouter import OPENROUTER
from tollway_provider_dispatch.adapters.providers.simulator import SIMULATOR
from tollway_provider_dispatch.adapters.system_clock import SystemClock
from tollway_provider_dispatch.domain.candidate import Traits
from tollway_provider_dispatch.domain.cooldowns import CooldownLimits, Cooldowns
from tollway_provider_dispatch.domain.dispatch import Dispatcher
from tollway_provider_dispatch.domain.policy import Policies
from tollway_provider_dispatch.domain.ports import StreamLimits, TimeLimits
from tollway_provider_dispatch.domain.provider import Provider, ProviderKey
from tollway_provider_dispatch.domain.route import Chain
from tollway_provider_dispatch.domain.trying.attempts import AttemptLimits
from tollway_provider_dispatch.domain.trying.tries import Trying
from tollway_provider_dispatch.entrypoints.servicer import ProviderDispatchServicer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tollway_provider_dispatch.domain.ports import Accounts, Clock, UpstreamClient
    from tollway_provider_dispatch.domain.provider import ProviderKind
    from tollway_provider_dispatch.settings import DispatchConfig, Settings

log = logging.getLogger(__name__)

# the order of the chain
PROVIDERS = (OPENROUTER, ANTHROPIC, OPENAI, GOOGLE, DEEPSEEK, HUGGINGFACE)
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
        accounts = await stack.enter_async_context(open_accounts(settings.state_redis_url))
        config, clock = settings.config, SystemClock()
        cooldowns = await stack.enter_async_context(open_cooldowns(settings, clock))
        trying = Trying(AttemptLimits(retries=config.retries), clock, cooldowns, random.random)
        whole = TimeLimits(config.whole_timeout, config.read_timeout)
        yield ProviderDispatchServicer(
            Dispatcher(
                models_of(settings, providers),
                clients,
                accounts,
                trying,
                whole,
                Policies(settings.routes, settings.workspaces, [each.name for each in providers]),
            )
        )


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


@asynccontextmanager
async def open_cooldowns(settings: Settings, clock: Clock) -> AsyncIterator[Cooldowns]:
    """Yield cooldowns: shared through Redis where there is a URL, else of this process; raises `SettingError`."""
    limits = CooldownLimits(steps=settings.config.cooldowns)
    if not settings.state_redis_url:
        yield Cooldowns(MemoryCooldowns(clock.now), clock, limits)
        return
    # imported only here: a process that remembers by itself does not pay for the driver
    from tollway_provider_dispatch.adapters.redis_cooldowns import RedisCooldowns

    store = RedisCooldowns.from_url(settings.state_redis_url)
    cooldowns = Cooldowns(store, clock, limits)
    refreshing = asyncio.create_task(refresh_for_ever(cooldowns))
    try:
        yield cooldowns
    finally:
        refreshing.cancel()
        with suppress(asyncio.CancelledError):
            await refreshing
        await store.close()


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
    """Return the providers that have a key, in order, endpoints behind them; the simulator last, where it is on."""
    chain = []
    for kind in kinds_of(settings).values():
        known = settings.providers.get(kind.name)
        endpoint = settings.endpoints.get(kind.name)
        keys = tuple(ProviderKey.of(key) for key in known.keys) if known else ()
        if endpoint is not None and not endpoint.needs_key:
            keys = keys or (ProviderKey("", ""),)
        if known is None or not keys:
            continue
        organization = settings.openai_organization if kind is OPENAI else ""
        headers = (("openai-organization", organization),) if organization else ()
        chain.append(Provider(kind, known.base_url or kind.base_url, keys, headers))
    if settings.simulator_url:
        key = ProviderKey("simulator", "")
        chain.append(Provider(SIMULATOR, settings.simulator_url, (key,), serves_any_model=True))
    return chain


def kinds_of(settings: Settings) -> dict[str, ProviderKind]:
    """Return every kind of provider that is known, by name, in the order of the chain."""
    return _KINDS | {name: compatible(name, endpoint) for name, endpoint in settings.endpoints.items()}


def models_of(settings: Settings, providers: list[Provider]) -> Chain:
    """Return who serves what, with the limits and cascades that are configured."""
    config, kinds = settings.config, kinds_of(settings)
    traits = {}
    for name, model in settings.models.items():
        limits = StreamLimits.of(
            model.first_token_timeout or config.first_token_timeout,
            config.thinking_timeout,
            model.stall_timeout or config.stall_timeout,
        )
        capabilities = msgspec.structs.replace(model.capabilities, takes_prefill=model.prefill)
        traits[name] = Traits(model.names, limits, model.context, model.prefill, capabilities)
    return Chain(
        providers,
        {name: [kinds[provider] for provider in model.providers] for name, model in settings.models.items()},
        [name for name, model in settings.models.items() if model.embeds],
        traits,
        {provider.name: cascade_of(provider.name, settings) for provider in providers},
        Traits(limits=StreamLimits.of(config.first_token_timeout, config.thinking_timeout, config.stall_timeout)),
    )


def cascade_of(provider: str, settings: Settings) -> tuple[str, ...]:
    """Return a provider's models, the next one for each that fails: as LLM_MODEL_<P> lists them, else `models`."""
    known = settings.providers.get(provider)
    listed = tuple(name for name, model in settings.models.items() if provider in model.providers and not model.embeds)
    return (known.cascade if known else ()) or listed
