"""Write a tenant's dbt files: `python scripts/onboard_tenant.py SLUG [--check] [--dry-run]`."""

import sys

from martlet.cli import main

if __name__ == "__main__":
    sys.argv[1:1] = ["onboard"]
    main()
