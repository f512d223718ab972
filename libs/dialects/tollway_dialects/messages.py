"""Dialects and usage as the contracts between services have them (`tollway.chat.v1`); used where messages are made."""

from __future__ import annotations

from tollway.chat.v1 import chat_pb2

from tollway_dialects.dialect import Dialect
from tollway_dialects.usage import Usage

DIALECT_NUMBERS = {
    Dialect.ANTHROPIC_MESSAGES: chat_pb2.DIALECT_ANTHROPIC_MESSAGES,
    Dialect.ANTHROPIC_COUNT_TOKENS: chat_pb2.DIALECT_ANTHROPIC_COUNT_TOKENS,
    Dialect.OPENAI_CHAT: chat_pb2.DIALECT_OPENAI_CHAT,
    Dialect.OPENAI_RESPONSES: chat_pb2.DIALECT_OPENAI_RESPONSES,
    Dialect.OPENAI_EMBEDDINGS: chat_pb2.DIALECT_OPENAI_EMBEDDINGS,
    Dialect.OPENAI_INPUT_TOKENS: chat_pb2.DIALECT_OPENAI_INPUT_TOKENS,
}
DIALECTS = {number: dialect for dialect, number in DIALECT_NUMBERS.items()}


def usage_from(message: chat_pb2.Usage) -> Usage:
    return Usage(
        uncached_input=message.uncached_input_tokens,
        cache_write_short=message.cache_write_short_tokens,
        cache_write_long=message.cache_write_long_tokens,
        cache_read=message.cache_read_tokens,
        output=message.output_tokens,
        reasoning=message.reasoning_tokens,
        is_estimated=message.estimated,
    )


def usage_to(usage: Usage) -> chat_pb2.Usage:
    message = chat_pb2.Usage()
    write_usage(usage, message)
    return message


def write_usage(usage: Usage, message: chat_pb2.Usage) -> None:
    """Write counts into a message that is part of another: one that is passed in is serialised and parsed once more."""
    message.uncached_input_tokens = usage.uncached_input  # 0 too, by which the part is there
    message.output_tokens = usage.output
    if usage.cache_write_short:
        message.cache_write_short_tokens = usage.cache_write_short
    if usage.cache_write_long:
        message.cache_write_long_tokens = usage.cache_write_long
    if usage.cache_read:
        message.cache_read_tokens = usage.cache_read
    if usage.reasoning:
        message.reasoning_tokens = usage.reasoning
    if usage.is_estimated:
        message.estimated = True
