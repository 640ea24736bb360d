"""Random numbers that depend on what is simulated, never on when or in which order it is asked."""

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray


def _digest(parts: tuple[object, ...], size: int) -> bytes:
    joined = "\x1f".join(str(part) for part in parts)
    return blake2b(joined.encode(), digest_size=size).digest()


def stream(seed: int, tenant: str, domain: str, *place: object) -> np.random.Generator:
    """Return the generator of one place: a platform, a connection, and a day or a named block."""
    key = _digest((seed, tenant, domain, *place), 16)
    words: NDArray[np.uint64] = np.frombuffer(key, dtype="<u8").astype(np.uint64)
    return np.random.Generator(np.random.Philox(key=words))


def stable_number(*parts: object, below: int) -> int:
    """Return the same whole number in [0, below) for the same parts, in every process."""
    return int.from_bytes(_digest(parts, 8), "little") % below


def scrambled(numbers: NDArray[np.int64], salt: int) -> NDArray[np.uint64]:
    """Map each number to 64 well-mixed bits: attributes of entities too many to draw one by one."""
    mixed = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(salt % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
