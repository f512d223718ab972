"""docs/troubleshooting.md has a row for each reason in the code, and says of each what clients are told."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tollway_dialects.dialect import Dialect
from tollway_dialects.wires import WIRES
from tollway_edge.adapters.budget_client import BudgetClient
from tollway_edge.adapters.catalogue import DispatchCatalogue
from tollway_edge.adapters.dispatch_client import DispatchClient
from tollway_edge.adapters.figures import LedgerFigures
from tollway_edge.adapters.kept_answers_client import KeptAnswersClient
from tollway_edge.adapters.ledger_client import LedgerClient
from tollway_edge.adapters.prompt_client import PromptClient
from tollway_edge.adapters.provider_board import DispatchProviderBoard
from tollway_edge.domain.answer import AnswerFailure, AnswerPiece, KeptAnswerQuestion
from tollway_edge.domain.call import Call
from tollway_edge.domain.delivery import send_answer
from tollway_edge.domain.errors import GatewayError, GatewayErrorKind
from tollway_edge.domain.forwarded import Forwarded
from tollway_servicekit.errors import ERROR_TYPES

sys.path.insert(0, str(Path(__file__).parent))
from reasons import Raised, attempt_reasons, raised

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from tollway_servicekit.errors import ServiceError

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()
REASON = re.compile(r"[A-Z][A-Z_]*\*?")
ATTEMPT = re.compile(r"[a-z][a-z_]*\*?")
RAISED = [
    each
    for folder in ("libs", "services", "topologies")
    for each in raised(ROOT / folder)
    if REASON.fullmatch(each.reason)
]


def rows(heading: str) -> dict[str, list[str]]:
    """Return a section's table by its first cell, in which `<why>` stands for anything."""
    section = PAGE.partition(f"\n{heading}\n")[2]
    section = re.split(r"^#", section, maxsplit=1, flags=re.MULTILINE)[0]
    found = [re.split(r"(?<!\\)\|", line)[1:-1] for line in section.splitlines() if line.startswith("| `")]
    return {re.sub("<[a-z]+>", "*", first.strip(" `")): [cell.strip() for cell in rest] for first, *rest in found}


TOLD = rows("## Errors that clients are told")
INSIDE = rows("## Reasons in logs alone")


def shown(kind: GatewayErrorKind) -> str:
    code = f"`{kind.openai_code}`" if kind.openai_code else "`null`"
    return f"{kind.status} `{kind.anthropic_type}` · `{kind.openai_type}` {code}"


class Refusing:
    """A stub whose every method raises the same."""

    def __init__(self, error: ServiceError) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def refuse(*request: Any, **options: Any) -> Any:
            raise self._error

        return refuse


def call() -> Call:
    return Call(Dialect.OPENAI_CHAT, WIRES[Dialect.OPENAI_CHAT], b"", Forwarded())


QUESTION = KeptAnswerQuestion("acme", "GET", "resp_1", "", "", Forwarded())
# all ways on which edge passes on what a service says
WAYS: dict[str, list[Callable[[Any], Awaitable[Any]]]] = {
    "provider-dispatch": [
        lambda stub: DispatchClient(stub, 1).complete(call()),
        lambda stub: KeptAnswersClient(stub).ask(QUESTION),
        lambda stub: DispatchCatalogue(stub, []).openai_list(),
        lambda stub: DispatchProviderBoard(stub).providers(),
    ],
    "metering": [
        lambda stub: BudgetClient(stub).reserve(call(), 1, 1),
        lambda stub: LedgerFigures(stub, LedgerClient(stub).records).month("acme"),
    ],
    "prompt-registry": [lambda stub: PromptClient(stub).resolve(call(), "greeting", 1, {})],
}


def told_of(error: ServiceError, service: str) -> set[tuple[str, GatewayErrorKind]]:
    """Return what clients may be told where a service raises this."""
    return {refusal(way(Refusing(error))) for way in WAYS.get(service, ())}


def refusal(attempt: Awaitable[Any]) -> tuple[str, GatewayErrorKind]:
    async def run() -> tuple[str, GatewayErrorKind]:
        with pytest.raises(GatewayError) as refused:
            await attempt
        return refused.value.reason, refused.value.kind

    return asyncio.run(run())


def passed_on(found: Iterable[Raised]) -> set[tuple[str, GatewayErrorKind]]:
    """Return each reason that edge tells a client, with the kind that it tells it as."""
    told = set()
    for each in found:
        if each.name == "GatewayError":
            told |= {(each.reason, GatewayErrorKind[kind]) for kind in each.kinds}
        elif each.name == "Failure":
            piece = AnswerPiece(failure=AnswerFailure(each.reason, "", None))
            with pytest.raises(GatewayError) as error:
                send_answer(call(), piece, None)
            told.add((error.value.reason, error.value.kind))
        elif kind := {type_.__name__: type_ for type_ in ERROR_TYPES.values()}.get(each.name):
            for service in WAYS if each.service == "servicekit" else (each.service,):
                told |= told_of(kind(each.reason, "why"), service)
    return told


def test_the_search_finds_reasons_of_every_kind() -> None:
    found = {(each.name, each.reason) for each in RAISED}
    assert {
        ("GatewayError", "KEY_MISSING"),
        ("Exhausted", "QUOTA_EXCEEDED"),
        ("Failure", "UPSTREAM_TIMEOUT"),
        ("Failure", "PROVIDERS_EXHAUSTED"),
        ("end", "STREAM_*"),
        ("end", "CLIENT_LEFT"),
    } <= found
    assert {"status_*", "reset", "ended_early", "untranslatable", "client_left"} <= attempt_reasons(ROOT)


def test_an_argument_that_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    source = tmp_path / "services" / "edge" / "tollway_edge" / "odd.py"
    source.parent.mkdir(parents=True)
    source.write_text("def fail(text):\n    raise NotFound(text.upper(), 'gone')\n")
    with pytest.raises(LookupError, match=r"odd.py:2"):
        list(raised(tmp_path / "services"))


def test_the_page_has_a_row_for_each_reason_and_no_other() -> None:
    assert TOLD.keys() & INSIDE.keys() == set()
    assert sorted([*TOLD, *INSIDE]) == sorted({each.reason for each in RAISED})


def test_rows_say_what_clients_are_told() -> None:
    told = passed_on(RAISED)
    literal = {each.reason for each in RAISED if each.name in {"GatewayError", "Failure"}}
    assert [reason for reason in INSIDE if reason in literal] == []
    for reason, (answer, *_) in TOLD.items():
        possible = {shown(kind) for name, kind in told if name == reason}
        said = set(answer.split("; ")) if possible else set()
        assert said <= possible, f"{reason}: {said - possible} should be of {possible}"
        assert reason not in literal or said == possible, f"{reason}: {possible - said} is not told"
        assert possible or not answer[:1].isdigit(), f"{reason}: nobody answers so"


def test_every_row_says_why_and_what_to_do() -> None:
    for heading, width in (
        ("## Errors that clients are told", 3),
        ("## Reasons in logs alone", 2),
        ("## Why a try was no answer", 2),
    ):
        found = rows(heading)
        assert found
        assert [name for name, cells in found.items() if len(cells) != width or not all(cells)] == []


def test_the_page_has_a_row_for_each_reason_of_an_attempt_and_no_other() -> None:
    told = rows("## Why a try was no answer")
    assert sorted(told) == sorted(each for each in attempt_reasons(ROOT) if ATTEMPT.fullmatch(each))
