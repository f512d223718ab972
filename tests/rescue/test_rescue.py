"""
How often another candidate takes on a stream that broke off, and that what a client gets is honest however it ends.

A few streams for each row here; `make bench-rescue` asks for more, and prints the table of docs/streams.md.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from collections import Counter
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from rescue.streams import FIRST_KEY, Asking, Case, Outcome

if TYPE_CHECKING:
    from gateway import Gateway

FEW = 4
STREAMS = int(os.environ.get("RESCUE_STREAMS", FEW))
AT_ONCE = 8
CUTS = (1, 5, 20, 40)
FAULTS = ("end", "fail", "garbage")
MESSAGES, CHAT = "/anthropic/v1/messages", "/openai/v1/chat/completions"
LENT_MESSAGES, LENT_CHAT = "/openrouter/api/v1/messages", "/openrouter/api/v1/chat/completions"
CASES = [
    Case("messages", "agrees", "of-messages", LENT_MESSAGES, MESSAGES),
    Case("messages", "agrees, translated", "of-chat", LENT_MESSAGES, CHAT),
    Case("messages", "sampled", "of-messages", LENT_MESSAGES, MESSAGES, is_sampled=True),
    Case("messages", "sampled, prefill", "of-messages-on", LENT_MESSAGES, MESSAGES, is_sampled=True, is_prefilled=True),
    Case("messages", "sampled, prefill, translated", "of-chat-on", LENT_MESSAGES, CHAT, is_sampled=True),
    Case("chat", "agrees", "of-chat", LENT_CHAT, CHAT),
    Case("chat", "agrees, translated", "of-messages", LENT_CHAT, MESSAGES),
    Case("chat", "sampled", "of-chat", LENT_CHAT, CHAT, is_sampled=True),
    Case("chat", "sampled, prefill", "of-chat-on", LENT_CHAT, CHAT, is_sampled=True),
    Case(
        "chat",
        "sampled, prefill, translated",
        "of-messages-on",
        LENT_CHAT,
        MESSAGES,
        is_sampled=True,
        is_prefilled=True,
    ),
]
FINGERPRINT = hashlib.sha256(FIRST_KEY.encode()).hexdigest()[:8]


pytestmark = pytest.mark.xdist_group("rescue")  # one simulator, whose scripts are each test's own


@pytest.mark.parametrize(("case", "cut"), [*product(CASES, CUTS)], ids=str)
async def test_what_a_client_gets_of_a_cut_stream_is_honest(
    gateway: Gateway, simulator: str, case: Case, cut: int, record_property: Any
) -> None:
    found = await _outcomes(gateway, simulator, case, "cut", cut, STREAMS)
    row = {"dialect": case.dialect, "fallback": case.fallback, "cut after": cut, "streams": STREAMS}
    record_property("table", {"title": "rescue", "row": row | {each.value: found[each] for each in Outcome}})
    assert found[Outcome.WRONG] == 0
    if case.is_prefilled or not case.is_sampled:
        assert found[Outcome.RESCUED] == STREAMS


@pytest.mark.parametrize(("case", "fault"), [*product(CASES, FAULTS)], ids=str)
async def test_so_it_is_whatever_breaks_it(gateway: Gateway, simulator: str, case: Case, fault: str) -> None:
    found = await _outcomes(gateway, simulator, case, fault, 5, FEW)
    assert found[Outcome.WRONG] == 0
    if case.is_prefilled or not case.is_sampled:
        assert found[Outcome.RESCUED] == FEW


async def _outcomes(
    gateway: Gateway, simulator: str, case: Case, fault: str, words: int, streams: int
) -> Counter[Outcome]:
    slots = asyncio.Semaphore(AT_ONCE)
    async with httpx2.AsyncClient(timeout=60) as client:
        asking = Asking(client, gateway.url, gateway.key, simulator)
        await asking.break_off(case, fault, words, FINGERPRINT)

        async def one(seed: int) -> Outcome:
            async with slots:
                return await asking.outcome(case, words, seed)

        return Counter(await asyncio.gather(*(one(seed) for seed in range(1, streams + 1))))
