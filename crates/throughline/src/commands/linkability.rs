//! `linkability`: which key ties which records to which side, and what to mend.

use serde_json::json;

use super::{Exit, report};
use crate::project::Place;
use crate::say::Voice;

const TABLE: &str = "select record_type as record, record_source as source, join_key as key, \
     target_type as target, target_source as found_in, record_count as records, \
     carrying_count as carry, round(coverage_rate, 3) as coverage, matched_count as matched, \
     round(match_rate, 3) as match_rate, \
     round(linked_revenue_reporting_amount, 2) as linked_revenue, \
     round(unlinked_revenue_reporting_amount, 2) as unlinked_revenue, finding \
     from marts.mart_linkability \
     order by 1, 2, 4, 5, case when join_key = 'any' then 1 else 0 end, 3";

const ROWS: &str = "select * from marts.mart_linkability \
     order by record_type, record_source, target_type, target_source, join_key";

/// What to mend: keys that everybody could carry first, and what leaves most revenue unlinked.
const ADVICE: &str = "select concat(record_type, ' ', join_key, ' (', record_source, \
     case when target_source is null then '' else concat(' > ', target_source) end, ')') as what, \
     advice from marts.mart_linkability where finding not in ('good', 'together') \
     order by case when join_key in ('client_id', 'tracking_cookie', 'user_id', 'email', \
     'transaction_id', 'order_number', 'invoice_number', 'deal_id') then 0 else 1 end, \
     unlinked_revenue_reporting_amount desc, record_count desc, 1";

/// The command.
pub(crate) async fn linkability(place: Place, voice: Voice) -> anyhow::Result<Exit> {
    let opened = report::open(place, "mart_linkability").await?;
    let rows = report::rows(&opened, ROWS).await?;
    voice.result(&json!({"keys": rows}));
    if rows.is_empty() {
        voice.line("no contacts, leads, orders, deals or invoices that a key could link");
        return Ok(Exit::Done);
    }
    if voice.json {
        return Ok(Exit::Done);
    }
    voice.line(&report::table(&opened, TABLE).await?);
    let advice = report::rows(&opened, ADVICE).await?;
    if advice.is_empty() {
        voice.line("\nnothing to mend");
        return Ok(Exit::Done);
    }
    voice.line("\nWhat to mend:\n");
    for row in &advice {
        let (what, advice) = (report::text(row, "what"), report::text(row, "advice"));
        voice.line(&format!("  {what}: {advice}"));
    }
    Ok(Exit::Done)
}
