"""The alert channels of tenants.yaml: a closed vocabulary, and never a secret."""

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from martlet.config.alerts import AlertKind
from martlet.config.catalogue import Catalogue, load_catalogue
from martlet.config.tenants import TenantsFile, load_tenants
from martlet.errors import BadInputError
from martlet.pipeline.findings import FindingKind
from tests.project import REPOSITORY


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(REPOSITORY / "supported_connectors.yaml")


def channel(name: str, **more: Any) -> dict[str, Any]:
    return {"channel": name, "url_env": f"MARTLET_ALERT_URL_{name.upper()}", **more}


def configured(
    folder: Path,
    catalogue: Catalogue,
    *operators: Any,
    acme: Any = None,
) -> TenantsFile:
    tenant = {"name": "Acme", "reporting_timezone": "UTC", "currency": "EUR", "alerts": acme or []}
    path = folder / "tenants.yaml"
    path.write_text(yaml.safe_dump({"alerts": list(operators), "tenants": {"acme": tenant}}))
    return load_tenants(path, catalogue)


def test_channels_may_want_exactly_the_kinds_that_runs_find() -> None:
    assert get_args(AlertKind) == get_args(FindingKind)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"url_env": "json://host/secret"}, "must match"),
        ({"url_env": "AWS_SECRET_ACCESS_KEY"}, "must match"),
        ({"kinds": ["audits"]}, "did you mean 'audit'?"),
        ({"kinds": []}, "remove the key to get all kinds"),
        ({"kinds": ["audit", "audit"]}, "listed twice"),
        ({"digest": "weekly"}, "not a valid choice"),
        ({"url": "json://host"}, "unknown key"),
        ({"channel": "Ops"}, "did you mean 'ops'?"),
    ],
)
def test_a_mistake_in_a_channel_is_named_with_its_place(
    tmp_path: Path, catalogue: Catalogue, entry: dict[str, Any], reason: str
) -> None:
    for place in ("alerts[0]", "tenants.acme.alerts[0]"):
        mistaken = [{**channel("ops"), **entry}]
        operators, acme = (mistaken, []) if place == "alerts[0]" else ([], mistaken)

        with pytest.raises(BadInputError) as caught:
            configured(tmp_path, catalogue, *operators, acme=acme)

        assert f"{place}." in str(caught.value)
        assert reason in str(caught.value)


def test_two_channels_of_one_name_are_refused(tmp_path: Path, catalogue: Catalogue) -> None:
    with pytest.raises(BadInputError, match=r"alerts\[1\].channel.*another channel above"):
        configured(tmp_path, catalogue, channel("ops"), channel("ops"))
    with pytest.raises(BadInputError, match=r"tenants.acme.alerts\[1\].channel"):
        configured(tmp_path, catalogue, acme=[channel("ops"), channel("ops")])


def test_channels_do_not_change_what_is_generated_for_a_tenant(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    without = configured(tmp_path, catalogue)
    with_channel = configured(tmp_path, catalogue, channel("ops"), acme=[channel("team")])

    assert with_channel.digest("acme") == without.digest("acme")
    assert with_channel.tenant_json("acme") == without.tenant_json("acme")


def test_alerts_that_are_no_list_are_refused(tmp_path: Path, catalogue: Catalogue) -> None:
    path = tmp_path / "tenants.yaml"
    path.write_text("alerts: ops\ntenants: {}\n")

    with pytest.raises(BadInputError, match="alerts: value 'ops': must be a list of channels"):
        load_tenants(path, catalogue)
