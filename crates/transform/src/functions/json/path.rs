//! The path of `json_text`: `a.b[0].c`, walked over a document without building it.

use std::borrow::Cow;

use super::read::{Kind, NoJson, RawText, Reader};

/// A path into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(usize),
}

impl Path {
    /// Reads a path. A name with points or brackets stands in brackets and quotes: `a["b.c"]`. A
    /// leading `$` is the document.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text.strip_prefix('$').unwrap_or(text);
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(quoted) = rest.strip_prefix("[\"") {
                let Some((name, after)) = quoted.split_once("\"]") else {
                    return Err("`\"]` is missing".into());
                };
                steps.push(Step::Member(name.to_owned()));
                rest = after;
            } else if let Some(indexed) = rest.strip_prefix('[') {
                let Some((index, after)) = indexed.split_once(']') else {
                    return Err("`]` is missing".into());
                };
                let index = index
                    .trim()
                    .parse()
                    .map_err(|_| format!("`{index}` is no place"))?;
                steps.push(Step::Element(index));
                rest = after;
            } else {
                let name = rest.strip_prefix('.').unwrap_or(rest);
                let end = name.find(['.', '[']).unwrap_or(name.len());
                if end == 0 {
                    return Err("a name is missing".into());
                }
                steps.push(Step::Member(name[..end].to_owned()));
                rest = &name[end..];
            }
        }
        Ok(Self(steps))
    }

    /// The text of what stands there: a text without quotes, an object or list as JSON; None for
    /// null, for what is not there, and in a text that is no JSON.
    pub(super) fn find<'a>(&self, document: &'a str) -> Option<Cow<'a, str>> {
        let mut reader = Reader::new(document);
        let found = walk(&mut reader, &self.0).ok()?;
        reader.end().ok()?;
        let raw = found.filter(|raw| *raw != "null")?;
        Some(RawText::of_raw(raw).map_or(Cow::Borrowed(raw), |text| text.text()))
    }
}

/// The raw value at the end of the steps, the reader behind the value it began at.
fn walk<'a>(reader: &mut Reader<'a>, steps: &[Step]) -> Result<Option<&'a str>, NoJson> {
    let Some((step, after)) = steps.split_first() else {
        return reader.raw().map(Some);
    };
    let mut found = None;
    let mut is_first = true;
    match (step, reader.kind()) {
        (Step::Member(wanted), Kind::Object) => {
            reader.enter()?;
            while let Some(name) = reader.member(is_first)? {
                is_first = false;
                if name.is(wanted) {
                    // Of a repeated member the last one counts.
                    found = walk(reader, after)?;
                } else {
                    reader.skip()?;
                }
            }
        }
        (Step::Element(wanted), Kind::List) => {
            reader.enter()?;
            let mut place = 0;
            while reader.element(is_first)? {
                is_first = false;
                if place == *wanted {
                    found = walk(reader, after)?;
                } else {
                    reader.skip()?;
                }
                place += 1;
            }
        }
        _ => reader.skip()?,
    }
    Ok(found)
}
