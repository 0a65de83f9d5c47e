"""Journey science by itself: sessions, identity and credit over one built project, and fitted models
over files of paths, each beside the best that we could write or find elsewhere.

Throughline builds a model of `models/`; the peer runs a query, or a library, over the Parquet files
of the same tables. Both write a Parquet file, and both must give the same rows.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MODELS = "attribution:\n  models: [first_paid, last_paid, j_shaped, inverse_j]"
TABLES = {
    "session": ["fct_journey_event"],
    "identity": ["fct_journey_event"],
    "credit": ["int_customer_touch", "dim_channel"],
}

# What a row of either side is compared by. Which key stands for a component is each side's own
# affair: the component is compared as its smallest identifier and its size.
ROWS = {
    "session": "select device_key, started_at::timestamp, ended_at::timestamp, event_count::bigint,"
    " page_view_count::bigint, engagement_msec::bigint, first_event_type from {}",
    "identity": "select node_key, min(node_key) over (partition by component_key),"
    " count(*) over (partition by component_key) from {}",
    "credit": "select conversion_key, model, coalesce(touch_key, 0), coalesce(touch_position, 0),"
    " path_length::bigint, case when credit >= 10 then credit / 1e12 else credit end::decimal(18, 12),"
    " credited_amount::decimal(18, 6) from {}",
}


def files_of(table):
    """The Parquet files of a Delta table: what its log has added and not removed."""
    current = set()
    for commit in sorted((table / "_delta_log").glob("*.json")):
        for line in commit.read_text().splitlines():
            action = json.loads(line)
            if "add" in action:
                current.add(action["add"]["path"])
            if "remove" in action:
                current.discard(action["remove"]["path"])
    return sorted(str(table / path) for path in current)


def ours(measure, binary, project, name):
    """Builds one model of `models/` in the project: its seconds, the process's CPU and memory."""
    target = project / "models" / f"bench_{name}.sql"
    target.parent.mkdir(exist_ok=True)
    shutil.copy(HERE / "models" / target.name, target)
    run = measure(
        [binary, "run", "--project", str(project), "--select", target.stem, "--json"],
        accepted=(0, 3),
    )
    model = next(
        model for model in json.loads(run["out"])["models"]
        if model["table"].endswith(target.stem)
    )
    target.unlink()
    return {"wall": model["seconds"], "cpu": run["cpu"], "peak_mib": run["peak_mib"],
            "files": files_of(table_of(project, target.stem))}


def table_of(project, name):
    return next((project / ".throughline" / "lake").glob(f"*/{name}"))


def theirs(measure, work, what, files):
    """Runs one piece of work of peer.py."""
    given, output = work / f"{what}.json", work / f"{what}.parquet"
    given.write_text(json.dumps(files))
    run = measure([sys.executable, str(HERE / "peer.py"), what, str(given), str(output)])
    told = json.loads(run["out"].splitlines()[-1])
    return {"wall": told["wall"], "cpu": told["cpu"], "peak_mib": run["peak_mib"],
            "files": [str(output)]}


def differing(name, a, b):
    """How many rows one side has and the other has not."""
    con = duckdb.connect()
    con.execute("set timezone='UTC'")
    for side, files in (("a", a), ("b", b)):
        rows = ROWS[name].format(f"read_parquet({files})")
        con.execute(f"create temp table {side} as {rows}")
    count = con.execute("select count(*) from a").fetchone()[0]
    apart = con.execute(
        "select count(*) from ((from a except all from b) union all (from b except all from a))"
    ).fetchone()[0]
    return count, apart


def line(what, mine, other, peer):
    return (
        f"| {what} | {mine['wall']:.2f} | {peer} | {other['wall']:.2f}"
        f" | {mine['wall'] / other['wall']:.2f} | {mine['cpu']:.2f} | {other['cpu']:.2f}"
        f" | {mine['cpu'] / other['cpu']:.2f} | {mine['peak_mib']:.0f} | {other['peak_mib']:.0f} |"
    )


def over_project(measure, binary, project, work):
    """Sessions, identity and credit over a built project; the report and what differs."""
    settings = project / "throughline.yml"
    settings.write_text(settings.read_text().replace("attribution:", MODELS, 1))
    work.mkdir(parents=True, exist_ok=True)
    lines = [
        "| over the built star | Throughline s | peer | s | ratio | Throughline CPU s | CPU s"
        " | ratio | MiB | MiB |",
        "|---|---:|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    found = []
    for name, tables in TABLES.items():
        files = {table: files_of(table_of(project, table)) for table in tables}
        mine = ours(measure, binary, project, name)
        peers = [("DuckDB", name)]
        if name == "session":
            peers.append(("Polars", "session_polars"))
        for peer, what in peers:
            other = theirs(measure, work, what, files)
            rows, apart = differing(name, mine["files"], other["files"])
            lines.append(line(f"{name}, {rows:,} rows", mine, other, peer))
            if apart:
                found.append(f"{name}: {apart} rows of Throughline and {peer} differ")
    shutil.rmtree(work)
    return "\n".join(lines), found


def over_paths(measure, example, work):
    """Fitted models beside ChannelAttribution: a million generated paths, and its own data where
    that lies beside the repository."""
    work.mkdir(parents=True, exist_ok=True)
    generated = work / "paths.csv"
    subprocess.run(
        [example, "generate", os.environ.get("PATHS", "1000000"), str(generated)], check=True,
    )
    given = [("generated", generated)]
    bundled = ROOT.parent / "shared" / "vectors" / "attribution" / "CA_Data_10k" / "journeys.csv"
    if bundled.exists():
        given.append(("CA_Data_10k", bundled))
    else:
        print(f"CA_Data_10k is not at {bundled}: left out")
    lines = [
        "| paths | model | Throughline s | ChannelAttribution s | ratio"
        " | its largest error, points of share |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for name, file in given:
        told = json.loads(measure([example, "fit", str(file)])["out"])
        peer = theirs_markov(measure, work, file)
        for model, fit in told["models"].items():
            seconds = fit.get("seconds")
            if seconds is None:
                lines.append(f"| {name} | {model} | {fit['error']} | | | |")
                continue
            # ChannelAttribution reads the paths anew for each model: so do we.
            seconds += told["grouped_seconds"]
            other = peer.get(model)
            if other is None:
                lines.append(f"| {name} | {model} | {seconds:.3f} | - | | |")
                continue
            lines.append(
                f"| {name}, {told['distinct']:,} distinct | {model} | {seconds:.3f}"
                f" | {other['seconds']:.3f} | {seconds / other['seconds']:.2f}"
                f" | {100 * error(fit['credits'], other['credits']):.3f} |"
            )
    shutil.rmtree(work)
    return "\n".join(lines)


def theirs_markov(measure, work, file):
    given, output = work / "markov.json", work / "markov.out"
    given.write_text(json.dumps({"paths": str(file)}))
    measure([sys.executable, str(HERE / "peer.py"), "markov", str(given), str(output)])
    return json.loads(output.read_text())


def error(exact, simulated):
    """Largest difference of a channel's share of all conversions."""
    whole, other = sum(exact.values()), sum(simulated.values())
    return max(
        abs(exact[channel] / whole - simulated.get(channel, 0.0) / other) for channel in exact
    )
