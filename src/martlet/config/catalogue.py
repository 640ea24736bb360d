"""The connectors that tenants may enable, from `supported_connectors.yaml`."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from martlet import naming
from martlet.config.problems import (
    DERIVED,
    NOT_A_MAPPING,
    ConfigModel,
    Location,
    Problem,
    bad_file,
    problems_of,
    refuse,
    top_level_problems,
)
from martlet.config.text import Slug, Slugs, Text
from martlet.config.yaml_reader import read_yaml
from martlet.errors import BadInputError, nearest

Domain = Literal["paid_ads", "ecommerce", "analytics"]


class Connector(ConfigModel):
    """One data source: whose API it is, and the objects it delivers."""

    name: Slug = Field(json_schema_extra=DERIVED)
    label: Text
    domain: Domain
    api: Slug
    api_version: str = Field(pattern=r"^v[1-9][0-9]*$", strict=True)
    master_model_id: Slug
    objects: Slugs = Field(min_length=1)

    @model_validator(mode="after")
    def _name_the_master_after_the_api(self) -> "Connector":
        expected = f"{self.api}_api_{self.api_version}"
        if self.master_model_id != expected:
            raise refuse(
                f"master_model_id {self.master_model_id!r} does not follow from api and "
                f"api_version; did you mean {expected!r}?"
            )
        return self


class Catalogue(ConfigModel):
    """All connectors, in the order of the file."""

    connectors: dict[str, Connector]

    def connector(self, name: str) -> Connector:
        """Return the connector; raises `BadInputError` with the nearest name."""
        found = self.connectors.get(name)
        if found is None:
            raise BadInputError(
                f"unknown connector {name!r}; {nearest(name, self.connectors)}",
                remedy="choose a connector of supported_connectors.yaml",
            )
        return found

    def master_models(self) -> tuple[tuple[str, str], ...]:
        """Return each (master model id, object) once; connectors may share them."""
        return tuple(
            dict.fromkeys(
                (connector.master_model_id, object_)
                for connector in self.connectors.values()
                for object_ in connector.objects
            )
        )


def load_catalogue(path: Path) -> Catalogue:
    """Return the catalogue; raises one `BadInputError` that lists all problems of the file."""
    document = read_yaml(path)
    problems = top_level_problems(document, ("version", "connectors"))
    stanzas = document.get("connectors")
    if not isinstance(stanzas, dict) or not stanzas:
        problems.append(Problem(("connectors",), "must be a mapping of connectors to their facts"))
        raise bad_file(path, problems)
    connectors: dict[str, Connector] = {}
    for name, stanza in stanzas.items():
        connector = _read_connector(name, stanza, problems)
        if connector is not None:
            connectors[name] = connector
    problems += _sharing_problems(connectors) + _name_problems(connectors)
    if problems:
        raise bad_file(path, problems)
    return Catalogue(connectors=connectors)


def _read_connector(name: str, stanza: Any, problems: list[Problem]) -> Connector | None:
    location: Location = ("connectors", name)
    bad_slug = naming.slug_problem(name)
    if bad_slug:
        problems.append(Problem(location, bad_slug, name))
    if not isinstance(stanza, dict):
        problems.append(Problem(location, NOT_A_MAPPING, stanza))
        return None
    if "name" in stanza:
        problems.append(Problem((*location, "name"), "unknown key; the name is the key above"))
    try:
        # The name's own problem is told above, so a bad one is not validated again.
        return Connector.model_validate({**stanza, "name": "unnamed" if bad_slug else name})
    except ValidationError as error:
        problems += problems_of(error, Connector, location)
        return None


def _sharing_problems(connectors: dict[str, Connector]) -> list[Problem]:
    """Connectors that share a master model write the same objects into it."""
    problems = []
    first: dict[str, tuple[str, Connector]] = {}
    for name, connector in connectors.items():
        other_name, other = first.setdefault(connector.master_model_id, (name, connector))
        for field in ("objects", "domain"):
            mine, theirs = getattr(connector, field), getattr(other, field)
            if field == "objects":
                mine, theirs = sorted(mine), sorted(theirs)
            if mine != theirs:
                reason = (
                    f"differs from {other_name!r}, with which it shares "
                    f"{connector.master_model_id!r}: {theirs!r}"
                )
                problems.append(Problem(("connectors", name, field), reason, mine))
    return problems


def _name_problems(connectors: dict[str, Connector]) -> list[Problem]:
    """Two objects must never get one model name ('a_b' + 'c' and 'a' + 'b_c')."""
    problems = []
    owners: dict[str, tuple[str, str]] = {}
    for name, connector in connectors.items():
        for object_ in connector.objects:
            made = {
                naming.master_model(connector.master_model_id, object_): connector.master_model_id,
                naming.staging_model("tenant", name, object_): name,
            }
            for model, prefix in made.items():
                owner = owners.setdefault(model, (prefix, object_))
                if owner != (prefix, object_):
                    reason = f"its model {model!r} would also be that of {owner[0]!r}, {owner[1]!r}"
                    problems.append(Problem(("connectors", name, "objects"), reason, object_))
    return problems
