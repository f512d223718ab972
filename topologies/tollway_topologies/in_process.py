"""Services in this process behind local stubs; the local and the compact topology are made of these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollway_cache import bootstrap as cache
from tollway_cache.settings import Settings as CacheSettings
from tollway_classifier import bootstrap as classifier
from tollway_classifier.settings import Settings as ClassifierSettings
from tollway_edge.bootstrap import CACHE, CLASSIFIER, PROVIDER_DISPATCH
from tollway_provider_dispatch import bootstrap as provider_dispatch
from tollway_provider_dispatch.settings import Settings as ProviderDispatchSettings
from tollway_servicekit.stubs import local_stub

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AsyncExitStack

    from tollway_provider_dispatch.domain.dispatch import Dispatcher


async def data_plane(environ: Mapping[str, str], stack: AsyncExitStack) -> tuple[dict[str, Any], Dispatcher]:
    """
    Start cache, classifier and provider-dispatch.

    Returns:
        A stub of each, by the name that edge gives it, and what takes calls without a stub.
    """
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
    return stubs, dispatch_servicer.dispatcher
