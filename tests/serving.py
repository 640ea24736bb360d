"""An application on a real port, for as long as a test needs it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI

from martlet.api.server import address_of, listening_socket, server_of


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an application in a thread; give its address."""
    listening = listening_socket("127.0.0.1", 0)
    server = server_of(app, shutdown_seconds=5)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.started
    try:
        yield address_of(listening)
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        assert not thread.is_alive()
