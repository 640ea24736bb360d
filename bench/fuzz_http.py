"""Fuzzes the HTTP API with cases that Schemathesis makes from its own OpenAPI description.

A small tenant is landed, run and served; every answer must have a documented status, media type
and shape, and none may be a 500. That a name is one of the tenant's fields cannot be said in the
description, so refusals of well-formed questions (422) are allowed.

    python bench/fuzz_http.py --examples 1000 --seed 1
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from soak_serve import LAST_DAY, land, new_settings, run, serving

from martlet.access.keys import KeyStore

TENANT = "client_0"


def main() -> None:
    """Serve a tenant and fuzz it; exits as Schemathesis does."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--examples", type=int, default=1000, help="cases an operation")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = new_settings(Path(folder), 1)
        land(settings, TENANT, days=5, until=LAST_DAY)
        run(settings, [TENANT])
        key = KeyStore(settings.control).create(TENANT, ("query", "observability")).text
        config = Path(folder) / "schemathesis.toml"
        config.write_text(
            f'[parameters]\n"path.tenant" = "{TENANT}"\n'
        )  # others are all alike: 404
        with serving(settings) as url:
            done = subprocess.run(
                [
                    *(
                        Path(sys.executable).with_name("schemathesis"),
                        "--config-file",
                        config,
                        "run",
                    ),
                    f"{url}/openapi.json",
                    *("--header", f"Authorization: Bearer {key}"),
                    *("--max-examples", str(asked.examples), "--seed", str(asked.seed)),
                    *("--phases", "examples,coverage,fuzzing", "--continue-on-failure"),
                    *("--exclude-checks", "positive_data_acceptance"),
                ],
                cwd=folder,
                check=False,
            )
    raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
