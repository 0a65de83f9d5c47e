"""Asks the Flight SQL door through ADBC and pyarrow, as the guide says.

Reads one JSON object on standard input: the address, who logs in, and what must come out. Ends with
`all agree`, or with the first thing that does not.
"""

import decimal
import json
import sys
import warnings

import adbc_driver_flightsql.dbapi as flight_sql
import adbc_driver_manager
import pyarrow as pa
import pyarrow.flight
from adbc_driver_flightsql import ConnectionOptions, DatabaseOptions

REQUEST = json.load(sys.stdin)
URI = "grpc://" + REQUEST["address"]
AS_OF = "x-throughline-as-of"
# ADBC says so of every server without transactions.
warnings.filterwarnings("ignore", message="Cannot disable autocommit")


def connect(name, password, **options):
    return flight_sql.connect(
        URI, db_kwargs={"username": name, "password": password}, **options
    )


def admin(**options):
    return connect("admin", REQUEST["password"], **options)


def value(connection, sql, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchone()[0]


def _text(said):
    return said.decode() if isinstance(said, bytes) else said


def refused(work):
    try:
        work()
    except adbc_driver_manager.Error as error:
        details = {_text(name): _text(said) for name, said in error.details}
        return type(error).__name__, details.get("x-throughline-sqlstate", ""), str(error)
    raise AssertionError("nothing was refused")


def same(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def selects():
    with admin() as connection:
        sql = "select count(*) from star.fct_order"
        same(value(connection, sql), REQUEST["orders"])
        with connection.cursor() as cursor:
            cursor.execute(
                "select order_id, event_date, ordered_at, net_amount, is_test, currency_code "
                "from star.fct_order order by order_key"
            )
            table = cursor.fetch_arrow_table()
        same(table.num_rows, REQUEST["orders"])
        same(str(table.schema.field("net_amount").type), "decimal128(18, 6)")
        same(str(table.schema.field("ordered_at").type), "timestamp[us, tz=UTC]")
        same(table.schema.field("currency_code").type, pa.string())
        total = sum(table["net_amount"].to_pylist(), decimal.Decimal(0))
        same(str(total), REQUEST["net"])
        # Every table, as it is sent: no type that a client could not read.
        with connection.cursor() as cursor:
            cursor.execute(
                "select table_schema, table_name from information_schema.tables "
                "where table_schema in ('star', 'marts', 'silver', 'identity', 'metrics') "
                "order by 1, 2"
            )
            tables = cursor.fetchall()
        assert len(tables) > 50, tables
        for schema, name in tables:
            if schema == "metrics":
                continue
            with connection.cursor() as cursor:
                cursor.execute(f'select * from "{schema}"."{name}" limit 3')
                rows = cursor.fetch_arrow_table()
            rows.validate(full=True)
            promised = connection.adbc_get_table_schema(name, db_schema_filter=schema)
            same(promised.names, rows.schema.names)
            same(promised.types, rows.schema.types)


def parameters():
    with admin() as connection:
        sql = "select count(*) from star.fct_order where currency_code = ? and item_quantity >= ?"
        all_of = value(connection, sql, ("EUR", 0))
        some = value(connection, sql, ("EUR", 2))
        assert 0 < some < all_of, (some, all_of)
        same(value(connection, sql, ("no such currency", 0)), 0)
        with connection.cursor() as cursor:
            cursor.execute("select $1 as a, $2 as b", (3, "z"))
            same(cursor.fetchall(), [(3, "z")])
            schema = cursor.adbc_prepare("select order_id from star.fct_order where event_date < $1")
            same(schema.types, [pa.date32()])
            same(cursor.adbc_execute_schema("select 1 as x").names, ["x"])


def objects():
    with admin() as connection:
        found = connection.adbc_get_objects(
            depth="all", db_schema_filter="star", table_name_filter="fct\\_order"
        )
        (catalog,) = found.read_all().to_pylist()
        same(catalog["catalog_name"], "throughline")
        (schema,) = catalog["catalog_db_schemas"]
        (table,) = schema["db_schema_tables"]
        same(table["table_name"], "fct_order")
        columns = [column["column_name"] for column in table["table_columns"]]
        assert "order_key" in columns and "net_amount" in columns, columns
        same(sorted(connection.adbc_get_table_types()), ["TABLE", "VIEW"])
        same(connection.adbc_get_info()["vendor_name"], "Throughline")
        same(connection.adbc_current_catalog, "throughline")


def rights():
    with connect("ana", REQUEST["people"]) as connection:
        found = connection.adbc_get_objects(depth="db_schemas").read_all().to_pylist()
        schemas = {one["db_schema_name"] for one in found[0]["catalog_db_schemas"]}
        assert "marts" in schemas and "raw" not in schemas, schemas
        name, state, told = refused(lambda: value(connection, "select * from raw.no_such"))
        same((name, state), ("ProgrammingError", "42P01"))
        assert "hint: " in told, told
        for sql in ["delete from star.fct_order", "drop table star.fct_order"]:
            same(refused(lambda: value(connection, sql))[1], "42501")
    token = "Bearer " + REQUEST["token"]
    options = {DatabaseOptions.AUTHORIZATION_HEADER.value: token}
    with flight_sql.connect(URI, db_kwargs=options) as connection:
        same(value(connection, "select count(*) from star.fct_order"), REQUEST["orders"])
    same(refused(lambda: connect("admin", "wrong"))[0], "ProgrammingError")

    def without():
        with flight_sql.connect(URI) as connection:
            value(connection, "select 1")

    same(refused(without)[0], "ProgrammingError")


def own():
    """What a role may make in a schema of its own, by each way that drivers have for it."""
    with connect("mona", REQUEST["people"]) as connection:
        with connection.cursor() as cursor:
            cursor.execute("create schema if not exists dbt")
            cursor.execute(
                "create table dbt.first as select order_key, item_quantity from star.fct_order"
            )
        same(value(connection, "select count(*) from dbt.first"), REQUEST["orders"])
        with connection.cursor() as cursor:
            cursor.executescript("create view dbt.second as select count(*) as n from dbt.first")
            cursor.execute("insert into dbt.first values (1, 2), (3, 4)")
        same(value(connection, "select n from dbt.second"), REQUEST["orders"] + 2)
        tables = connection.adbc_get_objects(depth="tables", db_schema_filter="dbt").read_all()
        (schema,) = tables.to_pylist()[0]["catalog_db_schemas"]
        found = {(one["table_name"], one["table_type"]) for one in schema["db_schema_tables"]}
        same(found, {("first", "TABLE"), ("second", "VIEW")})
        exists = refused(lambda: value(connection, "create view dbt.second as select 1 as n"))
        same(exists[1], "42P07")
        same(refused(lambda: value(connection, "create table marts.x as select 1 as n"))[1], "42501")
        with connection.cursor() as cursor:
            told = refused(lambda: cursor.execute("insert into dbt.first values (?, ?)", (1, 2)))
        assert "takes no parameters" in told[2], told
        with connection.cursor() as cursor:
            cursor.execute("drop view dbt.second")
            cursor.execute("drop table dbt.first")
        same(refused(lambda: value(connection, "select n from dbt.second"))[1], "42P01")
    with connect("ana", REQUEST["people"]) as connection:
        same(refused(lambda: value(connection, "create table dbt.x as select 1 as n"))[1], "42501")


def past():
    header = ConnectionOptions.RPC_CALL_HEADER_PREFIX.value + AS_OF
    sql = "select count(*) from star.fct_order"
    with admin(conn_kwargs={header: REQUEST["run"]}) as connection:
        same(value(connection, sql), REQUEST["orders"])
    with admin(conn_kwargs={header: "2001-01-01"}) as connection:
        assert "no run had ended" in refused(lambda: value(connection, sql))[2]
    option = "adbc.flight.sql.session.option."
    with admin(conn_kwargs={option + "as_of": REQUEST["run"]}) as connection:
        same(value(connection, sql), REQUEST["orders"])
    zone = {option + "timezone": "Europe/Berlin", option + "schema": "star"}
    with admin(conn_kwargs=zone) as connection:
        same(value(connection, "select count(*) from fct_order"), REQUEST["orders"])


def plain_flight():
    client = pyarrow.flight.connect(URI)
    bearer = client.authenticate_basic_token("admin", REQUEST["password"])
    options = pyarrow.flight.FlightCallOptions(headers=[bearer])
    actions = {action.type for action in client.list_actions(options)}
    assert {"CreatePreparedStatement", "CancelFlightInfo", "SetSessionOptions"} <= actions, actions
    try:
        list(client.list_actions())
    except pyarrow.flight.FlightUnauthenticatedError:
        pass
    else:
        raise AssertionError("actions without a log-in")


for part in [selects, parameters, objects, rights, own, past, plain_flight]:
    part()
    print(part.__name__, "agrees")
print("all agree")
