"""Throughline against the best DuckDB pipeline that we could write by hand, on the same exports.

    python benches/bench.py BINARY EXAMPLE FOLDER

EVENTS, DAYS and SEED (environment) make the company; REPEAT repeats the full builds in turn and
takes the median; ROUNDS is how often each dashboard query is asked. GROWTH=1 builds 1, 3, 10 and
30 million events instead (SIZES= names others) and shows how the cost of an event grows. Both sides
run on the same two CPUs, one after the other, and must agree in every figure of compare.py: else
the exit status is 1.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import date, timedelta
from pathlib import Path

import duckdb

import compare
import report
from dashboard import dashboard
from science import science

HERE = Path(__file__).resolve().parent
SEEDS = HERE.parent / "models" / "seeds"
CPUS = 2


def peak_of(child, seen):
    """Notes the peak memory (kernel's high-water mark) of a process until it ends. The figure that
    the kernel gives at the end would count what this process held when it started the child."""
    while child.poll_peak:
        try:
            with open(f"/proc/{child.pid}/status") as status:
                for line in status:
                    if line.startswith("VmHWM:"):
                        seen.append(int(line.split()[1]) / 1024)
        except OSError:
            return
        time.sleep(0.05)


def errors_in(text):
    """What went wrong in a run, from its report; of other output the end."""
    try:
        models = json.loads(text)["models"]
    except (ValueError, KeyError, TypeError):
        return text[-2000:]
    return "".join(f"{m['table']}: {m['error']}\n" for m in models if m.get("error"))


def measure(command, accepted=(0,)):
    """Runs a command to its end: wall and CPU seconds, peak memory, what it printed, and the lines
    that it said meanwhile with their times."""
    seen, said = [0.0], []
    with tempfile.TemporaryFile("w+") as out:
        began = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True)
        child.poll_peak = True
        listen = threading.Thread(target=lambda: said.extend(
            (time.perf_counter() - began, line) for line in child.stderr
        ))
        watch = threading.Thread(target=peak_of, args=(child, seen))
        listen.start()
        watch.start()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        child.poll_peak = False
        watch.join()
        listen.join()
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
        if child.returncode not in accepted:
            told = errors_in(text) + "".join(line for _, line in said)[-4000:]
            sys.exit(f"bench: `{' '.join(map(str, command))}` failed:\n{told}")
        return {
            "wall": wall,
            "cpu": usage.ru_utime + usage.ru_stime,
            "peak_mib": max(seen),
            "out": text,
            "said": said,
        }


def stages_of(models, said, wall):
    """Seconds of each stage. Models are built side by side: a second in which two run counts half
    for each. Before the first one files are loaded, after the last one tables are checked."""
    ended = {}
    for at, line in said:
        words = line.split()
        if len(words) > 1 and words[0] == "built":
            ended[words[1]] = at
    spans = [
        (ended[model["table"]] - model["seconds"], ended[model["table"]],
         model["table"].split(".")[0])
        for model in models if model["table"] in ended
    ]
    stages = dict.fromkeys(report.STAGES, 0.0)
    edges = sorted({0.0, wall, *(max(edge, 0.0) for span in spans for edge in span[:2])})
    last = max((span[1] for span in spans), default=0.0)
    for begin, end in zip(edges, edges[1:]):
        running = [span[2] for span in spans if span[0] <= begin and span[1] >= end]
        for layer in running:
            stage = "load, silver" if layer == "silver" else layer
            stages[stage] += (end - begin) / len(running)
        if not running:
            stages["checks" if begin >= last and spans else "load, silver"] += end - begin
    return stages


class Side:
    """One size of the company, built by both."""

    def __init__(self, binary, folder, events, days, seed):
        self.binary = str(Path(binary).resolve())
        self.folder = folder
        self.days = days
        self.made = measure([
            self.binary, "generate", "--quiet", "--events", str(events), "--days", str(days),
            "--seed", str(seed), "--out", str(folder / "exports"),
        ])
        with open(folder / "exports" / "truth" / "summary.json") as summary:
            self.summary = json.load(summary)

    # Throughline

    def project(self, name):
        """An empty project over `../exports`, under one key for all."""
        first, project = self.folder / "project", self.folder / name
        if not first.exists():
            measure([
                self.binary, "init", "--quiet", "--from", str(self.folder / "exports"), "--yes",
                str(first),
            ])
            # The rules of identity that the DuckDB side has, too.
            with open(first / "throughline.yml", "a") as settings:
                settings.write("\nidentity: {limits: {}, shared_devices: nobody}\n")
        fresh = self.folder / f"{name}.new"
        fresh.mkdir()
        for file in ("throughline.yml", "throughline.key"):
            shutil.copy(first / file, fresh / file)
        shutil.rmtree(project, ignore_errors=True)
        project.parent.mkdir(parents=True, exist_ok=True)
        fresh.rename(project)
        return project

    def throughline(self, project):
        """`run`: seconds by stage from its own report. Status 3 is a finished run of which a check
        failed: what differs is then found here."""
        run = measure(
            [self.binary, "run", "--project", str(project), "--json"], accepted=(0, 3),
        )
        told = json.loads(run["out"])
        stages = stages_of(told["models"], run["said"], run["wall"])
        run["stages"] = {stage: {"wall": wall} for stage, wall in stages.items()}
        run["steps"] = sorted(
            ((model["table"], model["seconds"]) for model in told["models"]),
            key=lambda step: -step[1],
        )
        run["disk"] = size_of(project / ".throughline")
        return run

    # DuckDB

    def duckdb(self, mode, exports, database):
        run = measure([
            sys.executable, str(HERE / "duckdb" / "pipeline.py"), mode, str(exports),
            str(database), str(SEEDS),
        ])
        told = json.loads(run["out"].splitlines()[-1])
        stages = {stage: {"wall": 0.0, "cpu": 0.0} for stage in report.STAGES}
        for step in told["steps"]:
            stage = "load, silver" if step["stage"] in ("load", "silver") else step["stage"]
            sums = stages[stage]
            sums["wall"] += step["wall"]
            sums["cpu"] += step["cpu"]
        run["stages"] = stages
        run["steps"] = [(f"{s['stage']}: {s['step']}", s["wall"], s["cpu"]) for s in told["steps"]]
        run["disk"] = size_of(Path(str(database) + ".fact")) + os.path.getsize(database)
        return run

    # Comparing

    def agree(self, project, database, what):
        """Asks both the same questions; gives what differs."""
        con = duckdb.connect(str(database), read_only=True)
        found, asked, rows = [], 0, 0
        answers = compare.compare(self.binary, str(project), con, f"{database}.fact")
        for name, count, differences in answers:
            asked, rows = asked + 1, rows + count
            found.extend(f"{what}: {name}: {difference}" for difference in differences)
        con.close()
        print(f"{what}: {asked} questions, {rows:,} rows compared, {len(found)} differ", flush=True)
        return found


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def hold_back(folder, last_day, next_day):
    """Takes the files of the last day out: its events and orders, and all that was delivered on
    the morning after. File names carry the day."""
    exports, held = folder / "exports", folder / "held"
    compact, dashed = last_day.replace("-", ""), f"orders_{last_day}"
    for path in sorted(exports.rglob("*")):
        is_late = compact in path.name or dashed in path.name or next_day in path.name
        if path.is_file() and is_late and "truth" not in path.parts:
            target = held / path.relative_to(exports)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
    return held


def give_back(folder):
    exports, held = folder / "exports", folder / "held"
    count = 0
    for path in sorted(held.rglob("*")):
        if path.is_file():
            path.rename(exports / path.relative_to(held))
            count += 1
    shutil.rmtree(held)
    return count


def median_of(runs):
    """The run with the median CPU time: its stages belong together."""
    middle = statistics.median_low(run["cpu"] for run in runs)
    return next(run for run in runs if run["cpu"] == middle)


def full_builds(side, repeat):
    """Both from nothing, in turn, as often as asked."""
    ours, theirs = [], []
    for _ in range(repeat):
        project = side.project("built")
        ours.append(side.throughline(project))
        database = side.folder / "built.db"
        theirs.append(side.duckdb("full", side.folder / "exports", database))
    return ours, theirs


def one_more_day(side):
    """All days but the last, then the last: only what is new is timed."""
    last = date.fromisoformat(side.summary["last_day"])
    hold_back(side.folder, str(last), str(last + timedelta(days=1)))
    project, database = side.project("daily"), side.folder / "daily.db"
    side.throughline(project)
    side.duckdb("full", side.folder / "exports", database)
    files = give_back(side.folder)
    return (
        side.throughline(project),
        side.duckdb("day", side.folder / "exports", database),
        files,
    )


def one_size(binary, folder, events, days, seed, repeat, with_day):
    """Everything for one size: the figures and what differs."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    side = Side(binary, folder, events, days, seed)
    ours, theirs = full_builds(side, repeat)
    result = {
        "summary": side.summary,
        "exports": size_of(folder / "exports"),
        "full": (median_of(ours), median_of(theirs)),
        "all": ([run["cpu"] for run in ours], [run["cpu"] for run in theirs]),
        "day": None,
    }
    found = side.agree(folder / "built", folder / "built.db", "full build")
    if with_day:
        result["dashboard"], apart = dashboard.over_project(
            measure, side.binary, folder / "built", folder / "dashboard",
        )
        found += apart
    result["science"], apart = science.over_project(
        measure, side.binary, folder / "built", folder / "science",
    )
    found += apart
    if with_day:
        ours_day, theirs_day, files = one_more_day(side)
        result["day"] = (ours_day, theirs_day)
        result["day_files"] = files
        found += side.agree(folder / "daily", folder / "daily.db", "one more day")
        apart = compare.databases(folder / "built.db", folder / "daily.db")
        print(f"one more day: DuckDB against its own rebuild: {len(apart)} tables differ")
        found += [f"DuckDB, one more day against its own rebuild: {table}" for table in apart]
    result["found"] = found
    return result


def main():
    binary, example, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3]).resolve()
    days, seed = int(os.environ.get("DAYS", 90)), int(os.environ.get("SEED", 7))
    repeat = int(os.environ.get("REPEAT", 1))
    growth = os.environ.get("GROWTH", "") not in ("", "0")
    sizes = [int(os.environ.get("EVENTS", 1_000_000))]
    if growth or "SIZES" in os.environ:
        growth = True
        sizes = [int(size) for size in os.environ.get(
            "SIZES", "1000000 3000000 10000000 30000000"
        ).split()]
    version = subprocess.run(
        [binary, "--version"], check=True, capture_output=True, text=True,
    ).stdout.strip()
    print(f"{version} and DuckDB {duckdb.__version__}, {CPUS} CPUs of {os.cpu_count()} each,"
          f" DAYS={days} SEED={seed} REPEAT={repeat}, load {os.getloadavg()[0]:.1f}\n", flush=True)
    print(science.over_paths(measure, example, folder / "paths"), flush=True)
    results = []
    for events in sizes:
        results.append(one_size(binary, folder, events, days, seed, repeat, not growth))
        print(report.size(results[-1]), flush=True)
        if growth:
            shutil.rmtree(folder)
    if growth:
        print(report.growth(results))
    found = [difference for result in results for difference in result["found"]]
    for difference in found[:40]:
        print(f"DIFFERS {difference}"[:500], file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    # Both sides get the same CPUs, however many the machine has.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CPUS])
    main()
