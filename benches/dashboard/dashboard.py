"""The twelve dashboard queries in the bench: runs run.py, and makes its figures a table."""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# What the sums should be at most, of each peer's.
AIMS = {"DuckDB": 1.0, "ClickHouse tables": 2.0}
TIMELINE = ("q06_timeline", 20.0)


def over_project(measure, binary, project, work):
    """Asks everything of a built project; the report and what differs. The figures are also kept
    beside the work space, as JSON."""
    run = measure([sys.executable, str(HERE / "run.py"), str(binary), str(project), str(work)])
    told = json.loads(run["out"].splitlines()[-1])
    work.with_suffix(".json").write_text(json.dumps(told, indent=2) + "\n")
    return report(told), told["found"]


def ratio(ours, theirs):
    return f"{ours / theirs:.2f}" if theirs else "-"


def report(told):
    """Milliseconds of each engine, sums and ratios, as Markdown."""
    queries = told["queries"]
    engines = list(next(iter(queries.values()))["p50_ms"])
    first = engines[0]
    lines = [
        f"Milliseconds, p50 of {told['rounds']} rounds in turn, warm;"
        f" Throughline through its doors, {first} standing for the engine."
        f" DuckDB {told['versions']['duckdb']} and ClickHouse {told['versions']['clickhouse']}"
        f" (chdb)"
        f" on the same Parquet files, and tables of ClickHouse's own"
        f" (loaded in {told['clickhouse_load_s']:.1f} s, which is not counted)."
        f" Load {told['load']:.1f}.",
        "",
        "| query | rows | " + " | ".join(engines) + " | "
        + " | ".join(f"{first} / {peer}" for peer in AIMS) + " |",
        "|---|---:|" + "---:|" * (len(engines) + len(AIMS)),
    ]
    for name, query in queries.items():
        lines.append(row(name, f"{query['rows']:,}", query["p50_ms"], engines))
    sums = total(queries, "p50_ms", engines)
    lines.append(row("**sum**", "", sums, engines))
    lines.append(row("sum of the first times", "", total(queries, "first_ms", engines), engines))
    cpu = total(queries, "cpu_ms", engines)
    lines.append(row("sum of CPU milliseconds", "", cpu, engines))
    lines += ["", *(aim(sums, first, peer, most) for peer, most in AIMS.items())]
    name, most = TIMELINE
    took = queries[name]["p50_ms"][first]
    lines.append(
        f"* {name}: {took:.1f} ms, aim under {most:.0f} ms: {'met' if took < most else 'missed'}"
    )
    lines.append(f"* the server's peak memory: {told['server_mib']:.0f} MiB")
    return "\n".join(lines)


def total(queries, what, engines):
    return {engine: sum(query[what][engine] for query in queries.values()) for engine in engines}


def row(name, rows, times, engines):
    cells = [f"{times[engine]:.1f}" for engine in engines]
    cells += [ratio(times[engines[0]], times[peer]) for peer in AIMS]
    return f"| {name} | {rows} | " + " | ".join(cells) + " |"


def aim(sums, first, peer, most):
    found = sums[first] / sums[peer]
    return (
        f"* sum of {first} / {peer}: {found:.2f}, aim at most {most:.1f}:"
        f" {'met' if found <= most else 'missed'}"
    )
