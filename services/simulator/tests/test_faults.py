"""Every way in which an answer can go wrong, in each dialect, as clients and as plain HTTP see it."""

from __future__ import annotations

import asyncio
import json

import anthropic
import httpx2
import openai
import pytest


async def test_a_stream_that_fails_ends_with_the_providers_own_error(simulator, path):
    response, raw = await simulator.post(path, "[words=50][fail=20] hello")
    assert response.status == 200
    assert simulator.deltas_in(raw) == 20
    events = [json.loads(line[6:]) for line in raw.decode().splitlines() if line.startswith("data: ")]
    if path == "/v1/messages":
        assert (events[-1]["type"], events[-1]["error"]["type"]) == ("error", "overloaded_error")
        assert events[-1]["request_id"] == response.headers["request-id"]
    elif path == "/v1/chat/completions":
        assert list(events[-1]) == ["error"]
        assert events[-1]["error"]["type"] == "server_error"
    else:
        assert [event["type"] for event in events[-2:]] == ["error", "response.failed"]
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        assert events[-1]["response"]["status"] == "failed"
    [entry] = await simulator.log()
    assert (entry["status"], entry["output_tokens"], entry["completed"]) == (200, 20, False)


async def test_the_error_of_a_failing_stream_can_be_chosen(simulator):
    text = "[words=50][fail=3][error=rate_limit_error][code=ramp_limit_exceeded]"
    stream = await simulator.anthropic.messages.create(**simulator.body_for("/v1/messages", text, stream=True))
    with pytest.raises(anthropic.APIStatusError) as raised:
        [event async for event in stream]
    assert raised.value.body["error"]["type"] == "rate_limit_error"
    assert raised.value.body["error"]["details"] == {"error_code": "ramp_limit_exceeded"}
    chat = await simulator.openai.chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": "[fail=3][error=insufficient_quota]"}],
        stream=True,
    )
    with pytest.raises(openai.APIError) as broken:
        [chunk async for chunk in chat]
    assert broken.value.code == "insufficient_quota"


async def test_a_json_answer_that_is_to_fail_is_that_error(simulator, path):
    response, _ = await simulator.post(path, "[fail=3] hello", stream=False)
    assert response.status == (529 if path == "/v1/messages" else 500)


async def test_a_stream_may_end_without_its_final_event(simulator, path):
    response, raw = await simulator.post(path, "[words=50][end=20] hello")
    assert response.status == 200
    assert simulator.deltas_in(raw) == 20
    assert not any(end in raw for end in (b"message_stop", b"[DONE]", b"response.completed"))
    _, half = await simulator.post(path, "[words=50][end=20] hello", stream=False)
    with pytest.raises(json.JSONDecodeError):
        json.loads(half)


async def test_garbage_is_one_event_that_is_not_json(simulator, path):
    _, raw = await simulator.post(path, "[words=50][garbage=20] hello")
    wrong = []
    for line in raw.decode().splitlines():
        if line.startswith("data: ") and line != "data: [DONE]":
            try:
                json.loads(line[6:])
            except json.JSONDecodeError:
                wrong.append(line)
    assert len(wrong) == 1
    before, _, after = raw.partition(wrong[0].encode() + b"\n")
    assert (simulator.deltas_in(before), simulator.deltas_in(after)) == (20, 30)
    _, whole = await simulator.post(path, "[words=50][garbage=20] hello", stream=False)
    with pytest.raises(json.JSONDecodeError):
        json.loads(whole)


@pytest.mark.parametrize("fault", ["fail", "end", "garbage", "cut", "stall"])
async def test_a_fault_beyond_the_last_word_changes_nothing(simulator, path, fault):
    _, raw = await simulator.post(path, f"[words=5][{fault}=6] hello")
    _, whole = await simulator.post(path, "[words=5] hello")
    assert raw.count(b"\n\n") == whole.count(b"\n\n")
    assert simulator.deltas_in(raw) == 5


@pytest.mark.parametrize("stream", [False, True])
async def test_a_proxys_error_page_is_html(simulator, path, stream):
    response, raw = await simulator.post(path, "[html]", stream=stream)
    assert (response.status, response.content_type) == (502, "text/html")
    assert raw.startswith(b"<html>")
    response, _ = await simulator.post(path, "[html][status=504]", stream=stream)
    assert response.status == 504


@pytest.mark.parametrize("stream", [False, True])
async def test_a_body_can_be_empty(simulator, path, stream):
    response, raw = await simulator.post(path, "[empty]", stream=stream)
    assert (response.status, raw) == (200, b"")
    assert response.content_type == ("text/event-stream" if stream else "application/json")


@pytest.mark.parametrize("stream", [False, True])
async def test_the_content_type_can_be_wrong(simulator, path, stream):
    response, raw = await simulator.post(path, "[content_type=text/plain]", stream=stream)
    assert response.headers.getall("content-type") == ["text/plain"]
    assert len(raw) > 100


@pytest.mark.parametrize("stream", [False, True])
async def test_answers_are_compressed_only_for_those_who_accept_it(simulator, stream):
    asked = simulator.body_for("/v1/messages", "[gzip][words=30]", stream=stream)
    plain, raw = await simulator.post(
        "/v1/messages", "[gzip][words=30]", stream=stream, **{"accept-encoding": "identity"}
    )
    assert "content-encoding" not in plain.headers
    async with simulator.http.post(f"{simulator.url}/v1/messages", json=asked, headers=simulator.headers) as response:
        assert response.headers["content-encoding"] == "gzip"
        assert simulator.deltas_in(await response.read()) == simulator.deltas_in(raw) == (30 if stream else 0)


async def test_an_error_can_be_compressed_too(simulator):
    asked = simulator.body_for("/v1/messages", "[gzip][status=529]", stream=False)
    async with simulator.http.post(f"{simulator.url}/v1/messages", json=asked, headers=simulator.headers) as response:
        assert (response.status, response.headers["content-encoding"]) == (529, "gzip")
        assert (await response.json())["error"]["type"] == "overloaded_error"


@pytest.mark.parametrize("dress", ["[crlf]", "[ping]", "[comments]", "[split=7]", "[crlf][ping][comments][split=5]"])
async def test_the_sdks_read_streams_of_any_look(simulator, dress):
    text = f"{dress}[words=30] hello"
    async with simulator.anthropic.messages.stream(
        model="m", max_tokens=100, messages=[{"role": "user", "content": text}]
    ) as stream:
        message = await stream.get_final_message()
    assert len(message.content[0].text.split()) == 30
    chunks = await simulator.openai.chat.completions.create(
        model="m", messages=[{"role": "user", "content": text}], stream=True
    )
    words = [chunk.choices[0].delta.content async for chunk in chunks]
    assert len(list(filter(None, words))) == 30


async def test_line_ends_keep_alives_and_small_writes_are_on_the_wire(simulator, path):
    _, crlf = await simulator.post(path, "[crlf]")
    assert crlf.count(b"\n") == crlf.count(b"\r\n") > 12
    _, comments = await simulator.post(path, "[comments]")
    assert comments.count(b": keep-alive\n\n") == 12
    _, pings = await simulator.post(path, "[ping]")
    assert pings.count(b"event: ping" if path == "/v1/messages" else b": keep-alive\n\n") >= 12


@pytest.mark.parametrize("stream", [False, True])
async def test_awkward_words_arrive_as_they_are(simulator, path, stream):
    _, raw = await simulator.post(path, "[unicode][words=40]", stream=stream)
    assert "\u2028".encode() in raw
    assert "🌞🏽".encode() in raw


async def test_awkward_words_survive_an_sdk(simulator):
    whole = await simulator.anthropic.messages.create(
        **simulator.body_for("/v1/messages", "[unicode][words=40]", stream=False)
    )
    async with simulator.anthropic.messages.stream(
        model="m", max_tokens=100, messages=[{"role": "user", "content": "[unicode][words=40]"}]
    ) as stream:
        streamed = await stream.get_final_message()
    assert streamed.content[0].text == whole.content[0].text
    assert "line\u2028separator" in whole.content[0].text


async def test_an_event_can_be_huge(simulator, path):
    _, raw = await simulator.post(path, "[huge=300000][words=3]")
    longest = max(raw.split(b"\n\n"), key=len)
    assert len(longest) > 300_000
    assert simulator.deltas_in(raw) == 3


@pytest.mark.parametrize("stream", [False, True])
async def test_signs_of_life_come_while_an_answer_stalls(simulator, path, stream):
    body = simulator.body_for(path, "[words=3][stall=2][beat=0.01]", stream=stream)
    async with simulator.http.post(simulator.url + path, json=body, headers=simulator.headers) as response:
        alive = b"\n"
        if stream:
            alive = b"event: ping" if path == "/v1/messages" else b": keep-alive"
        async with asyncio.timeout(5):
            for _ in range(5):
                await response.content.readuntil(alive)


async def test_signs_of_life_come_before_a_late_answer(simulator):
    response, raw = await simulator.post("/v1/chat/completions", "[delay=0.2][beat=0.02]", stream=False)
    assert response.status == 200
    assert raw.startswith(b"\n\n\n")
    assert json.loads(raw)["choices"]
    _, streamed = await simulator.post("/v1/messages", "[delay=0.2][beat=0.02]")
    assert streamed.startswith(b"event: ping\n")
    assert streamed.endswith(b'{"type":"message_stop"}\n\n')
    refused, _ = await simulator.post("/v1/messages", "[delay=0.01][beat=0.02][status=529]")
    assert refused.status == 529


@pytest.mark.parametrize("script", [{"fail": 2}, {"end": 2}, {"garbage": 2}, {"html": True}, {"empty": True}])
async def test_faults_can_be_posted(simulator, path, script):
    _, plain = await simulator.post(path, "hello")
    await simulator.control("POST", "/script", json=script)
    _, faulty = await simulator.post(path, "hello")
    assert faulty.count(b"\n\n") != plain.count(b"\n\n")


async def test_a_paced_stream_breaks_as_an_unpaced_one(simulator, path):
    _, raw = await simulator.post(path, "[words=50][pace=0.001][fail=20] hello")
    assert simulator.deltas_in(raw) == 20
    assert b"error" in raw
    body = simulator.body_for(path, "[words=50][pace=0.001][cut=20] hello", stream=True)
    async with httpx2.AsyncClient() as client:
        with pytest.raises(httpx2.RemoteProtocolError):
            await client.post(simulator.url + path, json=body, headers=simulator.headers)
