//! JSON texts straight into columns: no tree of values, no allocation per document.
//!
//! A [`Decoder`] appends one row per text. It is lenient: a member that is missing or of another
//! kind is null, of a repeated member the last one counts, and a text that is no JSON is a null
//! row. Numbers come out as they are written, never through a float.

use std::sync::Arc;

use super::read::{Kind, NoJson, RawText, Reader};
use super::shape::Shape;
use arrow_array::{Array, ArrayRef, ListArray, StringArray, StructArray};
use arrow_buffer::{BooleanBufferBuilder, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, Field};

/// Appends documents to a column of the shape.
pub(super) struct Decoder {
    column: Column,
    rows: usize,
}

impl Decoder {
    /// An empty column, with room for `rows` documents.
    pub(super) fn new(shape: &Shape, rows: usize) -> Self {
        Self {
            column: Column::new(shape, rows),
            rows: 0,
        }
    }

    /// Appends one document.
    pub(super) fn push(&mut self, text: Option<&str>) {
        let decoded = text.is_some_and(|text| {
            let mut reader = Reader::new(text);
            self.column.read(&mut reader).is_ok() && reader.end().is_ok()
        });
        if !decoded {
            // A text that is no JSON may have left members behind.
            self.column.truncate(self.rows);
            self.column.push_null();
        }
        self.rows += 1;
    }

    /// The column.
    ///
    /// # Errors
    /// More than 2 GiB of text, or as many list elements, in one batch.
    pub(super) fn finish(self) -> Result<ArrayRef, ArrowError> {
        self.column.finish()
    }
}

/// A column under construction.
enum Column {
    Text(TextColumn),
    Json(TextColumn),
    Value(TextColumn),
    Struct(StructColumn),
    List(ListColumn),
}

struct TextColumn {
    text: String,
    ends: Vec<usize>,
    validity: BooleanBufferBuilder,
}

struct StructColumn {
    names: Vec<String>,
    /// Bits of the lengths that the names have: most other names are told apart by it.
    lengths: u64,
    /// A member that is not found as it is written may be written in another case.
    any_case: bool,
    members: Vec<Column>,
    validity: BooleanBufferBuilder,
}

struct ListColumn {
    elements: Box<Column>,
    elements_field: Arc<Field>,
    ends: Vec<usize>,
    validity: BooleanBufferBuilder,
}

impl Column {
    fn new(shape: &Shape, rows: usize) -> Self {
        match shape {
            Shape::Text => Self::Text(TextColumn::new(rows)),
            Shape::Json => Self::Json(TextColumn::new(rows)),
            Shape::Struct(members) => {
                let names = members.iter().map(|(name, _)| name.clone()).collect();
                let columns = members.iter().map(|(_, shape)| Self::new(shape, rows));
                Self::Struct(StructColumn::new(names, columns.collect(), false, rows))
            }
            Shape::Columns(names) => {
                let columns = names.iter().map(|_| Self::Value(TextColumn::new(rows)));
                Self::Struct(StructColumn::new(
                    names.clone(),
                    columns.collect(),
                    true,
                    rows,
                ))
            }
            Shape::List(element) => Self::List(ListColumn {
                elements: Box::new(Self::new(element, rows)),
                elements_field: Arc::new(Field::new_list_field(element.data_type(), true)),
                ends: Vec::with_capacity(rows),
                validity: BooleanBufferBuilder::new(rows),
            }),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(column) | Self::Json(column) | Self::Value(column) => column.ends.len(),
            Self::Struct(column) => column.validity.len(),
            Self::List(column) => column.ends.len(),
        }
    }

    fn push_null(&mut self) {
        match self {
            Self::Text(column) | Self::Json(column) | Self::Value(column) => column.push(None),
            Self::Struct(column) => {
                column.members.iter_mut().for_each(Self::push_null);
                column.validity.append(false);
            }
            Self::List(column) => {
                column.ends.push(column.elements.len());
                column.validity.append(false);
            }
        }
    }

    /// Takes back everything after the first `len` entries.
    fn truncate(&mut self, len: usize) {
        match self {
            Self::Text(column) | Self::Json(column) | Self::Value(column) => column.truncate(len),
            Self::Struct(column) => {
                column
                    .members
                    .iter_mut()
                    .for_each(|member| member.truncate(len));
                column.validity.truncate(len);
            }
            Self::List(column) => {
                column.ends.truncate(len);
                column.validity.truncate(len);
                column
                    .elements
                    .truncate(column.ends.last().copied().unwrap_or(0));
            }
        }
    }

    fn finish(self) -> Result<ArrayRef, ArrowError> {
        let len = self.len();
        match self {
            Self::Text(column) | Self::Json(column) | Self::Value(column) => {
                let nulls = nulls(column.validity);
                let text = Buffer::from_vec(column.text.into_bytes());
                Ok(Arc::new(StringArray::try_new(
                    offsets(&column.ends)?,
                    text,
                    nulls,
                )?))
            }
            Self::Struct(column) => {
                let mut fields = Vec::with_capacity(column.names.len());
                let mut arrays = Vec::with_capacity(column.names.len());
                for (name, member) in column.names.into_iter().zip(column.members) {
                    let array = member.finish()?;
                    fields.push(Field::new(name, array.data_type().clone(), true));
                    arrays.push(array);
                }
                let nulls = nulls(column.validity);
                Ok(Arc::new(StructArray::try_new_with_length(
                    fields.into(),
                    arrays,
                    nulls,
                    len,
                )?))
            }
            Self::List(column) => {
                let nulls = nulls(column.validity);
                let elements = column.elements.finish()?;
                let offsets = offsets(&column.ends)?;
                Ok(Arc::new(ListArray::try_new(
                    column.elements_field,
                    offsets,
                    elements,
                    nulls,
                )?))
            }
        }
    }
}

impl TextColumn {
    fn new(rows: usize) -> Self {
        Self {
            text: String::new(),
            ends: Vec::with_capacity(rows),
            validity: BooleanBufferBuilder::new(rows),
        }
    }

    fn push(&mut self, text: Option<&str>) {
        if let Some(text) = text {
            self.text.push_str(text);
        }
        self.ends.push(self.text.len());
        self.validity.append(text.is_some());
    }

    fn push_text(&mut self, text: RawText<'_>) {
        text.push_to(&mut self.text);
        self.ends.push(self.text.len());
        self.validity.append(true);
    }

    fn truncate(&mut self, len: usize) {
        self.ends.truncate(len);
        self.validity.truncate(len);
        self.text.truncate(self.ends.last().copied().unwrap_or(0));
    }
}

/// The bit of a length; long ones share one.
fn length_bit(length: usize) -> u64 {
    1 << length.min(63)
}

fn nulls(mut validity: BooleanBufferBuilder) -> Option<NullBuffer> {
    Some(NullBuffer::new(validity.finish())).filter(|nulls| nulls.null_count() > 0)
}

fn offsets(ends: &[usize]) -> Result<OffsetBuffer<i32>, ArrowError> {
    if ends.last().is_some_and(|&end| i32::try_from(end).is_err()) {
        return Err(ArrowError::OffsetOverflowError(
            ends.last().copied().unwrap_or(0),
        ));
    }
    // Ends only grow and the last one fits, so none is cut here.
    let all = std::iter::once(0).chain(ends.iter().map(|&end| end as i32));
    Ok(OffsetBuffer::new(ScalarBuffer::from_iter(all)))
}

impl Column {
    /// Appends the value that comes next: exactly one entry, or an error.
    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), NoJson> {
        match (self, reader.kind()) {
            (Self::Text(column) | Self::Value(column), Kind::Text) => {
                column.push_text(reader.string()?)
            }
            (Self::Text(column), Kind::Other) => column.push(Some(reader.raw()?)),
            (Self::Json(column) | Self::Value(column), Kind::Null) => {
                reader.skip()?;
                column.push(None);
            }
            (Self::Json(column) | Self::Value(column), _) => column.push(Some(reader.raw()?)),
            (Self::Struct(column), Kind::Object) => column.read(reader)?,
            (Self::List(column), Kind::List) => column.read(reader)?,
            // Null, or a value of another kind than asked for.
            (column, _) => {
                reader.skip()?;
                column.push_null();
            }
        }
        Ok(())
    }
}

impl StructColumn {
    fn new(names: Vec<String>, members: Vec<Column>, any_case: bool, rows: usize) -> Self {
        Self {
            lengths: names
                .iter()
                .fold(0, |bits, name| bits | length_bit(name.len())),
            names,
            any_case,
            members,
            validity: BooleanBufferBuilder::new(rows),
        }
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), NoJson> {
        let row = self.validity.len();
        reader.enter()?;
        let mut is_first = true;
        // Documents of one source have their members in one order: look at the next one first.
        let mut next = 0;
        while let Some(name) = reader.member(is_first)? {
            is_first = false;
            let place = match self.names.get(next) {
                Some(expected) if name.is(expected) => Some(next),
                _ if name
                    .length()
                    .is_some_and(|len| self.lengths & length_bit(len) == 0) =>
                {
                    None
                }
                _ => self.place(&name),
            };
            let Some(place) = place else {
                reader.skip()?;
                continue;
            };
            next = place + 1;
            let member = &mut self.members[place];
            if member.len() > row {
                // Of a repeated member the last one counts.
                member.truncate(row);
            }
            member.read(reader)?;
        }
        for member in &mut self.members {
            if member.len() == row {
                member.push_null();
            }
        }
        self.validity.append(true);
        Ok(())
    }

    fn place(&self, name: &RawText<'_>) -> Option<usize> {
        let exact = self.names.iter().position(|known| name.is(known));
        if exact.is_some() || !self.any_case {
            return exact;
        }
        let name = name.text();
        self.names
            .iter()
            .position(|known| known.eq_ignore_ascii_case(&name))
    }
}

impl ListColumn {
    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), NoJson> {
        reader.enter()?;
        let mut is_first = true;
        while reader.element(is_first)? {
            is_first = false;
            self.elements.read(reader)?;
        }
        self.ends.push(self.elements.len());
        self.validity.append(true);
        Ok(())
    }
}
