//! What can go wrong here: settings and seeds that cannot be understood, rows in the wrong order.
//!
//! No variant is raised by a single strange value in the data: such a value has a defined result.

/// A failure of this crate.
#[derive(Debug, thiserror::Error)]
pub enum JourneysError {
    /// A regular expression of the project or of a seed cannot be understood.
    #[error(
        "pattern `{pattern}` of {place} cannot be understood (hint: it is a regular expression)"
    )]
    Pattern {
        /// The expression as written.
        pattern: String,
        /// Where it stands.
        place: String,
        /// What is wrong with it.
        #[source]
        source: Box<regex::Error>,
    },
    /// A seed is not the CSV it has to be.
    #[error("seed `{seed}`, line {line}: {reason}")]
    Seed {
        /// Name of the seed.
        seed: &'static str,
        /// Line in its text, 1-based.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// A setting has a value that has no meaning.
    #[error("setting `{setting}` is `{value}`: {reason}")]
    Setting {
        /// Name of the setting as in `throughline.yml`.
        setting: &'static str,
        /// Its value.
        value: String,
        /// Why it cannot be used.
        reason: &'static str,
    },
    /// `attribution.models` names a model that there is not.
    #[error("setting `attribution.models`: there is no model `{name}` (hint: one of {known})")]
    UnknownModel {
        /// The name as written.
        name: String,
        /// The names there are, by commas.
        known: String,
    },
    /// A model that the project declares cannot be used.
    #[error(
        "setting `attribution.custom.{name}`: {reason} \
         (hint: {name}: {{first: 0.5, middle: 0.2, last: 0.3}}, or weights by place: [0.5, 0.5])"
    )]
    CustomModel {
        /// Its name as written.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A column of a relation cannot be used.
    #[error("column `{column}` {reason} (hint: {hint})")]
    Column {
        /// Its name.
        column: String,
        /// What is wrong with it.
        reason: &'static str,
        /// What would do.
        hint: String,
    },
    /// Records that are compared have to be told apart.
    #[error(
        "two records have the key {key} (hint: give one row for each record, its latest version)"
    )]
    SameKey {
        /// The key.
        key: i64,
    },
    /// More identifiers than node numbers (32 bits).
    #[error("more than {limit} identifiers in one identity graph (hint: build it in parts)")]
    TooManyNodes {
        /// The largest number possible.
        limit: u64,
    },
    /// Rows of one customer came in the wrong order; going on would give wrong credit.
    #[error(
        "{what} at {at_us} us came after a row at {last_at_us} us (hint: order the rows by \
         customer, time, touches before conversions)"
    )]
    OutOfOrder {
        /// `touch`, `milestone` or `conversion`.
        what: &'static str,
        /// Its time, microseconds since 1970.
        at_us: i64,
        /// Time of the row before it.
        last_at_us: i64,
    },
}

/// Result with this crate's error.
pub type Result<T, E = JourneysError> = std::result::Result<T, E>;
