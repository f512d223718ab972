"""What every face has in common: its prefix, its keys, and failures in its own words."""

from __future__ import annotations

import asyncio
import errno
import json
import time
from typing import Any

import aiohttp
import pytest


@pytest.mark.parametrize("stream", [False, True])
async def test_every_face_says_the_same_words_under_its_prefix(simulator, asking, stream):
    response, raw = await simulator.at(asking, "[words=4] hello", stream=stream)
    assert response.status == 200
    said = asking.words_in(raw) if stream else asking.text_of(raw)
    assert said == "the sun was low"
    [entry] = await simulator.log()
    assert (entry["face"], entry["path"]) == (asking.face, asking.path(stream=stream).partition("?")[0])
    assert (entry["model"], entry["stream"], entry["completed"]) == ("m", stream, True)


async def test_without_a_key_nobody_answers(simulator, asking):
    async with simulator.http.post(simulator.url + asking.path(), json=asking.body("hello")) as response:
        assert response.status == (403 if asking.face == "google" else 401)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_reset_comes_before_any_byte_of_the_answer(simulator, asking, stream):
    await simulator.script(reset=True)
    with pytest.raises(aiohttp.ClientOSError) as broken:
        await simulator.at(asking, "hello", stream=stream)
    assert broken.value.errno == errno.ECONNRESET
    response, _ = await simulator.at(asking, "hello", stream=stream)
    assert response.status == 200


async def test_a_reset_can_come_after_some_words(simulator, asking):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(simulator.url.rpartition(":")[2]))
    body = json.dumps(asking.body("[words=9][cut=5][reset] hello", stream=True)).encode()
    head = f"POST {asking.path(stream=True)} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\n"
    writer.write(f"{head}anthropic-version: 2023-06-01\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
    read = b""

    async def read_all() -> None:
        nonlocal read
        while piece := await reader.read(65536):
            read += piece

    with pytest.raises(ConnectionResetError):
        await read_all()
    assert asking.words_in(read) == "the sun was low and"
    writer.close()


async def test_silence_lasts_until_the_client_leaves(simulator, asking):
    await simulator.script(silent=True)
    waiting = asyncio.create_task(simulator.at(asking, "hello", stream=True))
    await simulator.wait(face=asking.face, model="m")
    waiting.cancel()
    entry = await simulator.wait(disconnected=1)
    assert (entry["status"], entry["output_tokens"]) == (0, 0)


async def test_the_first_word_can_be_late(simulator, asking):
    begun = time.monotonic()
    _, raw = await simulator.at(asking, "[words=3][first_token=0.2] hello", stream=True)
    assert time.monotonic() - begun >= 0.2
    assert asking.words_in(raw) == "the sun was"
    assert asking.final in raw


async def test_the_head_does_not_wait_for_a_late_first_word(simulator, asking):
    body = asking.body("[first_token=3600] hello", stream=True)
    headers = {"authorization": "Bearer k", "anthropic-version": "2023-06-01"}
    async with simulator.http.post(simulator.url + asking.path(stream=True), json=body, headers=headers) as response:
        assert response.status == 200
        [entry] = await simulator.log()
        assert (entry["status"], entry["output_tokens"]) == (200, 0)


async def test_an_unfinished_stream_lacks_its_final_marker_and_nothing_else(simulator, asking):
    _, whole = await simulator.at(asking, "[words=5] hello", stream=True)
    _, raw = await simulator.at(asking, "[words=5][unfinished] hello", stream=True)
    assert asking.final in whole
    assert asking.final not in raw
    assert asking.words_in(raw) == asking.words_in(whole) == "the sun was low and"
    assert whole.count(b"data: ") == raw.count(b"data: ") + 1
    assert [entry["completed"] for entry in await simulator.log()] == [True, False]


@pytest.mark.parametrize(("fault", "reaches_the_end"), [("end", False), ("garbage", True), ("fail", False)])
async def test_streams_break_after_as_many_words_as_are_asked_for(simulator, asking, fault, reaches_the_end):
    response, raw = await simulator.at(asking, f"[words=9][{fault}=5] hello", stream=True)
    assert response.status == 200
    expected = "the sun was low and all our old men" if reaches_the_end else "the sun was low and"
    assert asking.words_in(raw) == expected
    assert (asking.final in raw) == reaches_the_end


async def test_a_stall_and_a_cut_come_after_as_many_words_as_are_asked_for(simulator, asking):
    with pytest.raises(aiohttp.ClientPayloadError):
        await simulator.at(asking, "[words=9][cut=5] hello", stream=True)
    body = asking.body("[words=9][stall=5] hello", stream=True)
    headers = {"authorization": "Bearer k", "anthropic-version": "2023-06-01"}
    async with simulator.http.post(simulator.url + asking.path(stream=True), json=body, headers=headers) as response:
        await response.content.readuntil(b'" and"')
    await simulator.wait(since=2, disconnected=1)
    assert [entry["output_tokens"] for entry in await simulator.log()] == [5, 5]


def _error(raw: bytes) -> Any:
    return json.loads(raw)["error"]


TOO_LONG: dict[str, dict[str, Any]] = {
    "anthropic": {"type": "invalid_request_error", "message": "prompt is too long: 218340 tokens > 200000 maximum"},
    "openai": {"type": "invalid_request_error", "code": "context_length_exceeded"},
    "google": {"code": 400, "status": "INVALID_ARGUMENT"},
    "deepseek": {"type": "invalid_request_error", "code": "invalid_request_error"},
    "huggingface": {"type": "invalid_request_error", "code": "context_length_exceeded"},
    "openrouter": {"code": 400},
}


async def test_a_prompt_that_is_too_long_is_400_in_the_faces_own_shape(simulator, asking):
    await simulator.script(error="context_length_exceeded")
    response, raw = await simulator.at(asking, "hello")
    error = _error(raw)
    assert response.status == 400
    assert error.items() >= TOO_LONG[asking.face].items()
    assert "tokens" in error["message"]
    if asking.face == "openrouter":
        assert error["metadata"]["error_type"] == "context_length_exceeded"


async def test_a_content_policy_names_its_reason(simulator, asking):
    await simulator.script(error="content_policy_violation", reason="weapons of mass destruction")
    response, raw = await simulator.at(asking, "hello")
    assert response.status == 400
    assert "weapons of mass destruction" in _error(raw)["message"]
    if asking.face in ("openai", "huggingface"):
        assert _error(raw)["code"] == "content_policy_violation"
    if asking.face == "openrouter":
        assert _error(raw)["metadata"]["reason"] == "weapons of mass destruction"


async def test_a_limit_says_when_to_come_back_or_does_not(simulator, asking):
    await simulator.script(status=429, retry_after="7")
    await simulator.script(status=429, retry_after="none")
    told, raw = await simulator.at(asking, "hello")
    untold, bare = await simulator.at(asking, "hello")
    healthy, _ = await simulator.at(asking, "hello")
    assert (told.status, untold.status, healthy.status) == (429, 429, 200)
    assert "retry-after" not in untold.headers
    if asking.face == "google":
        assert "retry-after" not in told.headers
        assert _error(raw)["details"][-1]["retryDelay"] == "7s"
        assert b"retryDelay" not in bare
    else:
        assert told.headers["retry-after"] == "7"
