"""Answers in words of each candidate's own: the same sentences, each said in one of several ways; used by `answer`."""

from __future__ import annotations

import re
from hashlib import sha256
from itertools import count as count_up

# one line of thought; no way of saying a sentence is how another way of saying it begins
SENTENCES = (
    (
        "The sun was low when the old men sat down.",
        "As evening came, the elders took their seats.",
        "Late in the day some aged men found a place to sit.",
        "It was nearly dusk, and the old fellows settled down.",
    ),
    (
        "They ate what they had brought for the day.",
        "Each had carried food along, and now it was eaten.",
        "Their meal was whatever lay in their bags.",
        "What they had packed that morning became supper.",
    ),
    (
        "Nobody spoke for a while.",
        "For some time all were silent.",
        "A long quiet followed.",
        "Not a word was said at first.",
    ),
    (
        "Then one of them told a story of the sea.",
        "At last somebody began a tale about the ocean.",
        "After that a sailor's yarn was told.",
        "One man finally spoke, and it was of ships and water.",
    ),
    (
        "The others had heard it often and liked it still.",
        "All knew it well, yet it pleased them again.",
        "Though it was no news to anyone, everyone enjoyed it.",
        "It was an old favourite with the whole group.",
    ),
    (
        "When it was dark they walked home together.",
        "By nightfall the company made its way back.",
        "Once the light was gone, all of them went home.",
        "They returned side by side after the last glow faded.",
    ),
)

_WORD = re.compile(r"\s*\S+")


def sampled_words(count: int, candidate: str, prefill: str = "") -> tuple[str, ...]:
    """
    Return the pieces of an answer in a candidate's own wording.

    Args:
        count: Words in it.
        candidate: Whose wording; the same for the same, as a rule another for another.
        prefill: What is said already: as far as it is one of the wordings, it is kept.
    """
    pieces: list[str] = []
    said = ""
    for turn in count_up():
        ways = [f" {way}" if turn else way for way in SENTENCES[turn % len(SENTENCES)]]
        begun = prefill[len(said) :] if prefill.startswith(said) else ""
        chosen = next((way for way in ways if begun and _agree(way, begun)), ways[_pick(candidate, turn, len(ways))])
        said += chosen
        pieces += _WORD.findall(chosen)
        if len(pieces) >= count:
            break
    return tuple(pieces[:count])


def _agree(way: str, begun: str) -> bool:
    return way.startswith(begun) or begun.startswith(way)


def _pick(candidate: str, turn: int, ways: int) -> int:
    return sha256(f"{candidate} {turn}".encode()).digest()[0] % ways
