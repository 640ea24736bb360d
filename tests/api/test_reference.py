"""The page of the API and the variables are those of the program."""

from martlet.api.observations import SUBJECTS
from martlet.api.problems import KINDS
from martlet.api.settings import VARIABLES, ServingSettings
from martlet.settings import size_in_bytes
from tests.architecture.test_reference import documented, section


def test_every_problem_is_described_with_its_status() -> None:
    text = section("http_api.md", "Errors")
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| ")]

    told = {
        code.strip().strip("`"): status.strip()
        for _, status, codes, *_ in rows
        for code in codes.split(",")
        if "`" in code
    }

    assert told == {code: str(kind.status) for code, kind in KINDS.items()}


def test_every_subject_is_described() -> None:
    text = section("http_api.md", "Addresses")

    assert all(f"`{subject}`" in text for subject in SUBJECTS)


def test_every_variable_is_described_with_its_default() -> None:
    told = documented(section("configuration.md", "Serving"))
    told.pop("OTEL_EXPORTER_OTLP_ENDPOINT")

    assert set(told) == set(VARIABLES)
    for variable, name in VARIABLES.items():
        default = getattr(ServingSettings(), name)
        if isinstance(default, str):
            assert size_in_bytes(told[variable]) == size_in_bytes(default)
        else:
            assert float(told[variable]) == default
