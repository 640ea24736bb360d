"""What is published: locks that only grow, contracts that they state, blueprints made of them."""

import json
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest

from martlet.config.catalogue import load_catalogue
from martlet.contracts import lock
from martlet.contracts.base import Column, LandedRecord, ObjectContract, Version, optional, personal
from martlet.contracts.library import connector_contracts
from martlet.contracts.lock import (
    PublishedShape,
    current_shapes,
    lock_path,
    lock_text,
    newest_shape,
    publish,
    published_shapes,
)
from martlet.errors import BrokenPromiseError
from martlet.registry.blueprints import (
    initialize_blueprints,
    insert_blueprints,
    learned_blueprint,
    published_blueprints,
    stored_blueprints,
)
from martlet.registry.fingerprint import (
    landed_shape,
    schema_family_fingerprint,
    schema_fingerprint,
)

ROOT = Path(__file__).parents[2]
CATALOGUE = load_catalogue(ROOT / "supported_connectors.yaml")
each_connector = pytest.mark.parametrize("connector", CATALOGUE.connectors)


def place(shape: PublishedShape) -> tuple[str, str]:
    return shape.object, shape.loader


@each_connector
def test_every_published_hash_is_that_of_its_columns(connector: str) -> None:
    for shape in published_shapes(connector):
        columns = dict(shape.columns)
        assert len(columns) == len(shape.columns), f"{place(shape)} repeats a column"
        assert shape.source_schema_hash == schema_fingerprint(columns)
        assert shape.schema_family_hash == schema_family_fingerprint(columns)


@each_connector
def test_the_contracts_state_what_was_published_last(connector: str) -> None:
    current = {place(shape): shape for shape in current_shapes(connector)}

    newest = {at: newest_shape(connector, *at) for at in current}

    assert current == newest, "run `make generate` to publish what the contracts state"


@each_connector
def test_every_object_of_the_catalogue_has_published_its_wire_form(connector: str) -> None:
    native = {shape.object for shape in published_shapes(connector) if shape.loader == "native"}

    assert (
        native == set(CATALOGUE.connector(connector).objects) == set(connector_contracts(connector))
    )


@each_connector
def test_the_versions_of_an_object_and_loader_count_from_one_and_differ(connector: str) -> None:
    versions: dict[tuple[str, str], list[PublishedShape]] = {}
    for shape in published_shapes(connector):
        versions.setdefault(place(shape), []).append(shape)

    for shapes in versions.values():
        assert [shape.version for shape in shapes] == list(range(1, len(shapes) + 1))
        assert len(set(shapes)) == len(shapes)


@each_connector
def test_key_cursor_and_personal_fields_name_what_is_there(connector: str) -> None:
    for shape in published_shapes(connector):
        columns = {column.name for column in connector_contracts(connector)[shape.object].columns}
        heads = {name for name, _ in shape.columns}
        assert {*shape.key, *shape.optional_key} <= columns
        assert shape.cursor is None or shape.cursor in columns
        for path in (*shape.personal, *shape.subject):
            assert path in heads or path.partition(".")[0] in heads
        assert set(shape.subject) <= set(shape.personal)


@each_connector
def test_a_lock_is_written_as_it_is_rendered(connector: str) -> None:
    text = lock_path(connector).read_text(encoding="utf-8")

    assert text == lock_text(connector, published_shapes(connector))


@pytest.mark.parametrize("revision", ["HEAD", "HEAD~1"])
@each_connector
def test_no_published_entry_is_changed_moved_or_taken_away(connector: str, revision: str) -> None:
    path = lock_path(connector)
    committed = _committed(path, revision)

    present = json.loads(path.read_text(encoding="utf-8"))["published"]

    assert present[: len(committed)] == committed


def _committed(path: Path, revision: str) -> list[dict[str, Any]]:
    """Return the entries of a lock as of a commit; skips where there is no git or no commit."""
    try:
        done = subprocess.run(
            ["git", "show", f"{revision}:./{path.name}"],
            cwd=path.parent,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("git is not installed")
    if done.returncode:
        pytest.skip(f"no {revision} to compare with: {done.stderr.strip()}")
    entries: list[dict[str, Any]] = json.loads(done.stdout)["published"]
    return entries


class Order(LandedRecord):
    """An order of a shop that exists in this test alone."""

    id: int | None = optional()
    email: str | None = personal(subject=True)


class GrownOrder(Order):
    """The same with a field more."""

    total: float | None = optional()


class RetypedOrder(LandedRecord):
    """The same with another type of its id."""

    id: str | None = optional()


def state(monkeypatch: pytest.MonkeyPatch, record: type[LandedRecord]) -> None:
    contract = ObjectContract(
        object="orders",
        versions=(Version("native", record),),
        columns=(Column("order_id", "varchar", ("$.id",)),),
        cursor=None,
        key=("order_id",),
    )
    monkeypatch.setattr(lock, "connector_contracts", lambda _: {"orders": contract})


@pytest.fixture
def shop_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "schema.lock.json"
    monkeypatch.setattr(lock, "lock_path", lambda _: path)
    return path


def test_a_first_publication_states_all_that_a_reader_of_the_lock_needs(
    shop_lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state(monkeypatch, Order)

    (added,) = publish("shop")

    columns = (("id", "BIGINT"), ("email", "VARCHAR"))
    assert added == PublishedShape(
        object="orders",
        loader="native",
        version=1,
        source_schema_hash=schema_fingerprint(dict(columns)),
        schema_family_hash=schema_family_fingerprint(dict(columns)),
        columns=columns,
        key=("order_id",),
        optional_key=(),
        cursor=None,
        personal=("email",),
        subject=("email",),
    )
    assert published_shapes("shop") == (added,)


def test_a_published_field_is_neither_retyped_nor_removed(
    shop_lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state(monkeypatch, Order)
    publish("shop")
    written = shop_lock.read_text()

    state(monkeypatch, RetypedOrder)
    with pytest.raises(BrokenPromiseError, match="id was BIGINT, now VARCHAR"):
        publish("shop")

    assert shop_lock.read_text() == written


def test_a_grown_contract_appends_a_version_and_edits_none(
    shop_lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state(monkeypatch, Order)
    (first,) = publish("shop")
    written = shop_lock.read_text()

    state(monkeypatch, GrownOrder)
    (second,) = publish("shop")

    assert second.version == 2
    assert second.source_schema_hash != first.source_schema_hash
    assert published_shapes("shop") == (first, second)
    assert newest_shape("shop", "orders") == second
    kept = written.removesuffix("\n]\n}\n")
    assert shop_lock.read_text().startswith(f"{kept},\n")


def test_publishing_what_is_published_writes_nothing(
    shop_lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state(monkeypatch, Order)
    publish("shop")
    before = shop_lock.stat()

    added = publish("shop")

    assert added == ()
    assert shop_lock.stat().st_mtime_ns == before.st_mtime_ns


def test_where_nothing_is_published_the_remedy_is_named(
    shop_lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state(monkeypatch, Order)

    with pytest.raises(BrokenPromiseError, match="shop has published no native shape of orders"):
        newest_shape("shop", "orders")


def test_the_registry_holds_every_published_shape_once_however_often_it_is_filled() -> None:
    published = published_blueprints(CATALOGUE)
    with duckdb.connect() as warehouse:
        added = [initialize_blueprints(warehouse, CATALOGUE) for _ in range(2)]
        stored = stored_blueprints(warehouse)

    assert added == [len(published), 0]
    assert sorted(stored, key=repr) == sorted(published, key=repr)


def test_every_object_of_the_catalogue_has_a_blueprint_and_its_master() -> None:
    masters = {b.master_model for b in published_blueprints(CATALOGUE)}

    assert masters == {
        f"platform_mm__{api}_{object_}" for api, object_ in CATALOGUE.master_models()
    }
    assert len(masters) == 36


def test_a_learned_shape_is_stored_after_the_published_ones_and_stays_what_it_was() -> None:
    with duckdb.connect() as warehouse:
        initialize_blueprints(warehouse, CATALOGUE)
        nearest = stored_blueprints(warehouse)[0]
        shape = landed_shape({**dict(nearest.columns), 'odd "name"': "DECIMAL(18,6)"})
        learned = learned_blueprint(nearest, shape, version=2)
        insert_blueprints(warehouse, [learned])
        initialize_blueprints(warehouse, CATALOGUE)

        stored = stored_blueprints(warehouse)

    assert stored[-1] == learned
    assert learned.status == "learned"
    assert {b.status for b in stored[:-1]} == {"published"}
    assert learned.identity == nearest.identity
