"""Tokens: only what the configured issuer signed, for us, now and for a tenant, lets anybody in."""

import base64
import hashlib
import hmac
import json
import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from martlet.access import jwks
from martlet.access.authentication import authenticate
from martlet.access.errors import AccessDeniedError
from martlet.access.jwks import KeySet, KeysUnavailableError
from martlet.access.keys import KeyStore
from martlet.access.tokens import TokenSettings, TokenVerifier

ISSUER = "https://login.example.com/"
AUDIENCE = "martlet"


class Issuer:
    """An HTTP server with a key set that tests change, and what it was asked."""

    def __init__(self) -> None:
        self.document: Any = {"keys": []}
        self.status = 200
        self.location: str | None = None
        self.wait = threading.Event()
        self.wait.set()
        self.requests = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks.json"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.requests += 1
                issuer.wait.wait(10)
                body = issuer.document
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(issuer.status)
                if issuer.location:
                    self.send_header("Location", issuer.location)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                try:
                    self.wfile.write(content)
                except OSError:  # the other side has hung up
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                return

        return Handler


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    monkeypatch.setenv("no_proxy", "*")
    issuer = Issuer()
    yield issuer
    issuer.wait.set()
    issuer.server.shutdown()
    issuer.server.server_close()


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def published(key: Any, kid: str = "one", **more: Any) -> dict[str, Any]:
    """Return the public part of a key as an issuer's key set lists it."""
    algorithm: Any = jwt.algorithms.OKPAlgorithm
    if isinstance(key, rsa.RSAPrivateKey):
        algorithm = jwt.algorithms.RSAAlgorithm
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        algorithm = jwt.algorithms.ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, **more}


def signed(key: Any, algorithm: str = "RS256", kid: str | None = "one", **changes: Any) -> str:
    """Return a token that is right in all but the `changes`; None leaves a claim out."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "exp": time.time() + 300,
        "sub": "ann@example.com",
        "martlet_tenant": "acme",
        "scope": "openid query",
    } | changes
    stated = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(stated, key, algorithm, headers={"kid": kid} if kid else None)


def settings_for(issuer: Issuer, **changes: Any) -> TokenSettings:
    return replace(TokenSettings(ISSUER, AUDIENCE, issuer.url), **changes)


def reason(verifier: TokenVerifier, token: str) -> str:
    with pytest.raises(AccessDeniedError) as denied:
        verifier.verify(token)
    return denied.value.reason


@pytest.fixture
def verifier(issuer: Issuer, rsa_key: rsa.RSAPrivateKey) -> TokenVerifier:
    issuer.document = {"keys": [published(rsa_key)]}
    return TokenVerifier(settings_for(issuer))


def test_a_right_token_gives_its_tenant_and_our_scopes(
    verifier: TokenVerifier, rsa_key: rsa.RSAPrivateKey, tmp_path: Path
) -> None:
    token = signed(rsa_key, scope="openid query pii admin", aud=["other", AUDIENCE])

    principal = authenticate(token, KeyStore(tmp_path / "control.sqlite"), verifier)

    assert (principal.tenant, principal.scopes) == ("acme", {"query", "pii"})
    assert principal.key_id is None
    assert principal.subject == "ann@example.com"


def test_who_a_token_speaks_for_is_told_apart_without_a_personal_name(
    verifier: TokenVerifier, rsa_key: rsa.RSAPrivateKey
) -> None:
    ann, bob = (verifier.verify(signed(rsa_key, sub=name)) for name in ("ann@x.com", "bob@x.com"))

    assert ann.caller != bob.caller
    assert ann.caller == verifier.verify(signed(rsa_key, sub="ann@x.com")).caller
    assert "ann" not in ann.caller + repr(ann)


@pytest.mark.parametrize(
    ("algorithm", "make"),
    [
        ("PS256", lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        ("ES256", lambda: ec.generate_private_key(ec.SECP256R1())),
        ("ES384", lambda: ec.generate_private_key(ec.SECP384R1())),
        ("EdDSA", ed25519.Ed25519PrivateKey.generate),
    ],
)
def test_each_algorithm_takes_its_own_tokens_only(
    issuer: Issuer, rsa_key: rsa.RSAPrivateKey, algorithm: str, make: Callable[[], Any]
) -> None:
    key = make()
    issuer.document = {"keys": [published(rsa_key, "rsa"), published(key)]}
    verifier = TokenVerifier(settings_for(issuer, algorithm=algorithm))

    assert verifier.verify(signed(key, algorithm)).tenant == "acme"
    assert reason(verifier, signed(rsa_key, "RS256", "rsa")) == "invalid_token"


def test_an_operator_comes_in_by_token_only_where_that_is_allowed(
    issuer: Issuer, verifier: TokenVerifier, rsa_key: rsa.RSAPrivateKey
) -> None:
    allowing = TokenVerifier(settings_for(issuer, allow_admin=True))
    token = signed(rsa_key, scope="admin")

    assert not verifier.verify(token).may_reach("globex")
    assert allowing.verify(token).may_reach("globex")
    assert not allowing.verify(token).may("pii")


@pytest.mark.parametrize("scope", [None, "", "openid", ["query"], 1, "Query query,pii"])
def test_a_token_without_our_scopes_may_nothing(
    verifier: TokenVerifier, rsa_key: rsa.RSAPrivateKey, scope: object
) -> None:
    assert verifier.verify(signed(rsa_key, scope=scope)).scopes == frozenset()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"aud": "another"}, "invalid_token"),
        ({"aud": None}, "invalid_token"),
        ({"aud": []}, "invalid_token"),
        ({"iss": "https://evil.example.com/"}, "invalid_token"),
        ({"iss": ISSUER.rstrip("/")}, "invalid_token"),
        ({"iss": None}, "invalid_token"),
        ({"exp": None}, "invalid_token"),
        ({"exp": "soon"}, "invalid_token"),
        ({"exp": float("inf")}, "invalid_token"),
        ({"sub": 7}, "invalid_token"),
        ({"exp": 1}, "expired_token"),
        ({"nbf": 4_000_000_000}, "token_not_yet_valid"),
        ({"iat": 4_000_000_000}, "token_not_yet_valid"),
        ({"martlet_tenant": None}, "no_tenant_in_token"),
        ({"martlet_tenant": ""}, "no_tenant_in_token"),
        ({"martlet_tenant": "../acme"}, "no_tenant_in_token"),
        ({"martlet_tenant": "_operators"}, "no_tenant_in_token"),
        ({"martlet_tenant": "shared"}, "no_tenant_in_token"),
        ({"martlet_tenant": ["acme"]}, "no_tenant_in_token"),
    ],
)
def test_a_token_with_a_wrong_claim_is_refused(
    verifier: TokenVerifier, rsa_key: rsa.RSAPrivateKey, changes: dict[str, Any], told: str
) -> None:
    assert reason(verifier, signed(rsa_key, **changes)) == told


def test_clocks_may_differ_by_thirty_seconds(
    verifier: TokenVerifier, rsa_key: rsa.RSAPrivateKey
) -> None:
    now = time.time()

    assert verifier.verify(signed(rsa_key, exp=now - 25, nbf=now + 25))
    assert reason(verifier, signed(rsa_key, exp=now - 31)) == "expired_token"
    assert reason(verifier, signed(rsa_key, nbf=now + 35)) == "token_not_yet_valid"


def test_the_tenant_may_stand_in_another_claim(issuer: Issuer, rsa_key: rsa.RSAPrivateKey) -> None:
    issuer.document = {"keys": [published(rsa_key)]}
    verifier = TokenVerifier(settings_for(issuer, tenant_claim="https://example.com/tenant"))

    assert verifier.verify(signed(rsa_key, **{"https://example.com/tenant": "globex"})).tenant == (
        "globex"
    )


def encoded(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def test_a_forged_token_is_refused(verifier: TokenVerifier, rsa_key: rsa.RSAPrivateKey) -> None:
    header, claims, signature = signed(rsa_key).split(".")
    public = rsa_key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with_secret = f"{encoded({'alg': 'HS256', 'kid': 'one'})}.{claims}"
    mac = hmac.new(pem, with_secret.encode(), hashlib.sha256).digest()
    forged = {
        "no signature": f"{encoded({'alg': 'none', 'kid': 'one'})}.{claims}.",
        "none with the right signature": f"{encoded({'alg': 'none', 'kid': 'one'})}.{claims}.{signature}",
        "the public key as a secret": f"{with_secret}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}",
        "another key": signed(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        "an embedded key": jwt.encode({}, rsa_key, "RS256", headers={"jwk": published(rsa_key)}),
        "other claims": f"{header}.{encoded({'martlet_tenant': 'globex'})}.{signature}",
        "unknown critical header": jwt.encode(
            jwt.decode(signed(rsa_key), options={"verify_signature": False}),
            rsa_key,
            "RS256",
            headers={"kid": "one", "crit": ["exp"]},
        ),
        "no key id": signed(rsa_key, kid=None),
        "no object": f"{encoded({'alg': 'RS256', 'kid': 'one'})}.W10.{signature}",
        "deep": f"{base64.urlsafe_b64encode(b'[' * 5000).rstrip(b'=').decode()}.e30.e30",
        "long": f"{header}.{'A' * 9000}.{signature}",
        "one part": "abc",
        "not ASCII": "é.é.é",
        "lone surrogate": "\ud800.a.b",
        "empty": "",
    }

    told = {name: reason(verifier, token) for name, token in forged.items()}

    assert told == dict.fromkeys(forged, "invalid_token")


def test_keys_that_do_not_fit_the_pinned_algorithm_are_left_out(
    issuer: Issuer, rsa_key: rsa.RSAPrivateKey
) -> None:
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    issuer.document = {
        "keys": [
            "no object",
            {"kid": "broken", "kty": "RSA", "n": 5},
            {"kty": "oct", "kid": "secret", "k": "c2VjcmV0"},
            published(rsa_key, "for_encryption", use="enc"),
            published(rsa_key, "for_another", alg="RS512"),
            published(ec.generate_private_key(ec.SECP256R1()), "curve"),
            published(small, "small"),
            published(rsa_key, "good", use="sig", alg="RS256"),
        ]
    }
    verifier = TokenVerifier(settings_for(issuer))

    assert verifier.verify(signed(rsa_key, kid="good"))
    for kid in ("for_encryption", "for_another", "curve", "secret", "broken"):
        assert reason(verifier, signed(rsa_key, kid=kid)) == "invalid_token"
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        weak = signed(small, kid="small")
    assert reason(verifier, weak) == "invalid_token"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_keys_are_fetched_once_and_again_for_an_unknown_id_once_a_minute(
    issuer: Issuer, rsa_key: rsa.RSAPrivateKey
) -> None:
    clock = Clock()
    keys = KeySet(issuer.url, "RS256", clock=clock)
    issuer.document = {"keys": [published(rsa_key)]}

    for _ in range(5):
        assert keys.key("one")
    assert issuer.requests == 1
    issuer.document = {"keys": [published(rsa_key), published(rsa_key, "two")]}
    assert [keys.key(kid) for kid in ("two", "invented", "two")] == [None] * 3
    assert issuer.requests == 1
    clock.now += 60
    assert keys.key("two")
    assert issuer.requests == 2


def test_a_withdrawn_key_opens_nothing_after_ten_minutes(
    issuer: Issuer, rsa_key: rsa.RSAPrivateKey
) -> None:
    clock = Clock()
    keys = KeySet(issuer.url, "RS256", clock=clock)
    issuer.document = {"keys": [published(rsa_key)]}
    assert keys.key("one")

    issuer.document = {"keys": []}
    clock.now += 599
    assert keys.key("one")
    clock.now += 1

    assert keys.key("one") is None


def test_keys_outlive_an_issuer_that_is_down_for_an_hour_and_no_longer(
    issuer: Issuer, rsa_key: rsa.RSAPrivateKey
) -> None:
    clock = Clock()
    keys = KeySet(issuer.url, "RS256", clock=clock)
    issuer.document = {"keys": [published(rsa_key)]}
    assert keys.key("one")

    issuer.status = 503
    clock.now += 3599
    assert keys.key("one")
    assert keys.key("one")
    assert issuer.requests == 2
    clock.now += 1
    with pytest.raises(KeysUnavailableError):
        keys.key("one")
    issuer.status = 200
    clock.now += 5
    assert keys.key("one")


def test_a_known_key_waits_for_no_fetch_of_another_thread(
    issuer: Issuer, rsa_key: rsa.RSAPrivateKey
) -> None:
    clock = Clock()
    keys = KeySet(issuer.url, "RS256", clock=clock)
    issuer.document = {"keys": [published(rsa_key)]}
    assert keys.key("one")
    clock.now += 60
    issuer.wait.clear()
    fetching = threading.Thread(target=keys.key, args=("invented",))
    fetching.start()
    while issuer.requests < 2:
        time.sleep(0.005)

    clock.now += 600  # no longer fresh
    begun = time.monotonic()
    assert keys.key("one")
    assert time.monotonic() - begun < 1
    issuer.wait.set()
    fetching.join()


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 500},
        {"document": b"<html>"},
        {"document": b"\xff\xfe"},
        {"document": b"[" * 100_000},
        {"document": []},
        {"document": {"keys": "none"}},
        {"document": b'{"keys": []}' + b" " * jwks.MAX_BYTES},
        {"status": 302, "location": "/elsewhere"},
    ],
    ids=["error", "html", "bytes", "deep", "list", "text", "large", "redirect"],
)
def test_an_answer_that_is_no_key_set_makes_the_issuer_unavailable(
    issuer: Issuer, rsa_key: rsa.RSAPrivateKey, answer: dict[str, Any]
) -> None:
    vars(issuer).update(answer)
    verifier = TokenVerifier(settings_for(issuer))

    assert {reason(verifier, signed(rsa_key)) for _ in range(3)} == {"issuer_unavailable"}
    assert issuer.requests == 1


def test_an_issuer_that_does_not_answer_is_given_up(
    issuer: Issuer, rsa_key: rsa.RSAPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "TIMEOUT_SECONDS", 0.2)
    issuer.wait.clear()
    begun = time.monotonic()

    told = reason(TokenVerifier(settings_for(issuer)), signed(rsa_key))

    assert told == "issuer_unavailable"
    assert time.monotonic() - begun < 2


def test_no_part_of_a_token_is_in_an_error_or_a_log(
    verifier: TokenVerifier, rsa_key: rsa.RSAPrivateKey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = [repr(verifier)]
    tokens = [
        signed(rsa_key, exp=1),
        signed(rsa_key, aud="another"),
        signed(rsa_key, kid="invented"),
        signed(rsa_key, martlet_tenant=None),
    ]

    for token in tokens:
        with pytest.raises(AccessDeniedError) as denied:
            verifier.verify(token)
        told += [str(denied.value), *traceback.format_exception(denied.value)]

    text = "".join([*told, caplog.text])
    assert not [part for token in tokens for part in token.split(".") if part in text]
    assert "ann@example.com" not in text
    assert "invented" not in text


def test_without_an_issuer_a_token_opens_nothing(
    rsa_key: rsa.RSAPrivateKey, tmp_path: Path
) -> None:
    with pytest.raises(AccessDeniedError) as denied:
        authenticate(signed(rsa_key), KeyStore(tmp_path / "control.sqlite"), None)

    assert denied.value.reason == "tokens_not_configured"
