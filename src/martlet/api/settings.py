"""How much the HTTP door takes in, gives out and does at once, as the environment says."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from martlet.access.rates import RateSettings, rate_settings
from martlet.access.tokens import TokenSettings, token_settings
from martlet.errors import BadInputError
from martlet.settings import size_in_bytes


@dataclass(frozen=True)
class ServingSettings:
    """What one server allows itself; numbers and sizes have a variable each, see `VARIABLES`."""

    max_body_bytes: int = 256 * 2**10
    max_answer_bytes: int = 64 * 2**20
    max_query_seconds: float = 30.0
    query_slots: int = 16
    observability_slots: int = 4
    tenant_threads: int = 2
    tenant_memory: str = "2GB"
    open_tenants: int = 64
    shutdown_seconds: int = 10
    rates: RateSettings = field(default_factory=RateSettings)
    tokens: TokenSettings | None = None
    traces_endpoint: str | None = None
    log_level: str = "info"


VARIABLES = {
    "MARTLET_MAX_BODY_BYTES": "max_body_bytes",
    "MARTLET_MAX_ANSWER_BYTES": "max_answer_bytes",
    "MARTLET_MAX_QUERY_SECONDS": "max_query_seconds",
    "MARTLET_QUERY_SLOTS": "query_slots",
    "MARTLET_OBSERVABILITY_SLOTS": "observability_slots",
    "MARTLET_TENANT_THREADS": "tenant_threads",
    "MARTLET_TENANT_MEMORY": "tenant_memory",
    "MARTLET_OPEN_TENANTS": "open_tenants",
    "MARTLET_SHUTDOWN_SECONDS": "shutdown_seconds",
}


def load_serving_settings(environ: Mapping[str, str]) -> ServingSettings:
    """Return the settings that the variables ask for; an empty one counts as unset.

    Raises `BadInputError` naming the variable.
    """
    defaults = ServingSettings()
    kinds = {each.name: type(getattr(defaults, each.name)) for each in fields(defaults)}
    chosen: dict[str, Any] = {
        "rates": rate_settings(environ),
        "tokens": token_settings(environ),
        "traces_endpoint": environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip() or None,
    }
    for variable, name in VARIABLES.items():
        stated = environ.get(variable, "").strip()
        if stated:
            chosen[name] = _read(variable, stated, kinds[name])
    return ServingSettings(**chosen)


def _read(variable: str, stated: str, kind: type) -> int | float | str:
    if kind is str:
        return _memory(variable, stated) if variable.endswith("_MEMORY") else stated
    if variable.endswith("_BYTES"):
        return _at_least_one(variable, stated, size_in_bytes(stated))
    try:
        number = float(stated) if kind is float else int(stated)
    except ValueError:
        number = None
    return _at_least_one(variable, stated, number)


def _memory(variable: str, stated: str) -> str:
    _at_least_one(variable, stated, size_in_bytes(stated))
    return stated


def _at_least_one(variable: str, stated: str, number: float | None) -> float:
    # Written so that NaN is refused too.
    if number is not None and 1 <= number <= 10**12:
        return number
    example = "262144, 256KiB or 1MB" if variable.endswith(("_BYTES", "_MEMORY")) else "16"
    raise BadInputError(
        f"{variable} is {stated!r}",
        where="environment",
        remedy=f"set it to a number from 1 on, such as {example}, or unset it",
    )
