"""Shows results: a table on the terminal, and the page `docs/performance.md`."""

from typing import Any

from harness import REPEAT
from rich.console import Console
from rich.table import Table

Result = dict[str, Any]
# Ratios within a hundred of one are shown as such, smaller ones as a fraction.
_SMALL = 0.1
# How the page's parts are headed; a group that is not here is headed by its name.
_GROUPS = {
    "push": "Push",
    "refetch": "Fetching again",
    "unpack": "Unpack and star schema",
    "refresh": "Refresh, and the memory of a run",
    "day": "A day",
    "landing": "Landing",
    "publish": "Publishing and opening",
    "serve": "Answering",
    "record": "Recording",
    "lake": "A lake",
}


def show(result: Result) -> None:
    """Print one benchmark's sides and figures."""
    console = Console(width=120)
    sides = Table(title=f"{result['name']}: {result['title']}", title_justify="left")
    for heading in ("side", "rows", "CPU s", "wall s", "us CPU a row", "peak MB"):
        sides.add_column(heading, justify="left" if heading == "side" else "right")
    for side in result["sides"]:
        sides.add_row(*_side_cells(side))
    figures = Table("figure", "value", "must", "reached")
    for figure in result["figures"]:
        figures.add_row(figure["what"], value_text(figure), must_text(figure), reached(figure))
    console.print(sides)
    if result["figures"]:
        console.print(figures)
    for note in [*cut_notes(result), *result["notes"]]:
        console.print(f"  {note}", markup=False)


def page(document: Result) -> str:
    """Return `docs/performance.md` for the results that are kept."""
    results = list(document["results"].values())
    lines = [
        "# Performance",
        "",
        "Made by `python bench/run.py --page` from `docs/performance.json`, which `make bench` "
        "fills. A figure is the median of at least five turns in which the sides alternate; where "
        "there were fewer, it is said. CPU is that of the process and its children. Ratios hold on "
        "another machine, seconds do not.",
        "",
        *(f"- {line}" for line in _machines(results)),
        "",
        "## Targets",
        "",
        "| what | must reach | reached | | circumstances |",
        "|---|--:|--:|---|---|",
    ]
    for result in results:
        for figure in result["figures"]:
            if figure["must"] is not None:
                cells = (figure["what"], must_text(figure), value_text(figure), reached(figure))
                lines.append(f"| {' | '.join(cells)} | {_circumstances(result)} |")
    for group in dict.fromkeys(map(_group, results)):
        lines += ["", f"## {group}"]
        for result in results:
            if _group(result) == group:
                lines += ["", *_section(result)]
    return "\n".join(lines) + "\n"


def _group(result: Result) -> str:
    name = str(result.get("group", "others"))
    return _GROUPS.get(name, name.capitalize())


def _machines(results: list[Result]) -> list[str]:
    """Return what was measured on: a line for each machine and commit."""
    return list(dict.fromkeys(_machine(result["circumstances"]) for result in results))


def _machine(told: Result) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in told["versions"].items())
    return (
        f"{told['cores']} cores of {told['processor']}, {told['memory_bytes'] / 2**30:.0f} GB, "
        f"{told['system']}; {versions}."
    )


def _circumstances(result: Result) -> str:
    """Say with what a target was measured: its sizes, what was cut, whether others worked too."""
    told = result["circumstances"]
    cuts = ", ".join(f"{size:,} {what}" for what, (_, size) in result["cuts"].items())
    load = told.get("load_before", 0.0)
    busy = f"busy machine (load {load:.1f})" if load > told["cores"] else ""
    said = [f"`{result['name']}`", f"cut to {cuts}" if cuts else "full size", busy]
    return ", ".join(part for part in said if part)


def _section(result: Result) -> list[str]:
    told = result["circumstances"]
    lines = [
        f"### {result['title']}",
        "",
        f"`{result['name']}`: "
        + "; ".join(f"{what}: {size_text(size)}" for what, size in result["data"].items()),
        "",
        "| side | rows | CPU s | wall s | us of CPU a row | peak MB |",
        "|---|--:|--:|--:|--:|--:|",
        *(f"| {' | '.join(_side_cells(side))} |" for side in result["sides"]),
    ]
    if result["figures"]:
        lines += ["", "| figure | value |", "|---|--:|"]
        lines += [f"| {figure['what']} | {value_text(figure)} |" for figure in result["figures"]]
    lines += ["", *(f"- {note}" for note in [*cut_notes(result), *result["notes"]])]
    lines.append(f"- Measured {told['measured_at']} at {told['commit']}.")
    return lines


def cut_notes(result: Result) -> list[str]:
    """Return what was made smaller than the benchmark asks for, or was done less often."""
    turns = {len(side["readings"]) for side in result["sides"]}
    few = [f"turns of a side: {min(turns)}, fewer than {REPEAT}"] if min(turns) < REPEAT else []
    return few + [
        f"cut to scale {result['scale']:g}: {what} is {size:,}, not {full:,}"
        for what, (full, size) in result["cuts"].items()
    ]


def value_text(figure: Result) -> str:
    """Return a figure's value with its unit."""
    return _number_text(figure["value"], figure["unit"])


def must_text(figure: Result) -> str:
    """Return what a figure must reach, empty where nothing is asked."""
    if figure["must"] is None:
        return ""
    sign = {"<=": "at most", ">=": "at least"}[figure["must_be"]]
    return f"{sign} {_number_text(figure['must'], figure['unit'])}"


def reached(figure: Result) -> str:
    """Return yes or no, empty where nothing is asked."""
    return {None: "", True: "yes", False: "no"}[figure["is_reached"]]


def size_text(size: int | str) -> str:
    """Return a size with its thousands divided."""
    return f"{size:,}" if isinstance(size, int) else size


def _number_text(value: float, unit: str) -> str:
    if unit == "times":
        return f"1/{1 / value:.3g}" if 0 < value < _SMALL else f"{value:.3g}"
    if unit == "bytes":
        return f"{value / 1e6:,.1f} MB"
    return f"{value:.3g} {unit}" if value < 1000 else f"{value:,.0f} {unit}"


def _side_cells(side: Result) -> tuple[str, ...]:
    rows, peak = side["rows"], side["peak_bytes"]
    return (
        side["name"],
        f"{rows:,}" if rows else "",
        f"{side['cpu']:.3f}",
        f"{side['wall']:.3f}",
        f"{side['cpu'] / rows * 1e6:.2f}" if rows else "",
        f"{peak / 1e6:,.0f}" if peak else "",
    )
