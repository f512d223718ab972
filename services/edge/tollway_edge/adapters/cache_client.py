"""The cache service as the pipeline's `AnswerCache`."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from tollway.cache.v1 import cache_pb2
from tollway_dialects.messages import DIALECT_NUMBERS, usage_from
from tollway_servicekit.context import call_metadata
from tollway_servicekit.errors import ServiceError

from tollway_edge.adapters.answer_writer import AnswerWriter
from tollway_edge.adapters.look_ups import LookUps
from tollway_edge.adapters.stored_keys import StoredKeys
from tollway_edge.domain.answer import CachedAnswer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tollway.cache.v1.cache_pb2_grpc import CacheServiceAsyncStub

    from tollway_edge.adapters.answer_writer import Write
    from tollway_edge.domain.call import Call

log = logging.getLogger(__name__)

LOOK_UP_SECONDS = 0.5
STORE_SECONDS = 5.0


class CacheClient(AnswerWriter):
    """
    Looks up at once, stores in batches.

    Args:
        stub: cache.
        most_bytes: What answers may hold that are not stored yet.
    """

    def __init__(self, stub: CacheServiceAsyncStub, most_bytes: int) -> None:
        self._stub = stub
        self._look_ups = LookUps(self._ask)
        super().__init__(StoredKeys(stub), most_bytes)

    async def look_up(self, call: Call) -> CachedAnswer | None:
        workspace = call.workspace.name if call.workspace else ""
        if (answer := await self._look_ups.find(workspace, call)) is None:
            return None
        # compared here once more: no answer crosses a workspace, whatever the store holds
        if answer.partition != workspace or answer.dialect != DIALECT_NUMBERS[call.dialect]:
            return None
        return CachedAnswer(
            body=answer.body,
            provider=answer.provider,
            model=answer.model,
            tier=answer.tier,
            usage=usage_from(answer.usage),
            cost_micro_usd=answer.cost_micro_usd,
            layer="exact",
            is_event_stream=answer.is_event_stream,
        )

    async def _ask(self, workspace: str, calls: Sequence[Call]) -> Sequence[cache_pb2.StoredAnswer | None]:
        if len(calls) == 1:
            return [await self._ask_for_one(workspace, calls[0])]
        due = time.monotonic() + LOOK_UP_SECONDS
        request = cache_pb2.LookupAnswersRequest(partition=workspace, exact_keys=[call.exact_key for call in calls])
        metadata = call_metadata(workspace)  # no trace, which would be one call's
        try:
            response = await self._stub.LookupAnswers(request, timeout=LOOK_UP_SECONDS, metadata=metadata)
        except ServiceError as error:
            if error.reason == "UNIMPLEMENTED":  # a cache of an older release
                return await self._ask_for_each(workspace, calls, due)
            log.warning("the cache did not answer, going on without it (%s)", error.reason)
            return [None] * len(calls)
        answers: dict[int, cache_pb2.StoredAnswer | None]
        answers = {found.place: found.answer for found in response.found[:] if found.HasField("answer")}
        if left_out := [found.place for found in response.found[:] if found.place not in answers]:
            rest = await self._ask_for_each(workspace, [calls[place] for place in left_out], due)
            answers.update(zip(left_out, rest, strict=True))
        return [answers.get(place) for place in range(len(calls))]

    async def _ask_for_each(
        self, workspace: str, calls: Sequence[Call], due: float
    ) -> Sequence[cache_pb2.StoredAnswer | None]:
        left = max(0.001, due - time.monotonic())
        return await asyncio.gather(*(self._ask_for_one(workspace, call, left) for call in calls))

    async def _ask_for_one(
        self, workspace: str, call: Call, seconds: float = LOOK_UP_SECONDS
    ) -> cache_pb2.StoredAnswer | None:
        request = cache_pb2.LookupAnswerRequest(partition=workspace, exact_key=call.exact_key)
        metadata = call_metadata(workspace, call.traceparent)
        try:
            response = await self._stub.LookupAnswer(request, timeout=seconds, metadata=metadata)
        except ServiceError as error:
            log.warning("the cache did not answer, going on without it (%s)", error.reason)
            return None
        return response.answer if response.hit == cache_pb2.CACHE_HIT_EXACT else None

    async def _send(self, writes: list[Write]) -> None:
        partitions, exact_keys, packed = zip(*writes, strict=True)
        request = cache_pb2.StorePackedAnswersRequest(
            partitions=partitions, exact_keys=exact_keys, packed_answers=packed
        )
        # a cache of an older release knows no such RPC: what it is to store is dropped, as if it were away
        await self._stub.StorePackedAnswers(request, timeout=STORE_SECONDS)
