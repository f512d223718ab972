"""Answers in other words, and answers that go on from what was said already."""

from __future__ import annotations

import pytest
from tollway_simulator.domain.paraphrases import SENTENCES, sampled_words

SENTENCE = "the sun was low and all our old men sat and ate"


async def said(simulator, asking, *turns: str, **more) -> str:
    _, raw = await simulator.at(asking, *turns, **more)
    return asking.text_of(raw)


async def test_two_candidates_differ_in_wording_and_each_keeps_its_own(simulator, asking):
    prompt = "[sampled=7][words=40] hello"
    one, other = [await said(simulator, asking, prompt, model=model) for model in ("primary", "fallback")]
    again = await said(simulator, asking, prompt, model="primary")
    assert one == again
    assert one != other
    assert len(one.split()) == len(other.split()) == 40


async def test_without_a_number_every_request_is_sampled_anew(simulator, asking):
    texts = {await said(simulator, asking, "[sampled][words=60] hello") for _ in range(4)}
    assert len(texts) > 1


async def test_sampling_is_posted_for_some_and_the_rest_stay_as_they_are(simulator, asking):
    await simulator.script(sampled=3, model="sampled", always=True)
    assert await said(simulator, asking, "hello") == SENTENCE
    assert await said(simulator, asking, "hello", model="sampled") != SENTENCE


async def test_a_sampled_stream_says_what_its_json_says(simulator, asking):
    prompt = "[sampled=7][words=20] hello"
    _, raw = await simulator.at(asking, prompt, stream=True)
    assert asking.words_in(raw) == await said(simulator, asking, prompt)


@pytest.mark.parametrize("begun", ["the sun was", "the su", SENTENCE])
async def test_an_answer_goes_on_exactly_where_its_prefill_ends(simulator, asking, begun):
    rest = await said(simulator, asking, "hello", begun)
    assert begun + rest == SENTENCE


@pytest.mark.parametrize("stream", [False, True])
async def test_another_candidate_goes_on_from_sampled_words_that_are_not_its_own(simulator, asking, stream):
    prompt = "[sampled=7][words=40] hello"
    delivered = (await said(simulator, asking, prompt, model="primary"))[:70].rstrip()
    own = await said(simulator, asking, prompt, model="fallback")
    _, raw = await simulator.at(asking, prompt, delivered, model="fallback", stream=stream)
    rest = asking.words_in(raw) if stream else asking.text_of(raw)
    whole = delivered + rest
    assert not own.startswith(delivered)
    assert all(any(way in whole for way in ways) for ways in SENTENCES[:3])
    assert len(whole.split()) == 40


async def test_foreign_words_are_followed_by_the_whole_answer(simulator, asking):
    assert await said(simulator, asking, "[words=3] hello", "Certainly:") == " the sun was"


async def test_a_model_can_refuse_to_go_on(simulator, asking):
    await simulator.script(refuse_prefill=True, model="strict", always=True)
    response, raw = await simulator.at(asking, "hello", "the sun", model="strict")
    assert response.status == 400
    assert b"prefill" in raw
    assert (await simulator.at(asking, "hello", model="strict"))[0].status == 200
    assert await said(simulator, asking, "[words=3] hello", "the sun", model="lenient") == " was"


async def test_a_response_goes_on_too(simulator):
    turns = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "the sun was low and all our old"}]
    answer = await simulator.openai.responses.create(model="m", input=turns)
    assert answer.output_text == " men sat and ate"
    assert answer.usage.output_tokens == 4


def test_no_way_of_saying_a_sentence_begins_another():
    for ways in SENTENCES:
        for way in ways:
            assert [other for other in ways if other.startswith(way)] == [way]
            assert way.isascii()


@pytest.mark.parametrize("candidate", ["a", "b", "c", "d"])
@pytest.mark.parametrize("at", range(1, 300, 23))
def test_a_sampled_text_can_be_taken_over_anywhere(candidate, at):
    whole = "".join(sampled_words(60, candidate))
    taken = "".join(sampled_words(60, "another", whole[:at]))
    assert taken.startswith(whole[:at])
    assert "".join(sampled_words(60, candidate, whole[:at])) == whole
