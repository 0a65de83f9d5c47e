//! What a marketer asks first, as queries over the marts, and their answers in print.

use serve::Format;

use crate::project::Opened;
use crate::say::Voice;

/// A question and the query that answers it.
struct Question {
    asks: &'static str,
    sql: &'static str,
}

const QUESTIONS: [Question; 8] = [
    Question {
        asks: "What did each channel cost, and what revenue does each model credit to it?",
        sql: "select channel, sum(session_count) as sessions, \
              round(sum(spend_reporting_amount), 2) as spend, \
              round(sum(first_revenue_reporting_amount), 2) as first, \
              round(sum(last_revenue_reporting_amount), 2) as last, \
              round(sum(last_non_direct_revenue_reporting_amount), 2) as last_non_direct, \
              round(sum(linear_revenue_reporting_amount), 2) as linear, \
              round(sum(position_revenue_reporting_amount), 2) as position, \
              round(sum(time_decay_revenue_reporting_amount), 2) as time_decay \
              from marts.mart_channel_daily group by channel \
              having sum(session_count) > 0 or sum(spend_reporting_amount) > 0 \
              or sum(linear_revenue_reporting_amount) > 0 \
              order by sum(position_revenue_reporting_amount) desc, channel",
    },
    Question {
        asks: "What came back for each unit of spend? (ROAS = credited revenue / spend)",
        sql: "select channel, round(sum(spend_reporting_amount), 2) as spend, \
              round(cast(sum(first_revenue_reporting_amount) as double) / cast(sum(spend_reporting_amount) as double), 2) as first, \
              round(cast(sum(last_revenue_reporting_amount) as double) / cast(sum(spend_reporting_amount) as double), 2) as last, \
              round(cast(sum(last_non_direct_revenue_reporting_amount) as double) / cast(sum(spend_reporting_amount) as double), 2) as last_non_direct, \
              round(cast(sum(linear_revenue_reporting_amount) as double) / cast(sum(spend_reporting_amount) as double), 2) as linear, \
              round(cast(sum(position_revenue_reporting_amount) as double) / cast(sum(spend_reporting_amount) as double), 2) as position, \
              round(cast(sum(time_decay_revenue_reporting_amount) as double) / cast(sum(spend_reporting_amount) as double), 2) as time_decay \
              from marts.mart_channel_daily group by channel having sum(spend_reporting_amount) > 0 \
              order by 2 desc",
    },
    Question {
        asks: "What did a new customer cost? (CAC = spend / credited new customers)",
        sql: "select channel, round(sum(spend_reporting_amount), 2) as spend, \
              round(cast(sum(spend_reporting_amount) as double) / nullif(cast(sum(first_new_customers) as double), 0), 2) as first, \
              round(cast(sum(spend_reporting_amount) as double) / nullif(cast(sum(last_new_customers) as double), 0), 2) as last, \
              round(cast(sum(spend_reporting_amount) as double) / nullif(cast(sum(last_non_direct_new_customers) as double), 0), 2) as last_non_direct, \
              round(cast(sum(spend_reporting_amount) as double) / nullif(cast(sum(linear_new_customers) as double), 0), 2) as linear, \
              round(cast(sum(spend_reporting_amount) as double) / nullif(cast(sum(position_new_customers) as double), 0), 2) as position, \
              round(cast(sum(spend_reporting_amount) as double) / nullif(cast(sum(time_decay_new_customers) as double), 0), 2) as time_decay \
              from marts.mart_channel_daily group by channel having sum(spend_reporting_amount) > 0 \
              order by 2 desc",
    },
    Question {
        asks: "Where do visits of the shop end?",
        sql: "select step_number, step, sum(session_count) as sessions, \
              round(cast(sum(session_count) as double) \
                / nullif(cast(sum(previous_step_session_count) as double), 0), 4) as of_previous \
              from marts.mart_funnel group by step_number, step order by step_number",
    },
    Question {
        asks: "Which paths lead to a sale?",
        sql: "select rank, channel_path, conversion_count, revenue_reporting_amount, \
              average_days_to_convert from marts.mart_top_paths \
              where conversion_type = 'purchase' order by rank limit 10",
    },
    Question {
        asks: "What does one customer's journey look like? (the customer with most devices who bought twice)",
        sql: "with one as (select customer_key from marts.mart_customer_360 \
                where order_count >= 2 order by device_count desc, session_count, customer_key limit 1) \
              select e.event_at, e.event_type, e.event_detail, e.source, e.medium, e.campaign_name, \
              e.anonymous_node_id, e.revenue_amount, e.currency_code \
              from star.journey_event e inner join one on e.customer_key = one.customer_key \
              where e.session_event_index = 1 or e.revenue_amount is not null \
                or e.event_type in ('generate_lead', 'sign_up', 'form') \
              order by e.event_at limit 25",
    },
    Question {
        asks: "How does credit differ between the models? (revenue, all channels together, is the same)",
        sql: "select model, count(distinct conversion_id) as conversions, \
              sum(credited_reporting_amount) as credited from star.fct_attribution_credit \
              group by model order by model",
    },
    Question {
        asks: "Which identifiers were cut, because they link too many people?",
        sql: "select node_type, guard, count(*) as identifiers, max(degree) as links_at_most \
              from identity.int_identity_component where guard is not null \
              group by node_type, guard order by node_type, guard",
    },
];

/// Prints the answers. A question that cannot be answered says why, and the rest goes on.
pub(super) async fn answer(opened: &Opened, voice: Voice) -> anyhow::Result<()> {
    for question in &QUESTIONS {
        print(opened, question.asks, question.sql, voice).await?;
    }
    quarantine(opened, voice).await
}

async fn print(opened: &Opened, asks: &str, sql: &str, voice: Voice) -> anyhow::Result<()> {
    voice.line(&format!("\n{asks}\n"));
    match text(opened, sql).await {
        Ok(text) => voice.line(text.trim_end()),
        Err(error) => voice.line(&format!("cannot be answered: {error}")),
    }
    Ok(())
}

async fn text(opened: &Opened, sql: &str) -> anyhow::Result<String> {
    let frame = opened.warehouse.query(sql).await?;
    let schema = std::sync::Arc::new(frame.schema().as_arrow().clone());
    let rows = frame.collect().await?;
    let mut out = Vec::new();
    serve::write(&mut out, &schema, &rows, Format::Table)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// What was quarantined and why, over all silver models.
async fn quarantine(opened: &Opened, voice: Voice) -> anyhow::Result<()> {
    let mut parts = Vec::new();
    for name in opened
        .lake
        .names()
        .await?
        .iter()
        .filter(|name| name.schema == "quarantine")
    {
        parts.push(format!(
            "select source_name, stream_name, rule, reason, count(*) as rows \
             from quarantine.\"{}\" group by 1, 2, 3, 4",
            name.name
        ));
    }
    if parts.is_empty() {
        return Ok(());
    }
    let sql = format!("{} order by 1, 2, 3", parts.join(" union all "));
    print(opened, "What was quarantined, and why?", &sql, voice).await
}
