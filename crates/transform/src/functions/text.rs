//! What the scalar functions share: arguments as texts, constants folded once, repeats remembered.

use std::fmt;
use std::hash::{Hash, Hasher};

use arrow_array::{Array, ArrayRef, StringArray};
use arrow_schema::DataType;
use datafusion::common::cast::as_string_array;
use datafusion::common::{HashMap, ScalarValue, internal_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

/// An argument: a column of texts, or one text for all rows.
#[derive(Clone, Copy)]
pub(super) enum Text<'a> {
    /// One text per row.
    Column(&'a StringArray),
    /// The same for every row.
    Constant(Option<&'a str>),
}

impl<'a> Text<'a> {
    /// The argument, which the signature has made a text.
    pub(super) fn new(value: &'a ColumnarValue) -> Result<Self> {
        match value {
            ColumnarValue::Array(array) => Ok(Self::Column(as_string_array(array)?)),
            ColumnarValue::Scalar(ScalarValue::Utf8(text)) => Ok(Self::Constant(text.as_deref())),
            ColumnarValue::Scalar(other) => internal_err!("a text was expected, not {other:?}"),
        }
    }

    /// The text of a row.
    pub(super) fn get(self, row: usize) -> Option<&'a str> {
        match self {
            Self::Column(texts) if texts.is_valid(row) => Some(texts.value(row)),
            Self::Column(_) => None,
            Self::Constant(text) => text,
        }
    }
}

/// A function of texts.
type Call = dyn Fn(&[Text<'_>], usize) -> Result<ArrayRef> + Send + Sync;

/// A scalar function whose arguments are texts; other simple types are cast to text.
pub(super) struct TextFunction {
    name: &'static str,
    arguments_min: usize,
    arguments_max: usize,
    usage: &'static str,
    returns: DataType,
    signature: Signature,
    call: Box<Call>,
}

impl TextFunction {
    /// `usage` is how it is called, for error messages; `call` gets the arguments and the number
    /// of rows. A call may have `arguments` arguments.
    pub(super) fn new(
        name: &'static str,
        arguments: std::ops::RangeInclusive<usize>,
        usage: &'static str,
        returns: DataType,
        call: impl Fn(&[Text<'_>], usize) -> Result<ArrayRef> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            arguments_min: *arguments.start(),
            arguments_max: *arguments.end(),
            usage,
            returns,
            signature: Signature::user_defined(Volatility::Immutable),
            call: Box::new(call),
        }
    }
}

impl fmt::Debug for TextFunction {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("TextFunction")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

// A function is its name: there is one of a name in a session.
impl PartialEq for TextFunction {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for TextFunction {}

impl Hash for TextFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for TextFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        if !(self.arguments_min..=self.arguments_max).contains(&arguments.len()) {
            return plan_err!(
                "`{}` was given {} arguments (hint: {})",
                self.name,
                arguments.len(),
                self.usage
            );
        }
        if let Some(nested) = arguments.iter().find(|argument| argument.is_nested()) {
            return plan_err!(
                "`{}` takes texts, not {nested} (hint: {})",
                self.name,
                self.usage
            );
        }
        Ok(vec![DataType::Utf8; arguments.len()])
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let texts = call
            .args
            .iter()
            .map(Text::new)
            .collect::<Result<Vec<_>>>()?;
        if texts.iter().all(|text| matches!(text, Text::Constant(_))) {
            let result = (self.call)(&texts, 1)?;
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                &result, 0,
            )?));
        }
        Ok(ColumnarValue::Array((self.call)(&texts, call.number_rows)?))
    }
}

/// Calls `compute` once for each distinct combination of texts: gives for each row the place of
/// its result, and the results. In event data the same few texts come again and again.
pub(super) fn distinct<'a, const N: usize, T>(
    texts: &[Text<'a>; N],
    rows: usize,
    mut compute: impl FnMut([Option<&'a str>; N]) -> T,
) -> (Vec<u32>, Vec<T>) {
    let mut seen: HashMap<[Option<&'a str>; N], u32> = HashMap::new();
    let mut results: Vec<T> = Vec::new();
    let mut places = Vec::with_capacity(rows);
    let mut last: Option<([Option<&'a str>; N], u32)> = None;
    for row in 0..rows {
        let values = texts.map(|text| text.get(row));
        let place = match last {
            Some((values_before, place)) if values_before == values => place,
            _ => *seen.entry(values).or_insert_with(|| {
                results.push(compute(values));
                // A batch has far fewer rows than 32 bits can count.
                (results.len() - 1) as u32
            }),
        };
        last = Some((values, place));
        places.push(place);
    }
    (places, results)
}
