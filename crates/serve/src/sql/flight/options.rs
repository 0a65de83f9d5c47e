//! The messages of Flight's session options, which the library does not have: as `Flight.proto` of
//! the format's version 1.4 describes them.

use std::collections::HashMap;

/// A value of an option.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct OptionValue {
    /// The value; none takes the option back.
    #[prost(oneof = "Value", tags = "1, 2, 3, 4, 5")]
    pub(super) value: Option<Value>,
}

/// The kinds of values.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Value {
    /// A text.
    #[prost(string, tag = "1")]
    Text(String),
    /// True or false.
    #[prost(bool, tag = "2")]
    Boolean(bool),
    /// A whole number.
    #[prost(sfixed64, tag = "3")]
    Integer(i64),
    /// A number.
    #[prost(double, tag = "4")]
    Double(f64),
    /// Several texts.
    #[prost(message, tag = "5")]
    Texts(Texts),
}

/// Several texts.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Texts {
    /// The texts.
    #[prost(string, repeated, tag = "1")]
    pub(super) values: Vec<String>,
}

/// Asks to set options.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SetRequest {
    /// By name.
    #[prost(map = "string, message", tag = "1")]
    pub(super) options: HashMap<String, OptionValue>,
}

/// Which could not be set.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SetResult {
    /// By name.
    #[prost(map = "string, message", tag = "1")]
    pub(super) errors: HashMap<String, SetError>,
}

/// Why one could not be set.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SetError {
    /// One of [`Wrong`].
    #[prost(enumeration = "Wrong", tag = "1")]
    pub(super) value: i32,
}

/// What is wrong with an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub(super) enum Wrong {
    /// It is not said.
    Unspecified = 0,
    /// There is no such option.
    Name = 1,
    /// It cannot have this value.
    Value = 2,
    /// Something else.
    Other = 3,
}

/// All options as they are.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct GetResult {
    /// By name.
    #[prost(map = "string, message", tag = "1")]
    pub(super) options: HashMap<String, OptionValue>,
}

/// How closing a session ended.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct CloseResult {
    /// 1: it is closed.
    #[prost(int32, tag = "1")]
    pub(super) status: i32,
}

impl OptionValue {
    /// A text.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self {
            value: Some(Value::Text(text.into())),
        }
    }

    /// The value as a text; of several the first, as a search path is written.
    pub(super) fn as_text(&self) -> Option<String> {
        Some(match self.value.as_ref()? {
            Value::Text(text) => text.clone(),
            Value::Boolean(value) => value.to_string(),
            Value::Integer(value) => value.to_string(),
            Value::Double(value) => value.to_string(),
            Value::Texts(texts) => texts.values.join(", "),
        })
    }
}
