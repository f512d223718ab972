"""Serves links: what comes on a `Carry` stream is dispatched to the servicers' methods. Registered by `serve`."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from tollway.link.v1 import link_pb2

from tollway_servicekit.context import CallContext
from tollway_servicekit.defects import is_asked_for, unexpected
from tollway_servicekit.errors import DeadlineExceeded, ServiceError
from tollway_servicekit.link.answering import send_answer, send_items
from tollway_servicekit.link.deadlines import Deadlines
from tollway_servicekit.link.flow import Credit
from tollway_servicekit.link.frames import (
    CALL,
    CANCEL,
    CREDIT,
    DRAIN,
    END,
    OPEN,
    BrokenFrames,
    frame,
    read_call,
    read_credit,
    read_frames,
)
from tollway_servicekit.link.writer import Writer
from tollway_servicekit.status import to_status, unimplemented

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tollway_servicekit.contract import Contract, Method

LINK_SERVICE = link_pb2.DESCRIPTOR.services_by_name["LinkService"].full_name
LINK_AGE_SECONDS = 600.0
"""After so long, give or take a tenth, a link drains: its caller opens another, maybe to a peer that is new."""

LEAVING_SECONDS = 1.0
"""What cancelled calls get to release what they hold before a link's end is told."""


class LinkServicer:
    """
    Serves `tollway.link.v1.LinkService` for the methods of other contracts.

    Args:
        pairs: Each contract with the object that serves it.
        age: Seconds after which a link drains.
    """

    def __init__(self, pairs: list[tuple[Contract, object]], age: float = LINK_AGE_SECONDS) -> None:
        self._methods: dict[str, tuple[Method, Any]] = {}
        for contract, servicer in pairs:
            bound = contract.bind(servicer)
            self._methods.update((method.path, (method, bound[name])) for name, method in contract.methods.items())
        self._age = age
        self._links: set[ServedLink] = set()
        self._is_draining = False

    def handlers(self) -> grpc.GenericRpcHandler:
        carry = grpc.stream_stream_rpc_method_handler(
            self._carry,
            request_deserializer=link_pb2.CarryRequest.FromString,
            response_serializer=link_pb2.CarryResponse.SerializeToString,
        )
        return grpc.method_handlers_generic_handler(LINK_SERVICE, {"Carry": carry})

    async def _carry(self, requests: object, rpc: grpc.aio.ServicerContext[Any, Any]) -> None:
        link = ServedLink(self._methods, rpc)
        self._links.add(link)
        age = self._age * random.uniform(0.9, 1.1)  # noqa: S311  spread, not secret
        timer = asyncio.get_running_loop().call_later(age, link.drain)
        if self._is_draining:
            link.drain()
        try:
            await link.run()
        finally:
            timer.cancel()
            self._links.discard(link)

    def drain(self) -> None:
        """Ask all callers to start no more calls here."""
        self._is_draining = True
        for link in self._links:
            link.drain()


@dataclass(slots=True, eq=False)
class Served:
    """A call in flight: the task that serves it, and what its caller lets it send."""

    task: asyncio.Task[None]
    credit: Credit
    tick: int = 0


class ServedLink:
    """One `Carry` stream as its server sees it."""

    def __init__(self, methods: Mapping[str, tuple[Method, Any]], rpc: grpc.aio.ServicerContext[Any, Any]) -> None:
        self._methods = methods
        self._rpc = rpc
        self._calls: dict[int, Served] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._writer = Writer(self._write)
        self._deadlines = Deadlines(self._expire)

    async def run(self) -> None:
        """Serve until the caller has half-closed and its calls have ended, or the stream breaks."""
        try:
            self._writer.put(frame(0, OPEN))
            while (message := await self._rpc.read()) is not grpc.aio.EOF:
                for number, kind, body in read_frames(message.frames):
                    self._take(number, kind, body)
                if self._writer.is_overfull:  # the caller reads nothing, and gets no more to read
                    await self._writer.relieved()
            while self._calls:
                await asyncio.wait([served.task for served in self._calls.values()])
            await self._writer.flush()
        except BrokenFrames as error:
            with suppress(TimeoutError):  # gRPC takes no status while a message is being written
                await asyncio.wait_for(self._writer.flush(), LEAVING_SECONDS)
            await self._rpc.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        finally:
            for number in list(self._calls):
                self._cancel(number)
            self._deadlines.close()
            self._writer.close()
            if self._leaving:
                await asyncio.wait(self._leaving, timeout=LEAVING_SECONDS)

    def drain(self) -> None:
        self._writer.put(frame(0, DRAIN))

    async def _write(self, frames: bytes) -> None:
        await self._rpc.write(link_pb2.CarryResponse(frames=frames))

    def _take(self, number: int, kind: int, body: bytes) -> None:
        if kind == CALL:
            self._start(number, body)
        elif kind == CANCEL:
            self._cancel(number)
        elif kind == CREDIT and (served := self._calls.get(number)) is not None:
            served.credit.give(read_credit(body))

    def _start(self, number: int, body: bytes) -> None:
        path, metadata, timeout, request = read_call(body)
        if number in self._calls:
            raise BrokenFrames("a call has the number of another")
        if (found := self._methods.get(path)) is None:
            self._writer.put(frame(number, END, unimplemented(path)))
            return
        method, serve = found
        context = CallContext.read(metadata, timeout)
        credit = Credit()
        task = asyncio.create_task(self._serve(number, method, serve, context, request, credit))
        served = self._calls[number] = Served(task, credit)
        if timeout is not None:
            served.tick = self._deadlines.set(number, timeout)

    async def _serve(
        self, number: int, method: Method, serve: Any, context: CallContext, request: bytes, credit: Credit
    ) -> None:
        try:
            message = method.request_type.FromString(request)
            if method.is_server_streaming:
                await send_items(self._writer, number, serve(message, context), credit)
            else:
                await send_answer(self._writer, number, await serve(message, context))
        except (Exception, asyncio.CancelledError) as error:
            self._fail(number, method, error)
        finally:
            served = self._calls.pop(number, None)
            if served is not None and served.tick:
                self._deadlines.clear(number, served.tick)

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
        if served.tick:
            self._deadlines.clear(number, served.tick)
        self._leaving.add(served.task)
        served.task.add_done_callback(self._leaving.discard)
        served.task.cancel()
