"""One piece of journey science by another engine, over the same Parquet files.

    python peer.py session|identity|credit|session_polars|markov INPUT.json OUTPUT

INPUT.json names the files. Prints one JSON object with the seconds of the work, imports left out.
"""

import json
import os
import sys
import time
from pathlib import Path

SQL = Path(__file__).parent / "sql"
# Credit is divided to the unit and to the cent as in the pipeline by hand.
DIVIDE = Path(__file__).parent.parent / "duckdb" / "sql" / "divide.sql"


def connect(output):
    import duckdb

    con = duckdb.connect()
    con.execute(
        f"set threads={len(os.sched_getaffinity(0))}; set preserve_insertion_order=false;"
        f" set temp_directory='{output}.tmp'; set timezone='UTC'"
    )
    return con


def write(con, query, output):
    con.execute(f"copy ({query}) to '{output}' (format parquet, compression zstd)")


def by_query(name):
    """A query of `sql/` from files to a file."""
    def work(files, output):
        con = connect(output)

        def run():
            text = (SQL / f"{name}.sql").read_text().strip()
            text = text.replace("{divide}", DIVIDE.read_text().strip())
            for table, paths in files.items():
                text = text.replace("{" + table + "}", str(paths))
            write(con, text, output)
        return run
    return work


def identity(files, output):
    """Components by spreading the smallest label with pointer jumping. Devices that more than one
    user, or more than two e-mails, share tie nobody together."""
    con = connect(output)

    def run():
        con.execute(f"""
            create temp table pair as
            select anonymous_node_id as device, identity_node_id as node,
                identity_node_type as node_type
            from read_parquet({files['fct_journey_event']})
            where event_group = 'web' and anonymous_node_id <> 0
            group by all;
            create temp table edge as from pair where device <> node;
            create temp table guarded as
            select device from edge where node_type in ('user', 'email')
            group by device, node_type
            having count(*) > case when node_type = 'email' then 2 else 1 end;
            create temp table link as
            select device as x, node as y from edge where device not in (from guarded);
            insert into link select y, x from link;
            create temp table label as
            select x as node, least(x, min(y)) as component from link group by x
        """)
        while True:
            con.execute("""
                create or replace temp table lower as
                select label.node, least(label.component, min(other.component)) as component
                from label
                inner join link on label.node = link.x
                inner join label as other on link.y = other.node
                group by label.node, label.component;
                create or replace temp table next as
                select lower.node, least(lower.component, above.component) as component
                from lower inner join lower as above on lower.component = above.node
            """)
            changed = con.execute("""
                select count(*) from next join label using (node)
                where next.component <> label.component
            """).fetchone()[0]
            con.execute("create or replace temp table label as from next")
            if changed == 0:
                break
        write(con, """
            select node as node_key, coalesce(component, node) as component_key
            from (select device as node from pair union select node from pair)
            left join label using (node)
        """, output)
    return run


def session_polars(files, output):
    """Sessions by sorting frames."""
    import polars as pl

    def run():
        event = (
            pl.scan_parquet(files["fct_journey_event"])
            .filter((pl.col("event_group") == "web") & (pl.col("anonymous_node_id") != 0))
            .select("anonymous_node_id", "event_at", "event_id", "event_type", "engagement_msec")
            .sort("anonymous_node_id", "event_at", "event_id")
            .with_columns(
                is_start=(
                    (pl.col("anonymous_node_id") != pl.col("anonymous_node_id").shift(1))
                    | (pl.col("event_at") - pl.col("event_at").shift(1) > pl.duration(minutes=30))
                ).fill_null(True)
            )
            .with_columns(session=pl.col("is_start").cum_sum())
        )
        event.group_by("session").agg(
            pl.col("anonymous_node_id").first().alias("device_key"),
            pl.col("event_at").min().alias("started_at"),
            pl.col("event_at").max().alias("ended_at"),
            pl.len().cast(pl.Int64).alias("event_count"),
            (pl.col("event_type") == "page_view").sum().cast(pl.Int64).alias("page_view_count"),
            pl.when(pl.col("engagement_msec").count() > 0)
            .then(pl.col("engagement_msec").sum()).alias("engagement_msec"),
            pl.col("event_type").filter(pl.col("is_start")).first().alias("first_event_type"),
        ).drop("session").collect().write_parquet(output, compression="zstd")
    return run


def markov(files, output):
    """ChannelAttribution's chains of order 1 to 3, with its own defaults."""
    import pandas
    from ChannelAttribution import markov_model

    frame = pandas.read_csv(files["paths"], sep=";")
    found = {}

    def run():
        for order in (1, 2, 3):
            began = time.perf_counter()
            result = markov_model(
                frame, "path", "conversions", var_value="value", var_null="nulls", order=order,
                seed=0, verbose=False, flg_pro=False,
            )
            seconds = time.perf_counter() - began
            if not isinstance(result, pandas.DataFrame):
                result = result["result"]
            credits = dict(zip(result["channel_name"], result["total_conversions"]))
            found[f"markov_{order}"] = {"seconds": seconds, "credits": credits}
        Path(output).write_text(json.dumps(found))
    return run


WORK = {
    "session": by_query("session"),
    "credit": by_query("credit"),
    "identity": identity,
    "session_polars": session_polars,
    "markov": markov,
}


def main():
    what, files, output = sys.argv[1:4]
    run = WORK[what](json.loads(Path(files).read_text()), output)
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    print(json.dumps({
        "wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu,
    }))


if __name__ == "__main__":
    main()
