"""Each topology on a real cluster: clients in a pod are answered through the Service, and their calls are booked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cluster import Release

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("cluster")]


def test_the_time_from_install_to_first_answer_is_told(release: Release, record_property: Any) -> None:
    seconds = release.seconds_to_first_answer
    record_property(f"from install to first answer, {release.values['topology']}", f"{seconds:.1f} s")
    assert seconds < 300


@pytest.mark.parametrize("function", ["anthropic_json", "anthropic_stream", "openai_json"])
def test_a_client_is_answered_and_its_call_is_booked(release: Release, function: str) -> None:
    answer = release.ask(function, f"a question for {function}")
    assert answer["text"]
    headers = answer["headers"]
    assert headers["x-gateway-provider"] == "simulator"
    row = release.ask("booked", headers["x-gateway-query-id"])
    assert row["workspace"] == "default"
    assert row["model"] == headers["x-gateway-model"]
    assert row["status"] == "succeeded"
    assert row["streamed"] is (function == "anthropic_stream")
    assert row["usage"]["output_tokens"] == answer["output_tokens"] > 0
    assert row["cost_usd"] == 0
    assert [attempt["provider"] for attempt in row["attempts"]] == ["simulator"]


def test_a_stream_comes_in_pieces_and_ends(release: Release) -> None:
    answer = release.ask("anthropic_stream", "a question that is streamed")
    assert answer["pieces"] > 1
    assert answer["stop_reason"] == "end_turn"


def test_a_wrong_key_is_refused_in_the_clients_dialect(release: Release) -> None:
    refused = release.ask("wrong_key", "a question without a key")
    assert refused["status"] == 401
    assert refused["body"]["error"]["type"] == "authentication_error"


def test_the_same_question_is_answered_from_redis(release: Release) -> None:
    first, second = release.ask("asked_until_cached", "a question that is asked again")
    assert first["headers"]["x-gateway-cache"] == "none"
    assert second["headers"]["x-gateway-cache"] == "exact"
    assert second["text"] == first["text"]
    assert release.redis_keys("cache") > 0


def test_an_answer_that_its_provider_keeps_is_read_again_and_redis_remembers_whose_it_is(release: Release) -> None:
    made = release.ask("openai_kept", "a question whose answer is kept")
    assert release.ask("read_again", made["id"]) == made
    assert release.redis_keys("state") > 0


def test_no_container_was_started_twice(release: Release) -> None:
    restarts = {
        status["name"]: status["restartCount"]
        for pod in release.namespace.get("pods")
        for status in pod["status"]["containerStatuses"]
    }
    assert len(restarts) > 4
    assert set(restarts.values()) == {0}
