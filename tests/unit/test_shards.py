"""Shards of tenants: every tenant in exactly one, the same one every time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from martlet.config.shards import MOST, Shard, read_shard
from martlet.errors import BadInputError

SLUGS = st.from_regex(r"[a-z][a-z0-9_]{0,30}", fullmatch=True)
COUNTS = st.integers(1, 40)
MANY = [f"tenant_{number}" for number in range(1_000)]
# Of four.
EARLIER = {"tenant_0": 2, "tenant_1": 2, "tenant_2": 1, "tenant_3": 3, "tenant_4": 2, "tenant_5": 3}


def shards(count: int) -> list[Shard]:
    return [Shard(number, count) for number in range(1, count + 1)]


@given(SLUGS, COUNTS)
def test_every_tenant_is_in_exactly_one_shard(slug: str, count: int) -> None:
    assert sum(shard.has(slug) for shard in shards(count)) == 1


@given(SLUGS, COUNTS)
def test_one_shard_more_moves_a_tenant_to_itself_or_not_at_all(slug: str, count: int) -> None:
    (before,) = [shard.number for shard in shards(count) if shard.has(slug)]
    (after,) = [shard.number for shard in shards(count + 1) if shard.has(slug)]

    assert after in (before, count + 1)


def test_the_assignment_is_what_it_was_in_earlier_versions() -> None:
    """Machines of two versions must not both take a tenant, or neither."""
    taken = {s: n for s in MANY[:6] for n in range(1, 5) if Shard(n, 4).has(s)}

    assert taken == EARLIER


def test_no_shard_has_twice_its_part() -> None:
    assert max(sum(map(shard.has, MANY)) for shard in shards(8)) < 2 * len(MANY) / 8


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("0/3", "the nearest is --shard 1/3"),
        ("4/3", "the nearest is --shard 3/3"),
        ("x", "--shard 1/4 is the first of four"),
        ("", "--shard 1/4 is the first of four"),
        ("1/2/3", "--shard 1/4 is the first of four"),
        ("-1/3", "--shard 1/4 is the first of four"),
        ("1/0", f"between 1 and {MOST:,}"),
        (f"1/{MOST + 1}", f"between 1 and {MOST:,}"),
    ],
)
def test_what_is_no_shard_is_refused_with_the_remedy(text: str, remedy: str) -> None:
    with pytest.raises(BadInputError, match=remedy) as refused:
        read_shard(text)
    assert refused.value.exit_code == 2
    assert repr(text) in str(refused.value)


def test_a_shard_is_read_as_it_is_written() -> None:
    assert str(read_shard(" 2/4 ")) == "2/4"
