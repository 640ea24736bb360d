"""Tenants shared out over machines: each is in exactly one shard, and stays in it."""

import re
from dataclasses import dataclass
from hashlib import blake2b

from martlet.errors import BadInputError

# A tenant's shard is found by trying each of them.
MOST = 4_096


@dataclass(frozen=True)
class Shard:
    """One of `count` shards; numbers begin with 1."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def has(self, slug: str) -> bool:
        """Say whether a tenant is in this shard.

        It depends on the slug and the count alone. With one shard more, only the tenants move that
        the new one gets; whoever stays finds what its machine has kept of it.
        """
        return max(range(1, self.count + 1), key=lambda n: _weight(slug, n)) == self.number


def read_shard(text: str) -> Shard:
    """Read `2/4`, the second of four. Raises `BadInputError` for what is no shard."""
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text.strip(), re.ASCII)
    if not found:
        raise _bad(
            text, "is no shard", "write it as NUMBER/COUNT: --shard 1/4 is the first of four"
        )
    number, count = int(found[1]), int(found[2])
    if not 1 <= count <= MOST:
        raise _bad(text, f"has {count} shards", f"give between 1 and {MOST:,} of them")
    if not 1 <= number <= count:
        nearest = f"{min(max(number, 1), count)}/{count}"
        remedy = f"numbers go from 1 to the count: the nearest is --shard {nearest}"
        raise _bad(text, f"is none of {count} shards", remedy)
    return Shard(number, count)


def _bad(text: str, what: str, remedy: str) -> BadInputError:
    return BadInputError(f"{text!r} {what}", where="--shard", remedy=remedy)


def _weight(slug: str, number: int) -> bytes:
    return blake2b(f"{slug}\n{number}".encode(), digest_size=8).digest()
