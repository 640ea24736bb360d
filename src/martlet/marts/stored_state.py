"""What the store says of one tenant: a single object, so that readers see one whole state."""

import json
import secrets
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from martlet.marts.errors import MartDamagedError
from martlet.marts.versions import is_version

FORM = 1


class StoredVersion(BaseModel):
    """One uploaded file. `file` is the object's name; `rows` by semantic model."""

    model_config = ConfigDict(frozen=True)

    file: str = Field(pattern=r"^v[0-9]{8}T[0-9]{12}-[0-9a-f]{16}\.duckdb$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0)
    rows: dict[str, int] = {}


class StoredState(BaseModel):
    """Which version is current, which are kept, and the digests of those that were rolled back.

    `nonce` differs from one writing to the next: no state ever looks like an earlier one.
    """

    model_config = ConfigDict(frozen=True)

    form: int = FORM
    nonce: str = ""
    current: str | None = None
    versions: dict[str, StoredVersion] = {}
    withdrawn: dict[str, str] = {}

    @classmethod
    def read(cls, body: bytes, where: str) -> Self:
        """Return what an object says; raises `MartDamagedError` where that cannot be used."""
        try:
            form = json.loads(body).get("form")
            if isinstance(form, int) and form > FORM:
                raise MartDamagedError(
                    f"the state of form {form} was written by a newer Martlet",
                    where=where,
                    remedy="use the newer program here, too",
                )
            state = cls.model_validate_json(body)
        except (ValueError, AttributeError, ValidationError) as error:
            raise MartDamagedError(
                f"the state of what is published cannot be read: {str(error).splitlines()[0]}",
                where=where,
                remedy="put an earlier copy of the object in its place",
            ) from error
        named = {*state.versions, *state.withdrawn, *filter(None, [state.current])}
        if not all(map(is_version, named)) or (
            state.current is not None and state.current not in state.versions
        ):
            raise MartDamagedError(
                "the state of what is published names no version",
                where=where,
                remedy="put an earlier copy of the object in its place",
            )
        return state

    def changed(self, **values: Any) -> "StoredState":
        """Return a state that differs in `values`, and in its nonce."""
        return self.model_copy(update={**values, "nonce": secrets.token_hex(8)})

    def as_bytes(self) -> bytes:
        return self.model_dump_json().encode()
