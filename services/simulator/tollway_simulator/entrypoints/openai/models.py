"""OpenAI's `GET /v1/models` and `/v1/models/{id}`; called by `routes`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from tollway_simulator.domain.models import traits_of
from tollway_simulator.domain.refusal import Refusal


def render_models(names: tuple[str, ...]) -> bytes:
    return msgspec.json.encode({"object": "list", "data": [_model(name) for name in names]})


def render_model(names: tuple[str, ...], name: str) -> bytes:
    if name not in names:
        raise Refusal(404, f"The model '{name}' does not exist or you do not have access to it.", "model")
    return msgspec.json.encode(_model(name))


def _model(name: str) -> dict[str, Any]:
    traits = traits_of(name)
    created = int(datetime.fromisoformat(traits.created).replace(tzinfo=UTC).timestamp())
    shutdown = {"shutdown_date": traits.retires} if traits.retires else {}
    return {"id": name, "object": "model", "created": created, "owned_by": "tollway", **shutdown}
