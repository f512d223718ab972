"""Services in this process behind local stubs; the local and the compact topology are made of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tollway_cache import bootstrap as cache
from tollway_cache.settings import Settings as CacheSettings
from tollway_classifier import bootstrap as classifier
from tollway_classifier.settings import Settings as ClassifierSettings
from tollway_edge.adapters.stored_keys import StoredKeys
from tollway_edge.bootstrap import CACHE, CLASSIFIER, PROVIDER_DISPATCH
from tollway_provider_dispatch import bootstrap as provider_dispatch
from tollway_provider_dispatch.settings import Settings as ProviderDispatchSettings
from tollway_servicekit.stubs import local_stub

from tollway_topologies.direct_cache import DirectAnswerCache
from tollway_topologies.direct_dispatch import DirectDispatch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AsyncExitStack

    from tollway_cache.entrypoints.servicer import CacheServicer
    from tollway_edge.settings import EdgeConfig
    from tollway_provider_dispatch.domain.dispatch import Dispatcher


@dataclass(frozen=True)
class DataPlane:
    """Cache, classifier and provider-dispatch in this process."""

    stubs: dict[str, Any]
    """One of each, by the name that edge gives it."""
    dispatcher: Dispatcher
    cache: CacheServicer

    def ports(self, config: EdgeConfig) -> dict[str, Any]:
        """Return what takes edge's calls and answers without a stub."""
        cache, keys = self.cache, StoredKeys(self.stubs["cache"])
        return {
            "dispatch": DirectDispatch(self.dispatcher, config.request_timeout),
            "cache": DirectAnswerCache(cache.store, cache.losses, cache.exact_ttl, keys, config.max_kept_bytes),
        }


async def data_plane(environ: Mapping[str, str], stack: AsyncExitStack) -> DataPlane:
    """Start all three."""
    names = provider_dispatch.PROVIDER_NAMES
    cache_servicer = await stack.enter_async_context(cache.bootstrap(CacheSettings.from_env(environ)))
    classifier_servicer = await stack.enter_async_context(classifier.bootstrap(ClassifierSettings.from_env(environ)))
    dispatch_servicer = await stack.enter_async_context(
        provider_dispatch.bootstrap(ProviderDispatchSettings.from_env(environ, names))
    )
    stubs = {
        "cache": local_stub(CACHE, cache_servicer),
        "classifier": local_stub(CLASSIFIER, classifier_servicer),
        "provider_dispatch": local_stub(PROVIDER_DISPATCH, dispatch_servicer),
    }
    return DataPlane(stubs, dispatch_servicer.dispatcher, cache_servicer)
