"""Serves an application on an address until a signal ends it."""

import signal
import socket
from types import FrameType

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from martlet.api.observer import REQUEST_ID, new_request_id
from martlet.api.problems import MEDIA_TYPE, problem_document
from martlet.errors import BadInputError

# A question in an address may be as long as this, all headers included.
MAX_HEAD_BYTES = 64 * 2**10
# Longer than balancers and client pools keep a connection that rests: whoever closes first must not
# be the server, or a request that is on its way meets a closed door.
KEEP_ALIVE_SECONDS = 75
_BACKLOG = 512


class ProblemProtocol(H11Protocol):
    """Answers what is no HTTP with a problem, too: it never reaches the application."""

    def send_400_response(self, msg: str) -> None:
        request_id = new_request_id()
        body = problem_document("malformed_request", msg, request_id)
        head = (
            "HTTP/1.1 400 Bad Request\r\n"
            f"Content-Type: {MEDIA_TYPE}\r\n"
            f"Content-Length: {len(body)}\r\n"
            f"{REQUEST_ID}: {request_id}\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            "Cache-Control: no-store\r\n"
            "Connection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the address; raises `BadInputError` where that fails."""
    where = f"--host {host} --port {port}"
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise BadInputError(
            f"there is no host {host!r}: {error}",
            where=where,
            remedy="name an address of this machine",
        ) from error
    family, kind, protocol, _, address = found[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise BadInputError(
            f"cannot listen there: {error.strerror or error}",
            where=where,
            remedy="choose another --port, or end the program that uses it",
        ) from error
    return listening


def address_of(listening: socket.socket) -> str:
    """Return the address as a URL; where port 0 was asked for, with the port that was given."""
    host, port, *_ = listening.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def server_of(app: ASGIApp, shutdown_seconds: int) -> uvicorn.Server:
    """Return a server that is not running yet."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=ProblemProtocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,  # the observer writes a line for each request
            proxy_headers=False,
            server_header=False,
            h11_max_incomplete_event_size=MAX_HEAD_BYTES,
            timeout_graceful_shutdown=shutdown_seconds,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
    )


def serve(app: ASGIApp, listening: socket.socket, *, shutdown_seconds: int) -> None:
    """Serve until SIGINT or SIGTERM; requests that run may end, new ones are not taken."""
    server = server_of(app, shutdown_seconds)
    before = {number: signal.signal(number, _ignored) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run(sockets=[listening])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignored(_: int, __: FrameType | None) -> None:
    """Take the signal that the server gives again after it has ended well."""
