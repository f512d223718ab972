"""OpenAI's `POST /v1/embeddings`; built by `routes`."""

from __future__ import annotations

import sys
from array import array
from base64 import b64encode
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from tollway_simulator.domain.embedding import MAX_DIMENSIONS, default_dimensions, embed
from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.domain.tokens import input_tokens, text_bytes
from tollway_simulator.entrypoints.bodies import decode_body
from tollway_simulator.entrypoints.dialect import Reply
from tollway_simulator.entrypoints.openai.wording import explain

if TYPE_CHECKING:
    from tollway_simulator.entrypoints.connection.exchange import Exchange

MAX_INPUTS = 2048
MAX_INPUT_TOKENS = 8192


class Request(msgspec.Struct):
    """The fields that matter here; all others are allowed."""

    model: Annotated[str, msgspec.Meta(min_length=1)]
    input: str | list[str | int | list[int]]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, msgspec.Meta(ge=1, le=MAX_DIMENSIONS)] | None = None
    user: str | None = None


_decoder = msgspec.json.Decoder(Request)


class Embeddings:
    """Implements `Endpoint`."""

    def reply(self, exchange: Exchange, body: bytes) -> Reply:
        request = decode_body(_decoder, body, explain)
        inputs = _inputs(request.input)
        tokens = sum([_tokens(index, one) for index, one in enumerate(inputs)])
        dimensions = request.dimensions or default_dimensions(request.model)
        is_base64 = request.encoding_format == "base64"
        data = [
            {"object": "embedding", "index": index, "embedding": _written(embed(_content(one), dimensions), is_base64)}
            for index, one in enumerate(inputs)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        answer = {"object": "list", "data": data, "model": request.model, "usage": usage}
        text = "\n".join([one for one in inputs if isinstance(one, str)])
        return Reply(msgspec.json.encode(answer), text, request.model, tokens)


def _inputs(given: str | list[str | int | list[int]]) -> list[str | list[int]]:
    """Return one entry for each vector: a list of numbers is a single input."""
    if isinstance(given, str):
        return [given]
    numbers = [one for one in given if isinstance(one, int)]
    if numbers and len(numbers) == len(given):
        return [numbers]
    inputs = [one for one in given if not isinstance(one, int)]
    if not given or numbers or len({type(one) for one in inputs}) > 1:
        raise Refusal(400, "'$.input' is invalid. Please check the API reference.", "input")
    if len(inputs) > MAX_INPUTS:
        message = f"Invalid 'input': array too long. Expected an array with maximum length {MAX_INPUTS}"
        raise Refusal(400, f"{message}, but got an array with length {len(inputs)} instead.", "input")
    return inputs


def _tokens(index: int, one: str | list[int]) -> int:
    if not one:
        raise Refusal(400, f"Invalid 'input[{index}]': input cannot be an empty string.", "input")
    tokens = input_tokens(text_bytes(one)) if isinstance(one, str) else len(one)
    if tokens > MAX_INPUT_TOKENS:
        message = f"Invalid 'input[{index}]': maximum input length is {MAX_INPUT_TOKENS} tokens."
        raise Refusal(400, message, "input")
    return tokens


def _content(one: str | list[int]) -> bytes:
    return one.encode("utf-8", "surrogatepass") if isinstance(one, str) else repr(one).encode()


def _written(vector: array[float], is_base64: bool) -> Any:
    if not is_base64:
        return vector.tolist()
    if sys.byteorder == "big":
        vector.byteswap()
    return b64encode(vector.tobytes()).decode()
