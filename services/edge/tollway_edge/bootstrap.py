"""Puts edge together from stubs of the other services; topologies differ in the kind of stubs they give."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from tollway.cache.v1 import cache_pb2
from tollway.classifier.v1 import classifier_pb2
from tollway.metering.v1 import metering_pb2
from tollway.prompt_registry.v1 import prompt_registry_pb2
from tollway.provider_dispatch.v1 import provider_dispatch_pb2
from tollway_servicekit.contract import Contract

from tollway_edge.adapters.budget_client import BudgetClient
from tollway_edge.adapters.cache_client import CacheClient
from tollway_edge.adapters.catalogue import DispatchCatalogue
from tollway_edge.adapters.classifier_client import ClassifierClient
from tollway_edge.adapters.dispatch_client import DispatchClient
from tollway_edge.adapters.figures import LedgerFigures
from tollway_edge.adapters.kept_answers_client import KeptAnswersClient
from tollway_edge.adapters.ledger_client import LedgerClient
from tollway_edge.adapters.link_collector import LinkCollector
from tollway_edge.adapters.prometheus_meter import PrometheusMeter
from tollway_edge.adapters.prompt_client import PromptClient
from tollway_edge.adapters.provider_board import DispatchProviderBoard
from tollway_edge.adapters.remote import Remote
from tollway_edge.adapters.workspace_watch import watch_workspaces
from tollway_edge.domain.keeping import Keeping
from tollway_edge.domain.known_beginnings import KnownBeginnings
from tollway_edge.domain.pipeline import Limits, Pipeline
from tollway_edge.domain.ports import AnswerCache
from tollway_edge.domain.route_texts import RouteTexts
from tollway_edge.domain.tiers import Tiers
from tollway_edge.domain.workspaces import Workspaces
from tollway_edge.entrypoints.api import build_api
from tollway_edge.entrypoints.connection import EdgeConnection
from tollway_edge.entrypoints.deadlines import ConnectionLimits, watch
from tollway_edge.entrypoints.hot_routes import HotRoutes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from fastapi import FastAPI
    from tollway.cache.v1.cache_pb2_grpc import CacheServiceAsyncStub
    from tollway.classifier.v1.classifier_pb2_grpc import ClassifierServiceAsyncStub
    from tollway.metering.v1.metering_pb2_grpc import MeteringServiceAsyncStub
    from tollway.prompt_registry.v1.prompt_registry_pb2_grpc import PromptRegistryServiceAsyncStub
    from tollway.provider_dispatch.v1.provider_dispatch_pb2_grpc import ProviderDispatchServiceAsyncStub
    from tollway_servicekit.link.peers import Links

    from tollway_edge.adapters.batches import SizedBatches
    from tollway_edge.adapters.stored_keys import StoredKeys
    from tollway_edge.domain.ports import Dispatch
    from tollway_edge.settings import Addresses, Calling, EdgeConfig, Settings

CACHE = Contract.of(cache_pb2, "CacheService")
CLASSIFIER = Contract.of(classifier_pb2, "ClassifierService")
PROVIDER_DISPATCH = Contract.of(provider_dispatch_pb2, "ProviderDispatchService")
METERING = Contract.of(metering_pb2, "MeteringService")
PROMPT_REGISTRY = Contract.of(prompt_registry_pb2, "PromptRegistryService")

log = logging.getLogger(__name__)

FLUSH_SECONDS = 10.0


@dataclass(frozen=True)
class Stubs:
    """How edge reaches the other services."""

    cache: CacheServiceAsyncStub
    classifier: ClassifierServiceAsyncStub
    provider_dispatch: ProviderDispatchServiceAsyncStub
    metering: MeteringServiceAsyncStub
    prompt_registry: PromptRegistryServiceAsyncStub
    links: Mapping[str, Links] = field(default_factory=dict)
    """Those that the stubs call over, by service."""


class BatchingCache(AnswerCache, Protocol):
    """An `AnswerCache` that stores in batches, which its owner runs and flushes."""

    writes: SizedBatches[Any]
    stored_keys: StoredKeys
    """Kept up to date by its owner, too."""


@dataclass(frozen=True)
class Edge:
    """What a server needs: the protocol that answers the hot routes, and the application for all others."""

    protocol: Callable[..., EdgeConnection]
    api: FastAPI


@asynccontextmanager
async def remote_stubs(calling: Calling, addresses: Addresses) -> AsyncIterator[Stubs]:
    """Yield stubs of services elsewhere."""
    async with AsyncExitStack() as stack:
        remote = Remote(calling, stack)
        yield Stubs(
            cache=await remote.stub(CACHE, addresses.cache),
            classifier=await remote.stub(CLASSIFIER, addresses.classifier),
            provider_dispatch=await remote.stub(PROVIDER_DISPATCH, addresses.provider_dispatch),
            metering=await remote.stub(METERING, addresses.metering),
            prompt_registry=await remote.stub(PROMPT_REGISTRY, addresses.prompt_registry),
            links=remote.links,
        )


@asynccontextmanager
async def bootstrap(
    settings: Settings, stubs: Stubs, *, dispatch: Dispatch | None = None, cache: BatchingCache | None = None
) -> AsyncIterator[Edge]:
    """
    Yield what is to be served; what waits to be booked or stored leaves before the block ends.

    Args:
        settings: Everything edge is told from outside.
        stubs: The other services.
        dispatch: Takes calls instead of the stub of provider-dispatch.
        cache: Takes answers instead of the stub of cache.
    """
    workspaces = Workspaces()
    tiers = Tiers(settings.tiers)
    config = settings.config
    cache = cache or CacheClient(stubs.cache, config.max_kept_bytes)
    keeping = Keeping(config.max_kept_bytes, lambda: cache.writes.bytes)
    meter = PrometheusMeter(
        lambda: len(ledger.records),
        lambda: cache.writes.dropped,
        lambda: cache.stored_keys.are_known,
        lambda: keeping.bytes,
        lambda: keeping.crowded_out,
    )
    ledger = LedgerClient(stubs.metering, meter.observe)
    pipeline = Pipeline(
        workspaces=workspaces,
        prompts=PromptClient(stubs.prompt_registry),
        cache=cache,
        classifier=ClassifierClient(stubs.classifier),
        budget=BudgetClient(stubs.metering),
        dispatch=dispatch or DispatchClient(stubs.provider_dispatch, config.request_timeout),
        ledger=ledger,
        tiers=tiers,
        limits=Limits(
            config.default_max_tokens, config.max_cached_bytes, config.use_exact_cache, config.kept_input_tokens
        ),
        keeping=keeping,
        system_prompts=RouteTexts.where_any(settings.system_prompts),
        last_resorts=RouteTexts.where_any(settings.last_resorts),
        beginnings=KnownBeginnings() if config.use_exact_cache else None,
    )
    api = build_api(
        workspaces,
        DispatchCatalogue(stubs.provider_dispatch, tiers.names),
        LedgerFigures(stubs.metering, ledger.records),
        KeptAnswersClient(stubs.provider_dispatch),
        meter.registry,
        DispatchProviderBoard(stubs.provider_dispatch),
        settings.admin_key,
    )
    meter.registry.register(LinkCollector(stubs.links))
    routes = HotRoutes(pipeline)
    limits = connection_limits(config)
    connections: set[EdgeConnection] = set()
    jobs = [
        asyncio.create_task(watch(connections, limits.shortest / 4)),
        asyncio.create_task(watch_workspaces(stubs.metering, workspaces)),
        asyncio.create_task(ledger.records.run()),
        asyncio.create_task(cache.writes.run()),
    ]
    if config.use_exact_cache:
        jobs.append(asyncio.create_task(cache.stored_keys.run()))
    try:
        yield Edge(partial(EdgeConnection, routes, limits, connections), api)
        await routes.drained()
        if not await ledger.records.flush(FLUSH_SECONDS):
            log.error("metering did not take the last %d records: they are lost", len(ledger.records))
        await cache.writes.flush(1.0)
    finally:
        for job in jobs:
            job.cancel()
        for job in jobs:
            with suppress(asyncio.CancelledError):
                await job


def connection_limits(config: EdgeConfig) -> ConnectionLimits:
    return ConnectionLimits(
        max_body_bytes=config.max_body_bytes,
        max_header_bytes=config.max_header_bytes,
        max_pipelined=config.max_pipelined,
        head_timeout=config.head_timeout,
        body_timeout=config.body_timeout,
        write_timeout=config.write_timeout,
        idle_timeout=config.idle_timeout,
    )
