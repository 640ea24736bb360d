"""Whose tokens are taken, as the environment says; and what the reference says of it."""

from typing import get_args

import pytest

from martlet.access.errors import Reason
from martlet.access.rates import PER_KEY, PER_TENANT, RateSettings
from martlet.access.scopes import SCOPES
from martlet.access.tokens import VARIABLES, Algorithm, TokenSettings, token_settings
from martlet.errors import BadInputError
from tests.project import REPOSITORY

ISSUER = "https://login.example.com/"
AUDIENCE = "martlet"


def test_without_any_variable_no_token_is_taken() -> None:
    assert token_settings({}) is None
    assert token_settings({"MARTLET_JWT_ISSUER": " ", "MARTLET_HOME": "x"}) is None


def test_the_environment_says_whose_tokens_are_taken() -> None:
    least = {"MARTLET_JWT_ISSUER": ISSUER, "MARTLET_JWT_AUDIENCE": AUDIENCE}

    default = token_settings(least)
    stated = token_settings(
        least
        | {
            "MARTLET_JWT_JWKS_URL": "http://localhost:8080/keys",
            "MARTLET_JWT_ALGORITHM": "EdDSA",
            "MARTLET_JWT_TENANT_CLAIM": "tenant",
            "MARTLET_JWT_ALLOW_ADMIN": "True",
        }
    )

    assert default == TokenSettings(ISSUER, AUDIENCE, f"{ISSUER}.well-known/jwks.json")
    assert stated == TokenSettings(
        ISSUER, AUDIENCE, "http://localhost:8080/keys", "EdDSA", "tenant", True
    )


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"ISSUER": ""}, "MARTLET_JWT_ISSUER"),
        ({"AUDIENCE": ""}, "MARTLET_JWT_AUDIENCE"),
        ({"ISSUER": "login.example.com"}, "MARTLET_JWT_ISSUER"),
        ({"ISSUER": "http://login.example.com"}, "https"),
        ({"JWKS_URL": "file:///etc/passwd"}, "MARTLET_JWT_JWKS_URL"),
        ({"JWKS_URL": "https://user:hunter2@example.com/"}, "MARTLET_JWT_JWKS_URL"),
        ({"JWKS_URL": "https://[::1/"}, "MARTLET_JWT_JWKS_URL"),
        ({"JWKS_URL": "https://example.com:port/"}, "MARTLET_JWT_JWKS_URL"),
        ({"ALGORITHM": "HS256"}, "RS256"),
        ({"ALGORITHM": "none"}, "ES256"),
        ({"ALGORITHM": "RS256,HS256"}, "RS256"),
        ({"ALLOW_ADMIN": "yes"}, "neither true nor false"),
        ({"AUDIENCES": "x"}, "valid: MARTLET_JWT_ISSUER, "),
    ],
)
def test_a_mistake_in_the_environment_is_named_and_opens_nothing(
    variables: dict[str, str], told: str
) -> None:
    environ = {"MARTLET_JWT_ISSUER": ISSUER, "MARTLET_JWT_AUDIENCE": AUDIENCE}
    environ |= {f"MARTLET_JWT_{name}": value for name, value in variables.items()}

    with pytest.raises(BadInputError, match=told) as error:
        token_settings(environ)

    assert "hunter2" not in str(error.value)


def test_the_reference_names_every_scope_variable_algorithm_reason_and_default() -> None:
    page = (REPOSITORY / "docs" / "reference" / "access.md").read_text(encoding="utf-8")
    rates = RateSettings()

    for name in (*SCOPES, *VARIABLES, *get_args(Reason), PER_KEY, PER_TENANT):
        assert f"`{name}`" in page, name
    for text in (*get_args(Algorithm), rates.per_key, rates.per_tenant):
        assert text in page, text
