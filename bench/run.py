"""Runs the benchmarks of the project, each beside its baselines.

python bench/run.py --quick
python bench/run.py --only push_unchanged --scale 0.1
python bench/run.py --keep
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import benchmarks_day
import benchmarks_lake
import benchmarks_landing
import benchmarks_publish
import benchmarks_push
import benchmarks_record
import benchmarks_refetch
import benchmarks_refresh
import benchmarks_serve
import benchmarks_unpack
from harness import QUICK_REPEAT, QUICK_SCALE, REPEAT, Bench, chosen, in_order, run_benchmark
from machine import circumstances
from projects import repository
from report import page, show
from rich.console import Console

MODULES = (
    benchmarks_push,
    benchmarks_refetch,
    benchmarks_unpack,
    benchmarks_refresh,
    benchmarks_day,
    benchmarks_landing,
    benchmarks_publish,
    benchmarks_serve,
    benchmarks_record,
    benchmarks_lake,
)
BENCHMARKS = in_order(MODULES)
KEPT = Path("docs/performance.json")
PAGE = Path("docs/performance.md")


def main() -> None:
    """Run what is asked, show it, and write the results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help=f"most of them, at scale {QUICK_SCALE:g}"
    )
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help=", ".join(b.name for b in BENCHMARKS)
    )
    parser.add_argument("--scale", type=float, help="part of each benchmark's full size")
    parser.add_argument(
        "--repeat", type=int, help=f"turns of each side: {REPEAT}, with --quick {QUICK_REPEAT}"
    )
    parser.add_argument("--folder", type=Path, help="where to make databases; default: temporary")
    parser.add_argument("--keep", action="store_true", help=f"put the results into {KEPT}, {PAGE}")
    parser.add_argument("--page", action="store_true", help=f"only write {PAGE} from {KEPT}")
    parser.add_argument("--list", action="store_true", help="list the benchmarks")
    asked = parser.parse_args()
    if asked.list:
        for registered in BENCHMARKS:
            Console(width=120).print(f"{registered.name:20}{registered.title}", markup=False)
    elif asked.page:
        write_page()
    else:
        scale = asked.scale or (QUICK_SCALE if asked.quick else 1.0)
        run(
            chosen(BENCHMARKS, asked.only, quick=asked.quick),
            scale,
            asked.repeat or (QUICK_REPEAT if asked.quick else REPEAT),
            asked.folder,
            asked.keep,
        )


def run(names: list[str], scale: float, repeat: int, folder: Path | None, keep: bool) -> None:
    """Run benchmarks one after the other; what one has told is written before the next begins."""
    began = time.perf_counter()
    results: dict[str, Any] = {}
    written = repository() / "bench" / "results" / f"{time.strftime('%Y%m%dT%H%M%S')}.json"
    shared: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(dir=folder) as place:
        for name in names:
            told = circumstances(repository())
            bench = Bench(Path(place), shared, scale, repeat)
            results[name] = {**run_benchmark(bench, name), "circumstances": told}
            show(results[name])
            _write(written, {"results": results})
            if keep:
                keep_results({name: results[name]})
    Console().print(f"{time.perf_counter() - began:.0f} s in all; {written.name} has the readings")


def keep_results(results: dict[str, Any]) -> None:
    """Replace these results in the document that the page is made from."""
    path = repository() / KEPT
    document = json.loads(path.read_text()) if path.exists() else {"results": {}}
    kept = document["results"] | results
    order = [b.name for b in BENCHMARKS if b.name in kept]
    _write(path, {"results": {name: kept[name] for name in order}})
    write_page()


def write_page() -> None:
    """Write the page from the results that are kept."""
    document = json.loads((repository() / KEPT).read_text())
    (repository() / PAGE).write_text(page(document))


def _write(path: Path, document: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
