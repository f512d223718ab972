"""Which conversation a request belongs to: its calls share a provider's key; edge asks for every call."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import msgspec

from tollway_dialects.dialect import LIKE_RESPONSES, Dialect
from tollway_dialects.request import MalformedRequest
from tollway_dialects.turns import raw_turns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tollway_dialects.request import RequestBody

# Claude Code's first system block, which differs from start to start
_BILLING = b'"x-anthropic-billing-header:'
# how a part begins tells conversations apart; a document's megabytes would be hashed at every turn
_MOST_BYTES = 16384
_OLD_SESSION = re.compile(r"_session_([0-9A-Za-z-]+)$")


class _RawTurn(msgspec.Struct):
    role: str = ""
    content: msgspec.Raw = msgspec.Raw(b"null")


class _Metadata(msgspec.Struct):
    user_id: str = ""


class _User(msgspec.Struct):
    session_id: str = ""


class _Conversation(msgspec.Struct):
    id: str = ""


_RAW_TURN = msgspec.json.Decoder(_RawTurn)
_RAW_PARTS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_USER = msgspec.json.Decoder(_User)


def conversation_of(body: RequestBody, dialect: Dialect, workspace: str) -> bytes:
    """Return the same 32 bytes for every turn of a conversation: of the id that the client gave it, or of its start."""
    name = _named(body, dialect)
    if name:
        return hashlib.sha256(f"{workspace}\0{name}".encode("utf-8", "surrogatepass")).digest()
    return conversation_hash(body, dialect, workspace)


def _named(body: RequestBody, dialect: Dialect) -> str:
    """Return the client's own id of the conversation; of what is no such id the provider shall judge."""
    try:
        if dialect is Dialect.OPENAI_CHAT:
            return body.get("prompt_cache_key", str) or ""
        if dialect in LIKE_RESPONSES:
            kept = body.get("conversation", str | _Conversation)  # type: ignore[arg-type]
            # what is kept belongs to an account, so that its id comes first
            return (kept.id if isinstance(kept, _Conversation) else kept) or body.get("prompt_cache_key", str) or ""
        metadata = body.fields.get("metadata")
        if metadata is None or b"session" not in bytes(metadata):
            return ""
        return _session(body.get("metadata", _Metadata) or _Metadata())
    except MalformedRequest:
        return ""


def _session(metadata: _Metadata) -> str:
    """Return the session that Claude Code writes into `user_id`: as JSON today, at the end of a name before."""
    if not metadata.user_id.startswith("{"):
        found = _OLD_SESSION.search(metadata.user_id)
        return found[1] if found else ""
    try:
        return _USER.decode(metadata.user_id).session_id
    except (ValueError, RecursionError):
        return ""


def conversation_hash(body: RequestBody, dialect: Dialect, workspace: str) -> bytes:
    """Return the same 32 bytes for every turn: over the workspace, and how system and first user message begin."""
    pieces: list[bytes | msgspec.Raw] = [workspace.encode()]
    if dialect is Dialect.OPENAI_EMBEDDINGS:
        pieces.append(body.fields.get("input", b""))
        return _digest(pieces)
    is_response = dialect in LIKE_RESPONSES
    text = b'"input_text"' if is_response else b'"text"'
    if system := body.fields.get("instructions" if is_response else "system"):
        _add_content(pieces, system, text)
    for raw in raw_turns(body, dialect):
        try:
            turn = _RAW_TURN.decode(raw)
        except (ValueError, RecursionError):
            pieces.append(raw)  # whatever it is, the provider judges it
            continue
        pieces.append(turn.role.encode())
        _add_content(pieces, turn.content, text)
        if turn.role == "user":
            break
    return _digest(pieces)


def _digest(pieces: Iterable[bytes | msgspec.Raw]) -> bytes:
    begins = [piece if len(piece) <= _MOST_BYTES else memoryview(piece)[:_MOST_BYTES] for piece in pieces]
    return hashlib.sha256(b",".join(begins)).digest()


def _add_content(pieces: list[bytes | msgspec.Raw], content: msgspec.Raw, text: bytes) -> None:
    """Add text or parts, less what changes from turn to turn: cache marks, and whether a text stands in a list."""
    if bytes(memoryview(content)[:1]) != b"[":
        pieces += (b"type", text, b"text", content)
        return
    try:
        parts = _RAW_PARTS.decode(content)
    except (ValueError, RecursionError):
        pieces.append(content)
        return
    for part in parts:
        part.pop("cache_control", None)
        if bytes(memoryview(part.get("text", b""))[: len(_BILLING)]) != _BILLING:
            for name, value in part.items():
                pieces += (name.encode(), value)
