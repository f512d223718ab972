"""The routes under `/v1/responses/{id}`: what a client asks about an answer that a provider keeps; added by `api`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request, Response
from tollway_dialects.header_lines import from_lines

from tollway_edge.domain.answer import KeptAnswerQuestion
from tollway_edge.domain.errors import GatewayError, GatewayErrorKind
from tollway_edge.entrypoints.caller import Caller
from tollway_edge.entrypoints.request_headers import RequestHeaders

if TYPE_CHECKING:
    from fastapi import FastAPI

    from tollway_edge.domain.ports import KeptAnswers


def add_kept_answers(api: FastAPI, kept_answers: KeptAnswers) -> None:
    """Pass every one of OpenAI's requests about a response on to the account that made it."""

    async def ask(request: Request, workspace: Caller, response_id: str) -> Response:
        question = KeptAnswerQuestion(
            workspace=workspace.name,
            method=request.method,
            kept_id=response_id,
            below=request.scope["route"].path.partition("{response_id}")[2].removeprefix("/"),
            query=request.url.query,
            forwarded=RequestHeaders.read(request.scope["headers"]).forwarded,
        )
        piece = await kept_answers.ask(question)
        if piece.failure:
            failure = piece.failure
            kind = GatewayErrorKind.TIMEOUT if failure.reason == "UPSTREAM_TIMEOUT" else GatewayErrorKind.UNAVAILABLE
            raise GatewayError(kind, failure.reason, failure.message, failure.retry_after)
        if piece.head is None:
            raise GatewayError(GatewayErrorKind.INTERNAL, "ANSWER_HEADLESS", "no answer came; try again")
        answer = Response(piece.data, piece.head.status)
        answer.raw_headers = [*from_lines(piece.head.header_lines), *answer.raw_headers]
        return answer

    api.get("/v1/responses/{response_id}")(ask)
    api.delete("/v1/responses/{response_id}")(ask)
    api.get("/v1/responses/{response_id}/input_items")(ask)
    api.post("/v1/responses/{response_id}/cancel")(ask)
