"""Our own and the libraries' static files: read once, addressed by their content, kept for long."""

import gzip
import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_OWN = Path(__file__).parent / "static"
_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
# What of the packages in `node_modules` is served, and under which name.
VENDORED = {
    "vendor/htmx.min.js": "htmx.org/dist/htmx.min.js",
    "vendor/echarts.min.js": "echarts/dist/echarts.common.min.js",
}
OWN = frozenset({"app.css", "app.js", "charts.js", "icon.svg"})
_FOR_LONG = "public, max-age=31536000, immutable"
_FOR_NOW = "public, max-age=300"


@dataclass(frozen=True)
class Asset:
    """One file; `digest` is in its address, so that a new content has a new one."""

    content: bytes
    packed: bytes
    media: str
    digest: str


class Assets:
    """The static files by name; `node_modules` is where the set-up has put the libraries."""

    def __init__(self, node_modules: Path) -> None:
        self._paths = {name: _OWN / name for name in OWN}
        self._paths |= {name: node_modules / path for name, path in VENDORED.items()}
        self._read: dict[str, Asset] = {}
        self._lock = threading.Lock()

    def address(self, name: str) -> str | None:
        """Return where a file is served; None for a library that the set-up has not installed."""
        asset = self._asset(name)
        return f"/static/{name}?v={asset.digest}" if asset else None

    async def serve(self, request: Request) -> Response:
        """Answer a request for a file; only those that are listed exist."""
        request.scope["route"] = SimpleNamespace(path="/static/{name}")
        asset = self._asset(request.path_params["name"])
        if asset is None:
            raise HTTPException(404)
        is_exact = request.query_params.get("v") == asset.digest
        headers = {
            "Cache-Control": _FOR_LONG if is_exact else _FOR_NOW,
            "ETag": f'"{asset.digest}"',
            "Vary": "Accept-Encoding",
        }
        if request.headers.get("if-none-match") == f'"{asset.digest}"':
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(asset.packed, headers=headers, media_type=asset.media)
        return Response(asset.content, headers=headers, media_type=asset.media)

    def _asset(self, name: str) -> Asset | None:
        known = self._read.get(name)
        path = self._paths.get(name)
        if known or path is None:
            return known
        with self._lock:
            if name not in self._read and path.is_file():
                content = path.read_bytes()
                self._read[name] = Asset(
                    content=content,
                    packed=gzip.compress(content, 6, mtime=0),
                    media=_TYPES[name.rpartition(".")[2]],
                    digest=hashlib.sha256(content).hexdigest()[:16],
                )
        return self._read.get(name)
