"""
Golden transcripts, both ways, of every pair of dialects: requests, JSON answers, streams.

`golden/requests/<case>/<client>/asked.json` is what a client asks, and beside it stands what each upstream is asked;
`golden/answers` and `golden/streams` hold what an upstream told, and beside it what each client is told.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tollway_dialects.sse import EventSplitter, event_data

GOLDEN = Path(__file__).parent / "golden"
REQUESTS = sorted(path for path in GOLDEN.glob("requests/*/*/*.json") if path.stem != "asked")
ANSWERS = sorted(path for path in GOLDEN.glob("answers/*/*/*.json") if path.stem != "told")
STREAMS = sorted(path for path in GOLDEN.glob("streams/*/*/*.sse") if path.stem != "told")


def name(path: Path) -> str:
    return str(path.relative_to(GOLDEN).with_suffix(""))


def events(stream: bytes) -> list[Any]:
    """Name and content of each event, whatever the order of an object's fields."""
    read = []
    for event in EventSplitter().feed(stream):
        data = event_data(event)
        read.append((event.partition(b"data:")[0], data if data == b"[DONE]" else json.loads(data)))
    return read


@pytest.mark.parametrize("path", REQUESTS, ids=name)
def test_a_request_is_asked_as_the_transcript_says(ask: Any, path: Path) -> None:
    asked = ask(path.parent.name, path.stem, path.with_name("asked.json").read_bytes())
    told = {"dropped": list(asked.dropped), "adapted": list(asked.adapted), "body": json.loads(asked.body)}
    assert told == json.loads(path.read_bytes())


@pytest.mark.parametrize("path", ANSWERS, ids=name)
def test_an_answer_is_told_as_the_transcript_says(answer: Any, path: Path) -> None:
    translator = answer(path.parent.name, path.stem)
    told = translator.whole(path.with_name("told.json").read_bytes())
    assert json.loads(told) == json.loads(path.read_bytes())
    assert translator.is_complete


@pytest.mark.parametrize("path", STREAMS, ids=name)
def test_a_stream_is_told_as_the_transcript_says(answer: Any, path: Path) -> None:
    translator = answer(path.parent.name, path.stem)
    told = translator.feed(path.with_name("told.sse").read_bytes())
    assert events(told) == events(path.read_bytes())
    assert translator.is_complete


@pytest.mark.parametrize("path", STREAMS, ids=name)
def test_a_stream_cut_at_any_byte_is_told_alike(answer: Any, path: Path) -> None:
    told, expected = path.with_name("told.sse").read_bytes(), path.read_bytes()
    bytewise = answer(path.parent.name, path.stem)
    assert b"".join(bytewise.feed(told[at : at + 1]) for at in range(len(told))) == expected
    for at in range(1, len(told), 7):
        translator = answer(path.parent.name, path.stem)
        assert translator.feed(told[:at]) + translator.feed(told[at:]) == expected


@pytest.mark.parametrize("path", STREAMS, ids=name)
def test_a_stream_that_breaks_off_never_looks_whole(answer: Any, path: Path) -> None:
    whole, pieces = path.with_name("told.sse").read_bytes(), []
    for event in EventSplitter().feed(whole)[:-1]:
        translator = answer(path.parent.name, path.stem)
        pieces.append(event)
        told = translator.feed(b"".join(pieces))
        assert not translator.is_complete
        for final in (b"message_stop", b"[DONE]", b"response.completed", b"response.incomplete"):
            assert final not in told


def test_every_pair_has_its_transcripts() -> None:
    clients, upstreams = {"anthropic", "chat", "responses"}, {"anthropic", "chat", "responses", "gemini"}
    for paths, asks in ((REQUESTS, True), (ANSWERS, False), (STREAMS, False)):
        for case in {path.parent.parent for path in paths}:
            pairs = {(path.parent.name, path.stem) for path in paths if path.parent.parent == case}
            expected = {(client, upstream) for client in clients for upstream in upstreams - {client}}
            assert pairs == (expected if asks else {(upstream, client) for client, upstream in expected}), case
