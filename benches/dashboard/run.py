"""The twelve dashboard queries on a built project: Throughline, DuckDB and ClickHouse in turn.

    python benches/dashboard/run.py BINARY PROJECT FOLDER

ROUNDS (environment) is how often each query is asked of each. Prints one JSON object with the
figures and what differs. FOLDER is work space; the project gets a token, and is not changed else.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dashboard import doors, equal, peers, texts  # noqa: E402

# The customers whose timeline is asked for: their place among all, by the number of touches.
PLACES = (0.0001, 0.001, 0.01, 0.1, 0.5)
CUSTOMERS = """
    select customer_key, count(*) as touches
    from star.int_customer_touch
    where customer_key <> 0
    group by customer_key
    order by touches desc, customer_key
"""


def givens(duck):
    """What the queries are asked for, one after the other: the last 90 days, and a customer."""
    last = duck.query("select max(event_date) as day from star.int_session")["day"][0].as_py()
    customers = duck.query(CUSTOMERS)["customer_key"].to_pylist()
    return [
        {"first": last - timedelta(days=89), "last": last, "customer": customers[at]}
        for at in sorted({int(len(customers) * place) for place in PLACES})
    ]


def timed(engine, text):
    """Milliseconds by the clock and of the processor, and the answer."""
    busy, began = engine.busy(), time.perf_counter()
    answer = engine.query(text)
    took = time.perf_counter() - began
    return took * 1000, (engine.busy() - busy) * 1000, answer


class Board:
    """The engines and what they were seen to do."""

    def __init__(self, engines, given, rounds):
        self.engines, self.given, self.rounds = engines, given, rounds
        self.times = {name: {engine: [] for engine in engines} for name in texts.names()}
        self.first = {name: {} for name in texts.names()}
        self.cpu = {name: dict.fromkeys(engines, 0.0) for name in texts.names()}
        self.rows = {}
        self.found = []

    def run(self):
        """Every query of every engine once, then so many rounds; in each round another is first."""
        order = list(self.engines)
        for name in texts.names():
            self.compare(name, order)
        for number in range(self.rounds):
            order = order[1:] + order[:1]
            given = self.given[number % len(self.given)]
            for name in texts.names():
                for engine in order:
                    asked = self.engines[engine]
                    took, cpu, _ = timed(asked, texts.text(name, asked.dialect, **given))
                    self.times[name][engine].append(took)
                    self.cpu[name][engine] += cpu / self.rounds

    def compare(self, name, order):
        """All rows of all engines must be those of the first one."""
        each = self.given if texts.asks_for_customer(name) else self.given[:1]
        for number, given in enumerate(each):
            whole = None
            for engine in order:
                asked = self.engines[engine]
                took, _, answer = timed(asked, texts.text(name, asked.dialect, **given))
                rows = equal.rows(answer)
                if number == 0:
                    self.first[name][engine] = took
                if whole is None:
                    whole = rows
                    self.rows[name] = max(len(rows), self.rows.get(name, 0))
                apart = equal.differences(whole, rows, True)
                if apart:
                    self.found.append(
                        f"dashboard: {name}: {engine} and {order[0]}: {len(apart)} rows differ,"
                        f" the first {apart[0]}"
                    )

    def told(self):
        return {
            "queries": {
                name: {
                    "rows": self.rows[name],
                    "p50_ms": {e: statistics.median(t) for e, t in times.items()},
                    "min_ms": {e: min(t) for e, t in times.items()},
                    "max_ms": {e: max(t) for e, t in times.items()},
                    "first_ms": self.first[name],
                    "cpu_ms": self.cpu[name],
                }
                for name, times in self.times.items()
            },
            "rounds": self.rounds,
            "found": self.found,
        }


def main():
    binary, project, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    rounds = int(os.environ.get("ROUNDS", 7))
    wanted = os.environ.get("DOORS", ",".join(doors.DOORS)).split(",")
    threads = len(os.sched_getaffinity(0))
    folder.mkdir(parents=True, exist_ok=True)
    lake = project / ".throughline" / "lake"
    linked = peers.link(lake, folder / "files")
    duck = peers.DuckDB(linked, threads)
    clickhouse = peers.ClickHouse(linked, threads, folder / "clickhouse")
    began = time.perf_counter()
    own = peers.ClickHouseOwn(clickhouse)
    loaded = time.perf_counter() - began
    given = givens(duck)
    server = doors.Server(binary, project)
    try:
        ours = {name: doors.DOORS[name](server) for name in wanted}
        board = Board(
            {**ours, "DuckDB": duck, "ClickHouse": clickhouse, "ClickHouse tables": own},
            given, rounds,
        )
        board.run()
        told = board.told()
        told["server_mib"] = server.memory_mib()
        for door in ours.values():
            door.close()
    finally:
        server.stop()
    told |= {
        "clickhouse_load_s": loaded,
        "load": os.getloadavg()[0],
        "versions": {"duckdb": duck.version(), "clickhouse": clickhouse.version()},
    }
    shutil.rmtree(folder)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
