"""Logs as JSON lines, without what could be secret or personal."""

import logging
import sys
import traceback
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

_FRAMES = 12


def new_log(level: str, stream: TextIO | None = None) -> FilteringBoundLogger:
    """Return a log that writes what is at least `level` to a stream (standard error)."""
    number = logging.getLevelNamesMapping()[level.upper()]
    log: FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(stream or sys.stderr),
        processors=[*_processors(), structlog.processors.JSONRenderer(serializer=_json)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
    )
    return log


def log_of_libraries(level: str, stream: TextIO | None = None) -> None:
    """Send what the server and libraries log to the same stream in the same form."""
    number = logging.getLevelNamesMapping()[level.upper()]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                *_processors(),
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_json),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(number, logging.WARNING))
    logging.getLogger("uvicorn").setLevel(number)


def place_of_exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace an exception by its type and where it came from.

    Its message stays out of the log: a database's quotes the values of the query.
    """
    found = event.pop("exc_info", None)
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["error"] = type(error).__qualname__
        event["where"] = where_of(error)
        if error.__cause__ is not None:
            event["cause"] = type(error.__cause__).__qualname__
            event["cause_where"] = where_of(error.__cause__)
    return event


def where_of(error: BaseException) -> list[str]:
    """Return the innermost calls of an exception, as module, line and function."""
    return [
        f"{frame.f_globals.get('__name__', '?')}:{line} {frame.f_code.co_name}"
        for frame, line in list(traceback.walk_tb(error.__traceback__))[-_FRAMES:]
    ]


def _processors() -> list[Processor]:
    return [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        place_of_exception,
    ]


def _json(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()
