"""Finds what serves a request: by the prefix of a face, else by the provider's own path; built once by `app`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_simulator.entrypoints import tables
from tollway_simulator.entrypoints.google.routes import GoogleRoutes

if TYPE_CHECKING:
    from tollway_simulator.entrypoints.connection.exchange import Exchange
    from tollway_simulator.entrypoints.dialect import Route


class Routes:
    """Finds the route of a request."""

    def __init__(self, models: tuple[str, ...]) -> None:
        self._google = GoogleRoutes(models)
        self._tables = {
            "anthropic": tables.anthropic(models),
            "openai": tables.openai(models),
            "deepseek": tables.deepseek(models),
            "huggingface": tables.huggingface(models),
            "openrouter": tables.openrouter(models),
        }
        self._bare = {**self._tables["anthropic"].exact, **self._tables["openai"].exact}

    def find(self, exchange: Exchange) -> Route:
        """Return the route; one without dialect and endpoint where there is nothing under the path."""
        path = exchange.path
        if exchange.face is None and (route := self._bare.get(path)):
            return route
        face = exchange.face or _face_of(exchange)
        if face == "google":
            return self._google.find(exchange)
        table = self._tables[face]
        if route := table.exact.get(path):
            return route
        if path == "/v1/models" or path.startswith("/v1/models/"):
            return table.models
        if table.stored is not None and path.startswith("/v1/responses/"):
            return table.stored
        return table.nowhere


def _face_of(exchange: Exchange) -> str:
    """Return whose request without a prefix it is."""
    path = exchange.path
    if path.startswith("/v1beta/") or (path.startswith("/v1/models/") and exchange.method == "POST"):
        return "google"
    if path.startswith("/v1/responses/"):
        return "openai"
    return "anthropic" if b"anthropic-version" in exchange.headers else "openai"
