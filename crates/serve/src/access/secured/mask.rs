//! Masks: what stands in the place of a value. The column keeps its name and its type.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use arrow_array::{ArrayRef, StringArray, cast::AsArray as _};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{Column, DFSchema, ScalarValue, exec_err};
use datafusion::error::Result;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, cast,
    lit, try_cast,
};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::inside::with_values;
use crate::access::policy::Mask;
use crate::access::principal::Principal;

/// Texts shorter than this show nothing: their last four characters would be most of them.
const SHORT: usize = 8;
/// Characters of a hash: 128 bits.
const HASH_DIGITS: usize = 32;

/// The key of hash masks.
#[derive(Clone)]
pub(crate) struct MaskKey(Arc<[u8; 32]>);

impl std::fmt::Debug for MaskKey {
    /// The key itself is never shown.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("MaskKey")
    }
}

impl MaskKey {
    /// From the project's key; it says nothing of the keys made from that for other uses.
    pub(crate) fn new(project_key: &[u8]) -> Self {
        Self(Arc::new(mac(project_key, b"throughline mask 1")))
    }

    /// The key of one column, or of all that are joinable.
    fn of(&self, scope: &str) -> [u8; 32] {
        mac(&*self.0, scope.as_bytes())
    }
}

fn mac(key: &[u8], text: &[u8]) -> [u8; 32] {
    // HMAC takes a key of any length: a longer one than its block is hashed first.
    let mut block = [0_u8; 64];
    if key.len() <= block.len() {
        block[..key.len()].copy_from_slice(key);
    } else {
        block[..32].copy_from_slice(&<Sha256 as sha2::Digest>::digest(key));
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(text);
    mac.finalize().into_bytes().into()
}

/// Where a mask is applied.
pub(super) struct Place<'a> {
    pub(super) state: &'a SessionState,
    pub(super) schema: &'a DFSchema,
    pub(super) key: &'a MaskKey,
    pub(super) principal: &'a Principal,
    /// `star.fct_order`.
    pub(super) table: &'a str,
}

/// What is shown of `column` under `mask`.
pub(super) fn masked(
    place: &Place<'_>,
    column: Column,
    field: &Field,
    mask: &Mask,
) -> Result<Expr> {
    let kind = field.data_type();
    let is_text = matches!(
        kind,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    );
    let nothing = || ScalarValue::try_from(kind).map(lit);
    let of_text = |function: &ScalarUDF| {
        let text = cast(Expr::Column(column.clone()), DataType::Utf8);
        cast(function.call(vec![text]), kind.clone())
    };
    match mask {
        Mask::Null => nothing(),
        Mask::LastFour if is_text => Ok(of_text(&LAST_FOUR)),
        Mask::Hash { joinable } if is_text || *kind == DataType::Int64 => {
            let scope = match joinable {
                true => "joinable".to_owned(),
                false => format!("column {}.{}", place.table, field.name()),
            };
            let key = place.key.of(&scope);
            let is_number = !is_text;
            Ok(of_text(&ScalarUDF::new_from_impl(HashMask::new(
                key, is_number,
            ))))
        }
        // A kind of value that the mask cannot keep the type of.
        Mask::LastFour | Mask::Hash { .. } => nothing(),
        Mask::Sql(expression) => match expression.0.bind(place.principal, field.name()) {
            // Without its attribute nothing can be shown.
            Err(_) => nothing(),
            Ok(bound) => {
                let expr = place.state.create_logical_expr(&bound.sql, place.schema)?;
                Ok(try_cast(with_values(expr, &bound.values)?, kind.clone()))
            }
        },
    }
}

/// A keyed hash of a text, or of a number's digits as a number.
#[derive(Debug)]
struct HashMask {
    key: Secret,
    is_number: bool,
    signature: Signature,
}

#[derive(PartialEq, Eq, Hash)]
struct Secret([u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("…")
    }
}

impl HashMask {
    fn new(key: [u8; 32], is_number: bool) -> Self {
        Self {
            key: Secret(key),
            is_number,
            signature: Signature::exact(vec![DataType::Utf8], Volatility::Immutable),
        }
    }

    fn hash(&self, value: &str) -> String {
        let digest = mac(&self.key.0, value.as_bytes());
        if self.is_number {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&digest[..8]);
            return i64::from_be_bytes(bytes).to_string();
        }
        hex::encode(digest).chars().take(HASH_DIGITS).collect()
    }
}

impl PartialEq for HashMask {
    fn eq(&self, other: &Self) -> bool {
        (&self.key, self.is_number) == (&other.key, other.is_number)
    }
}

impl Eq for HashMask {}

impl Hash for HashMask {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.key, self.is_number).hash(state);
    }
}

impl ScalarUDFImpl for HashMask {
    fn name(&self) -> &'static str {
        "mask_hash"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        texts(args, |value| self.hash(value))
    }
}

/// The last four characters of a text.
#[derive(Debug, PartialEq, Eq, Hash)]
struct LastFour {
    signature: Signature,
}

static LAST_FOUR: LazyLock<ScalarUDF> = LazyLock::new(|| {
    ScalarUDF::new_from_impl(LastFour {
        signature: Signature::exact(vec![DataType::Utf8], Volatility::Immutable),
    })
});

impl ScalarUDFImpl for LastFour {
    fn name(&self) -> &'static str {
        "mask_last_four"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        texts(args, last_four)
    }
}

fn last_four(value: &str) -> String {
    let count = value.chars().count();
    let shown = if count < SHORT { 0 } else { 4 };
    // As many stars whatever the length, which may say something too.
    std::iter::repeat_n('*', 4)
        .chain(value.chars().skip(count - shown))
        .collect()
}

fn texts(args: ScalarFunctionArgs, mask: impl Fn(&str) -> String) -> Result<ColumnarValue> {
    let arrays = ColumnarValue::values_to_arrays(&args.args)?;
    let [array] = arrays.as_slice() else {
        return exec_err!("a mask takes one value");
    };
    let masked: StringArray = array
        .as_string::<i32>()
        .iter()
        .map(|value| value.map(&mask))
        .collect();
    Ok(ColumnarValue::Array(Arc::new(masked) as ArrayRef))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_four_of_short_values_are_not_shown() {
        assert_eq!(last_four("+49301234567"), "****4567");
        assert_eq!(last_four("1234567"), "****");
        assert_eq!(last_four(""), "****");
    }

    #[test]
    fn a_hash_depends_on_the_key_and_the_column() {
        let key = MaskKey::new(b"a key of the project");
        let hash = |key: &MaskKey, scope: &str| HashMask::new(key.of(scope), false).hash("ada");
        let one = hash(&key, "column a.b.c");
        assert_eq!(one.len(), HASH_DIGITS);
        assert_eq!(one, hash(&key, "column a.b.c"));
        assert_ne!(one, hash(&key, "column a.b.d"));
        assert_ne!(one, hash(&MaskKey::new(b"another"), "column a.b.c"));
        assert_eq!(format!("{:?} {key:?}", Secret(key.of("x"))), "… MaskKey");
    }
}
