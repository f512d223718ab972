"""What every prompt store does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tollway_prompt_registry.domain.prompts import PromptVersion

if TYPE_CHECKING:
    from tollway_prompt_registry.domain.ports import PromptStore


async def test_versions_come_back_in_the_order_of_publishing(store: PromptStore) -> None:
    versions = [PromptVersion("b", 2, "x"), PromptVersion("a", 1, "y"), PromptVersion("b", 1, "z")]
    for version in versions:
        assert await store.add(version) == version
    assert await store.versions() == versions


async def test_a_number_that_is_taken_keeps_its_first_text(store: PromptStore) -> None:
    first = PromptVersion("a", 1, "first")
    await store.add(first)
    assert await store.add(PromptVersion("a", 1, "second")) == first
    assert await store.versions() == [first]


async def test_of_concurrent_texts_for_a_number_all_callers_see_the_same_one(store: PromptStore) -> None:
    kept = await asyncio.gather(*(store.add(PromptVersion("a", 1, str(number))) for number in range(20)))
    assert len(set(kept)) == 1
    assert await store.versions() == [kept[0]]


@pytest.mark.parametrize("text", ["'; DROP TABLE prompt_versions; --", "snowman ☃", "a\r\nb\x00c\n"])
async def test_any_text_is_data(store: PromptStore, text: str) -> None:
    version = PromptVersion("a", 1, text)
    await store.add(version)
    assert await store.versions() == [version]
