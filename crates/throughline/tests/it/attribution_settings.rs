//! What the settings of attribution make of one small funnel: models, paths, milestones, types.

use testkit::Project;

use crate::PROGRAM;
use crate::own_sources::{holds, write_models};
use crate::real_exports::balanced;

/// One person: four touches, a stage of the CRM, a deal worth 100, then a touch and one worth 50.
const SOURCES: &str = "
sources:
  crm:
    zone: UTC
    currency: EUR
    streams:
      touches: exports/touches.csv
      deals: exports/deals.csv
      contacts: exports/contacts.csv
";

const TOUCHES: &str = "id,at,source,medium,kind
1,2026-03-01T10:00:00Z,google,organic,touch
2,2026-03-08T10:00:00Z,google,cpc,touch
s,2026-03-09T10:00:00Z,,,lead
3,2026-03-13T10:00:00Z,newsletter,email,touch
4,2026-03-15T09:00:00Z,(direct),(none),touch
5,2026-03-20T09:00:00Z,google,cpc,touch
";

const DEALS: &str = "id,created_at,closed_at,amount
a,2026-03-14T10:00:00Z,2026-03-15T10:00:00Z,100
b,2026-03-21T08:00:00Z,2026-03-21T10:00:00Z,50
";

const MODELS: [(&str, &str); 4] = [
    (
        "stg_crm__touches",
        "-- grain: one row per touch or change of stage
{{ config(entity='activity') }}
select
    _raw_id,
    id as activity_id,
    at as activity_at,
    case kind when 'touch' then 'visit' else 'stage_change' end as activity_type,
    case kind when 'touch' then null else kind end as subject,
    'p' as contact_id,
    source,
    medium,
    kind = 'touch' as is_touchpoint
from {{ source('crm', 'touches') }}
",
    ),
    (
        "stg_crm__deals",
        "-- grain: one row per deal
{{ config(entity='deal') }}
select
    _raw_id, id as deal_id, 'won' as stage, true as is_closed, true as is_won,
    created_at, closed_at, amount
from {{ source('crm', 'deals') }}
",
    ),
    (
        "stg_crm__deal_contacts",
        "-- grain: one row per deal
{{ config(entity='deal_contact') }}
select _raw_id, id as deal_id, 'p' as contact_id from {{ source('crm', 'deals') }}
",
    ),
    (
        "stg_crm__contacts",
        "-- grain: one row per contact
{{ config(entity='contact') }}
select _raw_id, id as contact_id, email from {{ source('crm', 'contacts') }}
",
    ),
];

fn project(settings: &str) -> Project {
    let project = Project::new(
        PROGRAM,
        &format!("reporting: {{currency: EUR}}\n{settings}{SOURCES}"),
    );
    write_models(&project, &MODELS);
    project.write("exports/touches.csv", TOUCHES);
    project.write("exports/deals.csv", DEALS);
    project.write("exports/contacts.csv", "id,email\np,pat@buyer.example\n");
    project
}

/// Credited money of a deal by a model, touch by touch.
fn credited(project: &Project, model: &str, deal: &str) -> Vec<String> {
    let sql = format!(
        "select cast(credit.credited_amount as double) as amount
         from star.fct_attribution_credit as credit
         inner join star.fct_conversion as conversion
             on credit.conversion_id = conversion.conversion_id
         where credit.model = '{model}' and conversion.deal_id = 'crm:{deal}'
         order by credit.touch_position"
    );
    let rows = project.rows(&sql);
    rows.iter()
        .map(|row| testkit::plain(&row["amount"]))
        .collect()
}

#[test]
fn models_and_their_parameters_are_those_of_the_project() {
    let project = project(
        "attribution:
  models: [first_paid, last_paid, w_shaped, full_path, participation]
  custom: {opener: {first: 0.5, middle: 0.2, last: 0.3}}
  milestones: {lead: [], opportunity: []}
",
    );
    balanced(&project);
    for (model, expected) in [
        ("first", vec!["100.0"]),
        ("first_paid", vec!["100.0"]),
        ("last_non_direct", vec!["100.0"]),
        ("linear", vec!["25.0", "25.0", "25.0", "25.0"]),
        ("w_shaped", vec!["30.0", "30.0", "30.0", "10.0"]),
        ("full_path", vec!["25.0", "25.0", "25.0", "25.0"]),
        ("opener", vec!["50.0", "10.0", "10.0", "30.0"]),
        ("participation", vec![]),
    ] {
        assert_eq!(credited(&project, model, "a"), expected, "{model}");
    }
    let paid = "min(channel.channel) from star.fct_attribution_credit as credit \
        inner join star.dim_channel as channel on credit.channel_key = channel.channel_key \
        where credit.credited_amount = 100 and credit.model";
    let weights = "json_text(parameters, 'weights.lead') from star.dim_attribution_model";
    holds(
        &project,
        &[
            (&format!("{paid} = 'last_paid'"), "Paid Search"),
            (&format!("{weights} where model = 'w_shaped'"), "0.3"),
            (
                "count(*) from star.dim_attribution_model \
                 where is_additive and model_kind = 'rule'",
                "11",
            ),
            // Four channels took part in the first deal; each has the whole of it.
            (
                "sum(participation_reporting_amount) from star.fct_participation \
                 where conversion_type = 'deal_won' and participation_reporting_amount = 100",
                "400.000000",
            ),
            (
                "bool_and(is_immature) from marts.mart_attribution_by_touch_date",
                "true",
            ),
            (
                "sum(revenue_reporting_amount) from marts.mart_attribution_by_touch_date \
                 where model = 'linear'",
                "150.000000",
            ),
        ],
    );
    project.json(&["check"], 0);
}

#[test]
fn a_path_is_what_the_project_says_it_is() {
    let project = project(
        "attribution:
  lookback_days: {default: 6}
  conversion_types: [deal_won]
  path_restart: any
  path_transforms: [remove_direct_if_last_and_not_all]
",
    );
    balanced(&project);
    // Within six days of the first deal there is the e-mail; the direct visit at its end is gone.
    assert_eq!(credited(&project, "linear", "a"), ["100.0"]);
    // What the first deal used up does not count for the second.
    assert_eq!(credited(&project, "linear", "b"), ["50.0"]);
    holds(
        &project,
        &[
            (
                "count(distinct conversion_type) from star.fct_attribution_credit",
                "1",
            ),
            (
                "min(touch_date) from star.fct_attribution_credit",
                "2026-03-13",
            ),
            // The look-back of its touch was over when the second deal came.
            (
                "count(*) from star.fct_channel_credit_daily \
                 where touch_date = date '2026-03-13' and not is_immature",
                "8",
            ),
        ],
    );
    project.json(&["check"], 0);
}

#[test]
fn a_model_that_there_is_not_is_named_with_those_there_are() {
    let project = project("attribution: {models: [markow]}\n");
    let out = project.run(&["run"]);
    assert!(!out.status.success());
    let text = testkit::text(&out);
    assert!(
        text.contains("no model `markow`") && text.contains("w_shaped"),
        "{text}"
    );
}
