"""What the two sides must agree in: the same question to both, row by row."""

import csv
import io
import subprocess

import duckdb

# Name; question to Throughline; question to DuckDB; number of leading columns that name a row;
# how far a figure may be off. Money is compared to the cent, a sum of many rows to its rounding.
CHECKS = [
    (
        "web events", "select count(*) from silver.web_event",
        "select count(*) from web_event", 0, 0,
    ),
    (
        "web events by day and name",
        "select event_date, event_name, count(*), count(user_id), count(email_hash),"
        " count(order_id), sum(revenue_amount) from silver.web_event group by 1, 2",
        "select event_at::date, event_name, count(*), count(user_id), count(email_hash),"
        " count(order_id), sum(revenue_amount) from web_event group by 1, 2", 2, 0,
    ),
    (
        "quarantined events", "select count(*) from quarantine.stg_ga4__events",
        "select count(*) from quarantine_event", 0, 0,
    ),
    (
        "identifiers by type",
        "select node_type, count(*) from identity.int_identity_component group by 1",
        "select ['user', 'contact', 'lead', 'buyer', 'email', 'phone', 'order', 'device', 'cookie']"
        "[(node >> 60)::int], count(*) from bridge group by 1", 1, 0,
    ),
    (
        "identifiers that too many people share",
        "select count(*) from identity.int_identity_component where guard is not null",
        "select count(distinct node) from guarded", 0, 0,
    ),
    (
        "customers by number of identifiers",
        "select n, count(*) from (select component_key, count(*) as n"
        " from identity.int_identity_component group by 1) group by 1",
        "select n, count(*) from (select customer, count(*) as n from bridge group by 1)"
        " group by 1", 1, 0,
    ),
    (
        "sessions by day, channel and resolution",
        "select event_date, channel, source_resolution, count(*), sum(event_count),"
        " sum(page_view_count), sum(conversion_count), sum(engagement_msec), sum(duration_seconds),"
        " sum(case when is_engaged then 1 else 0 end), sum(case when is_bot then 1 else 0 end),"
        " sum(case when is_new_visitor then 1 else 0 end),"
        " sum(case when has_purchase then 1 else 0 end)"
        " from star.fct_session join star.dim_channel using (channel_key) group by 1, 2, 3",
        "select event_date, channel, source_resolution, count(*), sum(event_count),"
        " sum(page_view_count), sum(conversion_count), sum(engagement_msec), sum(duration_seconds),"
        " sum(is_engaged::int), sum(is_bot::int), sum(coalesce(is_new_visitor, false)::int),"
        " sum(has_purchase::int) from session group by 1, 2, 3", 3, 0,
    ),
    (
        "sessions by source, medium, campaign",
        "select source, medium, campaign_name, coalesce(click_id_type, '-'), count(*),"
        " count(click_id) from star.fct_session group by 1, 2, 3, 4",
        "select source, medium, campaign_name, coalesce(click_id_type, '-'), count(*),"
        " count(click_id) from session group by 1, 2, 3, 4", 4, 0,
    ),
    (
        "sessions by last non-direct channel and source",
        "select channel, last_non_direct_source, count(*) from star.fct_session as s"
        " join star.dim_channel as c on s.last_non_direct_channel_key = c.channel_key"
        " group by 1, 2",
        "select last_non_direct_channel, last_non_direct_source, count(*) from session"
        " group by 1, 2", 2, 0,
    ),
    (
        "sessions by campaign",
        "select coalesce(c.campaign_id, case s.campaign_key when 0 then '(unknown)' else '(none)'"
        " end), count(*) from star.fct_session as s left join (select distinct campaign_key,"
        " campaign_id from star.dim_campaign where level = 'campaign') as c"
        " on s.campaign_key = c.campaign_key group by 1",
        "select campaign_id, count(*) from fct_session group by 1", 1, 0,
    ),
    (
        "fact: web events by day and type",
        "select event_date, event_type, count(*), sum(session_event_index), count(session_id),"
        " count(source), sum(case when is_bot then 1 else 0 end) from star.fct_journey_event"
        " where event_group = 'web' group by 1, 2",
        "select event_date, event_type, count(*), sum(session_event_index), count(session_id),"
        " count(source), sum(is_bot::int) from"
        " read_parquet('{fact}/**/*.parquet', hive_partitioning = true)"
        " where event_group = 'web' group by 1, 2", 2, 0,
    ),
    (
        "orders",
        "select status, is_cancelled, is_test, currency_code, count(*), sum(gross_amount),"
        " sum(net_amount) from star.fct_order group by 1, 2, 3, 4",
        "select status, is_cancelled, is_test, currency_code, count(*), sum(gross_amount),"
        " sum(net_amount) from order_fact group by 1, 2, 3, 4", 4, 0,
    ),
    (
        "records of sales",
        "select record_type, standing, count(*) from star.int_sale_record group by 1, 2",
        "select record_type, standing, count(*) from (select record_type, case when not is_valid"
        " then reason when is_of_record then 'of record' when precedence = min(precedence)"
        " over (partition by conversion_id, is_valid) then 'duplicate ' || record_type"
        " else 'same sale' end as standing from sale_record) group by 1, 2", 2, 0,
    ),
    (
        "conversions and revenue",
        "select conversion_type, currency_code, source_of_record, count(*), sum(revenue_amount),"
        " sum(revenue_reporting_amount), sum(case when is_new_customer then 1 else 0 end),"
        " sum(case when is_first_conversion then 1 else 0 end),"
        " sum(case when customer_key = 0 then 1 else 0 end)"
        " from star.fct_conversion group by 1, 2, 3",
        "select conversion_type, currency_code, source_of_record, count(*), sum(revenue_amount),"
        " sum(revenue_reporting_amount), sum(is_new_customer::int), sum(is_first_conversion::int),"
        " sum((customer = 0)::int) from conversion group by 1, 2, 3", 3, 0.005,
    ),
    (
        "refunds", "select count(*), sum(refund_amount), sum(refund_reporting_amount),"
        " count(conversion_id) from star.fct_refund",
        "select count(*), sum(refund_amount), sum(refund_reporting_amount), count(conversion_id)"
        " from refund_fact", 0, 0.005,
    ),
    (
        "spend of record by platform and day",
        "select platform, report_date, sum(spend_amount), sum(spend_reporting_amount),"
        " sum(impressions), sum(clicks) from star.fct_ad_performance_current"
        " where is_spend_of_record group by 1, 2",
        "select platform, report_date, sum(spend_amount), sum(spend_reporting_amount),"
        " sum(impressions), sum(clicks) from ad_performance where is_spend_of_record"
        " group by 1, 2", 2, 0.005,
    ),
    (
        "touches by channel",
        "select channel, count(*), count(distinct customer_key) from star.int_customer_touch"
        " join star.dim_channel using (channel_key) where not is_conversion group by 1",
        "select channel, count(*), count(distinct customer) from touch group by 1", 1, 0,
    ),
    (
        "credit by model and channel",
        "select model, channel, conversion_type, count(*), sum(credit), sum(credited_amount),"
        " sum(credited_reporting_amount), sum(path_length) from star.fct_attribution_credit"
        " join star.dim_channel using (channel_key)"
        " where model not in ('first_paid', 'last_paid') group by 1, 2, 3",
        "select model, channel, conversion_type, count(*), sum(credit) / 1e12,"
        " sum(credited_amount), sum(credited_reporting_amount), sum(path_length) from credit"
        " group by 1, 2, 3", 3, 0.005,
    ),
    (
        "mart: channel daily",
        "select date, channel, session_count, visitor_count, engaged_session_count,"
        " page_view_count, spend_reporting_amount, first_sales, position_sales,"
        " time_decay_sales, linear_new_customers, first_revenue_reporting_amount,"
        " last_non_direct_revenue_reporting_amount, linear_revenue_reporting_amount,"
        " position_revenue_reporting_amount, time_decay_revenue_reporting_amount,"
        " refund_reporting_amount from marts.mart_channel_daily",
        "select date, channel, session_count, visitor_count, engaged_session_count,"
        " page_view_count, spend_reporting_amount, first_sales, position_sales, time_decay_sales,"
        " linear_new_customers, first_revenue, last_non_direct_revenue, linear_revenue,"
        " position_revenue, time_decay_revenue, refund_reporting_amount from mart_channel_daily",
        2, 0.005,
    ),
    (
        "mart: campaign daily",
        "select date, coalesce(campaign_id, case campaign_key when 0 then '(unknown)'"
        " else '(none)' end), coalesce(campaign_name, '-'), session_count, impressions, clicks,"
        " spend_reporting_amount, position_sales, linear_revenue_reporting_amount,"
        " last_revenue_reporting_amount from marts.mart_campaign_daily",
        "select date, campaign_id, coalesce(campaign_name, case campaign_id when '(unknown)' then"
        " '(unknown)' else '(not applicable)' end), session_count, impressions, clicks,"
        " spend_reporting_amount, position_sales, linear_revenue, last_revenue"
        " from mart_campaign_daily", 2, 0.005,
    ),
    (
        "mart: attribution compared",
        "select date, conversion_type, channel, model, credited_conversions,"
        " credited_new_customers, revenue_reporting_amount from marts.mart_attribution_compare"
        " where model not in ('first_paid', 'last_paid')",
        "select date, conversion_type, channel, model, credited_conversions,"
        " credited_new_customers, revenue_reporting_amount from mart_attribution_compare",
        4, 0.005,
    ),
    (
        "pages, devices and places",
        "select 'page', count(*), sum(event_count) from star.dim_page where page_key not in (0, -1)"
        " union all select 'device', count(*), 0 from star.dim_device where device_key"
        " not in (0, -1) union all select 'geo', count(*), 0 from star.dim_geo where geo_key"
        " not in (0, -1)",
        "select 'page', count(*), sum(event_count) from dim_page union all select 'device',"
        " count(*), 0 from dim_device union all select 'geo', count(*), 0 from dim_geo", 1, 0,
    ),
    (
        "stages of deals",
        "select stage, coalesce(previous_stage, '-'), count(*), count(left_at), sum(stage_number)"
        " from star.fct_deal_stage group by 1, 2",
        "select stage, coalesce(previous_stage, '-'), count(*), count(left_at), sum(stage_number)"
        " from deal_stage_fact group by 1, 2", 2, 0,
    ),
    (
        "mart: top paths",
        "select conversion_type, channel_path, conversion_count, new_customer_count, touch_count,"
        " revenue_reporting_amount, first_date, last_date from marts.mart_top_paths",
        "select conversion_type, channel_path, conversion_count, new_customer_count, touch_count,"
        " revenue_reporting_amount, first_date, last_date from mart_top_paths", 2, 0.005,
    ),
    (
        "mart: product by channel",
        "select date, product_name, channel, model, quantity, credited_orders,"
        " revenue_reporting_amount from marts.mart_product_by_channel"
        " where model not in ('first_paid', 'last_paid')",
        "select date, product_name, channel, model, quantity, credited_orders,"
        " revenue_reporting_amount from mart_product_by_channel", 4, 0.005,
    ),
    (
        "mart: customers",
        "select customer_type, acquisition_channel, identifier_count, count(*), sum(device_count),"
        " sum(session_count), sum(page_view_count), sum(lead_count), sum(order_count),"
        " sum(revenue_reporting_amount), sum(refund_reporting_amount), count(lifecycle_stage),"
        " count(country) from marts.mart_customer_360 group by 1, 2, 3",
        "select customer_type, acquisition_channel, identifier_count, count(*), sum(device_count),"
        " sum(session_count), sum(page_view_count), sum(lead_count), sum(order_count),"
        " sum(revenue_reporting_amount), sum(refund_reporting_amount), count(lifecycle_stage),"
        " count(country) from mart_customer_360 group by 1, 2, 3", 3, 0.005,
    ),
    (
        "mart: funnel",
        "select date, channel, step, session_count from marts.mart_funnel",
        "select date, channel, step, session_count from mart_funnel", 3, 0,
    ),
    (
        "mart: weekly retention",
        "select cohort_week, week, cohort_customer_count, active_customer_count,"
        " buying_customer_count, order_count, revenue_reporting_amount"
        " from marts.mart_retention_weekly",
        "select cohort_week, week, cohort_customer_count, active_customer_count,"
        " buying_customer_count, order_count, revenue_reporting_amount"
        " from mart_retention_weekly", 2, 0.005,
    ),
]


def same(ours, theirs, tolerance):
    """The two texts say the same: equal, or numbers no further apart than the tolerance."""
    if ours == theirs:
        return True
    try:
        off = abs(float(ours or 0) - float(theirs or 0))
    except ValueError:
        return False
    return off <= tolerance + 1e-9 * abs(float(ours or 0))


def text(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def throughline_rows(binary, project, question):
    out = subprocess.run(
        [binary, "query", "--project", project, "--quiet", "--format", "csv", question],
        check=True, capture_output=True, text=True,
    ).stdout
    return list(csv.reader(io.StringIO(out)))[1:]


def compare(binary, project, con, fact, only=None):
    """Asks both sides everything; gives (name, rows, differences) for each question."""
    results = []
    for name, ours, theirs, keys, tolerance in CHECKS:
        if only and only not in name:
            continue
        left = throughline_rows(binary, project, ours)
        right = [
            [text(value) for value in row]
            for row in con.execute(theirs.replace("{fact}", fact)).fetchall()
        ]
        results.append((name, len(left), differences(left, right, keys, tolerance)))
    return results


def differences(left, right, keys, tolerance):
    """Rows that only one side has, or that differ in a figure."""
    found = []
    by_key = {tuple(row[:keys]): row for row in right}
    if len(by_key) != len(right):
        found.append(f"DuckDB has {len(right)} rows of {len(by_key)} keys")
    for row in left:
        other = by_key.pop(tuple(row[:keys]), None)
        if other is None:
            found.append(f"only Throughline has {row}")
        elif not all(same(a, b, tolerance) for a, b in zip(row, other)):
            found.append(f"Throughline {row} DuckDB {other}")
    found.extend(f"only DuckDB has {row}" for row in by_key.values())
    return found


# Kept by delivery, so that a day adds to it: the same combination may stand there twice.
BY_DELIVERY = {"web_identity", "loaded_file", "page_day", "device_day", "geo_day"}


def databases(left, right):
    """Tables in which two databases of the pipeline differ, and their facts if they do."""
    con = duckdb.connect()
    con.execute(f"attach '{left}' as l (read_only); attach '{right}' as r (read_only)")
    tables = con.execute(
        "select distinct table_name from duckdb_tables() where database_name in ('l', 'r')"
    ).fetchall()
    content = "select count(*), sum(hash(t)::hugeint) from {} as t"
    found = []
    for (table,) in sorted(tables):
        sides = [con.execute(content.format(f"{side}.{table}")).fetchone() for side in "lr"]
        if table not in BY_DELIVERY and sides[0] != sides[1]:
            found.append(table)
    files = [
        f"read_parquet('{side}.fact/**/*.parquet', hive_partitioning = true)"
        for side in (left, right)
    ]
    if len({con.execute(content.format(file)).fetchone() for file in files}) != 1:
        found.append("the fact as Parquet")
    return found
