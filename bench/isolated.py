"""Measures one function in this process alone; called by `measuring.read_isolated`."""

import importlib
import json
import sys
from dataclasses import asdict

from measuring import peak_bytes, read


def main() -> None:
    """Prepare, measure, print the reading as JSON on the last line."""
    module, function, arguments = sys.argv[1:]
    work = getattr(importlib.import_module(module), function)(**json.loads(arguments))
    reading = read(work)
    reading.peak_bytes = peak_bytes()
    sys.stdout.write(f"\n{json.dumps(asdict(reading))}\n")


if __name__ == "__main__":
    main()
