"""The fingerprint: what it ignores, what it never confuses, how each engine's types are spelled."""

import unicodedata
from hashlib import md5
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from martlet.registry.fingerprint import (
    CANONICAL_TYPES,
    FAMILIES,
    CollidingColumnsError,
    EmptySchemaError,
    canonical_type,
    fold_name,
    is_bookkeeping,
    landed_shape,
    schema_family_fingerprint,
    schema_fingerprint,
    type_family,
)

reproducible = settings(derandomize=True, deadline=None, max_examples=150)

# Letters that have several Unicode forms, and what the hashed document is delimited by.
FORGING = "\"',:;|[]{}\\\n \t"
names = st.one_of(
    st.text("abcXYZ_0" + FORGING, min_size=1, max_size=6),
    st.text("éÅñüßΣςİﬁ각e\u0301a", min_size=1, max_size=4),
).filter(lambda name: not is_bookkeeping(name))
types = st.sampled_from(
    [*FAMILIES, "DECIMAL(18,6)", "DECIMAL(18,2)", "VARCHAR[]", 'INT"],["B","INT', "INT,B:INT"]
)
bookkeeping = st.sampled_from(
    [
        "_dlt_id",
        "_dlt_load_id",
        "_AIRBYTE_RAW_ID",
        "_ab_cdc_cursor",
        "_fivetran_deleted",
        "_sdc_batched_at",
        "_martlet_row",
        "_stitch_x",
        "_hevo_id",
        "__hevo_id",
        "_Rivery_run",
        "_portable_extracted",
    ]
)
columns_of_shapes = st.dictionaries(names, types, min_size=1, max_size=6).filter(
    lambda columns: len({fold_name(name) for name in columns}) == len(columns)
)


def normal(columns: dict[str, str]) -> set[tuple[str, str]]:
    return {(fold_name(name), canonical_type(kind)) for name, kind in columns.items()}


def test_the_published_form_of_the_hash_is_compact_json_of_sorted_pairs() -> None:
    fingerprint = schema_fingerprint({"b": "VARCHAR", "A": "INT8"})

    assert fingerprint == md5(b'["fp1",[["a","BIGINT"],["b","VARCHAR"]]]').hexdigest()


@reproducible
@given(columns_of_shapes, st.randoms(use_true_random=False))
def test_the_order_of_columns_does_not_matter(columns: dict[str, str], random: Random) -> None:
    shuffled = list(columns.items())
    random.shuffle(shuffled)

    assert schema_fingerprint(dict(shuffled)) == schema_fingerprint(columns)
    assert schema_family_fingerprint(dict(shuffled)) == schema_family_fingerprint(columns)


@reproducible
@given(st.dictionaries(st.text("abcdxyz_1", min_size=1), types, min_size=1))
def test_the_case_of_names_and_types_does_not_matter(columns: dict[str, str]) -> None:
    loud = {name.upper(): kind.lower() for name, kind in columns.items()}

    assert schema_fingerprint(loud) == schema_fingerprint(columns)


@reproducible
@given(columns_of_shapes, st.sampled_from(["NFC", "NFD"]))
def test_the_unicode_form_of_names_does_not_matter(columns: dict[str, str], form: str) -> None:
    written = {unicodedata.normalize(form, name): kind for name, kind in columns.items()}

    assert schema_fingerprint(written) == schema_fingerprint(columns)


@reproducible
@given(columns_of_shapes, st.dictionaries(bookkeeping, types, max_size=4))
def test_a_loaders_own_columns_do_not_count(columns: dict[str, str], own: dict[str, str]) -> None:
    landed = {**own, **columns}

    assert schema_fingerprint(landed) == schema_fingerprint(columns)
    assert schema_family_fingerprint(landed) == schema_family_fingerprint(columns)
    assert set(landed_shape(landed).bookkeeping) == set(own)


@reproducible
@given(columns_of_shapes, columns_of_shapes)
def test_two_shapes_have_one_fingerprint_only_if_they_are_one(
    one: dict[str, str], other: dict[str, str]
) -> None:
    assert (schema_fingerprint(one) == schema_fingerprint(other)) == (normal(one) == normal(other))


@pytest.mark.parametrize(
    ("one", "forged"),
    [
        ({"a": "BIGINT", "b": "BIGINT"}, {'a","BIGINT"],["b': "BIGINT"}),
        ({"a": "BIGINT", "b": "BIGINT"}, {"a": 'BIGINT"],["b","BIGINT'}),
        ({"a": "INTEGER", "b": "DATE"}, {"a:INTEGER,b": "DATE"}),
        ({"a": "INTEGER", "b": "DATE"}, {"a|INTEGER|b": "DATE"}),
        ({"a": "INTEGER", "b": "DATE"}, {"a": "INTEGER\nb DATE"}),
        ({"a": "VARCHAR"}, {"a\\": "VARCHAR"}),
        ({"a": "VARCHAR"}, {"a ": "VARCHAR"}),
    ],
)
def test_a_name_or_type_that_spells_a_delimiter_forges_no_other_shape(
    one: dict[str, str], forged: dict[str, str]
) -> None:
    assert schema_fingerprint(one) != schema_fingerprint(forged)
    assert schema_family_fingerprint(one) != schema_family_fingerprint(forged)


@pytest.mark.parametrize(("alias", "canonical"), CANONICAL_TYPES.items())
def test_every_spelling_of_a_type_is_one_type(alias: str, canonical: str) -> None:
    spread = f"  {alias.lower().replace(' ', '   ')} "

    assert canonical_type(alias) == canonical_type(spread) == canonical
    assert schema_fingerprint({"a": alias}) == schema_fingerprint({"a": canonical})


@pytest.mark.parametrize(
    ("spelled", "canonical", "family"),
    [
        ("numeric(18, 6)", "DECIMAL(18,6)", "decimal"),
        ("Decimal( 38 ,0 )", "DECIMAL(38,0)", "decimal"),
        ("varchar(255)", "VARCHAR", "text"),
        ("bpchar(2)", "VARCHAR", "text"),
        ("timestamp  with time zone", "TIMESTAMPTZ", "tstz"),
        ("datetime", "TIMESTAMP", "ts"),
        ("VARCHAR[]", "VARCHAR[]", "json"),
        ("STRUCT(a INTEGER)", "STRUCT(A INTEGER)", "json"),
        ("MAP(VARCHAR, INTEGER)", "MAP(VARCHAR, INTEGER)", "json"),
        ("GEOMETRY", "GEOMETRY", "geometry"),
    ],
)
def test_a_types_parameters_count_only_where_they_change_its_meaning(
    spelled: str, canonical: str, family: str
) -> None:
    assert canonical_type(spelled) == canonical
    assert type_family(spelled) == family


def test_every_canonical_type_has_a_family() -> None:
    assert set(CANONICAL_TYPES.values()) <= set(FAMILIES)


def test_the_family_fingerprint_is_one_for_types_of_one_family_and_never_the_exact_one() -> None:
    narrow, wide = {"a": "INTEGER", "b": "FLOAT"}, {"a": "BIGINT", "b": "DOUBLE"}

    assert schema_family_fingerprint(narrow) == schema_family_fingerprint(wide)
    assert schema_fingerprint(narrow) != schema_fingerprint(wide)
    assert schema_family_fingerprint({"a": "int"}) != schema_fingerprint({"a": "int"})


@pytest.mark.parametrize("columns", [{}, {"_dlt_id": "VARCHAR", "_airbyte_meta": "JSON"}])
def test_a_table_without_columns_of_its_own_has_no_fingerprint(columns: dict[str, str]) -> None:
    with pytest.raises(EmptySchemaError, match="no column of its own"):
        schema_fingerprint(columns)


@pytest.mark.parametrize(
    ("one", "other"), [("Id", "ID"), ("caf\u00e9", "cafe\u0301"), ("straße", "STRASSE")]
)
def test_two_names_that_fold_to_one_are_named_and_refused(one: str, other: str) -> None:
    with pytest.raises(CollidingColumnsError, match=fold_name(other)):
        schema_fingerprint({one: "VARCHAR", other: "VARCHAR"})


def test_a_shape_keeps_the_columns_as_they_lie_in_the_table() -> None:
    shape = landed_shape({"Zeta": "int8", "_dlt_id": "VARCHAR", "alpha": "text"})

    assert shape.columns == (("Zeta", "BIGINT"), ("alpha", "VARCHAR"))
    assert shape.bookkeeping == ("_dlt_id",)
