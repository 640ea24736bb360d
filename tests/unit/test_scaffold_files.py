"""Generated files: rendered from the two YAML files and the locks alone, and whose they are."""

import os
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from martlet import naming
from martlet.config.catalogue import load_catalogue
from martlet.config.tenants import TenantsFile, load_tenants
from martlet.contracts.lock import newest_shape
from martlet.scaffold.files import Changes, GeneratedFile, apply, plan
from martlet.scaffold.library_files import FOLDERS, library_files
from martlet.scaffold.scaffold import orphaned_tenants
from martlet.scaffold.tenant_files import tenant_files, tenant_folders
from martlet.settings import Settings

ROOT = Path(__file__).parents[2]
CATALOGUE = load_catalogue(ROOT / "supported_connectors.yaml")
FOLDER = PurePosixPath("models/staging/acme")
SHOP = PurePosixPath("models/staging/acme/shopify/stg_acme__shopify_orders.sql")
ADS = PurePosixPath("models/staging/acme/google_ads/stg_acme__google_ads_ads.sql")

ACME: dict[str, Any] = {
    "name": "Acme",
    "reporting_timezone": "Europe/Berlin",
    "currency": "EUR",
    "sources": {
        "google_ads": {"connections": {"main": {"accounts": ["1"]}, "sydney": {"accounts": ["2"]}}},
        "shopify": {},
        "mixpanel": {"tables": {"events": {"conversion_events": ["Order Completed"]}}},
    },
}
OTHER: dict[str, Any] = {**ACME, "name": "Other", "sources": {"bing_ads": {}}}


def tenants(folder: Path, acme: dict[str, Any] = ACME, **more: Any) -> TenantsFile:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tenants.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "tenants": {"acme": acme, **more}}))
    return load_tenants(path, CATALOGUE)


def rendered(file: TenantsFile, slug: str = "acme") -> dict[PurePosixPath, str]:
    return {f.path: f.text for f in tenant_files(file.tenant(slug), file, CATALOGUE)}


def generated(path: PurePosixPath, body: str = "select 1\n") -> GeneratedFile:
    return GeneratedFile(path, body, "tenants.yaml")


def put(project: Path, path: PurePosixPath, text: str) -> None:
    (project / path).parent.mkdir(parents=True, exist_ok=True)
    (project / path).write_text(text)


def bring(project: Path, *files: GeneratedFile, force: bool = False) -> Changes:
    changes = plan(project, files, [FOLDER], force=force)
    apply(project, files, changes)
    return changes


def contents(project: Path) -> dict[PurePosixPath, str]:
    return {
        PurePosixPath(path.relative_to(project).as_posix()): path.read_text()
        for path in project.rglob("*")
        if path.is_file()
    }


# Rendering


def test_the_committed_files_are_what_the_two_yaml_files_and_the_locks_render() -> None:
    file = load_tenants(ROOT / "tenants.yaml", CATALOGUE)
    folders = [folder for tenant in file.active() for folder in tenant_folders(tenant.slug)]
    files = [f for tenant in file.active() for f in tenant_files(tenant, file, CATALOGUE)]

    of_tenants = plan(ROOT, files, folders, force=False)
    of_library = plan(ROOT, library_files(CATALOGUE), FOLDERS, force=False)

    assert of_tenants == Changes(), "run `make generate`"
    assert of_library == Changes(), "run `make generate`"


def test_rendering_asks_neither_the_folder_nor_the_environment_it_runs_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = rendered(tenants(tmp_path / "here"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", {})

    elsewhere = rendered(tenants(tmp_path / "elsewhere"))

    assert here == elsewhere


def test_another_tenant_changes_nothing_in_a_tenants_files(tmp_path: Path) -> None:
    alone = rendered(tenants(tmp_path))

    assert rendered(tenants(tmp_path, other=OTHER)) == alone


def test_a_tenants_files_lie_in_its_own_folders_and_no_two_on_one_path(tmp_path: Path) -> None:
    file = tenants(tmp_path, other=OTHER)
    paths = [
        f.path
        for slug in ("acme", "other")
        for f in tenant_files(file.tenant(slug), file, CATALOGUE)
    ]

    assert len(set(paths)) == len(paths)
    assert {path.parts[2] for path in paths} == {"acme", "other"}
    for path in paths:
        assert any(path.is_relative_to(f) for f in tenant_folders(path.parts[2]))


def test_a_tenant_has_a_staging_and_an_intermediate_model_for_each_object_and_the_star(
    tmp_path: Path,
) -> None:
    by_layer: dict[str, set[str]] = {}
    for path in rendered(tenants(tmp_path)):
        if path.suffix == ".sql":
            by_layer.setdefault(path.parts[1], set()).add(path.stem)

    objects = [
        (platform, object_)
        for platform in ("google_ads", "shopify", "mixpanel")
        for object_ in CATALOGUE.connector(platform).objects
    ]
    assert by_layer == {
        "staging": {naming.staging_model("acme", *place) for place in objects},
        "intermediate": {naming.intermediate_model("acme", *place) for place in objects},
        "analytics": {
            "fct_acme__ad_performance",
            "fct_acme__orders",
            "fct_acme__sessions",
            "dim_acme__campaigns",
        },
    }


def test_a_staging_model_carries_each_connection_with_the_published_hash(tmp_path: Path) -> None:
    text = rendered(tenants(tmp_path))[ADS]

    published = newest_shape("google_ads", "ads").source_schema_hash
    assert text.count(published) == 2
    assert '"connection": "main"' in text
    assert '"table": "acme_google_ads__ads__sydney", "connection": "sydney"' in text


def test_an_intermediate_model_waits_for_its_staging_model(tmp_path: Path) -> None:
    for path, text in rendered(tenants(tmp_path)).items():
        if path.parts[1] == "intermediate" and path.suffix == ".sql":
            staging = path.stem.replace("int_", "stg_", 1)
            assert f"-- depends_on: {{{{ ref('{staging}') }}}}" in text


def test_every_model_states_its_grain_and_its_materialization(tmp_path: Path) -> None:
    # A folder's configuration does not reach models whose folder is chosen by a variable.
    materialized = {"staging": "view", "intermediate": "view", "analytics": "table"}
    for path, text in rendered(tenants(tmp_path)).items():
        if path.suffix == ".sql":
            assert "-- grain: one row per " in text.splitlines()[1]
            is_fact = path.stem.startswith("fct_")
            expected = "refreshed" if is_fact else materialized[path.parts[1]]
            assert f"materialized='{expected}'" in text


def test_an_object_that_a_tenant_leaves_out_has_a_view_for_the_engines_but_no_staging_model(
    tmp_path: Path,
) -> None:
    sources = {"shopify": {"objects": ["orders"]}}

    files = rendered(tenants(tmp_path, {**ACME, "sources": sources}))

    names = {path.stem for path in files}
    view = PurePosixPath("models/intermediate/acme/shopify/int_acme__shopify_products.sql")
    assert "stg_acme__shopify_orders" in names
    assert "stg_acme__shopify_products" not in names
    assert "depends_on" not in files[view]


@pytest.mark.parametrize("gone", ["disabled source", "removed source"])
def test_a_source_that_is_off_or_gone_has_no_files(tmp_path: Path, gone: str) -> None:
    sources = dict(ACME["sources"])
    if gone == "disabled source":
        sources["shopify"] = {"enabled": False}
    else:
        del sources["shopify"]

    paths = rendered(tenants(tmp_path, {**ACME, "sources": sources}))

    assert not [path for path in paths if "shopify" in path.name or "shopify" in path.parts]
    assert "google_ads" not in paths[PurePosixPath("models/analytics/acme/fct_acme__orders.sql")]


def test_a_disabled_tenant_has_no_files(tmp_path: Path) -> None:
    assert rendered(tenants(tmp_path, {**ACME, "status": "disabled"})) == {}


@pytest.mark.parametrize(
    ("path", "start"),
    [
        ("models/staging/acme/a.sql", "-- Generated by Martlet; edit tenants.yaml instead; body "),
        ("models/sources/acme/a.yml", "# Generated by Martlet; edit tenants.yaml instead; body "),
        ("macros/contracts/a.sql", "{# Generated by Martlet; edit tenants.yaml instead; body "),
        ("docs/a.md", "<!-- Generated by Martlet; edit tenants.yaml instead; body "),
    ],
)
def test_the_first_line_says_in_the_files_own_comment_who_made_it_and_what_to_edit(
    path: str, start: str
) -> None:
    first, _, body = generated(PurePosixPath(path)).text.partition("\n")

    assert first.startswith(start)
    assert body == "select 1\n"


# Whose a file is


def test_a_missing_file_is_written_and_the_next_time_there_is_nothing_to_do(
    tmp_path: Path,
) -> None:
    files = [generated(SHOP), generated(ADS)]

    first = bring(tmp_path, *files)
    written = (tmp_path / SHOP).stat().st_mtime_ns
    second = bring(tmp_path, *files)

    assert first == Changes(written=(ADS, SHOP))
    assert second.none
    assert (tmp_path / SHOP).stat().st_mtime_ns == written
    assert contents(tmp_path) == {file.path: file.text for file in files}


def test_planning_alone_writes_nothing(tmp_path: Path) -> None:
    changes = plan(tmp_path, [generated(SHOP)], [FOLDER], force=True)

    assert changes.written == (SHOP,)
    assert contents(tmp_path) == {}


def test_a_generated_file_that_nobody_edited_is_rewritten(tmp_path: Path) -> None:
    bring(tmp_path, generated(SHOP, "select 1\n"))

    changes = bring(tmp_path, generated(SHOP, "select 2\n"))

    assert changes == Changes(written=(SHOP,))
    assert contents(tmp_path) == {SHOP: generated(SHOP, "select 2\n").text}


def test_a_generated_file_that_somebody_edited_is_reported_and_kept_unless_forced(
    tmp_path: Path,
) -> None:
    edited = generated(SHOP, "select 1\n").text + "-- mine\n"
    put(tmp_path, SHOP, edited)

    kept = bring(tmp_path, generated(SHOP, "select 2\n"))
    after = contents(tmp_path)
    forced = bring(tmp_path, generated(SHOP, "select 2\n"), force=True)

    assert kept == Changes(kept_edited=(SHOP,))
    assert after == {SHOP: edited}
    assert forced == Changes(written=(SHOP,))
    assert contents(tmp_path) == {SHOP: generated(SHOP, "select 2\n").text}


def test_an_edit_in_another_encoding_is_an_edit_and_no_crash(tmp_path: Path) -> None:
    bring(tmp_path, generated(SHOP))
    with (tmp_path / SHOP).open("ab") as stream:
        stream.write("-- größer\n".encode("latin-1"))

    assert bring(tmp_path, generated(SHOP, "select 2\n")) == Changes(kept_edited=(SHOP,))
    assert bring(tmp_path) == Changes(kept_edited=(SHOP,))


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    "text", ["select 1\n", "", "-- written by hand\n-- Generated by Martlet; body \n"]
)
def test_a_file_without_the_marker_is_never_touched(tmp_path: Path, text: str, force: bool) -> None:
    put(tmp_path, SHOP, text)

    changes = bring(tmp_path, generated(SHOP), force=force)

    assert changes == Changes(unmarked=(SHOP,))
    assert contents(tmp_path) == {SHOP: text}


def test_a_file_that_is_generated_no_more_is_removed_with_the_folders_it_empties(
    tmp_path: Path,
) -> None:
    bring(tmp_path, generated(SHOP), generated(ADS))

    changes = bring(tmp_path, generated(ADS))

    assert changes == Changes(removed=(SHOP,))
    assert contents(tmp_path) == {ADS: generated(ADS).text}
    assert not (tmp_path / SHOP).parent.exists()


def test_the_layers_folders_stay_when_a_tenants_last_file_goes(tmp_path: Path) -> None:
    bring(tmp_path, generated(SHOP))

    bring(tmp_path)

    assert contents(tmp_path) == {}
    assert (tmp_path / "models").is_dir()
    assert not (tmp_path / FOLDER).exists()


def test_an_edited_file_that_is_generated_no_more_is_reported_and_kept_unless_forced(
    tmp_path: Path,
) -> None:
    put(tmp_path, SHOP, generated(SHOP).text + "-- mine\n")

    kept = bring(tmp_path)
    still_there = (tmp_path / SHOP).exists()
    forced = bring(tmp_path, force=True)

    assert kept == Changes(kept_edited=(SHOP,))
    assert still_there
    assert forced == Changes(removed=(SHOP,))
    assert contents(tmp_path) == {}


def test_a_users_own_files_beside_generated_ones_stay(tmp_path: Path) -> None:
    own = {
        SHOP.with_name("my_model.sql"): "select 1\n",
        SHOP.with_name("notes.txt"): generated(SHOP).text,
        PurePosixPath("models/staging/other/theirs.sql"): generated(SHOP).text,
    }
    for path, text in own.items():
        put(tmp_path, path, text)
    bring(tmp_path, generated(SHOP))

    changes = bring(tmp_path, force=True)

    assert changes == Changes(removed=(SHOP,))
    assert contents(tmp_path) == own


def test_folders_of_tenants_that_the_file_no_longer_has_are_found(tmp_path: Path) -> None:
    bring(tmp_path, generated(SHOP))
    settings = Settings(tmp_path, tmp_path / "data", tmp_path / "tenants.yaml")

    assert orphaned_tenants(settings, {"other"}) == ("acme",)
    assert orphaned_tenants(settings, {"acme", "other"}) == ()
