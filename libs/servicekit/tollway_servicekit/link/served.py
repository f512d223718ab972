"""One link as its server sees it: calls are dispatched to the servicers' methods. Made by `server` for each stream."""

from __future__ import annotations

import asyncio
from contextlib import suppress
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
    OPEN,
    PART,
    TAKES_PARTS,
    BrokenFrames,
    frame,
    read_call,
    read_credit,
    read_frames,
)
from tollway_servicekit.link.http2.headers import INVALID_ARGUMENT
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
    timeout: float | None = None


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
        self._is_held = False
        self._broken: BrokenFrames | None = None
        self._has_all = asyncio.Event()
        """Set when nothing more is read: the caller has half-closed, the stream broke, or what came is no frame."""
        self._writer = Writer(stream.write)
        self._deadlines = Deadlines(self._expire)

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
        call = read_call(body)
        timeout, request = call.timeout, call.request
        if number in self._calls:
            raise BrokenFrames("a call has the number of another")
        if self._parts and (parts := self._parts.pop(number, None)) is not None:
            request = parts.join(request)
        if (found := self._methods.get(call.path)) is None:
            self._writer.put(frame(number, END, unimplemented(call.path)))
            return
        method, serve = found
        credit = Credit() if method.is_server_streaming else None
        hand_on = None if credit is None else hand_on_to(self._writer, number, credit, self._calls)
        context = CallContext.read(call.metadata, timeout, hand_on)
        serving = self._serve(number, method, serve, context, request, credit)
        task = asyncio.Task(serving, loop=self._loop, name=call.path)  # else it would be given a number, as text
        served = self._calls[number] = Served(task, credit)
        if timeout is not None:
            served.timeout = timeout
            self._deadlines.set(number, timeout)

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
            served = self._calls.pop(number, None)
            if served is not None and served.timeout is not None:
                self._deadlines.clear(number, served.timeout)

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
        if served.timeout is not None:
            self._deadlines.clear(number, served.timeout)
        self._leaving.add(served.task)
        served.task.add_done_callback(self._leaving.discard)
        served.task.cancel()

    def _cancel_all(self) -> None:
        for number in list(self._calls):
            self._cancel(number)
