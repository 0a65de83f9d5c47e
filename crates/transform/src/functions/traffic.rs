//! `traffic_source`, `has_traffic_parameter`, `channel_group`, `is_bot`: where a visitor came from,
//! and whether it is one.
//!
//! Each distinct combination of arguments in a batch is judged once.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{Array, ArrayRef, BooleanArray, StructArray, UInt32Array};
use arrow_schema::{DataType, Field, Fields};
use datafusion::arrow::compute::take;
use datafusion::common::internal_err;
use datafusion::error::Result;
use domain::parse;
use journeys::channels::{BotPatterns, ChannelRules, TrafficInput, TrafficRules};

use super::text::{Text, TextFunction, distinct};

/// Fields of the result of `traffic_source`, all texts.
const TRAFFIC_FIELDS: [&str; 8] = [
    "source",
    "medium",
    "campaign",
    "term",
    "content",
    "click_id",
    "click_id_type",
    "resolution",
];

pub(super) fn functions(
    traffic: &Arc<TrafficRules>,
    channels: &Arc<ChannelRules>,
    bots: &Arc<BotPatterns>,
) -> Vec<TextFunction> {
    let (traffic, channels, bots) = (Arc::clone(traffic), Arc::clone(channels), Arc::clone(bots));
    let parameters = Arc::clone(&traffic);
    vec![
        TextFunction::new(
            "traffic_source",
            9..=9,
            "traffic_source(page_url, referrer_url, utm_source, utm_medium, utm_campaign, \
             utm_term, utm_content, gclid, ignore_referrer)",
            DataType::Struct(traffic_fields()),
            move |texts, rows| traffic_source(&traffic, texts, rows),
        ),
        TextFunction::new(
            "has_traffic_parameter",
            1..=1,
            "has_traffic_parameter(page_url)",
            DataType::Boolean,
            move |texts, rows| has_traffic_parameter(&parameters, texts, rows),
        ),
        TextFunction::new(
            "channel_group",
            3..=4,
            "channel_group(source, medium, campaign, day); `day` may be left out",
            DataType::Utf8,
            move |texts, rows| channel_group(&channels, texts, rows),
        ),
        TextFunction::new(
            "is_bot",
            1..=1,
            "is_bot(user_agent)",
            DataType::Boolean,
            move |texts, rows| is_bot(&bots, texts, rows),
        ),
    ]
}

fn traffic_fields() -> Fields {
    TRAFFIC_FIELDS
        .iter()
        .map(|name| Field::new(*name, DataType::Utf8, true))
        .collect()
}

fn exactly<'a, const N: usize>(texts: &[Text<'a>]) -> Result<[Text<'a>; N]> {
    match texts.try_into() {
        Ok(texts) => Ok(texts),
        Err(_) => internal_err!("{N} arguments were expected, not {}", texts.len()),
    }
}

fn traffic_source(rules: &TrafficRules, texts: &[Text<'_>], rows: usize) -> Result<ArrayRef> {
    let texts = exactly::<9>(texts)?;
    let (places, found) = distinct(&texts, rows, |values| {
        let [
            page_url,
            referrer_url,
            source,
            medium,
            campaign,
            term,
            content,
            gclid,
            ignore,
        ] = values;
        rules.traffic_source(&TrafficInput {
            page_url,
            referrer_url,
            utm_source: source,
            utm_medium: medium,
            utm_campaign: campaign,
            utm_term: term,
            utm_content: content,
            gclid,
            ignore_referrer: ignore.and_then(parse::boolean).unwrap_or(false),
        })
    });
    let mut columns = TRAFFIC_FIELDS.map(|_| StringBuilder::with_capacity(found.len(), 0));
    for traffic in &found {
        let values = [
            Some(&*traffic.source),
            Some(&*traffic.medium),
            Some(&*traffic.campaign),
            traffic.term.as_deref(),
            traffic.content.as_deref(),
            traffic.click_id.as_deref(),
            traffic.click_id_type,
            Some(traffic.resolution.as_str()),
        ];
        for (column, value) in columns.iter_mut().zip(values) {
            column.append_option(value);
        }
    }
    let columns = columns.map(|mut column| Arc::new(column.finish()) as ArrayRef);
    let distinct = StructArray::try_new(traffic_fields(), columns.into(), None)?;
    spread(&distinct, places, found.len())
}

/// Null addresses have none. Each row by itself: addresses seldom come twice in a row.
fn has_traffic_parameter(
    rules: &TrafficRules,
    texts: &[Text<'_>],
    rows: usize,
) -> Result<ArrayRef> {
    let [address] = exactly::<1>(texts)?;
    let found = (0..rows).map(|row| {
        address
            .get(row)
            .is_some_and(|address| rules.has_parameters(address))
    });
    Ok(Arc::new(BooleanArray::from_iter(found.map(Some))))
}

fn channel_group(rules: &ChannelRules, texts: &[Text<'_>], rows: usize) -> Result<ArrayRef> {
    let (parts, day) = texts.split_at(texts.len().min(3));
    let [source, medium, campaign] = exactly::<3>(parts)?;
    // Rules without days know no day: each source, medium and campaign is then judged once.
    let day = day.first().filter(|_| rules.is_dated());
    let day = day.copied().unwrap_or(Text::Constant(None));
    let texts = [source, medium, campaign, day];
    let (places, found) = distinct(&texts, rows, |[source, medium, campaign, day]| {
        let day = day.and_then(|day| day.get(..10).unwrap_or(day).parse().ok());
        rules.channel_group(source, medium, campaign, day)
    });
    let mut names = StringBuilder::with_capacity(found.len(), 0);
    for name in &found {
        names.append_value(name);
    }
    spread(&names.finish(), places, found.len())
}

fn is_bot(patterns: &BotPatterns, texts: &[Text<'_>], rows: usize) -> Result<ArrayRef> {
    let texts = exactly::<1>(texts)?;
    let (places, found) = distinct(&texts, rows, |[agent]| {
        agent.map(|agent| patterns.is_bot(agent))
    });
    let count = found.len();
    spread(&BooleanArray::from(found), places, count)
}

/// For each row the result at its place.
fn spread(results: &dyn Array, places: Vec<u32>, count: usize) -> Result<ArrayRef> {
    if places.len() == count {
        // Every row was judged by itself, in order.
        return Ok(results.slice(0, count));
    }
    Ok(take(results, &UInt32Array::from(places), None)?)
}
