"""One link as its server sees it: calls are dispatched to the servicers' methods. Made by `server` for each stream."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Any

import msgspec

from tollway_servicekit.context import CallContext
from tollway_servicekit.defects import is_asked_for, unexpected
from tollway_servicekit.errors import DeadlineExceeded, ServiceError
from tollway_servicekit.link.answering import hand_on_to, send_items, whole_bytes
from tollway_servicekit.link.deadlines import Deadlines
from tollway_servicekit.link.flow import Credit
from tollway_servicekit.link.frames import (
    ANSWER,
    CALL,
    CANCEL,
    CREDIT,
    DRAIN,
    END,
    LONG_BYTES,
    OPEN,
    PART,
    TAKES_PARTS,
    BrokenFrames,
    frame,
    read_call,
    read_credit,
    read_frames,
    read_head,
)
from tollway_servicekit.link.http2.headers import INVALID_ARGUMENT
from tollway_servicekit.link.long_field import without_field
from tollway_servicekit.link.parts import Parts
from tollway_servicekit.link.writer import Writer
from tollway_servicekit.status import to_status, unimplemented

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tollway_servicekit.contract import Method
    from tollway_servicekit.link.carry import Carry

LEAVING_SECONDS = 1.0
"""What cancelled calls get to release what they hold before a link's end is told."""


class Served(msgspec.Struct, eq=False):
    """A call in flight: the task that serves it, and what its caller lets it send."""

    task: asyncio.Task[None]
    credit: Credit | None
    """None for a unary call."""
    due: float = inf
    """In the loop's time."""


class Opening(msgspec.Struct, eq=False):
    """What calls with the same head have in common."""

    method: Method
    serve: Any
    workspace: str
    traceparent: str


MOST_OPENINGS, MOST_HEAD_BYTES = 256, 128
"""Of those that are kept, and how long a head may be; one with a trace is new with each call."""


class ServedLink:
    """One `Carry` stream as its server sees it."""

    def __init__(self, methods: Mapping[str, tuple[Method, Any]], stream: Carry) -> None:
        self._methods = methods
        self._stream = stream
        self._loop = asyncio.get_running_loop()
        self._calls: dict[int, Served] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._parts: dict[int, Parts] = {}
        """What has come of long requests."""
        self._openings: dict[bytes, Opening] = {}
        self._is_held = False
        self._broken: BrokenFrames | None = None
        self._has_all = asyncio.Event()
        """Set when nothing more is read: the caller has half-closed, the stream broke, or what came is no frame."""
        self._writer = Writer(stream.write)
        self._deadlines = Deadlines(self._calls, self._expire)

    async def run(self) -> None:
        """Serve until the caller has half-closed and its calls have ended, or the stream breaks."""
        try:
            self._writer.put(frame(0, OPEN, TAKES_PARTS))
            await self._has_all.wait()
            if self._broken is not None:
                with suppress(TimeoutError):  # gRPC takes no status while a message is being written
                    await asyncio.wait_for(self._writer.flush(), LEAVING_SECONDS)
                self._stream.finish(INVALID_ARGUMENT, str(self._broken))
                return
            while self._calls:
                await asyncio.wait([served.task for served in self._calls.values()])
            await self._writer.flush()
            self._stream.finish()
        finally:
            self._cancel_all()
            self._deadlines.close()
            self._writer.close()
            if self._leaving:
                await asyncio.wait(self._leaving, timeout=LEAVING_SECONDS)

    def took(self, data: bytes, start: int, stop: int) -> None:
        """Begin, cancel and credit calls."""
        if self._has_all.is_set():
            return
        try:
            for number, kind, body in read_frames(data, start, stop):
                self._take(number, kind, body)
        except BrokenFrames as error:
            self._broken = error
            self._has_all.set()
        if self._writer.is_overfull:  # the caller reads nothing, and gets no more to read
            self._is_held = True
            self._stream.hold()

    def has_room(self) -> None:
        """Write what was gathered, and read on."""
        self._writer.go_on()
        if self._is_held and not self._writer.is_overfull:
            self._is_held = False
            self._stream.go_on()

    def half_closed(self) -> None:
        """Let calls in flight end."""
        self._has_all.set()

    def going_away(self) -> None:
        """Callers say nothing by this that a half-close does not."""

    def ended(self, code: int, why: str) -> None:
        """Cancel all calls."""
        self._cancel_all()
        self._writer.close()
        self._has_all.set()

    def drain(self) -> None:
        self._writer.put(frame(0, DRAIN))

    def _take(self, number: int, kind: int, body: bytes) -> None:
        if kind == CALL:
            self._start(number, body)
        elif kind == CANCEL:
            self._parts.pop(number, None)
            self._cancel(number)
        elif kind == CREDIT:
            if (served := self._calls.get(number)) is not None and served.credit is not None:
                served.credit.give(read_credit(body))
        elif kind == PART:
            self._parts.setdefault(number, Parts()).add(body)

    def _start(self, number: int, body: bytes) -> None:
        head, timeout, request = read_call(body)
        if number in self._calls:
            raise BrokenFrames("a call has the number of another")
        if self._parts and (parts := self._parts.pop(number, None)) is not None:
            request = parts.join(request)
        opening = self._openings.get(head) or self._read_opening(number, head)
        if opening is None:
            return
        method, credit, hand_on, beside = opening.method, None, None, None
        if method.long_field and len(request) > LONG_BYTES:
            request, beside = without_field(request, method.long_field)
        if method.is_server_streaming:
            credit = Credit()
            hand_on = hand_on_to(self._writer, number, credit, self._calls)
        deadline = inf if timeout is None else time.monotonic() + timeout
        context = CallContext(opening.workspace, opening.traceparent, deadline, hand_on, beside)
        serving = self._serve(number, method, opening.serve, context, request, credit)
        # else it would be given a number as its name, as text
        task = asyncio.Task(serving, loop=self._loop, name=method.path)
        due = inf if timeout is None else self._deadlines.after(timeout)
        self._calls[number] = Served(task, credit, due)

    def _read_opening(self, number: int, head: bytes) -> Opening | None:
        """Return who serves such a call, and for whom; None where nobody does, which the caller is told."""
        path, metadata = read_head(head)
        if (found := self._methods.get(path)) is None:
            self._writer.put(frame(number, END, unimplemented(path)))
            return None
        known = CallContext.read(metadata, None)
        opening = Opening(*found, known.workspace, known.traceparent)
        if len(head) <= MOST_HEAD_BYTES:
            if len(self._openings) >= MOST_OPENINGS:
                self._openings.clear()
            self._openings[head] = opening
        return opening

    async def _serve(
        self, number: int, method: Method, serve: Any, context: CallContext, request: bytes, credit: Credit | None
    ) -> None:
        try:
            message = method.request_type.FromString(request)
            if credit is not None:
                await send_items(self._writer, number, serve(message, context), credit)
            else:
                answer = whole_bytes(await serve(message, context))
                if not self._writer.has_sent(number, ANSWER, answer):
                    await self._writer.send(number, ANSWER, answer)
        except (Exception, asyncio.CancelledError) as error:
            self._fail(number, method, error)
        finally:
            self._calls.pop(number, None)

    def _fail(self, number: int, method: Method, error: BaseException) -> None:
        if not is_asked_for(error):
            failure = error if isinstance(error, ServiceError) else unexpected(method, error)
            self._writer.put(frame(number, END, to_status(failure)))

    def _expire(self, number: int) -> None:
        error = DeadlineExceeded("DEADLINE_EXCEEDED", "there was no answer within the deadline")
        self._writer.put(frame(number, END, to_status(error)))
        self._cancel(number)

    def _cancel(self, number: int) -> None:
        # here and not in the task: one that is cancelled before its first step never runs
        if (served := self._calls.pop(number, None)) is None:
            return
        self._leaving.add(served.task)
        served.task.add_done_callback(self._leaving.discard)
        served.task.cancel()

    def _cancel_all(self) -> None:
        for number in list(self._calls):
            self._cancel(number)
