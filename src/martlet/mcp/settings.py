"""Under which names this server may be addressed, and at which address others find it."""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from martlet.errors import BadInputError

PUBLIC_URL = "MARTLET_PUBLIC_URL"
ALLOWED_HOSTS = "MARTLET_ALLOWED_HOSTS"
ALLOWED_ORIGINS = "MARTLET_ALLOWED_ORIGINS"
_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9]([a-z0-9._-]{0,252}[a-z0-9])?)(:[0-9]{1,5})?")
_ORIGIN = re.compile(rf"https?://{_HOST.pattern}")
_LOCAL = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class McpSettings:
    """`public_url` has no slash at its end; hosts are names, with a port where only that counts."""

    public_url: str | None = None
    allowed_hosts: frozenset[str] = frozenset(_LOCAL)
    allowed_origins: frozenset[str] = frozenset()

    def reached_at(self, address: str) -> "McpSettings":
        """Return the settings of a server that listens on an address; one for all adds none."""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return self._also(address.lower())
        if found.is_unspecified:
            return self
        return self._also(f"[{found}]" if found.version == 6 else str(found))

    def serves(self, host: str) -> bool:
        """Say whether a Host header names this server: a page elsewhere can make one that does not.

        That page's name may lead here, but a browser sends the name as the page's address has it.
        """
        named = _HOST.fullmatch(host.lower())
        return named is not None and bool({named[0], named[1]} & self.allowed_hosts)

    def takes(self, origin: str) -> bool:
        """Say whether a page of this origin may ask: one of ours, or one that is allowed."""
        origin = origin.lower()
        if origin in self.allowed_origins:
            return True
        named = _ORIGIN.fullmatch(origin)
        return named is not None and self.serves(origin.partition("://")[2])

    def _also(self, *hosts: str) -> "McpSettings":
        return McpSettings(self.public_url, self.allowed_hosts.union(hosts), self.allowed_origins)


def mcp_settings(environ: Mapping[str, str]) -> McpSettings:
    """Return what the variables ask for; an empty one counts as unset.

    Raises `BadInputError` naming the variable.
    """
    public = environ.get(PUBLIC_URL, "").strip().rstrip("/") or None
    hosts = [host.lower() for host in _listed(environ.get(ALLOWED_HOSTS, ""))]
    origins = [origin.lower().rstrip("/") for origin in _listed(environ.get(ALLOWED_ORIGINS, ""))]
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise _bad(ALLOWED_HOSTS, host, "names of hosts, such as marts.example.com")
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise _bad(ALLOWED_ORIGINS, origin, "origins, such as https://agents.example.com")
    if public:
        if not _ORIGIN.fullmatch(public.lower()):
            raise _bad(PUBLIC_URL, public, "an address without a path: https://marts.example.com")
        public = public.lower()
        hosts.append(urlsplit(public).netloc)
    return McpSettings(public, frozenset((*_LOCAL, *hosts)), frozenset(origins))


def _listed(text: str) -> Iterable[str]:
    return (part.strip() for part in text.split(",") if part.strip())


def _bad(variable: str, stated: str, expected: str) -> BadInputError:
    return BadInputError(
        f"{stated!r} cannot be used",
        where=f"environment {variable}",
        remedy=f"give {expected}, or unset it",
    )
