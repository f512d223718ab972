"""Embeddings in every form that they can be asked for in."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from checklist import ask, check, raised
from connect import async_client, client
from plain import plain_headers

MODEL = "text-embedding-3-small"


@check
def embedding() -> Any:
    made = client().embeddings.create(model=MODEL, input=ask("hello"))
    assert len(made.data[0].embedding) > 8
    return made


@check
def embeddings_as_numbers_and_as_base64() -> Any:
    forms = ("float", "base64")
    return [client().embeddings.create(model=MODEL, input=ask("hello"), encoding_format=form) for form in forms]


@check
def embeddings_of_several_texts() -> Any:
    made = client().embeddings.create(model=MODEL, input=[ask("one"), ask("two"), ask("three")], dimensions=8)
    assert [len(one.embedding) for one in made.data] == [8, 8, 8]
    return made


@check
def embeddings_of_tokens() -> Any:
    token = crc32(ask("a token").encode()) % 50_000
    forms = ([token, 2, 3], [[token], [2]])
    return [client().embeddings.create(model=MODEL, input=tokens) for tokens in forms]


@check
async def embedding_with_the_async_client() -> Any:
    async with async_client() as asynchronous:
        return await asynchronous.embeddings.create(model=MODEL, input=ask("hello"))


@check
def embedding_headers() -> Any:
    return plain_headers(client().embeddings.with_raw_response.create(model=MODEL, input=ask("hello")).headers)


@check
def error_of_an_embedding() -> Any:
    return [
        raised(lambda: client().embeddings.create(model=MODEL, input=ask("hello [status=429]"))),
        raised(lambda: client().embeddings.create(model=MODEL, input=[])),
    ]
