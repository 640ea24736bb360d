"""Fill connector_blueprints with the fingerprints that the connectors have published."""

import sys

from martlet.cli import main

if __name__ == "__main__":
    sys.argv[1:1] = ["init-library"]
    main()
