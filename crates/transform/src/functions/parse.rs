//! `to_instant`, `to_day`, `to_amount`, `local_date`: texts as exports spell them, read leniently.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, Date32Array, Decimal128Array, TimestampMicrosecondArray};
use arrow_schema::{DataType, TimeUnit};
use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;
use datafusion::common::{ScalarValue, exec_datafusion_err, internal_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use domain::parse;

use super::keys::pair;
use super::text::{Text, TextFunction};
use super::written::Signs;

const SECOND_US: i64 = 1_000_000;
const DAY_SECONDS: i64 = 86_400;

/// Type of an amount of money.
pub(super) const AMOUNT: DataType = DataType::Decimal128(18, 6);

/// Type of an instant.
pub(super) fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

pub(super) fn functions() -> Vec<TextFunction> {
    vec![
        TextFunction::new(
            "to_instant",
            1..=2,
            "to_instant(text) or to_instant(text, 'Europe/Berlin')",
            instant(),
            to_instant,
        ),
        TextFunction::new(
            "to_day",
            1..=1,
            "to_day(text)",
            DataType::Date32,
            |texts, rows| {
                let [days, _] = pair(texts);
                let days = (0..rows).map(|row| days.get(row).and_then(parse::day));
                Ok(Arc::new(days.collect::<Date32Array>()))
            },
        ),
        TextFunction::new(
            "to_amount",
            1..=2,
            "to_amount(text) or to_amount(text, ',')",
            AMOUNT,
            to_amount,
        ),
    ]
}

fn to_instant(texts: &[Text<'_>], rows: usize) -> Result<ArrayRef> {
    let [values, zones] = pair(texts);
    let mut known = Zones::new("to_instant");
    let instants = (0..rows).map(|row| {
        let zone = zones.get(row).map(|name| known.get(name)).transpose()?;
        Ok(values
            .get(row)
            .and_then(|text| parse::instant_us(text, zone)))
    });
    let instants = instants.collect::<Result<TimestampMicrosecondArray>>()?;
    Ok(Arc::new(instants.with_timezone("UTC")))
}

fn to_amount(texts: &[Text<'_>], rows: usize) -> Result<ArrayRef> {
    let signs = Signs::of(texts)?;
    let [values, _] = pair(texts);
    let amounts = (0..rows).map(|row| {
        let sign = signs.get(row)?;
        Ok(values.get(row).and_then(|text| sign.amount(text)))
    });
    let amounts = amounts.collect::<Result<Decimal128Array>>()?;
    Ok(Arc::new(amounts.with_precision_and_scale(18, 6)?))
}

/// `local_date(instant, zone)`: the day on the calendar of a zone.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct LocalDate {
    signature: Signature,
}

impl LocalDate {
    pub(super) fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for LocalDate {
    fn name(&self) -> &str {
        "local_date"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Date32)
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        match arguments {
            [at, _] if at.is_temporal() || at.is_null() => Ok(vec![instant(), DataType::Utf8]),
            _ => plan_err!(
                "`local_date` takes an instant and a zone \
                            (hint: local_date(event_at, 'Europe/Berlin'))"
            ),
        }
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [at, zone] = call.args.as_slice() else {
            return internal_err!("`local_date` was given {} arguments", call.args.len());
        };
        let zones = Text::new(zone)?;
        let is_constant = matches!(
            (at, zone),
            (ColumnarValue::Scalar(_), ColumnarValue::Scalar(_))
        );
        let rows = if is_constant { 1 } else { call.number_rows };
        let at = at.to_array(rows)?;
        let at = at.as_primitive::<TimestampMicrosecondType>();
        let mut known = Zones::new("local_date");
        let days = (0..rows).map(|row| {
            let Some(zone) = zones.get(row).filter(|_| at.is_valid(row)) else {
                return Ok(None);
            };
            Ok(day_in(known.get(zone)?, at.value(row)))
        });
        let days: ArrayRef = Arc::new(days.collect::<Result<Date32Array>>()?);
        if is_constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                &days, 0,
            )?));
        }
        Ok(ColumnarValue::Array(days))
    }
}

/// The day on the calendar of a zone, in days since 1970.
pub(super) fn day_in(zone: Tz, at_us: i64) -> Option<i32> {
    let seconds = at_us.div_euclid(SECOND_US);
    let utc = DateTime::from_timestamp(seconds, 0)?.naive_utc();
    let offset = zone.offset_from_utc_datetime(&utc).fix().local_minus_utc();
    i32::try_from((seconds + i64::from(offset)).div_euclid(DAY_SECONDS)).ok()
}

/// Zones by name; the one before is remembered.
struct Zones {
    function: &'static str,
    last: Option<(String, Tz)>,
}

impl Zones {
    fn new(function: &'static str) -> Self {
        Self {
            function,
            last: None,
        }
    }

    /// # Errors
    /// There is no such zone.
    fn get(&mut self, name: &str) -> Result<Tz> {
        if let Some((last, zone)) = &self.last
            && last == name
        {
            return Ok(*zone);
        }
        let zone: Tz = name.parse().map_err(|_| {
            exec_datafusion_err!(
                "`{}` knows no zone `{name}` (hint: an IANA name such as `Europe/Berlin`)",
                self.function
            )
        })?;
        self.last = Some((name.to_owned(), zone));
        Ok(zone)
    }
}
