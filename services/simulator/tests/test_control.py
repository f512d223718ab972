"""Scripts that are posted, the log, and disconnects."""

from __future__ import annotations

import asyncio
import hashlib
import time

import msgspec
import pytest

HEADERS = {"x-api-key": "sk-secret", "anthropic-version": "2023-06-01", "anthropic-beta": "a,b"}


def body(text: str, *, stream: bool = False) -> dict[str, object]:
    return {"model": "m", "max_tokens": 500, "stream": stream, "messages": [{"role": "user", "content": text}]}


async def status_of(simulator, path: str = "/v1/messages", text: str = "hello") -> int:
    async with simulator.http.post(simulator.url + path, json=body(text), headers=HEADERS) as response:
        await response.read()
        return response.status


async def test_a_posted_script_holds_for_the_next_requests(simulator):
    answer = await simulator.control("POST", "/script", json={"status": 529, "times": 2})
    assert answer == {"pending": [{"status": 529, "times": 2}]}
    assert [await status_of(simulator) for _ in range(3)] == [529, 529, 200]


async def test_a_posted_script_can_be_for_one_path(simulator):
    await simulator.control("POST", "/script", json={"status": 503, "path": "/v1/chat/completions"})
    assert await status_of(simulator) == 200
    assert await status_of(simulator, "/v1/chat/completions") == 503
    assert await status_of(simulator, "/v1/chat/completions") == 200


async def test_a_posted_script_wins_over_the_prompts_own_where_it_says_something(simulator):
    script = {"words": 3, "usage": {"in": 7}}
    await simulator.control("POST", "/script", json=script)
    message = await simulator.anthropic.messages.create(
        model="m", max_tokens=500, messages=[{"role": "user", "content": "[words=9][usage=out:1]"}]
    )
    assert len(message.content[0].text.split()) == 3
    assert (message.usage.input_tokens, message.usage.output_tokens) == (7, 3)


async def test_scripts_can_be_withdrawn(simulator):
    await simulator.control("POST", "/script", json={"status": 529})
    assert await simulator.control("DELETE", "/script") == {"pending": []}
    assert await status_of(simulator) == 200


@pytest.mark.parametrize("script", [{"colour": "red"}, {"status": 200}, {"words": 0}, {"path": "/"}, {"times": 0}])
async def test_a_wrong_script_is_refused(simulator, script):
    await simulator.control("POST", "/script", expect=400, json=script)
    assert (await simulator.control("GET", "/script"))["pending"] == []


async def test_the_log_says_what_was_served_and_never_the_key(simulator):
    before = time.time()
    raw = b'{ "model":"m", "max_tokens":500, "messages":[{"role":"user","content":"hello [words=4]"}] }'
    async with simulator.http.post(f"{simulator.url}/v1/messages", data=raw, headers=HEADERS) as response:
        await response.read()
        request_id = response.headers["request-id"]
    [entry] = await simulator.log()
    assert before <= entry.pop("received_at") <= entry.pop("finished_at") <= time.time()
    assert entry.pop("headers").items() >= {"anthropic-beta": "a,b", "content-length": str(len(raw))}.items()
    assert entry == {
        "number": 1,
        "path": "/v1/messages",
        "face": "anthropic",
        "dialect": "anthropic",
        "request_id": request_id,
        "model": "m",
        "stream": False,
        "status": 200,
        "key_fingerprint": hashlib.sha256(b"sk-secret").hexdigest()[:8],
        "body_sha256": hashlib.sha256(raw).hexdigest(),
        "input_tokens": 3,
        "output_tokens": 4,
        "completed": True,
        "disconnected_at": None,
    }


async def test_the_log_is_read_from_a_number_on_and_can_be_cleared(simulator):
    for _ in range(3):
        await status_of(simulator)
    assert [entry["number"] for entry in await simulator.log(since=2)] == [2, 3]
    assert await simulator.control("DELETE", "/log") == []
    await status_of(simulator)
    assert [entry["number"] for entry in await simulator.log()] == [4]


async def test_refused_requests_are_logged_too(simulator):
    async with simulator.http.post(f"{simulator.url}/v1/messages", data=b"{}") as response:
        assert response.status == 401
    [entry] = await simulator.log()
    assert (entry["status"], entry["key_fingerprint"], entry["output_tokens"]) == (401, "", 0)


@pytest.mark.parametrize(
    ("asked", "answers_at_once"),
    [
        (body("[words=400][pace=0.01] hello", stream=True), True),
        (body("[stall=5] hello", stream=True), True),
        (body("[stall=5] hello"), False),
        (body("[delay=60] hello", stream=True), False),
        (body("[delay=60] hello"), False),
    ],
    ids=["paced", "stalled", "stalled JSON", "delayed", "delayed JSON"],
)
async def test_a_client_that_leaves_is_noticed_within_200_ms(simulator, asked, answers_at_once):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(simulator.url.rpartition(":")[2]))
    raw = msgspec.json.encode(asked)
    head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    writer.write(f"POST /v1/messages HTTP/1.1\r\nhost: x\r\n{head}content-length: {len(raw)}\r\n\r\n".encode() + raw)
    if answers_at_once:
        await reader.readuntil(b"content_block_delta")
    else:
        await simulator.wait()
    left_at = time.time()
    writer.close()
    entry = await simulator.wait(disconnected=1)
    assert left_at <= entry["disconnected_at"] <= left_at + 0.2
    assert entry["completed"] is False
    assert entry["output_tokens"] < 400
    await writer.wait_closed()


async def test_the_log_shows_requests_under_way(simulator):
    async with simulator.http.post(
        f"{simulator.url}/v1/messages", json=body("[stall=5] hello", stream=True), headers=HEADERS
    ) as response:
        await response.content.readuntil(b"content_block_delta")
        [entry] = await simulator.log()
        assert (entry["status"], entry["output_tokens"], entry["finished_at"]) == (200, 5, None)


async def test_waiting_ends_when_a_later_request_fits(simulator):
    waiting = asyncio.create_task(simulator.wait(since=2, finished=1))
    await status_of(simulator)
    assert not waiting.done()
    await status_of(simulator)
    assert (await waiting)["number"] == 2


async def test_without_a_condition_the_arrival_is_awaited(simulator):
    waiting = asyncio.create_task(simulator.wait(since=1))
    asking = asyncio.create_task(status_of(simulator, text="[delay=0.2]"))
    assert (await waiting)["finished_at"] is None
    assert await asking == 200


async def test_waiting_in_vain_is_408(simulator):
    await simulator.control("GET", "/log/wait", expect=408, params={"finished": 1, "timeout": "0.05"})
    await simulator.control("GET", "/log/wait", expect=400, params={"until": 1})


async def test_pace_and_delay_take_their_time(simulator):
    begun = time.monotonic()
    async with simulator.http.post(
        f"{simulator.url}/v1/messages", json=body("[delay=0.1][words=10][pace=0.02]", stream=True), headers=HEADERS
    ) as response:
        assert time.monotonic() - begun >= 0.1
        text = await response.text()
    assert time.monotonic() - begun >= 0.3
    assert text.endswith('event: message_stop\ndata: {"type":"message_stop"}\n\n')


async def test_a_long_stream_arrives_whole(simulator):
    async with simulator.anthropic.messages.stream(
        model="m", max_tokens=100_000, messages=[{"role": "user", "content": "[words=20000]"}]
    ) as stream:
        message = await stream.get_final_message()
    assert len(message.content[0].text.split()) == message.usage.output_tokens == 20_000
