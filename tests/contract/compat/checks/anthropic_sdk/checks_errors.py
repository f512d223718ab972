"""Every status that a provider may answer: the same class, message and body, whole and streamed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anthropic
from checklist import check, named, raised
from connect import async_client, client, new_client, request

STATUSES = (400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529)


def _told(status: int) -> Callable[[], Any]:
    def whole_and_streamed() -> Any:
        def stream() -> Any:
            with client().messages.stream(**request(f"hello [status={status}]")) as opened:
                return opened.get_final_message()

        whole = raised(lambda: client().messages.create(**request(f"hello [status={status}]")))
        streamed = raised(stream)
        assert getattr(whole, "status_code", None) == status
        return {"whole": whole, "streamed": streamed}

    return whole_and_streamed


for _status in STATUSES:
    named(f"error_{_status}")(_told(_status))


@check
async def error_with_the_async_client() -> Any:
    async with async_client() as asynchronous:
        try:
            await asynchronous.messages.create(**request("hello [status=529]"))
        except anthropic.APIStatusError as error:
            return error
    raise AssertionError("nothing was raised")


@check
def error_of_a_missing_field() -> Any:
    return raised(lambda: client().post("/v1/messages", cast_to=object, body={"model": "claude-haiku-4-5"}))


@check
def error_of_a_wrong_field() -> Any:
    return raised(lambda: client().messages.create(**request("hello") | {"max_tokens": "many"}))


@check
def error_of_an_unknown_role() -> Any:
    asked = request("hello") | {"messages": [{"role": "nobody", "content": "x"}]}
    return raised(lambda: client().messages.create(**asked))


@check
def error_without_a_key() -> Any:
    """The message says what this server takes as a key, so it is not compared."""
    keyless = {name: anthropic.Omit() for name in ("X-Api-Key", "Authorization")}
    error = raised(lambda: client().messages.create(**request("hello"), extra_headers=keyless))
    return {"class": type(error).__name__, "status": getattr(error, "status_code", None)}


@check
def error_of_an_unknown_path() -> Any:
    error = raised(lambda: client().post("/v1/no/such/path", cast_to=object, body={}))
    return {"class": type(error).__name__, "status": getattr(error, "status_code", None)}


@check
def error_of_a_wrong_method() -> Any:
    error = raised(lambda: client().get("/v1/messages", cast_to=object))
    return {"class": type(error).__name__, "status": getattr(error, "status_code", None)}


@check
def error_of_nobody_listening() -> Any:
    return type(raised(lambda: new_client(base_url="http://127.0.0.1:9").messages.create(**request("hello")))).__name__
