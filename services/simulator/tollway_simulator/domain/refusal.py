"""What the simulator says when it does not answer; raised anywhere, put into the dialect's shape by its entrypoint."""

from __future__ import annotations


class Refusal(Exception):
    """
    An HTTP error answer.

    Args:
        status: HTTP status, 400 to 599.
        message: What is wrong, for people.
        param: The field that is wrong, where one is.
        code: A code that the dialect would not derive from the status alone.
    """

    def __init__(self, status: int, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code
