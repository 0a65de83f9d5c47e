//! `sales`: which records of sales were brought together, by which key.

use serde_json::{Value, json};

use super::{Exit, report};
use crate::project::Place;
use crate::say::Voice;

const TABLE: &str = "select record_type as record, record_source as source, sale_key as key, \
     target_type as target, target_source as found_in, sale_count as sales, \
     naming_sale_count as name_it, matched_sale_count as matched, \
     unmatched_sale_count as unmatched, refused_sale_count as refused, \
     round(match_rate, 4) as match_rate, \
     round(matched_revenue_reporting_amount, 2) as matched_revenue, \
     round(unmatched_revenue_reporting_amount, 2) as unmatched_revenue, \
     amount_difference_count as differ, \
     round(amount_difference_reporting_amount, 2) as difference, \
     possibly_twice_count as look_alike \
     from marts.mart_sale_match where level = 'pair' order by 1, 2, 3, 4, 5";

const ROWS: &str = "select * from marts.mart_sale_match \
     order by level, record_type, record_source, sale_key, target_type, target_source";

/// The command.
pub(crate) async fn sales(place: Place, voice: Voice) -> anyhow::Result<Exit> {
    let opened = report::open(place, "mart_sale_match").await?;
    let mut rows = report::rows(&opened, ROWS).await?;
    let total = rows.iter().position(|row| row["level"] == "total");
    let total = total.map(|place| rows.remove(place));
    voice.result(&json!({"pairs": rows, "total": total}));
    if voice.json {
        return Ok(Exit::Done);
    }
    if !rows.is_empty() {
        voice.line(&report::table(&opened, TABLE).await?);
        voice.line("");
    }
    for line in total.iter().flat_map(summary) {
        voice.line(&line);
    }
    Ok(Exit::Done)
}

/// What holds of all sales.
fn summary(total: &Value) -> Vec<String> {
    let count = |name: &str| total[name].as_i64().unwrap_or_default();
    let mut lines = vec![format!(
        "{} sales; {} in several systems by what their records say, {} of these brought together",
        count("sale_count"),
        count("naming_sale_count"),
        count("matched_sale_count")
    )];
    lines.push(format!(
        "{} order numbers under two sales (must be 0), {} pairs of sales that look alike",
        count("counted_twice_count"),
        count("possibly_twice_count")
    ));
    if total["is_partial"] == true {
        lines.push("money without an exchange rate is missing in these figures".to_owned());
    }
    lines
}
