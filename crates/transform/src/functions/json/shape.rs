//! The type text of `from_json`: `struct<a: text, b: list<struct<k: text>>, c: json>`, or
//! `columns<a, b>`.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields};

/// Deepest nesting of a shape; a type text is written by hand.
const DEPTH_MAX: usize = 32;

/// What `from_json` reads out of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// A text; numbers and booleans as they are written.
    Text,
    /// The JSON text of whatever stands there.
    Json,
    /// These members of an object.
    Struct(Vec<(String, Shape)>),
    /// The elements of a list.
    List(Box<Shape>),
    /// These members of an object as the columns of a row: in any case where none is written in
    /// this one, each a text, objects and lists as JSON.
    Columns(Vec<String>),
}

impl Shape {
    /// Reads a type text.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { text, at: 0 };
        let shape = parser.shape(0)?;
        parser.skip_space();
        if parser.at < text.len() {
            return Err(parser.expected("the end"));
        }
        Ok(shape)
    }

    /// The type in the engine; everything may be null.
    pub(super) fn data_type(&self) -> DataType {
        match self {
            Self::Text | Self::Json => DataType::Utf8,
            Self::Struct(_) | Self::Columns(_) => DataType::Struct(self.fields()),
            Self::List(element) => {
                DataType::List(Arc::new(Field::new_list_field(element.data_type(), true)))
            }
        }
    }

    fn fields(&self) -> Fields {
        match self {
            Self::Struct(members) => members
                .iter()
                .map(|(name, shape)| Field::new(name, shape.data_type(), true))
                .collect(),
            Self::Columns(names) => names
                .iter()
                .map(|name| Field::new(name, DataType::Utf8, true))
                .collect(),
            _ => Fields::empty(),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn shape(&mut self, depth: usize) -> Result<Shape, String> {
        if depth > DEPTH_MAX {
            return Err(format!("it is nested deeper than {DEPTH_MAX}"));
        }
        self.skip_space();
        let start = self.at;
        match self.name()?.as_str() {
            "text" => Ok(Shape::Text),
            "json" => Ok(Shape::Json),
            "list" => {
                self.sign('<')?;
                let element = self.shape(depth + 1)?;
                self.sign('>')?;
                Ok(Shape::List(Box::new(element)))
            }
            "struct" => {
                let members = self.members(|parser| {
                    parser.sign(':')?;
                    parser.shape(depth + 1)
                })?;
                Ok(Shape::Struct(members))
            }
            "columns" => {
                let members = self.members(|_| Ok(()))?;
                Ok(Shape::Columns(
                    members.into_iter().map(|(name, ())| name).collect(),
                ))
            }
            _ => {
                self.at = start;
                Err(self.expected("`text`, `json`, `list<…>`, `struct<…>` or `columns<…>`"))
            }
        }
    }

    /// Names between `<` and `>`, each once, with what `rest` reads behind it.
    fn members<T>(
        &mut self,
        rest: impl Fn(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<(String, T)>, String> {
        self.sign('<')?;
        let mut members: Vec<(String, T)> = Vec::new();
        loop {
            let name = self.name()?;
            if members.iter().any(|(other, _)| *other == name) {
                return Err(format!("`{name}` stands in it twice"));
            }
            let rest = rest(self)?;
            members.push((name, rest));
            if self.sign(',').is_err() {
                break;
            }
        }
        self.sign('>')?;
        Ok(members)
    }

    /// A name: plain, or anything between double quotes.
    fn name(&mut self) -> Result<String, String> {
        self.skip_space();
        let rest = &self.text[self.at..];
        if let Some(quoted) = rest.strip_prefix('"') {
            let Some(end) = quoted.find('"') else {
                return Err(self.expected("a closing quote"));
            };
            self.at += end + 2;
            return Ok(quoted[..end].to_owned());
        }
        let end = rest.find(|c: char| c.is_whitespace() || "<>:,\"".contains(c));
        let name = &rest[..end.unwrap_or(rest.len())];
        if name.is_empty() {
            return Err(self.expected("a name"));
        }
        self.at += name.len();
        Ok(name.to_owned())
    }

    fn sign(&mut self, sign: char) -> Result<(), String> {
        self.skip_space();
        if self.text[self.at..].starts_with(sign) {
            self.at += sign.len_utf8();
            return Ok(());
        }
        Err(self.expected(&format!("`{sign}`")))
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn expected(&self, what: &str) -> String {
        let rest: String = self.text[self.at..].chars().take(20).collect();
        if rest.is_empty() {
            format!("{what} is missing at its end")
        } else {
            format!("{what} is missing before `{rest}`")
        }
    }
}
