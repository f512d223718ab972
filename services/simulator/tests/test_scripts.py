"""Scripts for one face, model or key, for a number of requests, a time, or until they are withdrawn."""

from __future__ import annotations

import hashlib
import time

import pytest
from face_requests import FACES
from tollway_simulator.domain.script_queue import Arrival, Order, ScriptQueue, Selection

CHAT = "/v1/chat/completions"
OPENAI, GOOGLE, OPENROUTER = FACES["openai"], FACES["google"], FACES["openrouter"]


async def statuses(simulator, *askings, **more) -> list[int]:
    return [(await simulator.at(asking, "hello", **more))[0].status for asking in askings]


async def test_one_face_fails_while_the_others_are_healthy(simulator):
    await simulator.script(status=503, face="openai", always=True)
    assert await statuses(simulator, OPENAI, GOOGLE, OPENROUTER, OPENAI) == [503, 200, 200, 503]


async def test_one_model_fails_while_its_neighbour_is_healthy(simulator, asking):
    await simulator.script(status=500, model="primary", times=2)
    assert await statuses(simulator, asking, model="fallback") == [200]
    assert await statuses(simulator, asking, asking, asking, model="primary") == [500, 500, 200]


async def test_one_key_is_refused_while_another_is_not(simulator, asking):
    fingerprint = hashlib.sha256(b"sk-spent").hexdigest()[:8]
    await simulator.script(status=402, key=fingerprint, always=True)
    spent, other = [await statuses(simulator, asking, key=key) for key in ("sk-spent", "sk-other")]
    assert (spent, other) == ([402], [200])


async def test_a_script_for_always_holds_until_it_is_withdrawn(simulator):
    await simulator.script(status=503, face="openai", always=True)
    await simulator.script(status=500, face="google", always=True)
    assert await statuses(simulator, *[OPENAI] * 5, GOOGLE) == [503] * 5 + [500]
    left = await simulator.control("DELETE", "/script", params={"face": "openai"})
    assert left == {"pending": [{"status": 500, "face": "google", "always": True}]}
    assert await statuses(simulator, OPENAI, GOOGLE) == [200, 500]


async def test_one_path_is_scripted_whatever_its_prefix(simulator):
    await simulator.script(status=503, path=CHAT, times=2)
    await simulator.script(status=500, path="/v1beta/models/{model}:generateContent")
    assert await statuses(simulator, OPENAI, OPENROUTER, GOOGLE, OPENAI) == [503, 503, 500, 200]


async def test_a_face_can_be_down_for_some_time(simulator):
    begun = time.monotonic()
    await simulator.script(status=503, face="openai", lasts=1)
    assert await statuses(simulator, OPENAI, GOOGLE) == [503, 200]
    while (await statuses(simulator, OPENAI)) == [503]:
        assert time.monotonic() < begun + 20
    assert time.monotonic() >= begun + 1
    assert (await simulator.control("GET", "/script"))["pending"] == []


@pytest.mark.parametrize("selector", [{"face": "nobody"}, {"key": "sk-secret"}, {"lasts": -1}, {"always": 1}])
async def test_a_selector_that_can_fit_nothing_is_refused(simulator, selector):
    await simulator.control("POST", "/script", expect=400, json={"status": 503, **selector})


def test_a_script_ends_at_its_time_or_its_number_whichever_is_first():
    now = 0.0
    queue = ScriptQueue(lambda: now)
    arrival = Arrival(CHAT, "openai", "m", "")
    queue.add(Order(status=503, lasts=10, times=2))
    assert queue.take(arrival)
    now = 9.9
    assert queue.take(arrival)
    assert queue.take(arrival) is None
    queue.add(Order(status=503, lasts=10))
    now = 20.0
    assert queue.take(arrival) is None
    assert queue.pending() == []


def test_a_selection_withdraws_only_what_was_posted_for_it():
    queue = ScriptQueue()
    orders = [Order(status=503, face="openai", model="a"), Order(status=503, face="openai"), Order(status=503)]
    for order in orders:
        queue.add(order)
    queue.withdraw(Selection(face="openai", model="a"))
    assert queue.pending() == orders[1:]
    queue.withdraw(Selection(face="openai"))
    assert queue.pending() == orders[2:]


async def test_the_log_tells_who_was_tried_when_and_with_which_key(simulator):
    await simulator.script(status=503, face="openai", always=True)
    before = time.time()
    await statuses(simulator, OPENAI, OPENAI, OPENAI, key="one")
    await statuses(simulator, OPENAI, key="two")
    await statuses(simulator, GOOGLE, model="fallback", key="three")
    tallies = await simulator.control("GET", "/log/tally")
    marks = [hashlib.sha256(key).hexdigest()[:8] for key in (b"one", b"two", b"three")]
    assert [(one["face"], one["model"], one["key_fingerprint"], one["requests"]) for one in tallies] == [
        ("openai", "m", marks[0], 3),
        ("openai", "m", marks[1], 1),
        ("google", "fallback", marks[2], 1),
    ]
    assert [one["statuses"] for one in tallies] == [{"503": 3}, {"503": 1}, {"200": 1}]
    assert all(before <= at <= time.time() for one in tallies for at in one["received_at"])
    [only] = await simulator.control("GET", "/log/tally", params={"key": marks[1]})
    assert only["requests"] == 1
    found = await simulator.control("GET", "/log", params={"face": "openai", "key": marks[0]})
    assert [entry["number"] for entry in found] == [1, 2, 3]
