"""Rates: how often a caller, a tenant and a failing address may ask."""

import threading

import pytest

from martlet.access.principal import Principal
from martlet.access.rates import Rates, RateSettings, rate_settings
from martlet.errors import BadInputError


def caller(key_id: str, tenant: str = "acme") -> Principal:
    return Principal(tenant, frozenset({"query"}), key_id)


def test_a_key_is_admitted_as_often_as_it_may_ask_and_then_told_to_wait() -> None:
    rates = Rates(RateSettings(per_key="3/hour"))

    told = [rates.admit(caller("a")) for _ in range(5)]

    assert told[:3] == [None] * 3
    assert all(isinstance(wait, int) and 1 <= wait <= 3600 for wait in told[3:])


def test_one_key_takes_nothing_from_another_tenants_key() -> None:
    rates = Rates(RateSettings(per_key="1/hour", per_tenant="1/hour"))
    assert rates.admit(caller("a")) is None
    assert rates.admit(caller("a")) is not None

    assert rates.admit(caller("b", "globex")) is None


def test_the_keys_of_one_tenant_share_its_limit() -> None:
    rates = Rates(RateSettings(per_key="3/hour", per_tenant="4/hour"))

    admitted = [rates.admit(caller(key)) is None for key in ("a", "a", "a", "b", "b", "c")]

    assert admitted == [True, True, True, True, False, False]


def test_what_the_tenants_limit_refused_is_not_taken_from_the_key() -> None:
    rates = Rates(RateSettings(per_key="2/hour", per_tenant="1/second"))
    moments = [rates.admit(caller("a")) for _ in range(4)]
    assert moments.count(None) == 1

    pause = threading.Event()
    for _ in range(30):
        if rates.admit(caller("a")) is None:
            return
        pause.wait(0.1)
    pytest.fail("refusals used up what the key may ask")


def test_who_waits_as_told_is_admitted_again() -> None:
    rates = Rates(RateSettings(per_key="2/second"))
    while (wait := rates.admit(caller("a"))) is None:
        pass

    threading.Event().wait(wait)

    assert wait == 1
    assert rates.admit(caller("a")) is None


def test_threads_together_get_no_more_than_the_limit() -> None:
    rates = Rates(RateSettings(per_key="100/hour"))
    admitted: list[bool] = []

    def ask() -> None:
        admitted.extend(rates.admit(caller("a")) is None for _ in range(50))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(admitted) == 100


def test_an_address_fails_thirty_times_a_minute_and_no_other_pays_for_it() -> None:
    rates = Rates()

    told = [rates.failed("192.0.2.1") for _ in range(31)]

    assert told[:30] == [None] * 30
    assert 1 <= (told[30] or 0) <= 60
    assert rates.failed("192.0.2.2") is None
    assert rates.admit(caller("a")) is None


def test_an_ipv6_client_is_its_network_and_a_mapped_address_is_its_own() -> None:
    rates = Rates(RateSettings(failures_per_address="1/hour"))

    assert rates.failed("2001:db8::1") is None
    assert rates.failed("2001:db8::ffff:2") is not None
    assert rates.failed("2001:db8:0:1::1") is None
    assert rates.failed("::ffff:192.0.2.1") is None
    assert rates.failed("192.0.2.1") is not None
    assert rates.failed("testclient") is None
    assert rates.failed("no address") is not None


def test_tokens_of_two_people_have_limits_of_their_own() -> None:
    rates = Rates(RateSettings(per_key="1/hour"))
    ann, bob = (Principal("acme", frozenset(), subject=name) for name in ("ann", "bob"))

    assert rates.admit(ann) is None
    assert rates.admit(ann) is not None
    assert rates.admit(bob) is None


def test_the_environment_says_the_limits() -> None:
    assert rate_settings({"MARTLET_RATE_PER_KEY": " "}) == RateSettings()
    assert RateSettings() == RateSettings("600/minute", "3000/minute", "30/minute")

    stated = rate_settings({"MARTLET_RATE_PER_KEY": "1/Hour", "MARTLET_RATE_PER_TENANT": "9 / day"})

    rates = Rates(stated)
    assert rates.admit(caller("a")) is None
    assert rates.admit(caller("a")) is not None


@pytest.mark.parametrize("variable", ["MARTLET_RATE_PER_KEY", "MARTLET_RATE_PER_TENANT"])
@pytest.mark.parametrize(
    "text",
    ["lots", "600", "0/minute", "-1/minute", "6e2/minute", "600/fortnight", "1/minute; 2/hour"],
)
def test_a_limit_that_is_none_is_refused_with_its_variable(variable: str, text: str) -> None:
    with pytest.raises(BadInputError, match=variable):
        Rates(rate_settings({variable: text}))
