"""Builds the classifier's servicer; called by `__main__`, topologies and tests."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tollway_classifier.entrypoints.servicer import ClassifierServicer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tollway_classifier.settings import Settings


@asynccontextmanager
async def bootstrap(settings: Settings) -> AsyncIterator[ClassifierServicer]:
    """Yield a servicer; the heuristic layer needs nothing from outside."""
    yield ClassifierServicer()
