"""The twelve queries in the dialects of the engines.

`queries/NAME.sql` is for all, `queries/NAME.DIALECT.sql` for one where it asks in a way of its own.
What is small and differs stands here. Tables of ClickHouse's own are asked in the dialect
`mergetree`, which is `clickhouse` unless it says something else.
"""

from pathlib import Path

QUERIES = Path(__file__).resolve().parent / "queries"
DIALECTS = {
    "throughline": ("throughline", ""),
    "duckdb": ("duckdb", ""),
    "clickhouse": ("clickhouse", ""),
    "mergetree": ("mergetree", "clickhouse", ""),
}

# Steps of the funnel with their customer: that of the event's own identifier, else of its session.
CUSTOMER_EVENT = """
    select bridge.customer_key, event.event_at, event.step
    from (
        select
            event.event_at,
            event.event_type as step,
            case
                when event.identity_node_id <> event.anonymous_node_id
                    then event.identity_node_id
                else coalesce(session.identity_node_id, event.identity_node_id)
            end as node_key
        from star.fct_journey_event as event
        left join star.int_session as session on event.session_id = session.session_id
        where event.event_type in ('view_item', 'add_to_cart', 'purchase')
    ) as event
    inner join identity.bridge_identity as bridge on event.node_key = bridge.identity_node_id
    where
        event.event_at >= bridge.valid_from and event.event_at < bridge.valid_to
        and bridge.customer_key <> 0
"""

BEFORE_FIRST = """
    select customer_key, channel_key, event_at
    from (
        select
            customer_key,
            channel_key,
            event_at,
            {before} over (partition by customer_key order by event_at, touch_id) as before_at
        from star.int_customer_touch
        where not is_conversion and customer_key <> 0
    ) as touch
    where before_at is null
"""

# Each word by dialect; "" is for the others.
WORDS = {
    "customer_event": {"": CUSTOMER_EVENT},
    # A view of the star adds columns that no query here reads: the peers get the table below it.
    "session": {"throughline": "star.fct_session", "": "star.int_session"},
    "month": {
        "clickhouse": "toDate32(toStartOfMonth(event_at))",
        "": "cast(date_trunc('month', event_at) as date)",
    },
    # Where no row goes before or follows, ClickHouse gives null only of what may be null.
    "maybe_day": {"clickhouse": "toNullable(day)", "": "day"},
    "first_touch": {
        "throughline": BEFORE_FIRST.replace("{before}", "lag(event_at)"),
        "clickhouse": BEFORE_FIRST.replace("{before}", "lag(toNullable(event_at))"),
        "duckdb": """
            select
                customer_key,
                arg_min(channel_key, (event_at, touch_id)) as channel_key,
                min(event_at) as event_at
            from star.int_customer_touch
            where not is_conversion and customer_key <> 0
            group by customer_key
        """,
    },
}


def names():
    """The queries, in their order."""
    return sorted({path.name.split(".")[0] for path in QUERIES.glob("q*.sql")})


def asks_for_customer(name):
    """The query is about one customer."""
    return any("{customer}" in path.read_text() for path in QUERIES.glob(f"{name}.*sql"))


def file_of(name, dialect):
    """The text of a query that a dialect is asked."""
    paths = (
        QUERIES / (f"{name}.{word}.sql" if word else f"{name}.sql") for word in DIALECTS[dialect]
    )
    return next(path for path in paths if path.exists())


def text(name, dialect, first, last, customer):
    """A query in a dialect, for the days from `first` to `last` and for a customer."""
    lines = file_of(name, dialect).read_text().strip().splitlines()
    said = "\n".join(line for line in lines if not line.lstrip().startswith("--"))
    words = {
        word: next(by[one] for one in DIALECTS[dialect] if one in by)
        for word, by in WORDS.items()
    }
    words |= {
        "date_first": f"cast('{first}' as date)",
        "date_last": f"cast('{last}' as date)",
        "customer": str(customer),
    }
    for word, meaning in words.items():
        said = said.replace("{" + word + "}", meaning)
    return said
