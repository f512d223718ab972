"""One log format for every process: a JSON object a line in a container, plain text on a terminal."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import msgspec

from tollway_servicekit.settings import Environment, SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class JsonFormatter(logging.Formatter):
    """Time, level, logger and message; a trace where an exception was logged."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def is_no_departure(record: logging.LogRecord) -> bool:
    """Say whether gRPC logs more than that it could not send a message: its caller left, which is no error."""
    error = record.exc_info[1] if record.exc_info else None
    return not (type(error).__name__ == "ExecuteBatchError" and "SendMessageOperation" in str(error))


def configure_logs(environ: Mapping[str, str]) -> None:
    """Log to standard error at LOG_LEVEL; raises `SettingError` where there is no such level."""
    level = Environment(environ).text("LOG_LEVEL", "info").upper()
    if level not in LEVELS:
        raise SettingError(f"LOG_LEVEL must be one of {', '.join(LEVELS).lower()}, not {level.lower()!r}")
    handler = logging.StreamHandler(sys.stderr)
    if not sys.stderr.isatty():
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("grpc._cython.cygrpc").addFilter(is_no_departure)
