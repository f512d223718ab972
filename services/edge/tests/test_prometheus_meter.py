"""What a scrape of edge tells of the calls that ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from tollway.chat.v1 import chat_pb2
from tollway_dialects.usage import Usage
from tollway_edge.adapters.ledger_records import Records
from tollway_edge.adapters.prometheus_meter import MOST_UNCOUNTED, PrometheusMeter
from tollway_edge.domain.call import CallStatus
from tollway_edge.domain.workspaces import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def meter() -> PrometheusMeter:
    return PrometheusMeter(lambda: 3, lambda: 4, lambda: True, lambda: 5, lambda: 6)


class Scraped(dict[tuple[str, ...], float]):
    """Every sample by its name and label values, these in any order."""

    def __init__(self, meter: PrometheusMeter) -> None:
        for family in text_string_to_metric_families(generate_latest(meter.registry).decode()):
            for sample in family.samples:
                self[sample.name, *sorted(sample.labels.values())] = sample.value

    def __getitem__(self, key: tuple[str, ...]) -> float:
        return super().__getitem__((key[0], *sorted(key[1:])))


@pytest.fixture
def ended(make_call: Callable[..., Any]) -> Callable[..., Any]:
    def make(dialect: str = "anthropic", seconds: float = 0.2, **fields: Any) -> Any:
        call = make_call(dialect)
        call.workspace, call.provider, call.http_status = Workspace("acme"), "anthropic", 200
        call.usage = Usage(7, output=5)
        call.seconds = seconds
        call.end(CallStatus.SUCCEEDED)
        for name, value in fields.items():
            setattr(call, name, value)
        return call

    return make


def observe(meter: PrometheusMeter, call: Any, cost_micro_usd: int | None) -> None:
    meter.observe(Records().of(call, cost_micro_usd))


def attempt(provider: str, reason: str = "", model: str = "m") -> chat_pb2.Attempt:
    return chat_pb2.Attempt(provider=provider, model=model, reason=reason)


def test_every_fall_to_another_candidate_is_counted_with_its_reason(meter: PrometheusMeter, ended: Any) -> None:
    rows = [attempt("a", "status_529"), attempt("a", "status_503"), attempt("b", "timeout"), attempt("c")]
    observe(meter, ended(attempts=rows, fallback="from=a/m; to=c/m; reason=status_503"), 0)
    observe(meter, ended(attempts=[attempt("b")], fallback="from=a/m; to=b/m; reason=left alone after status_503"), 0)
    observe(meter, ended(attempts=[attempt("a", "status_500"), attempt("a")]), 0)
    told = Scraped(meter)
    assert told["tollway_fallbacks_total", "a/m", "b/m", "status_503"] == 1
    assert told["tollway_fallbacks_total", "b/m", "c/m", "timeout"] == 1
    assert told["tollway_fallbacks_total", "a/m", "b/m", "left_alone"] == 1
    assert len([name for name in told if name[0] == "tollway_fallbacks_total"]) == 3


def test_calls_are_told_by_kind_with_their_tokens_and_money(meter: PrometheusMeter, ended: Any) -> None:
    observe(meter, ended(), 1_500_000)
    observe(meter, ended("openai"), 250_000)
    observe(meter, ended(workspace=Workspace("globex"), status=CallStatus.FAILED, http_status=503), 0)
    told = Scraped(meter)
    assert told["tollway_calls_total", "acme", "anthropic", "succeeded", "200", "none", "anthropic"] == 1
    assert told["tollway_calls_total", "acme", "openai", "succeeded", "200", "none", "anthropic"] == 1
    assert told["tollway_calls_total", "globex", "anthropic", "failed", "503", "none", "anthropic"] == 1
    assert (told["tollway_tokens_total", "acme", "input"], told["tollway_tokens_total", "acme", "output"]) == (14, 10)
    assert (told["tollway_cost_usd_total", "acme"], told["tollway_cost_usd_total", "globex"]) == (1.75, 0)
    assert (told["tollway_ledger_waiting",], told["tollway_cache_writes_dropped",]) == (3, 4)
    assert told["tollway_cache_keys_known",] == 1
    assert (told["tollway_cache_kept_bytes",], told["tollway_cache_crowded_out",]) == (5, 6)


def test_a_hit_counts_what_it_saved_and_no_tokens(meter: PrometheusMeter, ended: Any) -> None:
    observe(meter, ended(cache="exact", saved_micro_usd=42), 1_000_000)
    told = Scraped(meter)
    assert told["tollway_saved_usd_total", "acme"] == 0.000042
    assert (told["tollway_cost_usd_total", "acme"], told["tollway_tokens_total", "acme", "input"]) == (0, 0)


def test_a_call_without_a_price_is_counted_once_a_provider_answered(meter: PrometheusMeter, ended: Any) -> None:
    observe(meter, ended(), None)
    observe(meter, ended(provider=""), None)
    assert Scraped(meter)["tollway_unpriced_calls_total",] == 1


def test_durations_are_cumulative_over_all_calls_of_a_dialect(meter: PrometheusMeter, ended: Any) -> None:
    for seconds in (0.001, 0.2, 0.25, 1000):
        observe(meter, ended(seconds=seconds), 0)
    observe(meter, ended(seconds=0.2, provider="other"), 0)
    told = Scraped(meter)
    of = {limit: told["tollway_call_seconds_bucket", "anthropic", limit] for limit in ("0.005", "0.1", "0.25", "600.0")}
    assert of == {"0.005": 1, "0.1": 1, "0.25": 4, "600.0": 4}
    assert (
        told["tollway_call_seconds_bucket", "anthropic", "+Inf"] == told["tollway_call_seconds_count", "anthropic"] == 5
    )
    assert 1000 < told["tollway_call_seconds_sum", "anthropic"] < 1001.5


def test_each_call_is_counted_once_whenever_somebody_asks(meter: PrometheusMeter, ended: Any) -> None:
    records = Records()
    for number in range(MOST_UNCOUNTED + 3):
        meter.observe(records.of(ended("openai" if number % 2 else "anthropic"), 1))
    assert [counted(meter), counted(meter)] == [MOST_UNCOUNTED + 3] * 2
    meter.observe(records.of(ended(), 1))
    assert counted(meter) == MOST_UNCOUNTED + 4


def counted(meter: PrometheusMeter) -> float:
    return sum(value for name, value in Scraped(meter).items() if name[0] == "tollway_calls_total")


def test_a_try_of_which_nobody_said_whose_it_is_is_no_fall(meter: PrometheusMeter, ended: Any) -> None:
    call = ended(attempts=(), is_dispatched=True, models=("m",), fallback="from=a/m; to=b/m; reason=left alone")
    call.status = CallStatus.CANCELLED
    observe(meter, call, 0)
    assert not [name for name in Scraped(meter) if name[0] == "tollway_fallbacks_total"]


def test_calls_that_are_added_up_together_come_to_what_each_of_them_is(meter: PrometheusMeter, ended: Any) -> None:
    records, tries = Records(), [attempt("a", "status_500", "m"), attempt("b")]
    for attempts, cost in (((), 1), (tries, 2), (tries, None)):
        meter.observe(records.of(ended(attempts=attempts, is_last_resort=True), cost))
        meter.observe(records.of(ended(cache="exact", saved_micro_usd=cost or 0), 0))
    told = Scraped(meter)
    assert told["tollway_calls_total", "acme", "anthropic", "succeeded", "200", "none", "anthropic"] == 3
    assert (told["tollway_tokens_total", "acme", "input"], told["tollway_tokens_total", "acme", "output"]) == (21, 15)
    assert (told["tollway_cost_usd_total", "acme"], told["tollway_saved_usd_total", "acme"]) == (3e-6, 3e-6)
    assert (told["tollway_last_resorts_total",], told["tollway_unpriced_calls_total",]) == (3, 1)
    assert told["tollway_fallbacks_total", "a/m", "b/m", "status_500"] == 2
