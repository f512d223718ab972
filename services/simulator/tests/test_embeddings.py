"""Embeddings, as OpenAI's own SDK sees them."""

from __future__ import annotations

import math

import openai
import pytest


async def vectors(simulator, given, **more):
    answer = await simulator.openai.embeddings.create(model="text-embedding-3-small", input=given, **more)
    assert [one.index for one in answer.data] == list(range(len(answer.data)))
    return [one.embedding for one in answer.data]


async def test_a_vector_has_length_one_and_the_models_dimensions(simulator):
    [small] = await vectors(simulator, "hello")
    assert len(small) == 1536
    assert math.isclose(sum(value * value for value in small), 1, rel_tol=1e-5)
    large = await simulator.openai.embeddings.create(model="text-embedding-3-large", input="hello")
    assert len(large.data[0].embedding) == 3072


async def test_equal_inputs_have_equal_vectors_and_others_have_not(simulator):
    first, second, third = await vectors(simulator, ["one", "two", "one"])
    assert first == third != second
    assert [first] == await vectors(simulator, "one")


async def test_both_encodings_say_the_same(simulator):
    base64 = await vectors(simulator, "hello", encoding_format="base64")
    floats = await vectors(simulator, "hello", encoding_format="float")
    default = await vectors(simulator, "hello")
    body = {"model": "m", "input": "hello", "encoding_format": "base64"}
    headers = {"authorization": "Bearer k"}
    async with simulator.http.post(f"{simulator.url}/v1/embeddings", json=body, headers=headers) as response:
        assert isinstance((await response.json())["data"][0]["embedding"], str)
    assert floats[0] == pytest.approx(default[0])
    assert isinstance(base64[0], str)


async def test_dimensions_are_as_asked_for(simulator):
    assert [len(one) for one in await vectors(simulator, ["a", "b"], dimensions=256)] == [256, 256]


async def test_token_lists_are_one_input_or_several(simulator):
    [one] = await vectors(simulator, [1, 2, 3])
    several = await vectors(simulator, [[1, 2, 3], [4]])
    assert one == several[0] != several[1]


async def test_usage_counts_the_inputs(simulator):
    answer = await simulator.openai.embeddings.create(model="m", input=["x" * 40, "y" * 20])
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (15, 15)
    counted = await simulator.openai.embeddings.create(model="m", input=[[1, 2, 3], [4]])
    assert counted.usage.prompt_tokens == 4


@pytest.mark.parametrize("given", ["", [], [""], ["a", 1], [[]], "x" * 40_000, ["a"] * 2049])
async def test_wrong_inputs_are_refused(simulator, given):
    with pytest.raises(openai.BadRequestError) as raised:
        await vectors(simulator, given)
    assert raised.value.param == "input"


async def test_a_script_holds_for_embeddings(simulator):
    with pytest.raises(openai.RateLimitError):
        await vectors(simulator, "[status=429] hello")
    await simulator.control("POST", "/script", json={"status": 500, "path": "/v1/embeddings"})
    with pytest.raises(openai.InternalServerError):
        await vectors(simulator, "hello")
