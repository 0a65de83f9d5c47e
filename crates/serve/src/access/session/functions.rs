//! The functions that a session may call.
//!
//! By name, so that a new one of the engine is not callable before somebody has thought about it.
//! Left out is what tells of the server (names of files, settings), what would let one guess at
//! pseudonyms (`pii_hash`, `durable_key`), and what makes much of little without a bound.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_array::Array as _;
use arrow_array::cast::AsArray as _;
use async_trait::async_trait;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef, Int64Type, SchemaRef};
use datafusion::catalog::{
    Session, TableFunction, TableFunctionArgs, TableFunctionImpl, TableProvider,
};
use datafusion::common::{ScalarValue, exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    TableType,
};
use datafusion::physical_plan::ExecutionPlan;

use super::BOUND;

/// Scalar functions.
const SCALAR: &str = "
abs acos acosh asin asinh atan atan2 atanh cbrt ceil cos cosh cot degrees exp factorial floor gcd
isnan iszero lcm ln log log10 log2 nanvl pi power pow radians random round signum sign sin sinh sqrt
tan tanh trunc
coalesce greatest least nullif nvl nvl2 ifnull
ascii bit_length btrim character_length char_length length chr concat concat_ws contains ends_with
find_in_set initcap instr position left levenshtein lower lpad ltrim octet_length overlay repeat
replace reverse right rpad rtrim split_part starts_with strpos substr substring substr_index
substring_index to_hex translate trim upper uuid
regexp_count regexp_instr regexp_like regexp_match regexp_replace
current_date today current_time current_timestamp now date_bin date_part datepart date_trunc
datetrunc extract from_unixtime make_date make_time to_char date_format to_date to_local_time
to_time to_timestamp to_timestamp_micros to_timestamp_millis to_timestamp_nanos to_timestamp_seconds
to_unixtime
decode encode digest md5 sha224 sha256 sha384 sha512
arrow_cast arrow_try_cast arrow_typeof get_field named_struct struct row version
cast_to_type try_cast_to_type
array_add array_any_value array_append array_avg array_compact array_concat array_dims
array_distance array_distinct array_element array_except array_extract array_filter array_any_match
array_transform list_filter list_transform any_match array_has array_has_all array_has_any
array_contains
array_intersect array_length array_max array_min array_ndims array_pop_back array_pop_front
array_position array_positions array_prepend array_product array_remove array_remove_all
array_remove_n array_repeat array_replace array_replace_all array_replace_n array_resize
array_reverse array_slice array_sort array_subtract array_sum array_to_string array_union arrays_zip
arrays_overlap cardinality cosine_distance empty flatten inner_product list_cat list_append
list_concat list_contains list_dims list_distinct list_element list_extract list_has list_indexof
list_length list_max list_min list_position list_prepend list_repeat list_resize list_reverse
list_slice list_sort list_to_string list_union make_array make_list map map_entries map_extract
map_keys map_values element_at string_to_array string_to_list array_join array_indexof array_cat
array_push_back array_push_front list_push_back list_push_front list_any_value array_empty
stated first_text text_if clean_text has_text text_digest to_amount to_integer to_number to_boolean
to_instant to_day local_date json_text from_json to_json kv_text kv_canonical url_host url_path
url_param traffic_source has_traffic_parameter channel_group is_bot
";

/// Functions whose argument at a place says how large their result is.
const BOUNDED: [(&str, usize); 6] = [
    ("repeat", 1),
    ("lpad", 1),
    ("rpad", 1),
    ("array_repeat", 1),
    ("array_resize", 1),
    ("list_repeat", 1),
];

/// Bytes that one call of a bounded function may make for all rows of a batch.
const BYTES: u64 = 64 << 20;
/// Rows that `generate_series` may give.
const SERIES: i128 = 1_000_000;

/// Whether a session of somebody who is no administrator may call a scalar function.
pub(super) fn is_allowed(name: &str) -> bool {
    SCALAR.split_whitespace().any(|known| known == name)
}

/// The functions of `known` that may be called, some within bounds.
pub(super) fn scalars<'a>(
    known: impl Iterator<Item = (&'a String, &'a Arc<ScalarUDF>)>,
    is_admin: bool,
) -> Vec<Arc<ScalarUDF>> {
    let mut allowed: Vec<Arc<ScalarUDF>> = Vec::new();
    for (name, function) in known {
        // An alias comes with the function that it is one of.
        if name != function.name() || !(is_admin || is_allowed(name)) {
            continue;
        }
        let bound = BOUNDED.iter().find(|(bounded, _)| bounded == name);
        allowed.push(match bound {
            Some((_, place)) => Arc::new(ScalarUDF::new_from_impl(Bounded {
                inner: function.clone(),
                place: *place,
            })),
            None => function.clone(),
        });
    }
    allowed
}

/// A function that may not make too much of its input.
#[derive(Debug)]
struct Bounded {
    inner: Arc<ScalarUDF>,
    place: usize,
}

impl PartialEq for Bounded {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl Eq for Bounded {}

impl Hash for Bounded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl Bounded {
    fn check(&self, args: &ScalarFunctionArgs) -> Result<()> {
        let sizes = match args.args.get(self.place) {
            Some(size) => size.to_array(args.number_rows)?,
            None => return Ok(()),
        };
        let sizes = cast(&sizes, &DataType::Int64)?;
        let pads = self.inner.name().ends_with("pad");
        let each = match args.args.first() {
            // A pad is as long as it says, whatever the text.
            Some(value) if !pads => bytes_of_a_row(value, args.number_rows)?,
            _ => 4,
        };
        let asked = sizes
            .as_primitive::<Int64Type>()
            .iter()
            .flatten()
            .map(|size| size.max(0).unsigned_abs());
        let asked = asked.fold(0_u64, u64::saturating_add).saturating_mul(each);
        match asked > BYTES {
            true => exec_err!(
                "{BOUND} `{}` would make too large a value",
                self.inner.name()
            ),
            false => Ok(()),
        }
    }
}

/// The most that a row's value takes.
fn bytes_of_a_row(value: &ColumnarValue, rows: usize) -> Result<u64> {
    Ok(match value {
        ColumnarValue::Scalar(value) => value.size() as u64,
        ColumnarValue::Array(array) => {
            let text = cast(array, &DataType::Utf8);
            let longest = text
                .ok()
                .and_then(|text| text.as_string::<i32>().iter().flatten().map(str::len).max());
            let mean = array.get_array_memory_size() / rows.max(1);
            longest.unwrap_or(mean).max(1) as u64
        }
    })
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.inner().return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.inner().return_field_from_args(args)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.inner().coerce_types(types)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.check(&args)?;
        self.inner.invoke_with_args(args)
    }
}

/// The table functions that may be called: series of a bounded length.
pub(super) fn tables(
    known: &std::collections::HashMap<String, Arc<TableFunction>>,
) -> Vec<Arc<TableFunction>> {
    let series = ["generate_series", "range"].into_iter();
    let found = series.filter_map(|name| {
        let inner = known.get(name)?.function().clone();
        let bounded = Arc::new(BoundedSeries { inner });
        Some(Arc::new(TableFunction::new(name.to_owned(), bounded)))
    });
    found.collect()
}

#[derive(Debug)]
struct BoundedSeries {
    inner: Arc<dyn TableFunctionImpl>,
}

impl TableFunctionImpl for BoundedSeries {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let number = |at: usize| match args.exprs().get(at) {
            Some(Expr::Literal(ScalarValue::Int64(Some(number)), _)) => Some(i128::from(*number)),
            _ => None,
        };
        let (start, end) = match (number(0), number(1)) {
            (Some(end), None) if args.exprs().len() == 1 => (0, end),
            (Some(start), Some(end)) => (start, end),
            // Days and hours: a series of them ends by itself or with the time of the query.
            _ => (0, 0),
        };
        let step = number(2).unwrap_or(1).abs().max(1);
        if (end - start).abs() / step > SERIES {
            return plan_err!("a series of more than {SERIES} rows");
        }
        let inner = self.inner.call_with_args(args)?;
        Ok(Arc::new(Series(inner)))
    }
}

/// The rows of a series.
#[derive(Debug)]
pub(super) struct Series(Arc<dyn TableProvider>);

#[async_trait]
impl TableProvider for Series {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn table_type(&self) -> TableType {
        self.0.table_type()
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.0.scan(session, projection, filters, limit).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_of_the_server_or_guesses_pseudonyms_is_not_allowed() {
        for name in [
            "input_file_name",
            "pii_hash",
            "durable_key",
            "file_row_index",
            "generate_series",
        ] {
            assert!(!is_allowed(name), "{name}");
        }
        assert!(is_allowed("date_trunc"));
    }
}
