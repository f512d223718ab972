"""Which prompts go to which tier, and why."""

from __future__ import annotations

import re
import time

import pytest
from tollway_classifier.domain.choose_tier import Features, Tier, choose_tier
from tollway_classifier.domain.signals import SIGNALS

LONG_BRIEF = (
    "We run an order service on three nodes. Design a migration from the single database to a sharded one. "
    "It must not lose an order, it should never block writes for more than a second, and it cannot need new hardware. "
    "Compare two approaches, explain the trade-offs, and then give the steps in order. Finally, say how to roll back."
)
WORD_PROBLEM = (
    "A baker sells each loaf for 3 dollars and each cake for twice as much. On Monday she sold 14 loaves and half as "
    "many cakes. On Tuesday she sold a third more loaves than on Monday, fewer cakes, and gave 10 percent of the total "
    "to her helper. How much money remained after both days if she sold 4 cakes on Tuesday?"
)


@pytest.mark.parametrize(
    ("text", "tier", "rule"),
    [
        ("hi", Tier.SIMPLE, "greeting"),
        ("Hello there!", Tier.SIMPLE, "greeting"),
        ("Thanks a lot, that helped", Tier.SIMPLE, "greeting"),
        ("What is the capital of France?", Tier.SIMPLE, "plain_lookup"),
        ("Who wrote Middlemarch?", Tier.SIMPLE, "plain_lookup"),
        ("Translate to German: The train leaves at noon from platform four.", Tier.SIMPLE, "short_translation"),
        ("Classify the sentiment of this review as positive or negative: I loved it.", Tier.SIMPLE, "classification"),
        ("Extract all e-mail addresses as JSON from: call ann@example.org or bob.", Tier.SIMPLE, "extraction"),
        ("Fix the spelling: teh quick brown fox jumps ovr the lazy dog", Tier.SIMPLE, "small_edit"),
        ("Explain how a bicycle stays upright when it moves and why it falls over when it stands still.",
         Tier.STANDARD, "length"),
        (WORD_PROBLEM, Tier.STANDARD, "length"),
        ("Prove that the square root of two is irrational.", Tier.COMPLEX, "proof_or_derivation"),
        ("Prove by induction that the sum of the first n odd numbers is n squared, and then derive a closed form for "
         "the sum of their squares.", Tier.COMPLEX, "proof_or_derivation"),
        (LONG_BRIEF, Tier.COMPLEX, "design"),
        ("Our worker hits a race condition: here is the stack trace. Find the root cause, step by step.\n```\n"
         + "File worker.py, line 10, in take_job\n" * 10 + "```", Tier.COMPLEX, "length"),
        ("Our production database is down and writes fail. What do we do first?", Tier.CRITICAL, "production_incident"),
        ("My son swallowed pills, is this an overdose?", Tier.CRITICAL, "medical_risk"),
        ("Review this contract clause for indemnification before we sign it.", Tier.CRITICAL, "legal_risk"),
    ],
)  # fmt: skip
def test_a_prompt_goes_to_its_tier_for_its_reason(text: str, tier: Tier, rule: str) -> None:
    choice = choose_tier(Features(text))
    assert (choice.tier, choice.rule) == (tier, rule), choice


@pytest.mark.parametrize(
    "text",
    [
        "Translate 'the outage is over' to Spanish",
        "How do you spell ransomware?",
        "hi, is the meeting about the contract today?",
    ],
)
def test_a_weighty_word_in_a_small_task_does_not_make_it_critical(text: str) -> None:
    assert choose_tier(Features(text)).tier is not Tier.CRITICAL


def test_a_phrase_is_met_in_whole_words_whatever_stands_between_them() -> None:
    for text in ("Production... is\n  DOWN!", "production is down"):
        assert choose_tier(Features(text)).rule == "production_incident"
    for text in ("Production is downstream of design.", "The reproduction is down to luck."):
        assert choose_tier(Features(text)).tier is not Tier.CRITICAL


def test_longer_prompts_score_higher_until_a_thousand_words() -> None:
    scores = [choose_tier(Features("some words about gardens " * count)).score for count in (1, 2, 4, 8, 16, 64, 256)]
    assert scores == sorted(set(scores))
    assert choose_tier(Features("some words about gardens " * 100_000)).score == scores[-1]


@pytest.mark.parametrize(
    "more",
    [
        {"wants_thinking": True},
        {"tool_count": 1},
        {"has_images": True},
        {"turn_count": 20},
        {"request_bytes": 200_000},
    ],
    ids=lambda more: next(iter(more)),
)
def test_each_fact_about_the_request_raises_the_score(more: dict[str, int]) -> None:
    text = "What should we have for dinner on a rainy evening in November?"
    assert choose_tier(Features(text, **more)).score > choose_tier(Features(text)).score


def test_a_request_for_thinking_names_itself_as_the_rule() -> None:
    choice = choose_tier(Features("What should we have for dinner tonight?", wants_thinking=True))
    assert (choice.tier, choice.rule) == (Tier.STANDARD, "thinking_requested")


def test_a_text_without_spaces_is_measured_too() -> None:
    short, long = (choose_tier(Features("東京の天気を教えてください。" * count)) for count in (1, 100))
    assert short.tier is Tier.SIMPLE
    assert long.score > short.score + 0.2


def test_the_end_of_a_huge_prompt_is_read() -> None:
    filler = "lorem ipsum " * 100_000
    plain, weighty = (choose_tier(Features(filler + end)) for end in ("bye", "Our production database is down."))
    assert weighty.tier is Tier.CRITICAL
    assert weighty.score > plain.score


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n" * 10_000, "\x00", "\ud800", "a" * 1_000_000, "```" * 300_000, "trade of " * 100_000, "é" * 100_000],
    ids=["empty", "space", "newlines", "nul", "surrogate", "one word", "fences", "half phrases", "accents"],
)
def test_any_text_gets_a_score_from_0_to_1_in_bounded_time(text: str) -> None:
    began = time.perf_counter()
    choice = choose_tier(Features(text, request_bytes=10**12, turn_count=10**6, tool_count=10**6))
    assert time.perf_counter() - began < 0.05
    assert 0 <= choice.score <= 1


def test_the_score_stays_within_1_when_everything_is_against_a_small_model() -> None:
    text = LONG_BRIEF + WORD_PROBLEM + " Prove the theorem. Production is down, with data loss. " * 50
    features = Features(text, request_bytes=10**6, turn_count=50, tool_count=20, has_images=True, wants_thinking=True)
    choice = choose_tier(features)
    assert (choice.score, choice.tier) == (1.0, Tier.CRITICAL)


def test_a_prompt_of_2_kb_takes_far_less_than_a_millisecond() -> None:
    features = Features((LONG_BRIEF + WORD_PROBLEM) * 4)
    assert len(features.last_user_text) > 2_000
    began = time.perf_counter()
    for _ in range(200):
        choose_tier(features)
    assert (time.perf_counter() - began) / 200 < 0.0005  # measured: 0.05 ms; the rest is for a busy machine


def test_every_word_and_phrase_of_the_table_can_be_met_and_belongs_to_one_signal() -> None:
    terms = [term for signal in SIGNALS for term in (*signal.words.split(), *signal.phrases)]
    assert len(terms) == len(set(terms))
    for term in terms:
        assert term == term.lower()
        assert all(character.isalnum() or character == " " for character in term), term


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
def test_every_signal_moves_the_score_in_its_direction(signal: object) -> None:
    said = " ".join([*signal.words.split(), *signal.phrases][: max(2, signal.least)])
    unsaid = re.sub(r"\w", "x", said)
    said, unsaid = (choose_tier(Features(text)).score for text in (said, unsaid))
    assert (said > unsaid) is (signal.weight > 0)
    assert said != unsaid
