"""Judges a client's two runs: what passed, what is known to differ and why, what differs and should not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from comparing.comparison import differences
from comparing.known import KNOWN

if TYPE_CHECKING:
    from comparing.comparison import Difference
    from comparing.known import Known
    from comparing.runs import Outcomes

SHOWN = 6


@dataclass
class Verdict:
    """What came of one client in one topology, by the checks' names."""

    client: str
    passed: list[str] = field(default_factory=list)
    known: dict[str, set[str]] = field(default_factory=dict)
    """Checks whose differences are all meant, and the reasons."""
    differing: dict[str, list[str]] = field(default_factory=dict)
    """Checks and what differs in them."""
    failing: dict[str, str] = field(default_factory=dict)
    """Checks that fail straight already, and how; they say nothing of the gateway."""
    outlived: list[str] = field(default_factory=list)
    """Known differences that are none any more."""

    def trouble(self, *, is_whole: bool = True) -> str:
        """Tell every check that failed, for people; a part of the checks does not tell what is outlived."""
        lines = [f"{check} fails straight already: {why}" for check, why in self.failing.items()]
        for check, found in self.differing.items():
            more = [f"… and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
            lines.append("\n    ".join([f"{check} differs:", *found[:SHOWN], *more]))
        lines += [f"known, but no difference any more: {one}" for one in self.outlived if is_whole]
        return "\n".join(lines)

    def counts(self) -> dict[str, int]:
        names = {"passed": "passed", "known": "known", "differing": "differing", "failing straight": "failing"}
        return {told: len(getattr(self, name)) for told, name in names.items()}


def judge(client: str, straight: Outcomes, through: Outcomes, known: tuple[Known, ...] = KNOWN) -> Verdict:
    """Compare two runs check by check."""
    verdict = Verdict(client)
    met: dict[str, list[Difference]] = {}
    for check, before in straight.items():
        if "failed" in before:
            verdict.failing[check] = before["failed"]
        else:
            met[check] = differences(before, through.get(check, {"failed": "the check did not run"}))
            _sort(verdict, check, met[check], known)
    verdict.outlived = [told for one in known for told in one.outlived(client, met)]
    return verdict


def _sort(verdict: Verdict, check: str, found: list[Difference], known: tuple[Known, ...]) -> None:
    reasons = {one: next((k.reason for k in known if k.covers(verdict.client, check, one)), None) for one in found}
    if unknown := [str(one) for one, reason in reasons.items() if reason is None]:
        verdict.differing[check] = unknown
    elif found:
        verdict.known[check] = {reason for reason in reasons.values() if reason}
    else:
        verdict.passed.append(check)
