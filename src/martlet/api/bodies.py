"""Takes a JSON body in, no more of it than allowed."""

from typing import Any

from starlette.requests import Request

from martlet.api.json_input import read_json
from martlet.api.problems import ProblemError


async def json_body(request: Request, limit: int) -> Any:
    """Return the value of a JSON body; raises `ProblemError` 413 or 415, `MalformedJsonError`."""
    require_json(request)
    return read_json(await limited_body(request, limit))


def require_json(request: Request) -> None:
    """Raise `ProblemError` 415 for a body that does not say that it is JSON."""
    media, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if media.strip().lower() != "application/json":
        said = "send the header Content-Type: application/json"
    elif charset not in {"", "utf-8", "utf8"}:
        said = "JSON is UTF-8 and takes no other charset"
    elif coding != "identity":
        said = "send the body as it is, without a Content-Encoding"
    else:
        return
    raise ProblemError("unsupported_media_type", said, headers={"Accept": "application/json"})


async def limited_body(request: Request, limit: int) -> bytes:
    """Return the body; raises `ProblemError` 413 at the limit, also without a stated length."""
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and len(stated) < 20 and int(stated) > limit:
        raise _too_large(limit)
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > limit:
            raise _too_large(limit)
    return bytes(content)


def _too_large(limit: int) -> ProblemError:
    return ProblemError("body_too_large", f"a body may have {limit:,} bytes")
