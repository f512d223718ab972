"""Carries one call to a provider and its answer back, whole or as a stream; called by the servicer."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
from tollway_dialects.errors import MALFORMED_EVENT
from tollway_dialects.sse import before_malformed
from tollway_dialects.wires import WIRES

from tollway_provider_dispatch.domain.call import BROKEN, SUCCEEDED, End, Piece
from tollway_provider_dispatch.domain.kept_answers import KeptAnswers, not_found
from tollway_provider_dispatch.domain.policy import Policies
from tollway_provider_dispatch.domain.ports import UpstreamBroken
from tollway_provider_dispatch.domain.trying.exchange import (
    answer_to,
    is_event_stream,
    question_for,
    read_broken,
    read_whole,
    send,
)
from tollway_provider_dispatch.domain.trying.opening import Opening, drain, last_data
from tollway_provider_dispatch.domain.trying.rescue import Kept, take_on
from tollway_provider_dispatch.domain.trying.running import Running
from tollway_provider_dispatch.domain.trying.tries import Tries, Trying
from tollway_provider_dispatch.domain.trying.verdict import verdict_of_broken, verdict_of_event

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from tollway_provider_dispatch.domain.call import ChatCall
    from tollway_provider_dispatch.domain.candidate import Candidate
    from tollway_provider_dispatch.domain.ports import Accounts, TimeLimits, UpstreamClient
    from tollway_provider_dispatch.domain.route import Chain
    from tollway_provider_dispatch.domain.trying.running import HandOn
    from tollway_provider_dispatch.domain.trying.verdict import Fault


class Dispatcher:
    """
    Sends calls to the providers of a chain.

    Args:
        chain: Which provider serves which model.
        clients: The HTTP client of each provider, by name.
        accounts: Who made what a provider keeps.
        trying: How often is tried, and who is left alone.
        whole: For whole answers, of which nothing comes before all is there; None leaves it to the clients.
        policies: What routes and workspaces allow.
    """

    def __init__(
        self,
        chain: Chain,
        clients: Mapping[str, UpstreamClient],
        accounts: Accounts,
        trying: Trying,
        whole: TimeLimits | None = None,
        policies: Policies | None = None,
    ) -> None:
        self.chain = chain
        self.kept_answers = KeptAnswers(chain, clients, accounts)
        self._clients = clients
        self.cooldowns = trying.cooldowns
        self._trying = trying
        self._clock = trying.clock
        self._whole = whole
        self._policies = policies or Policies()

    async def complete(self, call: ChatCall) -> Piece:
        """Return the whole answer; raises `NotFound` or `Unavailable` where no provider can be asked."""
        tries = self._begin(call, await self._pinned(call) if call.kept_answer_id else None)
        if self.cooldowns.is_any_open() and not await tries.find_free():
            return tries.nobody()
        while True:
            tries.begin()
            try:
                # not by `send`: whatever waits for the answer is paid for once more when it wakes
                question, client = question_for(call, tries.route), self._clients[tries.route.candidate.provider.name]
                said = await client.request("POST", question.url, question.header_lines, question.body, self._whole)
                try:
                    answer, head = answer_to(call, tries, question, said)
                    body = answer.at_hand()
                    if body is None:
                        body = await answer.read()
                    piece, fault = read_whole(call, tries, head, body)
                    if call.is_kept and fault is None:
                        await self._note_whole(call, tries, body)
                except BaseException:
                    said.close()
                    raise
            except UpstreamBroken as broken:
                piece, fault = read_broken(call, tries, broken), verdict_of_broken(broken)
            if fault is None:
                if not self.cooldowns.is_quiet():
                    await self.cooldowns.succeeded(tries.route)
                return piece
            if not await tries.again(fault):
                return tries.last_word(piece, fault)

    async def stream(self, call: ChatCall, hand_on: HandOn | None = None) -> AsyncGenerator[Piece, None]:
        """
        Yield the answer as it comes; closing the generator closes the upstream connection at once.

        With `hand_on`, events that bring nothing new go there, and a piece without data asks to wait for who reads.
        """
        tries = self._begin(call, await self._pinned(call) if call.kept_answer_id else None)
        if self.cooldowns.is_any_open() and not await tries.find_free():
            yield tries.nobody()
            return
        opened = await self._open(call, tries)
        if isinstance(opened, Piece):
            for piece in opened.parts():
                yield piece
            return
        try:
            reader = opened.reader
            if call.is_kept and reader.kept_id and tries.route.candidate.speaks is None:
                await self._note(call, tries, reader.kept_id)
            data = b"" if reader.is_complete else opened.held
            kept = Kept(data) if tries.has_others else None
            running, reason = Running(opened, kept, hand_on), "ended_early"
            yield Piece(head=opened.head, data=data, usage=reader.usage, attempts=tuple(tries.rows))
            try:
                while (told := await running.go_on()) is not None:
                    yield told
            except UpstreamBroken as broken:
                reason = broken.reason
            if reader.is_complete and not reader.error:
                yield await self._whole_stream(tries, opened, running.rest)
                await drain(opened.answer)
                return
            async with aclosing(self._broken_stream(call, tries, opened, reason, running.rest, kept)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            opened.answer.close()

    async def _whole_stream(self, tries: Tries, opened: Opening, rest: bytes) -> Piece:
        """Return how a stream ends by itself."""
        usage = opened.reader.usage
        tries.end(SUCCEEDED, usage)
        if not self.cooldowns.is_quiet():
            await self.cooldowns.succeeded(tries.route)
        end = End(is_complete=True, stop_reason=opened.reader.stop_reason or "")
        return Piece(data=rest, usage=usage, end=end, attempts=tuple(tries.rows))

    async def _broken_stream(
        self, call: ChatCall, tries: Tries, opened: Opening, reason: str, rest: bytes, kept: Kept | None
    ) -> AsyncGenerator[Piece, None]:
        """Yield how a stream ends that broke off: taken on by another candidate, or incomplete."""
        reader = opened.reader
        opened.answer.close()
        broken = UpstreamBroken(reader.error or reason, "")
        fault = verdict_of_event(broken.reason, last_data(rest)) if reader.error else verdict_of_broken(broken)
        if reader.error:  # before another route is taken: it may quote this one's key
            rest = tries.route.key.masked_in(rest)
        tries.end(BROKEN, reader.usage, broken.reason)
        await self.cooldowns.failed(tries.route, fault)
        if kept is not None:
            async with aclosing(take_on(call, tries, kept, fault, self._try_to_open)) as pieces:
                async for piece in pieces:
                    rest = b""  # what others have said since does not go with it
                    if piece.end:
                        await self.cooldowns.succeeded(tries.route)
                    yield piece
                    if piece.end:
                        return
        rest = before_malformed(rest) if reader.error == MALFORMED_EVENT else rest
        end = End(is_complete=False, reason=broken.reason)
        # what was delivered is the client's to pay, whatever others have tried since
        yield Piece(data=rest, usage=reader.usage, end=end, attempts=tuple(tries.rows))

    async def _pinned(self, call: ChatCall) -> Sequence[Candidate]:
        """Return the one account that knows what the call goes on from; raises `NotFound` where it may not be asked."""
        provider, key = await self.kept_answers.maker_of(call.kept_answer_id, call.workspace)
        policy = self._policies.of(call.workspace, call.body_model)
        for each in self.chain.candidates(call.models, call.dialect, policy):
            if each.provider.name == provider.name:
                return (msgspec.structs.replace(each, provider=replace(provider, keys=(key,))),)
        raise not_found(call.kept_answer_id)

    def _begin(self, call: ChatCall, pinned: Sequence[Candidate] | None) -> Tries:
        policy = self._policies.of(call.workspace, call.body_model)
        candidates = pinned or self.chain.candidates(call.models, call.dialect, policy)
        return Tries.of(call, candidates, self._trying, policy.is_buffered)

    async def _note(self, call: ChatCall, tries: Tries, kept_id: str) -> None:
        """Remember whose answer it is, before the client can have read its id."""
        await self.kept_answers.note(kept_id, call.workspace, tries.route.candidate.provider, tries.route.key)

    async def _note_whole(self, call: ChatCall, tries: Tries, body: bytes) -> None:
        """Remember whose answer it is, if somebody keeps it."""
        if tries.route.candidate.speaks is None:
            await self._note(call, tries, WIRES[call.dialect].read_kept_id(body))

    async def _open(self, call: ChatCall, tries: Tries) -> Opening | Piece:
        """Return a stream that has begun to speak, or what is told instead."""
        while True:
            opened, fault = await self._try_to_open(call, tries)
            if fault is None:
                return opened
            assert isinstance(opened, Piece)  # noqa: S101 - for mypy
            if not await tries.again(fault):
                return tries.last_word(opened, fault)

    async def _try_to_open(self, call: ChatCall, tries: Tries) -> tuple[Opening | Piece, Fault | None]:
        tries.begin()
        started = self._clock.now()
        limits = tries.route.candidate.limits
        opening_limits = (limits.thinking if call.thinks else limits.opening) if limits else None
        answer = None
        try:
            answer, head = await send(call, tries, self._clients, opening_limits)
            if not is_event_stream(head):
                piece, fault = read_whole(call, tries, head, body := await answer.read())
                if call.is_kept and fault is None:
                    await self._note_whole(call, tries, body)
                return piece, fault
            opening = Opening(call, head, answer)
            fault = await opening.begin(limits, self._clock, started, is_buffered=tries.is_buffered)
            if fault is None:
                answer = None  # it goes on
                return opening, None
            return opening.failed(tries, fault), fault
        except UpstreamBroken as broken:
            return read_broken(call, tries, broken), verdict_of_broken(broken)
        finally:
            if answer is not None:
                answer.close()
