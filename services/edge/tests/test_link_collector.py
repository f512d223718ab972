"""What Prometheus is told of links."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from tollway.classifier.v1 import classifier_pb2 as pb
from tollway_edge.adapters.link_collector import LinkCollector
from tollway_edge.bootstrap import CLASSIFIER
from tollway_servicekit.errors import Unavailable
from tollway_servicekit.link.peers import Links, open_links
from tollway_servicekit.link.writer import PART_BYTES
from tollway_servicekit.serve import serving
from tollway_servicekit.stubs import link_stub

HELD, SMALL, LARGE = (pb.ClassifyPromptRequest(last_user_text=text) for text in ("held", "small", "x" * 2 * PART_BYTES))


class Classifier:
    """Answers at once, but for what is held."""

    def __init__(self) -> None:
        self.released = asyncio.Event()

    async def ClassifyPrompt(self, request: Any, context: Any) -> pb.ClassifyPromptResponse:  # noqa: N802
        if request == HELD:
            await self.released.wait()
        return pb.ClassifyPromptResponse()


def read(links: Links) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(LinkCollector({"classifier": links}))
    samples = [sample for family in registry.collect() for sample in family.samples]
    assert {tuple(sample.labels.items()) for sample in samples} == {(("service", "classifier"),)}
    return {sample.name: sample.value for sample in samples}


async def test_calls_frames_messages_and_links_are_counted() -> None:
    classifier = Classifier()
    async with (
        serving([(CLASSIFIER, classifier)], "127.0.0.1:0", grace=0) as port,
        open_links(f"127.0.0.1:{port}") as links,
    ):
        stub = link_stub(CLASSIFIER, links)
        assert set(read(links).values()) == {0}
        await stub.ClassifyPrompt(SMALL)
        held = asyncio.ensure_future(stub.ClassifyPrompt(HELD))
        await asyncio.gather(*(stub.ClassifyPrompt(SMALL) for _ in range(20)))
        await stub.ClassifyPrompt(LARGE)
        told = read(links)
        messages = told.pop("tollway_link_messages_sent_total")
        assert 2 <= messages < 22, "calls of one tick share a message"
        assert told.pop("tollway_link_frames_sent_total") == 25, "a large request goes in three parts"
        assert told == {
            "tollway_links_open": 1,
            "tollway_link_calls_in_flight": 1,
            "tollway_link_calls_total": 23,
            "tollway_link_large_calls_total": 1,
            "tollway_links_opened_total": 1,
            "tollway_links_broken_total": 0,
        }
        classifier.released.set()
        await held


async def test_a_link_and_its_successor_are_counted() -> None:
    async with serving([(CLASSIFIER, Classifier())], "127.0.0.1:0", grace=0) as port:
        pass
    address = f"127.0.0.1:{port}"
    async with open_links(address) as links, asyncio.timeout(20):
        stub = link_stub(CLASSIFIER, links)
        for count in (1, 2):
            async with serving([(CLASSIFIER, Classifier())], address, grace=0.3):  # for the news to arrive
                while not read(links)["tollway_links_open"]:
                    try:
                        await stub.ClassifyPrompt(SMALL)
                    except Unavailable:
                        await asyncio.sleep(0.01)
                held = asyncio.ensure_future(stub.ClassifyPrompt(HELD))
                await stub.ClassifyPrompt(SMALL)
            with pytest.raises(Unavailable):
                await held
            told = read(links)
            # what drained before it was cut is not broken
            assert (told["tollway_links_opened_total"], told["tollway_links_broken_total"]) == (count, 0)
            assert (told["tollway_links_open"], told["tollway_link_calls_in_flight"]) == (0, 0)


async def test_a_process_without_links_tells_nothing_of_them() -> None:
    assert list(LinkCollector({}).collect()) == []
