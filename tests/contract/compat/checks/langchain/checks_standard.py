"""A check for each of LangChain's standard tests that words without meaning can pass."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from checklist import named

os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
STANDARD = Path(__file__).with_name("standard.py")
# a session of its own: no settings of the project that this file lies in
OPTIONS = ["-q", "-c", os.devnull, f"--rootdir={STANDARD.parent}", "-W", "ignore"]
OPTIONS += ["--asyncio-mode=auto", "--import-mode=importlib", "-p", "pytest_asyncio.plugin"]
OPTIONS += ["-p", "no:cacheprovider", "-p", "no:unraisableexception"]  # that one collects garbage after every test
# the others want the model to understand what it is told, or fetch their pictures from the internet
TESTS = (
    "invoke",
    "ainvoke",
    "stream",
    "astream",
    "batch",
    "abatch",
    "stream_events_v3",
    "astream_events_v3",
    "conversation",
    "double_messages_conversation",
    "usage_metadata",
    "usage_metadata_streaming",
    "stop_sequence",
    "message_with_name",
    "tool_calling_with_no_arguments",
    "tool_choice",
    "bind_runnables_as_tools",
    "tool_message_histories_string_content",
    "tool_message_histories_list_content",
    "tool_message_error_status",
    "structured_few_shot_examples",
    "structured_output",
    "structured_output_async",
    "structured_output_pydantic_2_v1",
    "structured_output_optional_param",
)


class Reports:
    """A plugin that keeps how each form of a test ended."""

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}
        self.trouble = ""

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.nodeid.rpartition("::")[2]] = report.outcome
            self.trouble += str(report.longrepr)[-300:] if report.failed else ""


def _standard(vendor: str, test: str) -> Callable[[], Any]:
    def passes() -> Any:
        reports = Reports()
        pytest.main([*OPTIONS, f"{STANDARD}::Test{vendor}::test_{test}"], plugins=[reports])
        assert set(reports.outcomes.values()) == {"passed"}, f"{reports.outcomes}: {reports.trouble}"
        return reports.outcomes

    return passes


for _vendor in ("Anthropic", "OpenAI"):
    for _test in TESTS:
        named(f"{_vendor.lower()}_{_test}", in_any_order=_test.endswith("batch"))(_standard(_vendor, _test))
