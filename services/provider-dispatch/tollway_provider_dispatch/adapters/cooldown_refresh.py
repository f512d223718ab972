"""Learns once a second what other replicas know of cooldowns; runs beside the calls, never on their way."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from tollway_provider_dispatch.domain.ports import CooldownsUnavailable

if TYPE_CHECKING:
    from tollway_provider_dispatch.domain.cooldowns import Cooldowns

log = logging.getLogger(__name__)

REFRESH_SECONDS = 1.0


async def refresh_for_ever(cooldowns: Cooldowns, seconds: float = REFRESH_SECONDS) -> None:
    """Keep the last that was known while the store is away, and say so once."""
    is_away = False
    while True:
        try:
            await cooldowns.refresh()
            is_away = False
        except CooldownsUnavailable as error:
            if not is_away:
                log.warning("what other replicas know of providers is not heard of (%s)", error)
            is_away = True
        await asyncio.sleep(seconds)
