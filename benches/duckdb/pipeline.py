"""The demo company's figures by hand: DuckDB, this driver and the SQL beside it.

    python pipeline.py full EXPORTS DATABASE SEEDS     everything from nothing
    python pipeline.py day  EXPORTS DATABASE SEEDS     only what files that are new bring

Prints one JSON object: seconds and CPU seconds by step, and the process's peak memory. The fact is
kept as Parquet by day in DATABASE.fact, everything else in the database file.
"""

import glob
import json
import os
import shutil
import sys
import time
from pathlib import Path

import duckdb

SQL = Path(__file__).parent / "sql"
CSV_OPTIONS = (
    "auto_detect=false, header=true, delim=',', quote='\"', escape='\"', nullstr='',"
    " new_line='\\n', parallel=false"
)

# Small, and made anew from what stands before them.
DERIVED = ("conversion_path", "order_line_fact", "deal_stage_fact")


class Pipeline:
    """One run over one database."""

    def __init__(self, exports, database, seeds):
        self.exports = exports
        self.seeds = seeds
        self.fact = database + ".fact"
        self.steps = []
        self.known = None
        self.con = duckdb.connect(database)
        self.con.execute(
            f"set threads={len(os.sched_getaffinity(0))}; set preserve_insertion_order=false;"
            f" set temp_directory='{database}.tmp'; set timezone='UTC'"
        )

    def sql(self, name, **values):
        """The text of a query, with its values."""
        text = (SQL / f"{name}.sql").read_text()
        values.setdefault("divide", (SQL / "divide.sql").read_text().strip())
        for key, value in values.items():
            text = text.replace("{" + key + "}", value)
        return text.strip().rstrip(";")

    def run(self, text):
        return self.con.execute(text)

    def value(self, text):
        return self.con.execute(text).fetchone()[0]

    def step(self, stage, name, work):
        """Does a piece of work (SQL or a function) and notes what it took."""
        wall, cpu = time.perf_counter(), time.process_time()
        if callable(work):
            work()
        else:
            self.run(work)
        self.steps.append({
            "stage": stage,
            "step": name,
            "wall": time.perf_counter() - wall,
            "cpu": time.process_time() - cpu,
        })

    def view(self, name, relation):
        self.run(f"create or replace temp view {name} as from {relation}")

    # Files

    def new_files(self, pattern):
        """Files of this pattern that were not loaded yet; they count as loaded from now on."""
        if self.known is None:
            self.known = {row[0] for row in self.run("from loaded_file").fetchall()}
        found = sorted(glob.glob(pattern, root_dir=self.exports))
        fresh = [path for path in found if path not in self.known]
        if fresh:
            self.known.update(fresh)
            self.con.execute("insert into loaded_file select unnest(?)", [fresh])
        return [os.path.join(self.exports, path) for path in fresh]

    def load_small(self):
        """The small files: CSV by its header, so that a new column disturbs nothing."""
        tables = self.run(
            "select table_name, list(column_name) from duckdb_columns()"
            " where table_name like '%\\_\\_%' escape '\\' group by 1"
        ).fetchall()
        for table, columns in tables:
            source, stream = table.split("__")
            if table == "exchange_rates__reference_rates":
                continue
            by_header = {}
            for path in self.new_files(f"{source}/{stream}/*.csv"):
                with open(path) as lines:
                    by_header.setdefault(lines.readline().strip(), []).append(path)
            for header, paths in by_header.items():
                given = header.split(",")
                types = ", ".join(f"'{name}': 'varchar'" for name in given)
                wanted = ", ".join(f'"{name}"' for name in columns if name in given)
                self.run(
                    f"insert into {table} by name select {wanted} from"
                    f" read_csv({paths}, columns={{{types}}}, {CSV_OPTIONS})"
                )
        for path in self.new_files("exchange_rates/*.csv"):
            self.run(
                "insert into exchange_rates__reference_rates select rate_date, currency_code, rate"
                " from (unpivot (select * from"
                f" read_csv('{path}', all_varchar=true, header=true, delim=','))"
                " on columns(* exclude (\"Date\")) into name currency_code value stated) ,"
                " lateral (select try_cast(\"Date\" as date) as rate_date,"
                " try_cast(trim(stated) as decimal(18, 8)) as rate)"
                " where rate is not null"
            )
        for path in self.new_files("shopify/products.ndjson"):
            self.run(
                "create or replace table product as select id as product_id, title as product_name,"
                " vendor as brand, product_type as category, status, variants[1].sku as sku,"
                f" variants[1].price as price from read_json('{path}', columns={{id: 'varchar',"
                " title: 'varchar', vendor: 'varchar', product_type: 'varchar', status: 'varchar',"
                " variants: 'struct(sku varchar, price decimal(18, 6))[]'})"
            )
        orders = self.new_files("shopify/orders/*.ndjson")
        if orders:
            query = self.sql("shopify_orders", files=str(orders))
            self.run(f"create table if not exists shopify_orders as {query} limit 0")
            self.run(f"insert into shopify_orders {query}")

    # Full build

    def full(self):
        def load_web():
            files = self.new_files("ga4/*.gz")
            self.run(f"create table web_event as {self.sql('web_event', files=str(files))}")

        self.step("load", "set up", lambda: (
            self.run("create table loaded_file (path text)"),
            self.run(self.sql("setup", seeds=self.seeds)),
            self.run(self.sql("tables")),
        ))
        self.step("load", "web events", load_web)
        self.step("load", "small files", self.load_small)
        self.step("silver", "quarantine", """
            create table quarantine_event as from web_event where rule is not null;
            delete from web_event where rule is not null
        """)
        self.step("silver", "deduplicate", """
            create temp table repeated as
                select event_hash from web_event group by event_hash having count(*) > 1;
            delete from web_event where rowid in (
                select rowid from web_event semi join repeated using (event_hash)
                qualify row_number() over (partition by event_hash order by rowid) > 1
            )
        """)
        self.step("silver", "orders, contacts, deals", self.sql("small_silver"))
        self.step("silver", "ads", self.sql("ads"))
        self.step("silver", "checkpoint", "checkpoint")
        for name in ("fresh_event", "scope_event"):
            self.view(name, "web_event")
        for name in ("web_identity", "record_identity", "edge", "guarded"):
            self.step("identity", name, f"create table {name} as {self.sql(name)}")
        self.step("identity", "components", self.components)
        self.step("star", "traffic sources",
                  f"create table event_source as {self.sql('event_source')}")
        self.step("star", "robots", f"create table bot_agent as {self.sql('bot_agent')}")
        self.run("create table session_break (event_hash ubigint)")
        self.step("star", "sessions of events", self.assign_sessions)
        self.step("star", "journey", f"create table journey as {self.sql('journey')}")
        self.step("star", "fact as parquet", self.write_fact)
        self.view("scope_journey", "journey")
        for name in ("session_base", "session"):
            self.view("scope_session", "session_base" if name == "session" else "journey")
            self.step("star", name, f"create table {name} as {self.sql(name)}")
        self.run(f"create view fct_session as {self.sql('fct_session')}")
        for name in ("order_fact", "web_conversion", "sale_record", "conversion", "party"):
            self.step("star", name, f"create table {name} as {self.sql(name)}")
        self.view("scope_touch_session", "fct_session")
        self.view("scope_conversion", "conversion")
        for name in ("touch", "credit", *DERIVED):
            self.step("star", name, f"create table {name} as {self.sql(name)}")
        self.step("star", "pages, devices, places", self.sql("dims"))
        self.step("marts", "marts", self.sql("marts"))
        self.step("marts", "checkpoint", "checkpoint")

    def assign_sessions(self):
        """Sessions of the events in scope; one beyond 24 hours is cut, until none is left."""
        while True:
            query = self.sql("session_event")
            self.run(f"create or replace temp table session_event as {query}")
            self.run("""
                create or replace temp table too_long as
                select event.event_hash
                from session_event
                inner join scope_event as event using (event_hash)
                where session_key in (
                    select session_key from session_event
                    semi join (from scope_event where native_key is null) using (event_hash)
                )
                and event.native_key is null
                qualify event_at - min(event_at) over (partition by session_key)
                    > interval '24 hours'
            """)
            if not self.value("select count(*) from too_long"):
                return
            self.run("""
                insert into session_break
                select arg_min(event.event_hash, event_at) from too_long
                inner join scope_event as event using (event_hash)
                inner join session_event using (event_hash)
                group by session_key
            """)

    def components(self):
        """Components of the edges between unguarded identifiers: the smallest key spreads."""
        self.run("""
            create or replace temp table link as
            select a as x, b as y from edge
            where a not in (from guarded) and b not in (from guarded);
            insert into link select y, x from link;
            create or replace temp table label as
            select x as node, least(x, min(y)) as customer from link group by x
        """)
        self.spread()
        self.run("""
            create or replace table bridge as
            with known as (
                select unnest([device_node, user_node, email_node, order_node]) as node
                from web_identity
                union
                select a from record_identity
                union
                select b from record_identity
            )
            select node, coalesce(customer, node) as customer
            from known left join label using (node)
            where node is not null
        """)

    def spread(self):
        """Labels take the smallest of their neighbours and then that one's own, to the fixpoint."""
        while True:
            self.run("""
                create or replace temp table lower as
                select label.node, least(label.customer, min(other.customer)) as customer
                from label
                inner join link on label.node = link.x
                inner join label as other on link.y = other.node
                group by label.node, label.customer;
                create or replace temp table next as
                select lower.node, least(lower.customer, above.customer) as customer
                from lower inner join lower as above on lower.customer = above.node
            """)
            changed = self.value(
                "select count(*) from next inner join label using (node)"
                " where next.customer <> label.customer"
            )
            self.run("drop table label; alter table next rename to label")
            if not changed:
                return

    def write_fact(self):
        shutil.rmtree(self.fact, ignore_errors=True)
        self.copy_fact("")

    def copy_fact(self, where):
        self.run(
            f"copy ({self.sql('fact', where=where)}) to '{self.fact}'"
            " (format parquet, compression zstd, partition_by (event_date), overwrite_or_ignore)"
        )

    # One more day

    def day(self):
        self.run("set variable click_names ="
                 " (select list(parameter order by place) from click_kind)")
        self.run("create temp table old_click as from ad_click;"
                 " create temp table old_alias as from campaign_alias")
        self.step("load", "web events", self.day_load_web)
        self.step("load", "small files", self.load_small)
        self.step("silver", "quarantine, deduplicate", self.sql("day_silver"))
        self.step("silver", "orders, contacts, deals", self.sql("small_silver"))
        self.step("silver", "ads", self.sql("ads"))
        self.view("fresh_event", "batch_event")
        self.step("identity", "edges", self.day_edges)
        self.step("identity", "components", self.day_components)
        self.step("star", "traffic sources",
                  f"insert into event_source {self.sql('event_source')}")
        self.step("star", "robots", f"""
            insert into bot_agent from ({self.sql('bot_agent')})
            where user_agent not in (from bot_agent)
        """)
        self.step("star", "dirty sessions", self.sql("day_scope"))
        self.step("star", "sessions of events", self.assign_sessions)
        self.step("star", "journey", self.day_journey)
        self.step("star", "fact as parquet", self.day_fact)
        self.step("star", "session_base", self.day_session_base)
        self.step("star", "session", self.day_session)
        self.step("star", "conversions", self.day_conversions)
        self.step("star", "touch", self.day_touch)
        self.step("star", "credit", self.day_credit)
        for name in DERIVED:
            self.step("star", name, f"create or replace table {name} as {self.sql(name)}")
        self.step("star", "pages, devices, places", self.sql("dims"))
        self.step("marts", "marts", self.sql("marts"))
        self.step("marts", "checkpoint", "checkpoint")

    def day_load_web(self):
        files = self.new_files("ga4/*.gz")
        self.run(f"create temp table batch_event as {self.sql('web_event', files=str(files))}")

    def day_edges(self):
        self.run(f"insert into web_identity {self.sql('web_identity')}")
        self.run("create temp table old_record as from record_identity;"
                 " create temp table old_edge as from edge;"
                 " create temp table old_guarded as from guarded")
        for name in ("record_identity", "edge", "guarded"):
            self.run(f"create or replace table {name} as {self.sql(name)}")

    def day_components(self):
        self.run(self.sql("day_affected"))
        self.spread()
        self.run(self.sql("day_bridge"))

    def day_journey(self):
        self.run(f"""
            create temp table new_journey as {self.sql('journey')};
            create temp table old_journey as
                from journey where session_key in (from dirty_session);
            delete from journey where session_key in (from dirty_session);
            insert into journey from new_journey
        """)
        self.view("scope_journey", "new_journey")

    def day_fact(self):
        dates = self.run("""
            select distinct event_date from (
                (from new_journey except from old_journey)
                union all
                (from old_journey except from new_journey)
            )
        """).fetchall()
        for (date,) in dates:
            shutil.rmtree(f"{self.fact}/event_date={date}", ignore_errors=True)
        days = ", ".join(f"date '{date}'" for (date,) in dates)
        self.copy_fact(f"where journey.event_date in ({days})")

    def day_session_base(self):
        self.run(f"""
            create temp table new_session_base as {self.sql('session_base')};
            create temp table old_session_base as
                from session_base where session_key in (from dirty_session);
            delete from session_base where session_key in (from dirty_session);
            insert into session_base from new_session_base
        """)

    def day_session(self):
        self.run(self.sql("day_device"))
        self.view("scope_session", "dirty_device_session")
        self.run(f"""
            create temp table new_session as {self.sql('session')};
            delete from session where session_key in (select session_key from old_session_base)
                or session_key in (select session_key from new_session);
            insert into session from new_session
        """)

    def day_conversions(self):
        self.run(f"""
            delete from web_conversion where session_key in (from dirty_session);
            insert into web_conversion {self.sql('web_conversion')};
            create temp table old_conversion as from conversion;
            create temp table old_party as from party
        """)
        for name in ("order_fact", "sale_record", "conversion", "party"):
            self.run(f"create or replace table {name} as {self.sql(name)}")

    def day_touch(self):
        self.run(self.sql("day_customer"))
        self.view("scope_touch_session", "dirty_customer_session")
        self.run(f"""
            delete from touch where customer in (from dirty_customer);
            insert into touch {self.sql('touch')}
        """)

    def day_credit(self):
        self.run(self.sql("day_conversion"))
        self.view("scope_conversion", "dirty_conversion_row")
        self.run(f"""
            delete from credit where conversion_id in (from dirty_conversion);
            insert into credit {self.sql('credit')}
        """)


def main():
    mode, exports, database, seeds = sys.argv[1:5]
    if mode == "full":
        for path in (database, database + ".wal"):
            if os.path.exists(path):
                os.remove(path)
    began = time.perf_counter()
    pipeline = Pipeline(exports, database, seeds)
    getattr(pipeline, mode)()
    pipeline.con.close()
    print(json.dumps({
        "steps": pipeline.steps,
        "wall": time.perf_counter() - began,
        "cpu": time.process_time(),
    }))


if __name__ == "__main__":
    main()
