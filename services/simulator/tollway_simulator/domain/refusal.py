"""What the simulator says when it does not answer; raised anywhere, put into the provider's shape by its entrypoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_simulator.domain.error_names import STATUS_OF

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tollway_simulator.domain.script import Script


class Refusal(Exception):
    """
    An HTTP error answer.

    Args:
        status: HTTP status, 400 to 599.
        message: What is wrong, for people.
        param: The field that is wrong, where one is.
        code: A code that the provider would not derive from the status alone.
        name: The error's name among the provider's errors; derived from the status where it is absent.
        reason: Why, where the error of that name says so.
        retry_after: Value of the header that tells when to come back.
        should_retry: Value of the header that tells whether to.
    """

    def __init__(
        self,
        status: int,
        message: str,
        param: str | None = None,
        code: str | None = None,
        *,
        name: str | None = None,
        reason: str | None = None,
        retry_after: str | None = None,
        should_retry: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code
        self.name = name
        self.reason = reason
        self.retry_after = retry_after
        self.should_retry = should_retry

    def worded(self, words: Mapping[str, str]) -> str:
        """Return the message, in the provider's own words for an error of that name where it has some."""
        if self.name is None or self.name not in words:
            return self.message
        return words[self.name].format(reason=self.reason or "unspecified")


def scripted_refusal(script: Script, default: int) -> Refusal:
    """Return the error that a script asks for; the status alone, the name alone or both may be given."""
    status = script.status or (STATUS_OF[script.error] if script.error else default)
    return Refusal(
        status,
        f"This error was asked for: {script.error or status}",
        code=script.code,
        name=script.error,
        reason=script.reason,
        retry_after=script.retry_after,
        should_retry=script.should_retry,
    )
