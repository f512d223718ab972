"""Keys, prompts and answers are where they belong and in no other place, whatever is done to the gateway."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from contract.hygiene.canaries import PROVIDER_KEYS
from contract.hygiene.canary_bodies import RESPONSES
from contract.hygiene.traffic import INVENTED_MODELS, ORDINARY

if TYPE_CHECKING:
    from contract.hygiene.canary_client import Answer
    from contract.hygiene.evidence import Evidence

# what a client called a thing is told back to it, as both vendors do it
NAMED_BY_THE_CLIENT = {"model", "path", "prompt_name"}
# a `response` of OpenAI's Responses API repeats these parts of its request
TOLD_BY_RESPONSES = {"system", "tool", "argument_name", "user_id"}
SECRETS = {*PROVIDER_KEYS, "virtual_key", "strangers_key", "redis_password", "cookie"}


def test_the_canaries_went_where_they_belong(evidence: Evidence) -> None:
    """Without this all other tests would pass on a gateway that serves nothing."""
    canaries = evidence.canaries
    ordinary = [answer for answer in evidence.answers if ORDINARY in answer.what]
    assert ordinary
    assert {(answer.what, answer.body) for answer in ordinary if answer.status != 200} == set()
    assert evidence.keys_at_provider == {getattr(canaries, name) for name in PROVIDER_KEYS}
    succeeded = b"".join(answer.body for answer in evidence.answers if answer.status == 200)
    assert {"answer", "argument_name"} <= canaries.in_(succeeded)
    assert "answer" in canaries.in_(evidence.cached)
    assert "model" in canaries.in_(evidence.recent)
    assert {"user_agent", "model"} <= canaries.in_(evidence.simulator_log)
    statuses = {answer.status for answer in evidence.answers}
    assert statuses >= {200, *range(400, 600)} - {403}, "a provider's 403 is about the gateway's key"
    assert any(answer.error and answer.status == 200 for answer in evidence.answers), "no stream broke off"
    assert b'"level":"debug"' in evidence.log
    assert b'"level":"warning"' in evidence.log


def test_no_log_holds_any_of_them(evidence: Evidence) -> None:
    assert _lines_with(evidence, evidence.log) == []
    assert _lines_with(evidence, evidence.simulator_output) == []


def test_no_metric_holds_any_of_them(evidence: Evidence) -> None:
    assert _lines_with(evidence, evidence.metrics) == []


def test_names_that_clients_invent_make_no_new_series(evidence: Evidence) -> None:
    before, after = evidence.series
    assert before
    assert len(after - before) < INVENTED_MODELS / 4, sorted(after - before)


def test_no_error_holds_more_than_the_names_that_the_client_gave(evidence: Evidence) -> None:
    leaks = {
        answer.what: found
        for answer in evidence.answers
        if not answer.what.startswith("repeat-")
        and (found := evidence.canaries.in_(answer.error) - _allowed_in_error(answer))
    }
    assert leaks == {}


def test_no_answer_holds_a_secret(evidence: Evidence) -> None:
    leaks = {
        answer.what: found
        for answer in evidence.answers
        if answer.what != "repeat-key" and (found := evidence.canaries.in_(answer.body) & SECRETS)
    }
    assert leaks == {}


def test_a_provider_key_that_a_provider_repeats_stays_in_the_gateway(evidence: Evidence) -> None:
    repeated = [answer for answer in evidence.answers if answer.what in ("repeat-key", "refuse-key")]
    # what is wrong with the gateway's key is no business of the client's
    assert {(answer.what, answer.status) for answer in repeated} == {("repeat-key", 422), ("refuse-key", 503)}
    leaks = [
        found
        for answer in repeated
        if (found := evidence.canaries.in_(answer.body + repr(answer.headers).encode()) & PROVIDER_KEYS)
    ]
    assert leaks == []


def test_answers_hold_nothing_of_the_question_but_what_was_asked_for(evidence: Evidence) -> None:
    leaks = {
        answer.what: found
        for answer in evidence.answers
        if answer.status == 200
        and not re.search(r" /v1/metrics/recent", answer.what)
        and (found := evidence.canaries.in_(answer.body) - _allowed_in_answer(answer))
    }
    assert leaks == {}


def test_no_header_holds_more_than_the_model_that_was_asked_for(evidence: Evidence) -> None:
    leaks = {
        (answer.what, name): found
        for answer in evidence.answers
        for name, value in answer.headers
        if answer.what != "repeat-key"
        and (found := evidence.canaries.in_(value) - ({"model"} if name.lower() == b"x-gateway-model" else set()))
    }
    assert leaks == {}


def test_the_ledger_holds_the_models_name_alone(evidence: Evidence) -> None:
    assert evidence.canaries.in_(evidence.recent) == {"model"}
    ledgers = {name: evidence.canaries.in_(data) for name, data in evidence.files.items() if "ledger" in name}
    assert ledgers
    assert set().union(*ledgers.values()) == {"model"}, ledgers


def test_no_other_file_holds_any_of_them(evidence: Evidence) -> None:
    found = {
        name: leaked
        for name, data in evidence.files.items()
        if "ledger" not in name and (leaked := evidence.canaries.in_(data) - _allowed_in_file(name))
    }
    assert found == {}


def test_redis_holds_answers_and_nothing_of_the_questions(evidence: Evidence) -> None:
    assert evidence.cache_keys
    assert evidence.canaries.in_(evidence.cache_keys) == set()
    assert evidence.canaries.in_(evidence.cached) <= {"answer", "model", *TOLD_BY_RESPONSES}


def test_no_command_line_holds_any_of_them(evidence: Evidence) -> None:
    assert evidence.processes
    assert evidence.canaries.in_(evidence.processes) == set()


def test_the_simulators_log_holds_neither_keys_nor_prompts(evidence: Evidence) -> None:
    assert evidence.canaries.in_(evidence.simulator_log) <= {"model", "user_agent", "header"}


def _allowed_in_answer(answer: Answer) -> set[str]:
    return {"answer", "argument_name", "model", "nonsense"} | (TOLD_BY_RESPONSES if RESPONSES in answer.what else set())


def _allowed_in_error(answer: Answer) -> set[str]:
    # a provider may quote what it could not read, and its error is passed on as it came
    return NAMED_BY_THE_CLIENT | ({"malformed"} if answer.is_of_the_provider else set())


def _allowed_in_file(name: str) -> set[str]:
    if "prompts.sqlite3" in name:
        return {"published"}
    # what is printed at the start names the key to whoever gave it
    return {"virtual_key"} if name.startswith("out.txt") else set()


def _lines_with(evidence: Evidence, text: bytes) -> list[tuple[set[str], str]]:
    """Return the lines that hold a canary, a few of each kind, cut: a failing test should tell what to mend."""
    if not evidence.canaries.in_(text):
        return []
    found: dict[tuple[str, ...], list[tuple[set[str], str]]] = {}
    for line in text.splitlines():
        if names := evidence.canaries.in_(line):
            found.setdefault(tuple(sorted(names)), []).append((names, line[:1500].decode(errors="replace")))
    return [line for lines in found.values() for line in lines[:2]]
