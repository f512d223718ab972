"""Sends the shots of a run over several connections at once, and judges every answer; called by `test_fuzz`."""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hostile.connection import Answer, Connection
from hostile.fuzz.shots import Shot, shot
from hostile.verdict import assert_no_leak, error_of, is_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway import Gateway

CONNECTIONS = 8
# events that end a stream as a failure that is told
FAILED = (b"event: error", b'data: {"error"', b'"type":"response.failed"')
MOST_TOLD = 20
MOST_BYTES_TOLD = 4000


@dataclass
class Volley:
    """What came of a run."""

    statuses: Counter[str] = field(default_factory=Counter)
    """How many answers were 2xx, 4xx, 5xx that the provider was told to give, or none at all."""
    faults: list[str] = field(default_factory=list)
    seconds: float = 0

    def report(self) -> str:
        return "\n".join([f"{len(self.faults)} faults", *self.faults[:MOST_TOLD]])


def fire(gateway: Gateway, seed: int, numbers: Sequence[int]) -> Volley:
    """Send the requests of these numbers."""
    volley, began = Volley(), time.monotonic()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        lanes = [
            pool.submit(_shoot, gateway, seed, numbers[first::CONNECTIONS], volley) for first in range(CONNECTIONS)
        ]
        try:
            for lane in lanes:
                lane.result()
        except BaseException as error:
            error.add_note(f"FUZZ_SEED={seed}")
            raise
    volley.seconds = time.monotonic() - began
    return volley


def _shoot(gateway: Gateway, seed: int, numbers: Sequence[int], volley: Volley) -> None:
    """Send one after the other, on one connection for as long as it stays."""
    left = iter(numbers)
    for first in left:
        with Connection(gateway.url) as connection:
            stays = _send(connection, shot(seed, first, gateway.key), volley, gateway)
            while stays and (number := next(left, None)) is not None:
                stays = _send(connection, shot(seed, number, gateway.key), volley, gateway)


def _send(connection: Connection, one: Shot, volley: Volley, gateway: Gateway) -> bool:
    """Return whether the connection takes another one."""
    try:
        answer = connection.ask(one.raw, method=one.method) if one.is_http else _alone(gateway, one)
        volley.statuses[f"{answer.status // 100}xx" if answer else "closed"] += 1
        judge(one, answer)
    except Exception as error:
        volley.faults.append(replayable(one, error, gateway.key))
        return False
    # while another connection was waited for, this one may have been idle for too long
    return one.is_http and answer is not None and not answer.says_close


def _alone(gateway: Gateway, one: Shot) -> Answer | None:
    with Connection(gateway.url) as connection:
        connection.send(one.raw)
        if one.number % 2:
            connection.stop_sending()
        return connection.answer_or_end()


def replayable(one: Shot, error: Exception, key: str) -> str:
    """Return what is wrong with the request that it came of; the key is left out, ONLY sends the number again."""
    raw = one.raw.replace(key.encode(), b"KEY")
    cut = f" and {len(raw) - MOST_BYTES_TOLD} more bytes" if len(raw) > MOST_BYTES_TOLD else ""
    told = str(error).replace(key, "KEY")
    return f"ONLY={one.number} ({one.kind}): {type(error).__name__}: {told}\n    {raw[:MOST_BYTES_TOLD]!r}{cut}"


def judge(one: Shot, answer: Answer | None) -> None:
    """Raise where an answer is not what a client may be given."""
    if answer is None:
        assert not one.is_http, "the connection was closed without an answer"
        return
    assert answer.status < 300 or 400 <= answer.status < 500 or answer.status in one.faults, f"a fault: {answer}"
    if answer.status >= 400:
        if one.method != "HEAD":
            error_of(answer, one.dialect)
        if answer.status not in one.faults:
            assert_no_leak(answer)
    elif answer.header("content-type").startswith("text/event-stream"):
        is_told = is_whole(answer.body) or any(word in answer.body for word in FAILED)
        assert is_told, f"a stream without an end: {answer.body[-300:]!r}"
    elif answer.header("content-type").startswith("application/json") and answer.body:
        json.loads(answer.body)
