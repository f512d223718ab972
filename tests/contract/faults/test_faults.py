"""
Sixteen ways in which a provider misbehaves while one fallback is well; each is seen as a client sees it.

With shortened clocks here; `make faults` lets them take as long as they take in production.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stage import Seen, Stage


@pytest.fixture(scope="module")
def story(stage: Stage) -> str:
    return stage.whole()


def is_whole(seen: Seen, story: str) -> bool:
    assert seen.status == 200, seen.raw
    return (seen.text, seen.finish, seen.error, seen.is_done) == (story, "stop", None, True)


def test_01_a_429_that_says_when_is_waited_for(stage: Stage, story: str) -> None:
    stage.fail("fault-1", status=429, retry_after="2", times=1)
    assert is_whole(stage.ask("fault-1"), story)
    first, second = stage.log("fault-1")
    assert second["face"] != first["face"] or second["received_at"] - first["received_at"] >= 1.8


def test_02_a_429_for_ever_is_not_hammered(stage: Stage, story: str) -> None:
    stage.fail("fault-2", status=429, retry_after="none", always=True)
    assert is_whole(stage.ask("fault-2"), story)
    *refused, answered = stage.log("fault-2")
    assert (answered["face"], len(refused) <= 6) == ("huggingface", True)
    assert len([each for each in refused if each["received_at"] - refused[0]["received_at"] <= 3]) <= 4


def test_03_one_500_is_tried_again_at_the_same_provider(stage: Stage, story: str) -> None:
    stage.fail("fault-3", status=500, times=1)
    assert is_whole(stage.ask("fault-3"), story)
    assert stage.faces("fault-3") == ["openai", "openai"]


def test_04_a_503_for_ever_falls_through(stage: Stage, story: str) -> None:
    stage.fail("fault-4", status=503, always=True)
    seen = stage.ask("fault-4")
    assert is_whole(seen, story)
    *refused, answered = stage.faces("fault-4")
    assert (answered, len(refused) <= 6, set(refused)) == ("huggingface", True, {"openai"})
    assert seen.headers["x-gateway-fallback"] == "from=openai/fault-4; to=huggingface/fault-4; reason=status_503"
    metrics = stage.scrape()
    assert 'tollway_fallbacks_total{from="openai/fault-4",reason="status_503",to="huggingface/fault-4"} 1.0' in metrics


def test_05_a_reset_before_the_head_is_tried_again(stage: Stage, story: str) -> None:
    stage.fail("fault-5", reset=True, times=1)
    assert is_whole(stage.ask("fault-5"), story)
    assert len(stage.log("fault-5")) == 2


def test_06_a_silent_provider_is_asked_once(stage: Stage, story: str) -> None:
    stage.fail("fault-6", silent=True, always=True)
    seen = stage.ask("fault-6")
    assert is_whole(seen, story)
    assert stage.faces("fault-6") == ["openai", "huggingface"]
    assert seen.seconds < stage.lengths.first_token + stage.lengths.slack


def test_07_a_late_first_token_is_not_waited_for(stage: Stage, story: str) -> None:
    stage.fail("fault-7", first_token=stage.lengths.first_token + 8, always=True)
    seen = stage.ask("fault-7")
    assert is_whole(seen, story)
    assert seen.seconds < stage.lengths.first_token + stage.lengths.slack
    assert seen.headers["x-gateway-provider"] == "huggingface"


def test_08_a_cut_stream_is_taken_on(stage: Stage, story: str) -> None:
    stage.fail("fault-8", words=60, cut=40, pace=0.005, times=1)
    assert is_whole(stage.ask("fault-8"), story)
    assert stage.faces("fault-8") == ["openai", "huggingface"]


def test_08_a_cut_stream_that_nobody_agrees_with_ends_in_an_error(stage: Stage, story: str) -> None:
    stage.fail("fault-8", words=60, cut=40, pace=0.005, times=1)
    stage.fail("fault-8", "huggingface", sampled=7, always=True)
    seen = stage.ask("fault-8")
    assert story.startswith(seen.text)
    assert (seen.text.count(" "), seen.finish, bool(seen.error), seen.is_done) == (39, None, True, False)


def test_09_a_stall_is_bounded_and_the_provider_well_afterwards(stage: Stage, story: str) -> None:
    stage.fail("fault-9", words=60, stall=20, times=1)
    seen = stage.ask("fault-9")
    assert is_whole(seen, story)
    assert seen.seconds < stage.lengths.stall + stage.lengths.slack
    assert is_whole(stage.ask("fault-9"), story)
    assert stage.faces("fault-9") == ["openai", "huggingface", "openai"]


def test_10_a_malformed_event_in_the_middle_is_recovered_from(stage: Stage, story: str) -> None:
    stage.fail("fault-10", words=60, garbage=20, pace=0.005, times=1)
    assert is_whole(stage.ask("fault-10"), story)


def test_11_a_stream_without_its_last_marker_ends_promptly_with_its_usage(stage: Stage, story: str) -> None:
    stage.fail("fault-11", unfinished=True, times=1)
    seen = stage.ask("fault-11")
    assert is_whole(seen, story)
    assert (seen.usage["completion_tokens"], seen.seconds < 3) == (60, True)
    assert stage.faces("fault-11") == ["openai"]


def test_12_a_prompt_that_is_too_long_goes_to_a_larger_model(stage: Stage, story: str) -> None:
    stage.fail("fault-12", error="context_length_exceeded", always=True)
    seen = stage.ask("fault-12")
    assert is_whole(seen, story)
    assert (stage.faces("fault-12"), stage.faces("fault-12-large")) == (["openai"], ["openai"])
    assert seen.headers["x-gateway-model"] == "fault-12-large"


def test_13_a_refused_content_is_told_with_its_reason_after_one_try(stage: Stage) -> None:
    stage.fail("fault-13", error="content_policy_violation", reason="violence", always=True)
    seen = stage.ask("fault-13")
    assert (seen.status, stage.faces("fault-13")) == (400, ["openai"])
    assert "violence" in seen.raw


def test_14_the_refusal_of_a_prefill_never_reaches_the_client(stage: Stage) -> None:
    whole = stage.ask("healthy", path="/v1/messages").text
    stage.fail("fault-14", "anthropic", words=60, cut=40, pace=0.005, times=1)
    stage.fail("fault-14", "huggingface", refuse_prefill=True, always=True)
    seen = stage.ask("fault-14", path="/v1/messages")
    assert "prefill" not in seen.raw
    assert (seen.status, seen.text, seen.error, seen.is_done) == (200, whole, None, True)
    assert [entry["status"] for entry in stage.log("fault-14")] == [200, 400, 200]


def test_15_an_outage_is_bridged_and_the_provider_used_again_soon_after(stage: Stage, story: str) -> None:
    lengths = stage.lengths
    stage.fail("fault-15", status=503, lasts=lengths.outage)
    began = time.time()
    states = set()
    for _ in range(20):
        at = time.monotonic()
        assert is_whole(stage.ask("fault-15"), story)
        states |= {each["state"] for each in stage.providers()["openai"]["breakers"] if "fault-15" in each["scope"]}
        time.sleep(max(0.0, lengths.between - (time.monotonic() - at)))
    assert "open" in states
    log = [entry for entry in stage.log("fault-15") if entry["face"] == "openai"]
    assert len([entry for entry in log if entry["status"] == 503]) <= 12
    used_again = next(entry["received_at"] for entry in log if entry["status"] == 200)
    assert used_again - (began + lengths.outage) < lengths.returned


def test_16_the_fallbacks_answer_is_what_the_client_sees_and_pays(stage: Stage, story: str) -> None:
    stage.fail("fault-16", words=60, usage={"in": 5000, "out": 5000}, cut=0, always=True)
    seen = stage.ask("fault-16")
    assert is_whole(seen, story)
    assert seen.headers["x-gateway-provider"] == "huggingface"
    row = stage.gateway.call(seen.headers["x-gateway-query-id"])
    *lost, paid = row["attempts"]
    assert [each["provider"] for each in (*lost, paid)] == ["openai"] * len(lost) + ["huggingface"]
    assert len(lost) >= 1
    assert sum(each["usage"]["uncached_input_tokens"] for each in lost) > 0
    assert (row["provider"], row["usage"]) == ("huggingface", paid["usage"])
    assert row["usage"]["output_tokens"] == seen.usage["completion_tokens"] == 60
