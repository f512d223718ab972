"""The differences that are meant, each with its reason; everything else that differs fails the suite."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from comparing.comparison import Difference


@dataclass(frozen=True)
class Known:
    """A difference that is meant; clients, checks and paths are patterns of a shell, several divided by `|`."""

    clients: str
    checks: str
    paths: str
    reason: str

    def is_about(self, client: str) -> bool:
        return _fits(client, self.clients)

    def covers(self, client: str, check: str, difference: Difference) -> bool:
        return self.is_about(client) and _fits(check, self.checks) and _fits(difference.path, self.paths)

    def outlived(self, client: str, met: dict[str, list[Difference]]) -> list[str]:
        """Return the checks and paths, as they are written here, that no difference which was met is covered by."""
        if not self.is_about(client):
            return []
        return [
            f"{check} {path}"
            for check in self.checks.split("|")
            for path in self.paths.split("|")
            if not _are_met(met, check, path)
        ]


def _are_met(met: dict[str, list[Difference]], check: str, path: str) -> bool:
    """Say whether every check that `check` means differs where `path` says; there must be such a check."""
    found = [differences for name, differences in met.items() if fnmatchcase(name, check)]
    return bool(found) and all(any(fnmatchcase(one.path, path) for one in differences) for differences in found)


def _fits(name: str, patterns: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns.split("|"))


OWN_ANSWER = "the gateway answers this itself: no provider is asked, and none adds its headers"
OWN_WORDS = "what the gateway must read itself, it refuses in words of its own"
MORE_MODELS = "the gateway lists what it serves, other vendors' models as well, and that is more than a page"
NOT_THEIRS = "what is wrong with the gateway's account at a provider is not the client's to mend: 503, and an alert"
UNBEGUN = "a stream that fails before its first word has not begun: an error with a status, if nobody else begins it"
CUT = "an answer that was cut ends in an error of the dialect; a provider just closes the connection"
IDS = "the first answer's ids are part of the second request, and no id is made twice: the digest differs by itself"
USAGE = "usage is always asked for, so that it can be booked, and kept from clients that did not ask"

ANTHROPIC, OPENAI = "anthropic *", "openai *"
PYTHON, JAVASCRIPT = f"{ANTHROPIC}|{OPENAI}", "js anthropic *|js openai *"
SDKS = f"{PYTHON}|{JAVASCRIPT}"
CLAUDE_CODE, AI_SDK, PYDANTIC_AI, LANGCHAIN = "claude code *", "js ai *", "pydantic-ai *", "langchain *"

KNOWN = (
    Known(SDKS, "models_list|model_by_its_id|a_model_that_there_is_not", "received*", OWN_ANSWER),
    Known(PYTHON, "models_list_with_the_async_client|error_without_a_key", "received*", OWN_ANSWER),
    Known(f"{ANTHROPIC}|js anthropic *", "models_list_page_by_page", "received*", OWN_ANSWER),
    Known(f"{ANTHROPIC}|js anthropic *", "models_list", "outcome.more", MORE_MODELS),
    Known(CLAUDE_CODE, "hello_before_the_first_message|models_for_its_menu", "received*", OWN_ANSWER),
    Known(SDKS, "error_of_an_unknown_path", "received*", OWN_ANSWER),
    Known(PYTHON, "error_of_a_wrong_method", "received*", OWN_ANSWER),
    Known(OPENAI, "error_of_a_wrong_field", "received*|outcome.headers.*", OWN_ANSWER),
    Known(OPENAI, "error_of_a_wrong_field", "outcome.message|outcome.body.message", OWN_WORDS),
    Known(OPENAI, "error_of_an_unknown_previous_response", "received*|outcome.headers.*", OWN_ANSWER),
    Known(SDKS, "error_40[123]|no_retry_after_40[123]", "*", NOT_THEIRS),
    Known(AI_SDK, "*_error_40[123]", "*", NOT_THEIRS),
    Known(PYDANTIC_AI, "*_errors", "outcome.40[123].*", NOT_THEIRS),
    Known(OPENAI, "error_of_a_response", "outcome.[123].*", NOT_THEIRS),
    Known(OPENAI, "errors_by_their_codes", "outcome.1.*", NOT_THEIRS),
    Known(CLAUDE_CODE, "the_errors_that_it_shows", "outcome.[12].*", NOT_THEIRS),
    Known(PYTHON, "cut_stream_before_its_first_word", "outcome.seen*", UNBEGUN),
    Known(PYTHON, "error_before_the_first_word_of_a_stream", "outcome.*", UNBEGUN),
    Known(OPENAI, "error_in_the_middle_of_a_response", "outcome.1*", UNBEGUN),
    Known(SDKS, "cut_answer", "outcome.*", CUT),
    Known(SDKS, "cut_stream", "outcome.error*", CUT),
    Known(PYTHON, "cut_stream_before_its_first_word|cut_stream_that_ends_cleanly", "outcome.error*", CUT),
    Known(PYTHON, "cut_stream_after_garbage", "outcome.error*", CUT),
    Known(OPENAI, "cut_stream_of_a_response", "outcome.error*", CUT),
    Known(OPENAI, "cut_stream_of_a_response*", "outcome.seen*", CUT),
    Known(AI_SDK, "anthropic_cut_stream|openai_cut_stream", "outcome|outcome.3[3-6].*", CUT),
    Known(SDKS, "tool_round_trip", "received.1.body_sha256", IDS),
    Known(JAVASCRIPT, "tool_runner", "received.1.body_sha256", IDS),
    Known(ANTHROPIC, "thinking_is_sent_back_with_its_signature", "received.1.body_sha256", IDS),
    Known(OPENAI, "response_tool_round_trip|response_after_a_response", "received.1.body_sha256", IDS),
    Known(AI_SDK, "*_tool_round_trip", "received.1.body_sha256", IDS),
    Known(PYDANTIC_AI, "*_tool", "received.1.body_sha256", IDS),
    Known(LANGCHAIN, "*_structured_few_shot_examples", "received.0.body_sha256", IDS),
    Known(f"{OPENAI}|js openai *", "*stream*_without_usage*", "received.0.body_sha256", USAGE),
)
