//! `worth`: what was spent, what it brought, and what customers have been worth since.

use anyhow::bail;
use serde_json::{Value, json};

use super::{Exit, report};
use crate::cli::{Basis, WorthArgs};
use crate::project::{Opened, Place};
use crate::say::Voice;

const FIGURES: &str = "round(spend_reporting_amount, 2) as spend, \
     round(revenue_reporting_amount, 2) as revenue, \
     round(net_revenue_reporting_amount, 2) as net_revenue, \
     round(sales, 2) as sales, round(new_customers, 2) as new_customers, \
     round(roas, 2) as roas, round(cpa, 2) as cpa, round(cac, 2) as cac, unconverted_rows";

/// Cohorts as their last month that is over has them; where none is, without a worth yet.
const COHORTS: &str = "select cohort_start, customers, acquisition_spend_reporting_amount, cac, \
     case when is_mature then months_since end as months_since, \
     cumulative_net_revenue_reporting_amount, ltv, ltv_to_cac, payback_month, payback_on, \
     is_mature, is_partial \
     from (select *, row_number() over (partition by cohort_start \
         order by is_mature desc, months_since desc) as place \
         from marts.mart_ltv_cohort where cohort_grain = 'month' and level = 'total' \
         and is_default_model and cohort_start is not null) \
     where place = 1 and (customers > 0 or acquisition_spend_reporting_amount <> 0)";

/// The command.
pub(crate) async fn worth(place: Place, args: &WorthArgs, voice: Voice) -> anyhow::Result<Exit> {
    let opened = report::open(place, "mart_worth_daily").await?;
    let chosen = chosen(&opened, args).await?;
    let ordered = |columns: &str, level: &str| {
        format!(
            "select {columns} from marts.mart_worth where {chosen} and level = '{level}' \
             order by spend_reporting_amount desc, revenue_reporting_amount desc, member"
        )
    };
    let totals = report::rows(&opened, &ordered("*", "total")).await?;
    let Some(total) = totals.first() else {
        voice.result(&json!({"total": null, "channels": [], "spend_match": [], "cohorts": []}));
        voice.line("no spend, sales or leads yet");
        return Ok(Exit::Done);
    };
    let cohorts = format!("{COHORTS} order by cohort_start");
    voice.result(&json!({
        "as_of": report::rows(&opened, "select as_of_date from star.int_as_of").await?
            .first().map(|row| row["as_of_date"].clone()),
        "total": total,
        "channels": report::rows(&opened, &ordered("*", "channel")).await?,
        "platforms": report::rows(&opened, &ordered("*", "platform")).await?,
        "spend_match": report::rows(&opened, &ordered("*", "spend_match")).await?,
        "cohorts": report::rows(&opened, &cohorts).await?,
    }));
    if voice.json {
        return Ok(Exit::Done);
    }
    let model = report::text(total, "model");
    let basis = report::text(total, "date_basis");
    voice.line(&format!(
        "All days; credit by model `{model}`, by day of {basis}\n"
    ));
    let columns = format!("{FIGURES}, round(mer, 2) as mer");
    voice.line(&report::table(&opened, &ordered(&columns, "total")).await?);
    voice.line("\nBy channel:\n");
    let columns = format!("member as channel, {FIGURES}");
    voice.line(&report::table(&opened, &ordered(&columns, "channel")).await?);
    voice.line("\nDo spend and revenue meet?\n");
    let columns = format!("member as spend_match, {FIGURES}");
    voice.line(&report::table(&opened, &ordered(&columns, "spend_match")).await?);
    voice.line("\nCustomers by the month of their first sale, up to their last whole month:\n");
    voice.line(&report::table(&opened, &cohort_table(&cohorts)).await?);
    if let Some(warning) = partial(total) {
        voice.line(&warning);
    }
    Ok(Exit::Done)
}

/// The rows of `mart_worth` that are asked for: of one model and one basis, over all days.
async fn chosen(opened: &Opened, args: &WorthArgs) -> anyhow::Result<String> {
    let basis = match args.by {
        Basis::Conversion => "conversion",
        Basis::Touch => "touch",
    };
    let Some(model) = &args.model else {
        return Ok(format!(
            "period = 'all' and date_basis = '{basis}' and is_default_model"
        ));
    };
    let models = "select model from marts.mart_worth_daily group by model order by model";
    let models = report::rows(opened, models).await?;
    let names: Vec<&str> = models
        .iter()
        .map(|row| report::text(row, "model"))
        .collect();
    if !names.contains(&model.as_str()) {
        bail!(
            "no credit is given by a model `{model}`\nhint: there is: {}",
            names.join(", ")
        );
    }
    Ok(format!(
        "period = 'all' and date_basis = '{basis}' and model = '{model}'"
    ))
}

fn cohort_table(cohorts: &str) -> String {
    format!(
        "select cohort_start as cohort, round(customers, 2) as customers, \
         round(acquisition_spend_reporting_amount, 2) as spend, round(cac, 2) as cac, \
         months_since as month, round(cumulative_net_revenue_reporting_amount, 2) as net_revenue, \
         round(ltv, 2) as ltv, round(ltv_to_cac, 2) as ltv_to_cac, \
         payback_month as paid_back_in_month \
         from ({cohorts}) order by cohort"
    )
}

/// Says that money is missing.
fn partial(total: &Value) -> Option<String> {
    let rows = total["unconverted_rows"].as_i64().unwrap_or_default();
    (rows > 0).then(|| {
        format!(
            "\nmoney of {rows} rows is missing for want of an exchange rate; \
             marts.mart_data_gaps says which"
        )
    })
}
