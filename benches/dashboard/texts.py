"""The twelve queries in the three dialects.

`queries/NAME.sql` is for all; `queries/NAME.throughline.sql`, `.duckdb.sql` and `.clickhouse.sql`
are for one, where it asks in a way of its own. What is small and differs stands here.
"""

from pathlib import Path

QUERIES = Path(__file__).resolve().parent / "queries"

# Views of the star that add columns which no query here reads: the peers get the table below.
SESSION = {
    "throughline": "star.fct_session",
    "duckdb": "star.int_session",
    "clickhouse": "star.int_session",
}

MONTH = {
    "throughline": "cast(date_trunc('month', event_at) as date)",
    "duckdb": "cast(date_trunc('month', event_at) as date)",
    "clickhouse": "toDate32(toStartOfMonth(event_at))",
}

# ClickHouse gives the first day of all where no row follows, not null.
NEXT_DAY = {
    "throughline": "lead(day) over (partition by customer_key order by day) as next_day",
    "duckdb": "lead(day) over (partition by customer_key order by day) as next_day",
    "clickhouse": "lead(day, 1, ends_on) over (partition by customer_key order by day) as next_day",
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

BY_ORDER = """
    select customer_key, channel_key, event_at
    from (
        select
            customer_key,
            channel_key,
            event_at,
            row_number() over (partition by customer_key order by event_at, touch_id) as place
        from star.int_customer_touch
        where not is_conversion and customer_key <> 0
    )
    where place = 1
"""

FIRST_TOUCH = {
    "throughline": BY_ORDER,
    "duckdb": """
        select
            customer_key,
            arg_min(channel_key, (event_at, touch_id)) as channel_key,
            min(event_at) as event_at
        from star.int_customer_touch
        where not is_conversion and customer_key <> 0
        group by customer_key
    """,
    "clickhouse": """
        select
            customer_key,
            argMin(channel_key, (touch.event_at, touch_id)) as channel_key,
            min(touch.event_at) as event_at
        from star.int_customer_touch as touch
        where not is_conversion and customer_key <> 0
        group by customer_key
    """,
}


def names():
    """The queries, in their order."""
    return sorted({path.name.split(".")[0] for path in QUERIES.glob("q*.sql")})


def asks_for_customer(name):
    """The query is about one customer."""
    return any("{customer}" in path.read_text() for path in QUERIES.glob(f"{name}.*sql"))


def text(name, dialect, **given):
    """A query in a dialect, with the days and the customer that are `given`."""
    own = QUERIES / f"{name}.{dialect}.sql"
    path = own if own.exists() else QUERIES / f"{name}.sql"
    lines = path.read_text().strip().splitlines()
    words = {
        "customer_event": CUSTOMER_EVENT,
        "first_touch": FIRST_TOUCH[dialect],
        "session": SESSION[dialect],
        "month": MONTH[dialect],
        "next_day": NEXT_DAY[dialect],
        "date_first": f"cast('{given['first']}' as date)",
        "date_last": f"cast('{given['last']}' as date)",
        "customer": str(given["customer"]),
    }
    said = "\n".join(line for line in lines if not line.lstrip().startswith("--"))
    for word, meaning in words.items():
        said = said.replace("{" + word + "}", meaning)
    return said
