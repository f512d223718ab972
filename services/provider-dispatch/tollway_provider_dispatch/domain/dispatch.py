"""Carries one call to a provider and its answer back, whole or as a stream; called by the servicer."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from tollway_dialects.estimate import tokens_of_bytes
from tollway_dialects.header_lines import value_of
from tollway_dialects.request import RequestBody
from tollway_dialects.usage import Usage
from tollway_dialects.wires import WIRES

from tollway_provider_dispatch.domain.call import Attempt, ChatCall, End, Failure, Head, Outcome, Piece
from tollway_provider_dispatch.domain.kept_answers import KeptAnswers
from tollway_provider_dispatch.domain.ports import UpstreamBroken
from tollway_provider_dispatch.domain.route import Candidate

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

    from tollway_provider_dispatch.domain.ports import Accounts, Clock, UpstreamAnswer, UpstreamClient
    from tollway_provider_dispatch.domain.provider import ProviderKey
    from tollway_provider_dispatch.domain.route import Chain

RETRY_AFTER_MS = 1000
# what an upstream gets to end its answer after the final event
DRAIN_SECONDS = 0.5


class Dispatcher:
    """
    Sends calls to the providers of a chain.

    Args:
        chain: Which provider serves which model.
        clients: The HTTP client of each provider, by name.
        clock: Wall time, for the attempts' rows.
        accounts: Who made what a provider keeps.
    """

    def __init__(self, chain: Chain, clients: Mapping[str, UpstreamClient], clock: Clock, accounts: Accounts) -> None:
        self.chain = chain
        self.kept_answers = KeptAnswers(chain, clients, accounts)
        self._clients = clients
        self._clock = clock

    async def complete(self, call: ChatCall) -> Piece:
        """Return the whole answer; raises `NotFound` or `Unavailable` where no provider can be asked."""
        candidate, key = await self._maker_of(call) if call.kept_answer_id else self._choose(call)
        attempt = self._begin(candidate, key)
        try:
            answer, head = await self._send(call, candidate, key, attempt)
            try:
                body = await answer.read()
                if call.is_kept and head.status < 300:
                    await self._note(call, candidate, key, WIRES[call.dialect].read_kept_id(body))
                return self._whole(call, key, attempt, head, body)
            finally:
                answer.close()
        except UpstreamBroken as broken:
            return self._failed(call, attempt, broken)

    async def stream(self, call: ChatCall) -> AsyncGenerator[Piece, None]:
        """Yield the answer as it comes; closing the generator closes the upstream connection at once."""
        candidate, key = await self._maker_of(call) if call.kept_answer_id else self._choose(call)
        attempt = self._begin(candidate, key)
        try:
            answer, head = await self._send(call, candidate, key, attempt)
        except UpstreamBroken as broken:
            yield self._failed(call, attempt, broken)
            return
        try:
            if _is_event_stream(head):
                async with aclosing(self._events(call, candidate, key, attempt, head, answer)) as pieces:
                    async for piece in pieces:
                        yield piece
            else:
                yield self._whole(call, key, attempt, head, await answer.read())
        except UpstreamBroken as broken:
            yield self._failed(call, attempt, broken)
        finally:
            answer.close()

    async def _events(
        self,
        call: ChatCall,
        candidate: Candidate,
        key: ProviderKey,
        attempt: Attempt,
        head: Head,
        answer: UpstreamAnswer,
    ) -> AsyncGenerator[Piece, None]:
        reader = WIRES[call.dialect].stream_reader(tokens_of_bytes(len(call.body)), strip_usage=call.strip_usage_event)
        yield Piece(head=head, usage=reader.usage, attempts=(attempt,))
        told = reader.told
        is_noted = not call.is_kept
        reason = "ended_early"
        handed_on = b""
        upstream = answer.pieces()
        try:
            async for data in upstream:
                handed_on = reader.feed(data)
                if not is_noted and reader.kept_id:  # before the client can have read it
                    await self._note(call, candidate, key, reader.kept_id)
                    is_noted = True
                if reader.is_complete or reader.error:
                    break
                if handed_on and reader.told is told:
                    yield Piece(data=handed_on, output_so_far=reader.streamed)
                elif handed_on:
                    told = reader.told
                    yield Piece(data=handed_on, usage=reader.usage)
                handed_on = b""
        except UpstreamBroken as broken:
            reason = broken.reason
        attempt.usage = reader.usage
        if reader.is_complete and not reader.error:
            self._end(attempt, Outcome.SUCCEEDED)
            end = End(is_complete=True, stop_reason=reader.stop_reason or "")
        else:
            self._end(attempt, Outcome.BROKEN, reader.error or reason)
            end = End(is_complete=False, reason=attempt.reason)
        yield Piece(data=handed_on, usage=attempt.usage, end=end, attempts=(attempt,))
        if end.is_complete:
            await _drain(upstream)

    def _choose(self, call: ChatCall) -> tuple[Candidate, ProviderKey]:
        candidate = self.chain.choose(call.models, call.dialect)
        return candidate, candidate.provider.key_for(call.conversation_key)

    async def _maker_of(self, call: ChatCall) -> tuple[Candidate, ProviderKey]:
        provider, key = await self.kept_answers.maker_of(call.kept_answer_id, call.workspace)
        return Candidate(provider, self.chain.choose(call.models, call.dialect).model), key

    async def _note(self, call: ChatCall, candidate: Candidate, key: ProviderKey, kept_id: str) -> None:
        await self.kept_answers.note(kept_id, call.workspace, candidate.provider, key)

    async def _send(
        self, call: ChatCall, candidate: Candidate, key: ProviderKey, attempt: Attempt
    ) -> tuple[UpstreamAnswer, Head]:
        provider = candidate.provider
        body = call.body
        changes: tuple[str, ...] = ()
        if candidate.model != call.body_model:
            changed = RequestBody.parse(call.body)
            changed.set("model", candidate.model, "model")
            body, changes = changed.raw, ("model",)
        lines = call.header_lines + provider.lines_with(key)
        answer = await self._clients[provider.name].request("POST", provider.url(call.dialect, call.query), lines, body)
        attempt.http_status = answer.status
        told = key.left_out_of(answer.header_lines)
        return answer, Head(answer.status, told, provider.name, candidate.model, changes)

    def _begin(self, candidate: Candidate, key: ProviderKey) -> Attempt:
        return Attempt(1, candidate.provider.name, candidate.model, key.fingerprint, self._clock.unix_ms())

    def _end(self, attempt: Attempt, outcome: Outcome, reason: str = "") -> None:
        attempt.outcome = outcome
        attempt.reason = reason
        attempt.duration_ms = self._clock.unix_ms() - attempt.started_unix_ms

    def _whole(self, call: ChatCall, key: ProviderKey, attempt: Attempt, head: Head, body: bytes) -> Piece:
        if head.status >= 300:
            # some servers quote the key that they refuse, and it is none of the client's business
            body = key.masked_in(body)
            self._end(attempt, Outcome.REFUSED, f"status_{head.status}")
            return Piece(head, body, attempt.usage, End(is_complete=True), attempts=(attempt,))
        usage, stop_reason = WIRES[call.dialect].read_usage(body)
        attempt.usage = usage or Usage(
            uncached_input=tokens_of_bytes(len(call.body)), output=tokens_of_bytes(len(body)), is_estimated=True
        )
        self._end(attempt, Outcome.SUCCEEDED)
        end = End(is_complete=True, stop_reason=stop_reason or "")
        return Piece(head, body, attempt.usage, end, attempts=(attempt,))

    def _failed(self, call: ChatCall, attempt: Attempt, broken: UpstreamBroken) -> Piece:
        status = attempt.http_status
        may_be_charged = 200 <= status < 300 or (not status and broken.is_sent)  # it may have read the prompt
        if may_be_charged and not WIRES[call.dialect].is_free:
            attempt.usage = Usage(uncached_input=tokens_of_bytes(len(call.body)), is_estimated=True)
        self._end(attempt, Outcome.BROKEN, broken.reason)
        reason = "UPSTREAM_TIMEOUT" if broken.reason == "timeout" else "UPSTREAM_UNREACHABLE"
        message = f"provider {attempt.provider} did not answer ({broken.reason}); try again"
        return Piece(usage=attempt.usage, failure=Failure(reason, message, RETRY_AFTER_MS), attempts=(attempt,))


async def _drain(upstream: AsyncIterator[bytes]) -> None:
    """Read to the end that is due now, so that the connection can be kept; one that does not come is not waited for."""
    with suppress(TimeoutError, UpstreamBroken):
        async with asyncio.timeout(DRAIN_SECONDS):
            async for _ in upstream:
                pass


def _is_event_stream(head: Head) -> bool:
    return head.status < 300 and value_of(head.header_lines, b"content-type").lower().startswith(b"text/event-stream")
