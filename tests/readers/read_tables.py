"""Reads a lake's tables as other engines do, and compares what they see with what we say.

Standard input is JSON: where the lake lies, which engines are to read it, and for every table its
columns and our own answer. For each engine that runs a line is printed: its name, its version and
how many tables agreed. The exit status is 1 where an engine differs or fails.

    {"lake": "/path" or "s3://bucket/prefix", "engines": ["duckdb", ...],
     "s3": {"endpoint": "http://127.0.0.1:1", "key": "k", "secret": "s", "region": "us-east-1"},
     "tables": {"star.dim_date": {"columns": [["date_key", "int"], ...], "answer": ["12", ...]}}}

The answer of a table is its rows, then for each column its values that are not null, and by kind
its smallest and largest value (`int`, `date`) or its sum (`decimal`).
"""

import glob
import json
import os
import sys
from decimal import Decimal, InvalidOperation


def aggregates(columns):
    """The answer as SQL, for the engines that speak it."""
    parts = ["count(*)"]
    for name, kind in columns:
        column = '"' + name.replace('"', '""') + '"'
        parts.append(f"count({column})")
        if kind in ("int", "date"):
            parts += [f"min({column})", f"max({column})"]
        elif kind == "decimal":
            parts.append(f"sum({column})")
    return ", ".join(parts)


class Deltalake:
    """delta-rs in Python, its files read by Arrow."""

    def __init__(self, request):
        import deltalake

        self.version = deltalake.__version__
        self.options = options(request)

    def read(self, path, columns):
        import pyarrow.compute as pc
        from deltalake import DeltaTable

        table = DeltaTable(path, storage_options=self.options).to_pyarrow_table()
        answer = [table.num_rows]
        for name, kind in columns:
            column = table[name]
            answer.append(pc.count(column).as_py())
            if kind in ("int", "date"):
                ends = pc.min_max(column)
                answer += [ends["min"].as_py(), ends["max"].as_py()]
            elif kind == "decimal":
                answer.append(pc.sum(column).as_py())
        return answer


class Polars:
    """Polars' lazy scan."""

    def __init__(self, request):
        import polars

        self.version = polars.__version__
        self.options = options(request)

    def read(self, path, columns):
        import polars as pl

        frame = pl.scan_delta(path, storage_options=self.options)
        asked = [pl.len().alias("0")]
        for name, kind in columns:
            column = pl.col(name)
            wanted = [column.count()]
            if kind in ("int", "date"):
                wanted += [column.min(), column.max()]
            elif kind == "decimal":
                # An empty sum is null in SQL and 0 here.
                wanted.append(pl.when(column.count() > 0).then(column.sum()))
            asked += [one.alias(str(len(asked) + i)) for i, one in enumerate(wanted)]
        return frame.select(asked).collect().row(0)


class Duckdb:
    """DuckDB with its own `delta` extension, loaded from the package and not from the network."""

    def __init__(self, request):
        import duckdb

        self.version = duckdb.__version__
        self.session = duckdb.connect()
        self.load("delta")
        s3 = request.get("s3")
        if s3:
            self.load("httpfs")
            host = s3["endpoint"].removeprefix("http://")
            self.session.execute(
                f"create secret (type s3, key_id '{s3['key']}', secret '{s3['secret']}', "
                f"region '{s3['region']}', endpoint '{host}', use_ssl false, url_style 'path')"
            )

    def load(self, name):
        import importlib

        package = importlib.import_module(f"duckdb_extension_{name}")
        pattern = f"**/v{self.version}/**/{name}.duckdb_extension"
        found = glob.glob(os.path.join(list(package.__path__)[0], pattern), recursive=True)
        self.session.execute(f"load '{found[0]}'")

    def read(self, path, columns):
        return self.session.execute(
            f"select {aggregates(columns)} from delta_scan('{path}')"
        ).fetchone()


class Chdb:
    """ClickHouse in process."""

    def __init__(self, request):
        import chdb

        self.version = chdb.engine_version
        self.s3 = request.get("s3")
        if not self.s3:
            # It reads local files only below the working folder.
            os.chdir(request["lake"])

    def read(self, path, columns):
        import chdb

        table = f"deltaLakeLocal('{path}')"
        if self.s3:
            url = path.replace("s3://", self.s3["endpoint"] + "/")
            table = f"deltaLake('{url}', '{self.s3['key']}', '{self.s3['secret']}')"
        said = chdb.query(f"select {aggregates(columns)} from {table}", "JSONCompact")
        return json.loads(str(said))["data"][0]


class Spark:
    """delta-spark; its jars lie in the folder that `DELTA_SPARK_JARS` names."""

    def __init__(self, request):
        import pyspark
        from pyspark.sql import SparkSession

        self.version = pyspark.__version__
        jars = ",".join(glob.glob(os.path.join(os.environ["DELTA_SPARK_JARS"], "*.jar")))
        self.session = (
            SparkSession.builder.master("local[2]")
            .config("spark.jars", jars)
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.databricks.delta.snapshotPartitions", "2")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
            .config(
                "spark.sql.catalog.spark_catalog",
                "org.apache.spark.sql.delta.catalog.DeltaCatalog",
            )
            .getOrCreate()
        )
        self.session.sparkContext.setLogLevel("ERROR")

    def read(self, path, columns):
        wanted = aggregates(columns).replace('"', "`")
        return tuple(self.session.sql(f"select {wanted} from delta.`{path}`").first())


ENGINES = {
    "deltalake": Deltalake,
    "polars": Polars,
    "duckdb": Duckdb,
    "chdb": Chdb,
    "spark": Spark,
}


def options(request):
    """Settings of a bucket as delta-rs takes them."""
    s3 = request.get("s3")
    return s3 and {
        "aws_endpoint_url": s3["endpoint"],
        "aws_access_key_id": s3["key"],
        "aws_secret_access_key": s3["secret"],
        "aws_region": s3["region"],
        "aws_allow_http": "true",
    }


def plain(value):
    """A value as one text, whichever engine gave it."""
    if value is None or value == "":
        return ""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    return str(number.normalize() + 0)


def main():
    request = json.load(sys.stdin)
    wrong = 0
    for name in request["engines"]:
        engine = ENGINES[name](request)
        agreed = 0
        for table, about in sorted(request["tables"].items()):
            path = "/".join([request["lake"], *table.split(".")])
            wanted = [plain(value) for value in about["answer"]]
            try:
                found = [plain(value) for value in engine.read(path, about["columns"])]
            except Exception as error:  # an engine may fail in any way; it is told
                found = [f"{type(error).__name__}: {error}"]
            if found == wanted:
                agreed += 1
            else:
                wrong += 1
                print(f"{name}: {table}:\n  ours   {wanted}\n  theirs {found}")
        print(f"{name} {engine.version}: {agreed} of {len(request['tables'])} tables agree")
    sys.exit(1 if wrong else 0)


main()
