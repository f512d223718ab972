"""Answers in words of each candidate's own: the same sentences, each said in one of several ways; used by `answer`."""

from __future__ import annotations

import re
from hashlib import sha256
from itertools import count as count_up
from itertools import product

# one line of thought, {a|b} being synonyms; no way of saying a sentence is how another way of saying it begins
_PATTERNS = (
    (
        "The sun was {low|near the hills|about to set} when the {old|aged|grey} men {sat|settled} down.",
        "As {evening|dusk|night} {came|fell|drew near}, the elders took {their|some} seats.",
        "Late in the day {some|a few|several} aged men {found|chose} a {place|spot} to sit.",
        "It was {nearly|almost|close to} {dusk|nightfall}, and the old fellows {settled|sat} down.",
    ),
    (
        "They {ate|shared|finished} what they had {brought|carried} for the {day|trip}.",
        "Each had {carried|taken} food along, and now it was {eaten|shared|gone}.",
        "Their {meal|dinner} was whatever {lay|was left|remained} in their {bags|sacks}.",
        "What they had {packed|prepared|cooked} that morning {became|made} supper.",
    ),
    (
        "Nobody {spoke|said a thing|talked} for a {while|time}.",
        "For {some|a long} time all were {silent|quiet|still}.",
        "A {long|deep} {quiet|silence|hush} followed.",
        "Not a {word|sound} was {said|heard|made} at first.",
    ),
    (
        "Then one {of them|among them|old man} told a {story|tale} of the sea.",
        "At last {somebody|someone|one} began a {tale|yarn} about the ocean.",
        "After {that|this|it} a {sailor's|seaman's} yarn was told.",
        "One man {finally|at length} spoke, and it was of {ships|boats|storms} and water.",
    ),
    (
        "The {others|rest} had heard it {often|before|many times} and liked it still.",
        "All {knew|remembered} it well, yet it {pleased|charmed|moved} them again.",
        "Though it was {no news|not new|familiar} to anyone, everyone {enjoyed|loved} it.",
        "It was an old {favourite|companion} {with|of|to} the whole group.",
    ),
    (
        "When it {was|grew} dark they {walked|went|wandered} home together.",
        "By {nightfall|midnight} the {company|group|party} made its way back.",
        "Once the {light|daylight} was gone, {all|each|every one} of them went home.",
        "They {returned|came back|strolled home} side by side after the last {glow|light} faded.",
    ),
)


def _ways(pattern: str) -> list[str]:
    """Return a pattern with every choice of its synonyms."""
    texts = [part.split("|") for part in re.split(r"[{}]", pattern)]
    return ["".join(choice) for choice in product(*texts)]


SENTENCES = tuple(tuple(way for pattern in patterns for way in _ways(pattern)) for patterns in _PATTERNS)
"""All ways of saying each sentence."""

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
        own = ways[_pick(candidate, turn, len(ways))]
        chosen = next((way for way in (own, *ways) if _agree(way, begun)), own)
        said += chosen
        pieces += _WORD.findall(chosen)
        if len(pieces) >= count:
            break
    return tuple(pieces[:count])


def _agree(way: str, begun: str) -> bool:
    return way.startswith(begun) or begun.startswith(way)


def _pick(candidate: str, turn: int, ways: int) -> int:
    digest = sha256(f"{candidate} {turn}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % ways
