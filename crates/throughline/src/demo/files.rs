//! Writing files that are the same byte for byte wherever and whenever they are written.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};

/// Opens a file below a folder that is made if need be.
pub(crate) fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    }
    let file = File::create(path)
        .with_context(|| format!("cannot create the file `{}`", path.display()))?;
    Ok(BufWriter::with_capacity(1 << 18, file))
}

/// Opens a gzip file without a time in its header.
pub(crate) fn create_gzip(path: &Path) -> anyhow::Result<GzEncoder<BufWriter<File>>> {
    Ok(GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(create(path)?, Compression::fast()))
}

/// Writes a whole file.
pub(crate) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = create(path)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.flush())
        .with_context(|| format!("cannot write the file `{}`", path.display()))
}

/// A table of text in the making, comma-separated.
pub(crate) struct Csv {
    text: String,
    lines: usize,
}

impl Csv {
    /// A table with a header: the names of the columns, joined by commas.
    pub(crate) fn new(header: &str) -> Self {
        Self {
            text: format!("{header}\n"),
            lines: 1,
        }
    }

    /// Rows without a header.
    pub(crate) fn bare() -> Self {
        Self {
            text: String::new(),
            lines: 0,
        }
    }

    /// Adds a row; gives its line in the file, from 1.
    pub(crate) fn row<I>(&mut self, fields: I) -> usize
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        for (index, field) in fields.into_iter().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            let field = field.as_ref();
            let is_plain = !field.contains([',', '"', '\n', '\r'])
                && !field.starts_with(' ')
                && !field.ends_with(' ');
            if is_plain {
                self.text.push_str(field);
            } else {
                self.text.push('"');
                self.text.push_str(&field.replace('"', "\"\""));
                self.text.push('"');
            }
        }
        self.text.push('\n');
        self.lines += 1;
        self.lines
    }

    /// Lines so far, the header among them.
    pub(crate) fn lines(&self) -> usize {
        self.lines
    }

    /// The table.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// A row of a table: anything that can be written, as text.
macro_rules! fields {
    ($($field:expr),* $(,)?) => {
        [$($field.to_string()),*]
    };
}
pub(crate) use fields;

/// Something wrong that was planted on purpose.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Defect {
    pub(crate) kind: &'static str,
    /// Path below the output folder.
    pub(crate) file: String,
    /// The line in the file from 1 (of the unpacked file), or a key.
    pub(crate) place: String,
    pub(crate) what: String,
    /// What a good reader makes of it.
    pub(crate) expected: &'static str,
}

impl Defect {
    /// Header of the list of defects.
    pub(crate) const HEADER: &'static str = "kind,file,place,what,expected";

    /// As a row of that list.
    pub(crate) fn fields(&self) -> [&str; 5] {
        [
            self.kind,
            &self.file,
            &self.place,
            &self.what,
            self.expected,
        ]
    }
}
