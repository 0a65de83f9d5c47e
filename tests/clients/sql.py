"""Clients of Python at the Postgres door: psycopg, SQLAlchemy, and ODBC where it is installed."""

import json
import sys
from decimal import Decimal

import psycopg
import sqlalchemy

asked = json.load(sys.stdin)
host, port = asked["address"].rsplit(":", 1)
dsn = f"host={host} port={port} dbname=throughline user=token password={asked['token']}"


def equal(what, is_, expected):
    if is_ != expected:
        sys.exit(f"{what}: {is_!r}, not {expected!r}")


def psycopg_reads():
    with psycopg.connect(dsn) as connection:
        row = connection.execute("select count(*), sum(net_amount) from star.fct_order").fetchone()
        equal("orders", (row[0], row[1]), (asked["orders"], Decimal(asked["net"])))
        values = (7, 1.5, Decimal("2.50"), "x'y", True, None)
        row = connection.execute("select %s::bigint, %s::float8, %s::numeric(9,2), %s::text, %s::boolean, %s::text", values)
        equal("values", row.fetchone(), values)
        for binary in (False, True):
            with connection.cursor(binary=binary) as cursor:
                cursor.execute(
                    "select count(*) n, max(ordered_at) at, max(reporting_date) d, sum(net_amount) s, "
                    "array_agg(distinct currency_code order by currency_code) c from star.fct_order"
                )
                row = cursor.fetchone()
                equal("names", [column.name for column in cursor.description], ["n", "at", "d", "s", "c"])
                equal("sum", row[3], Decimal(asked["net"]))
                equal("list", isinstance(row[4], list), True)
                equal("zone", row[1].tzinfo is not None, True)
        with connection.cursor(name="rows") as cursor:
            cursor.itersize = 7
            cursor.execute("select order_key from star.fct_order")
            equal("rows of a cursor", sum(1 for _ in cursor), asked["orders"])
        with connection.cursor() as cursor:
            with cursor.copy("copy (select order_key from star.fct_order) to stdout") as copy:
                equal("rows copied", sum(1 for _ in copy.rows()), asked["orders"])
        connection.rollback()
        try:
            connection.execute("select * from star.no_table")
            sys.exit("there is no such table")
        except psycopg.errors.UndefinedTable:
            connection.rollback()
        for _ in range(7):
            # From the sixth time on it is prepared under a name.
            equal("prepared", connection.execute("select count(*) from star.fct_order where order_id <> %s", ["x"]).fetchone()[0], asked["orders"])


def sqlalchemy_reflects():
    url = sqlalchemy.URL.create("postgresql+psycopg", "token", asked["token"], host, int(port), "throughline")
    engine = sqlalchemy.create_engine(url)
    look = sqlalchemy.inspect(engine)
    equal("schemas", "star" in look.get_schema_names(), True)
    tables = look.get_table_names("star") + look.get_view_names("star")
    equal("tables", {"fct_order", "dim_campaign"} <= set(tables), True)
    columns = {column["name"]: column["type"] for column in look.get_columns("fct_order", "star")}
    equal("type", isinstance(columns["net_amount"], sqlalchemy.NUMERIC), True)
    equal("keys", look.get_pk_constraint("fct_order", "star")["constrained_columns"], [])
    equal("indexes", look.get_indexes("fct_order", "star"), [])
    equal("foreign keys", look.get_foreign_keys("fct_order", "star"), [])
    table = sqlalchemy.Table("fct_order", sqlalchemy.MetaData(schema="star"), autoload_with=engine)
    with engine.connect() as connection:
        count = connection.execute(sqlalchemy.select(sqlalchemy.func.count()).select_from(table)).scalar()
        equal("counted", count, asked["orders"])


def odbc_reads():
    try:
        import pyodbc
    except ImportError:
        print("without pyodbc")
        return
    if "PostgreSQL Unicode" not in pyodbc.drivers():
        print("without the driver of ODBC")
        return
    for more in ("", ";UseDeclareFetch=1;Fetch=9"):
        connection = pyodbc.connect(
            f"Driver={{PostgreSQL Unicode}};Server={host};Port={port};Database=throughline;"
            f"Uid=token;Pwd={asked['token']};SSLmode=prefer{more}"
        )
        cursor = connection.cursor()
        equal("rows" + more, len(cursor.execute("select order_key, net_amount from star.fct_order").fetchall()), asked["orders"])
        names = [row.table_name for row in cursor.tables(schema="star")]
        equal("tables" + more, "fct_order" in names, True)
        columns = [row.column_name for row in cursor.columns(table="fct_order", schema="star")]
        equal("columns" + more, "net_amount" in columns, True)
        equal("keys" + more, len(cursor.primaryKeys("fct_order", schema="star").fetchall()), 0)
        equal("statistics" + more, len(cursor.statistics("fct_order", schema="star").fetchall()) <= 1, True)
        row = cursor.execute("select count(*) from star.fct_order where order_id <> ?", "x").fetchone()
        equal("bound" + more, row[0], asked["orders"])


psycopg_reads()
sqlalchemy_reflects()
odbc_reads()
print("all agree")
