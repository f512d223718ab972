"""
Answers that a provider keeps under an id: read, listed, deleted and gone on from, by the workspace that asked for them.

Workspaces share provider keys, so that a provider would show each of them what another one has asked.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tollway_dialects.dialect import Dialect
from tollway_servicekit.errors import NotFound, Unavailable

from tollway_provider_dispatch.domain.account import Account
from tollway_provider_dispatch.domain.call import Failure, Head, Piece
from tollway_provider_dispatch.domain.ports import AccountsUnavailable, UpstreamBroken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tollway_provider_dispatch.domain.call import KeptAnswerRequest
    from tollway_provider_dispatch.domain.ports import Accounts, UpstreamClient
    from tollway_provider_dispatch.domain.provider import Provider, ProviderKey
    from tollway_provider_dispatch.domain.route import Chain

log = logging.getLogger(__name__)

MOST_ID_CHARACTERS = 200
RETRY_AFTER_MS = 1000


def not_found(kept_id: str) -> NotFound:
    return NotFound("KEPT_ANSWER_UNKNOWN", f"Response with id '{kept_id[:MOST_ID_CHARACTERS]}' not found.")


class KeptAnswers:
    """
    Knows whose they are.

    Args:
        chain: The providers that have keys.
        clients: The HTTP client of each provider, by name.
        accounts: Who made what.
    """

    def __init__(self, chain: Chain, clients: Mapping[str, UpstreamClient], accounts: Accounts) -> None:
        self._chain = chain
        self._clients = clients
        self._accounts = accounts

    async def maker_of(self, kept_id: str, workspace: str) -> tuple[Provider, ProviderKey]:
        """Return the account that made an answer; raises `NotFound` where this workspace has none, `Unavailable`."""
        try:
            account = await self._accounts.find(kept_id) if len(kept_id) <= MOST_ID_CHARACTERS else None
        except AccountsUnavailable as error:
            message = "it cannot be known now which account keeps this answer; try again in a moment"
            raise Unavailable("ACCOUNTS_UNAVAILABLE", message) from error
        if account and account.workspace == workspace and (provider := self._chain.provider(account.provider)):
            for key in provider.keys:
                if key.fingerprint == account.key_fingerprint:
                    return provider, key
        raise not_found(kept_id)

    async def note(self, kept_id: str, workspace: str, provider: Provider, key: ProviderKey) -> None:
        """Remember who made an answer; it was given all the same where that fails."""
        if not 0 < len(kept_id) <= MOST_ID_CHARACTERS:
            return
        try:
            await self._accounts.remember(kept_id, Account(workspace, provider.name, key.fingerprint))
        except AccountsUnavailable as error:
            log.warning("an answer that %s keeps cannot be asked for later (%s)", provider.name, error)

    async def ask(self, request: KeptAnswerRequest) -> Piece:
        """Ask its maker; raises `NotFound` and `Unavailable` as `maker_of` does."""
        provider, key = await self.maker_of(request.kept_id, request.workspace)
        url = provider.url(Dialect.OPENAI_RESPONSES, request.query, request.path)
        lines = request.header_lines + provider.lines_with(key)
        try:
            answer = await self._clients[provider.name].request(request.method, url, lines, b"")
            try:
                body = await answer.read()
            finally:
                answer.close()
        except UpstreamBroken as broken:
            reason = "UPSTREAM_TIMEOUT" if broken.reason == "timeout" else "UPSTREAM_UNREACHABLE"
            message = f"provider {provider.name} did not answer ({broken.reason}); try again"
            return Piece(failure=Failure(reason, message, RETRY_AFTER_MS))
        head = Head(answer.status, key.left_out_of(answer.header_lines), provider.name, "")
        return Piece(head, key.masked_in(body) if answer.status >= 300 else body)
