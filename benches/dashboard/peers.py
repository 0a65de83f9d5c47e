"""DuckDB and ClickHouse (chdb) over the Parquet files of a project's tables, and over tables of
ClickHouse's own that are loaded from them."""

import json
import os
import shutil
import time

import pyarrow
import pyarrow.parquet

from science.science import files_of

# Each table that a query reads, with the order of ClickHouse's own: what its queries look up by.
TABLES = {
    "star.fct_journey_event": "anonymous_node_id, event_at",
    "star.int_session": "event_date, channel_key",
    "star.int_deal_customer": "identity_node_id",
    "star.int_customer_touch": "customer_key, event_at",
    "star.fct_attribution_credit": "model, conversion_date, channel_key",
    "star.fct_conversion": "customer_key, conversion_at",
    "star.fct_refund": "conversion_id",
    "star.fct_ad_performance": "report_date, campaign_key",
    "star.dim_campaign": "campaign_key",
    "star.dim_channel": "channel_key",
    "star.dim_date": "date",
    "star.dim_geo": "geo_key",
    "star.dim_page": "page_key",
    "identity.bridge_identity": "customer_key, identity_node_id",
}
# Columns with a filter in ClickHouse's own tables: those that have one in the Parquet files.
LOOKED_UP = {
    "star.fct_journey_event": ("identity_node_id", "session_id"),
    "star.int_session": ("session_id", "identity_node_id"),
}
# Views of the star that are no more than this.
CURRENT = {
    "star.fct_ad_performance_current": "star.fct_ad_performance",
    "star.dim_campaign_current": "star.dim_campaign",
}
BRACKETS = str.maketrans("()", "[]")
# A text with fewer values than this is kept by number in ClickHouse's own tables.
FEW_VALUES = 10_000


def link(lake, folder):
    """The current files of each Delta table in a folder of its own: the same files under another
    name. A table without rows has none, and gets one without rows."""
    shutil.rmtree(folder, ignore_errors=True)
    linked = {}
    for table in TABLES:
        home, delta = folder / table, lake.joinpath(*table.split("."))
        home.mkdir(parents=True)
        files = files_of(delta)
        for path in files:
            os.link(path, home / os.path.basename(path))
        if not files:
            pyarrow.parquet.write_table(schema_of(delta).empty_table(), home / "none.parquet")
        linked[table] = home / "*.parquet"
    return linked


def schema_of(delta):
    """The columns of a Delta table, as its log has them."""
    said = None
    for commit in sorted((delta / "_delta_log").glob("*.json")):
        for line in commit.read_text().splitlines():
            said = json.loads(line).get("metaData", {}).get("schemaString") or said
    return pyarrow.schema(
        (field["name"], arrow_type(field["type"])) for field in json.loads(said)["fields"]
    )


def arrow_type(kind):
    if kind.startswith("decimal"):
        return pyarrow.decimal128(*json.loads(kind.removeprefix("decimal").translate(BRACKETS)))
    return {
        "long": pyarrow.int64(),
        "integer": pyarrow.int32(),
        "double": pyarrow.float64(),
        "string": pyarrow.string(),
        "boolean": pyarrow.bool_(),
        "date": pyarrow.date32(),
        "timestamp": pyarrow.timestamp("us", "UTC"),
    }[kind]


class DuckDB:
    """Views over the Parquet files."""

    dialect = "duckdb"

    def __init__(self, linked, threads):
        import duckdb

        self.con = duckdb.connect()
        self.con.execute(f"set threads = {threads}; set timezone = 'UTC'")
        for schema in ("star", "identity"):
            self.con.execute(f"create schema {schema}")
        for table, files in linked.items():
            self.con.execute(f"create view {table} as from read_parquet('{files}')")
        for view, table in CURRENT.items():
            self.con.execute(f"create view {view} as from {table} where is_current")

    def query(self, text):
        return self.con.sql(text).to_arrow_table()

    def busy(self):
        return time.process_time()

    def version(self):
        return self.query("select version() as v")["v"][0].as_py()


class ClickHouse:
    """Tables that are the Parquet files, in schemas `star` and `identity`; after `own()` the same
    names mean ClickHouse's own tables. One process may have one session, so both share it."""

    dialect = "clickhouse"

    def __init__(self, linked, threads, folder):
        from chdb.session import Session

        shutil.rmtree(folder, ignore_errors=True)
        self.session = Session(str(folder))
        self.settings = {
            "max_threads": threads,
            "session_timezone": "'UTC'",
            "join_use_nulls": 1,
            "output_format_arrow_string_as_string": 1,
        }
        for name, value in self.settings.items():
            self.run(f"set {name} = {value}")
        for schema in ("star", "identity", "own_star", "own_identity"):
            self.run(f"create database {schema} engine = Atomic")
        for table, files in linked.items():
            self.run(f"create table {table} engine = File(Parquet, '{files}')")
        self.views("")

    def views(self, prefix):
        for view, table in CURRENT.items():
            self.run(
                f"create view {prefix}{view} as select * from {prefix}{table} where is_current"
            )

    def run(self, text):
        self.session.query(text)

    def query(self, text):
        answer = self.session.query(text, "ArrowStream")
        return pyarrow.ipc.open_stream(pyarrow.py_buffer(answer.bytes())).read_all()

    def busy(self):
        return time.process_time()

    def version(self):
        return self.query("select version() as v")["v"][0].as_py()

    def load(self):
        """Fills the tables of its own: sorted, without nulls where there are none, texts of few
        values by number."""
        for table, order in TABLES.items():
            columns = [
                self.column(table, name, kind)
                for name, kind in self.rows(f"describe table {table}", "name", "type")
            ]
            columns += [
                f"index {name}_filter {name} type bloom_filter"
                for name in LOOKED_UP.get(table, ())
            ]
            self.run(
                f"create table own_{table} ({', '.join(columns)})"
                f" engine = MergeTree order by ({order})"
            )
            self.run(f"insert into own_{table} select * from {table}")
            self.run(f"optimize table own_{table} final")
        self.views("own_")

    def column(self, table, name, kind):
        ((nulls, values),) = self.rows(
            f"select countIf({name} is null) as nulls, uniq({name}) as few from {table}",
            "nulls", "few",
        )
        kind = kind.removeprefix("Nullable(").removesuffix(")") if "Nullable(" in kind else kind
        if "Decimal" in kind or "DateTime64" in kind:
            kind += ")" * (kind.count("(") - kind.count(")"))
        if nulls:
            kind = f"Nullable({kind})"
        if "String" in kind and values < FEW_VALUES:
            kind = f"LowCardinality({kind})"
        return f"{name} {kind}"

    def rows(self, text, *columns):
        answer = self.session.query(text, "JSONCompact")
        told = json.loads(answer.bytes())
        places = [[meta["name"] for meta in told["meta"]].index(name) for name in columns]
        return [
            tuple(int(row[at]) if str(row[at]).isdigit() else row[at] for at in places)
            for row in told["data"]
        ]


class ClickHouseOwn:
    """ClickHouse's own tables, in the session of the other."""

    dialect = "mergetree"

    def __init__(self, clickhouse):
        self.clickhouse = clickhouse
        clickhouse.load()

    def query(self, text):
        for schema in ("star", "identity"):
            text = text.replace(f" {schema}.", f" own_{schema}.")
        return self.clickhouse.query(text)

    def busy(self):
        return time.process_time()
