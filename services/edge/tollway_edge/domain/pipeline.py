"""
The whole story of a call on one screen.

authenticate → resolve prompt → look up → classify → reserve → dispatch → settle → store
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from tollway_dialects.estimate import tokens_of_bytes
from tollway_dialects.prompt import prepend_system, prompt_features
from tollway_dialects.request import MalformedRequest
from tollway_dialects.usage import Usage

from tollway_edge.domain.call import CANCELLED, FAILED, RUNNING, SUCCEEDED
from tollway_edge.domain.delivery import StreamDelivery, deliver_cached, note_answered, send_answer
from tollway_edge.domain.errors import GatewayError, GatewayErrorKind
from tollway_edge.domain.fingerprint import exact_key
from tollway_edge.domain.headers import error_headers, request_id_of
from tollway_edge.domain.last_resort import note_last_resort, send_last_resort, takes_last_resort
from tollway_edge.domain.request import (
    choices_asked_for,
    name_limit,
    put_system_prompt,
    read_prompt_reference,
    read_request,
)
from tollway_edge.domain.tiers import AUTO, Tier, Tiers

if TYPE_CHECKING:
    from tollway_dialects.request import RequestBody

    from tollway_edge.domain.call import Call
    from tollway_edge.domain.keeping import Keeping
    from tollway_edge.domain.known_beginnings import KnownBeginnings
    from tollway_edge.domain.ports import AnswerCache, Budget, Classifier, Client, Dispatch, Ledger, Prompts
    from tollway_edge.domain.route_texts import RouteTexts
    from tollway_edge.domain.workspaces import Workspaces

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a call may take."""

    default_max_tokens: int
    max_cached_bytes: int
    use_exact_cache: bool
    kept_input_tokens: int = 1_050_000


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Serves calls; one for the process, since a call's state is all in `Call`."""

    workspaces: Workspaces
    prompts: Prompts
    cache: AnswerCache
    classifier: Classifier
    budget: Budget
    dispatch: Dispatch
    ledger: Ledger
    tiers: Tiers
    limits: Limits
    keeping: Keeping
    system_prompts: RouteTexts | None = None
    last_resorts: RouteTexts | None = None
    """Both None where no route has one."""
    beginnings: KnownBeginnings | None = None
    """Of long bodies; None where no cache needs their digests."""

    async def serve(self, call: Call, client: Client) -> None:
        """Answer one call, whatever happens, and book it once."""
        kept: bytes | None = None
        try:
            kept = await self._answer(call, client)
        except asyncio.CancelledError:
            self._leave(call)
            raise
        except GatewayError as error:
            await self._refuse(call, client, error)
        except MalformedRequest as error:
            await self._refuse(call, client, GatewayError(GatewayErrorKind.INVALID_REQUEST, "MALFORMED", str(error)))
        except Exception:
            log.exception("call %s failed unexpectedly", call.query_id)
            message = f"the gateway failed; its log has query id {call.query_id}"
            await self._refuse(call, client, GatewayError(GatewayErrorKind.INTERNAL, "INTERNAL", message))
        finally:
            self._settle(call, kept)

    async def _answer(self, call: Call, client: Client) -> bytes | None:
        """Return the answer's bytes where the cache may want them."""
        call.workspace = self.workspaces.authenticate(call.key_digest)
        body = read_request(call, client.body_at_hand() or await client.read_body(), self.beginnings)
        if "prompt" in body.fields:
            await self._resolve_prompt(call, body)
        if self.system_prompts is not None:
            put_system_prompt(call, body, self.system_prompts.of(call.requested_model))
        if self.limits.use_exact_cache:
            call.exact_key = exact_key(call, body)
        if call.exact_key and self.cache.may_hold(call.exact_key) and await self._answer_from_cache(call, client):
            return None
        if (tier := self.tiers.find(call.requested_model)) is None:
            call.models = (call.requested_model,)
        else:
            await self._classify(call, body, tier)
        if call.workspace.monthly_token_cap and not call.wire.is_free:
            await self._reserve(call, body)
        if self.last_resorts is not None:
            note_last_resort(call, self.last_resorts)
        call.is_dispatched = True
        try:
            if call.is_stream:
                return await self._stream(call, client)
            piece = await self.dispatch.complete(call)
            if not send_answer(call, piece, client):
                await client.end()
            note_answered(call, piece.head)
        except GatewayError as error:
            if not takes_last_resort(call, client, error.reason):
                raise
            if not send_last_resort(call, client):
                await client.end()
            call.end(FAILED, error.reason)
            return None
        return piece.data

    async def _resolve_prompt(self, call: Call, body: RequestBody) -> None:
        if (wanted := read_prompt_reference(body)) is not None:
            call.prompt, text = await self.prompts.resolve(call, wanted.id, wanted.version, wanted.variables)
            body.drop("prompt", "prompt")
            prepend_system(body, call.dialect, text)

    async def _answer_from_cache(self, call: Call, client: Client) -> bool:
        answer = await self.cache.look_up(call)
        return answer is not None and await deliver_cached(call, answer, client)

    async def _classify(self, call: Call, body: RequestBody, tier: Tier) -> None:
        """Find the models that may answer: those of the tier named, or of the one that the classifier chose."""
        if tier is AUTO:
            choice = await self.classifier.classify(call, prompt_features(body, call.dialect))
            tier = self.tiers.classified(choice.tier)
            call.models, call.tier, call.classifier = tier.classified, tier.name, choice.layer
        else:
            call.models, call.tier = tier.named, tier.name

    async def _reserve(self, call: Call, body: RequestBody) -> None:
        """Set aside what the call may take at most of its workspace's cap."""
        wire = call.wire
        if wire.outlives_answer(body):
            message = "background: what it spends after its answer cannot be held to this workspace's cap; leave it out"
            raise GatewayError(GatewayErrorKind.INVALID_REQUEST, "BACKGROUND_UNDER_CAP", message)
        # a token is at least a byte, so the body's size bounds the input; each of n choices may take all it may
        input_tokens = len(body.raw) + (self.limits.kept_input_tokens if wire.adds_kept_input(body) else 0)
        output_tokens = (call.max_tokens or self.limits.default_max_tokens) * choices_asked_for(body)
        await self.budget.reserve(call, input_tokens, output_tokens if wire.output_limits else 0)
        name_limit(body, wire.output_limits, self.limits.default_max_tokens)

    async def _stream(self, call: Call, client: Client) -> bytes | None:
        """Let a provider answer event by event; return the answer's bytes where the cache may want them."""
        with self.keeping.begin(self.limits.max_cached_bytes if call.exact_key else 0) as kept:
            delivery = StreamDelivery(call, client, kept)
            async with self.dispatch.stream(call, delivery.hand_on) as pieces:
                await delivery.deliver(pieces)
            return kept.taken()

    def _settle(self, call: Call, kept: bytes | None) -> None:
        if call.workspace is None:
            return
        if call.tried and call.usage.total:  # it is paid for at their prices
            call.provider, call.model = call.tried
        elif call.is_dispatched and not call.model and call.usage.total:  # given up before anybody said who answers
            call.model = call.models[0]
        if call.usage.is_estimated and call.output_so_far > call.usage.output:
            call.usage = msgspec.structs.replace(call.usage, output=call.output_so_far)
        call.settle()
        cost = self.workspaces.prices.cost(call.model, call.usage, call.started_unix_ms, call.provider)
        self.ledger.record(call, cost)
        if kept and call.exact_key and call.status is SUCCEEDED:
            self._store(call, kept, cost or 0)

    def _store(self, call: Call, kept: bytes, cost: int) -> None:
        if len(kept) <= self.limits.max_cached_bytes and call.wire.is_storable(call.stop_reason):
            self.keeping.make_room(len(kept))
            self.cache.store(call, kept, cost)

    def _leave(self, call: Call) -> None:
        """Note that the client left."""
        self._bill_what_was_read(call)
        call.end(CANCELLED, "CLIENT_LEFT")

    def _bill_what_was_read(self, call: Call) -> None:
        """Estimate the input of a call that was given up: a provider may have read it, and charges for that."""
        may_be_read = call.is_dispatched and not (call.tried or call.wire.is_free)
        if call.status is RUNNING and may_be_read and not call.usage.total:
            size = len(call.body.raw) if call.body else 0
            call.usage = Usage(uncached_input=tokens_of_bytes(size), is_estimated=True)

    async def _refuse(self, call: Call, client: Client, error: GatewayError) -> None:
        if call.status is not RUNNING:
            return  # the client has its answer: there is nothing left to say
        if error.kind is GatewayErrorKind.TIMEOUT:
            self._bill_what_was_read(call)
        call.end(FAILED, error.reason)
        body = call.wire.error_body(error.kind, error.message, request_id_of(call))
        if client.is_begun:  # all that is left is an error event
            if event := call.wire.error_event(error.kind, error.message, request_id_of(call), call.last_sent):
                client.send_last(event)
            await client.end()
        else:
            call.begin_answer(error.kind.status)
            await client.answer(error.kind.status, error_headers(call, error), body)
