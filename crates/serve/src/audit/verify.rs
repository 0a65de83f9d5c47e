//! Is the log as it was written? If not, where does it begin not to be?

use serde::Serialize;

use super::chain::{self, Head};
use super::files::{self, Snapshot};
use super::{AuditError, Place};

/// Where the log is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Sequence of the first record that is bad or missing.
    pub seq: u64,
    /// The file that it stands or should stand in.
    pub file: String,
    /// Its line in that file, from 1.
    pub line: u64,
    /// What is wrong.
    pub why: String,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Records that are as they were written, from the first on.
    pub records: u64,
    /// The newest of them.
    pub head: Head,
    /// Heads in the anchor that fit; none if there is no anchor.
    pub anchored: Option<u64>,
    /// Bytes after the last whole line: what a killed process left, and the next record cuts off.
    pub torn_bytes: u64,
    /// The first that is not as it was written.
    pub first_bad: Option<Finding>,
}

/// A file of the log, as far as verifying goes.
pub(super) struct Content {
    pub(super) name: String,
    pub(super) first: u64,
    pub(super) bytes: Vec<u8>,
}

/// Checks every record, the note of the newest, and the anchor. Others may append meanwhile.
///
/// # Errors
/// A file cannot be read; what is wrong with what it says is no error but a finding.
pub fn verify(place: &Place) -> Result<Verified, AuditError> {
    // The anchor first: what it names is in the log by then.
    let anchor = match &place.anchor {
        None => None,
        Some(path) => Some(match std::fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            read => read.map_err(|error| files::failed(path, &error))?,
        }),
    };
    let Snapshot { files, head } = files::snapshot(&place.folder)?;
    let name = |path: &std::path::Path| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    // File by file: a log may be larger than the memory.
    let contents = files.iter().map(|file| {
        Ok(Content {
            name: name(&file.path),
            first: file.first,
            bytes: files::bytes(file)?,
        })
    });
    check(contents, head.as_deref(), anchor.as_deref(), place)
}

/// The check itself, on what the files hold.
pub(super) fn check(
    contents: impl Iterator<Item = Result<Content, AuditError>>,
    head: Option<&[u8]>,
    anchor: Option<&[u8]>,
    place: &Place,
) -> Result<Verified, AuditError> {
    let mut marks = Marks::read(head, anchor, place);
    let mut checker = Checker {
        last: Head::empty(),
        file: String::new(),
        line: 0,
        torn: 0,
        bad: None,
    };
    for content in contents {
        checker.check_file(&content?, &mut marks, place);
        if checker.bad.is_some() {
            break;
        }
    }
    if checker.bad.is_none() {
        checker.bad = marks.missing(&checker);
    }
    Ok(Verified {
        records: match &checker.bad {
            Some(bad) => bad.seq.saturating_sub(1),
            None => checker.last.seq,
        },
        anchored: anchor.map(|_| marks.met),
        torn_bytes: checker.torn,
        head: checker.last,
        first_bad: checker.bad,
    })
}

struct Checker {
    last: Head,
    file: String,
    line: u64,
    torn: u64,
    bad: Option<Finding>,
}

impl Checker {
    fn check_file(&mut self, content: &Content, marks: &mut Marks, place: &Place) {
        self.file.clone_from(&content.name);
        self.line = 0;
        if self.torn > 0 {
            return self.fail(1, "the file before it ends within a line");
        }
        if content.first != self.last.seq + 1 {
            return self.fail(1, "the file does not follow the one before it");
        }
        let mut lines = content.bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(line) = lines.next() {
            if lines.peek().is_none() {
                // After the last line's end there is nothing, or what was never acknowledged. A
                // record that was is named by the note of the newest.
                self.torn = line.len() as u64;
                break;
            }
            self.line += 1;
            let Some(line) = chain::parse(line) else {
                return self.fail(self.line, "it is no record");
            };
            if let Some(why) = line.wrong_after(&self.last, &place.key) {
                return self.fail(self.line, why);
            }
            self.last = line.head(&place.key);
            if let Some(why) = marks.meet(&self.last) {
                self.bad = Some(Finding {
                    seq: self.last.seq,
                    file: self.file.clone(),
                    line: self.line,
                    why: why.to_owned(),
                });
                return;
            }
        }
    }

    fn fail(&mut self, line: u64, why: &str) {
        self.bad = Some(Finding {
            seq: self.last.seq + 1,
            file: self.file.clone(),
            line,
            why: why.to_owned(),
        });
    }
}

/// What the note of the newest and the anchor say of the log, by sequence.
struct Marks {
    due: Vec<(u64, String, &'static str)>,
    next: usize,
    /// Heads of the anchor that fit.
    met: u64,
    has_note: bool,
    wrong: Option<&'static str>,
}

const NOTE: &str = "the note of the newest record";
const ANCHOR: &str = "the anchor";

impl Marks {
    fn read(head: Option<&[u8]>, anchor: Option<&[u8]>, place: &Place) -> Self {
        let mut due = Vec::new();
        let mut wrong = None;
        if let Some(line) = head {
            match Head::parse(line, &place.key) {
                Some(head) => due.push((head.seq, head.hash, NOTE)),
                None => wrong = Some("the note of the newest record is not as it was written"),
            }
        }
        // The last may be torn.
        let bytes = anchor.unwrap_or_default();
        let end = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        let (whole, torn) = bytes.split_at(end);
        let torn = Head::parse(torn, &place.key);
        for line in whole.split_inclusive(|byte| *byte == b'\n') {
            match Head::parse(line, &place.key) {
                Some(head) => due.push((head.seq, head.hash, ANCHOR)),
                None => wrong = wrong.or(Some("the anchor is not as it was written")),
            }
        }
        due.extend(torn.map(|head| (head.seq, head.hash, ANCHOR)));
        due.sort();
        Self {
            due,
            next: 0,
            met: 0,
            has_note: head.is_some(),
            wrong,
        }
    }

    /// Compares with a record that holds by itself.
    fn meet(&mut self, last: &Head) -> Option<&'static str> {
        while let Some((seq, hash, who)) = self.due.get(self.next) {
            if *seq > last.seq {
                return None;
            }
            self.next += 1;
            if *seq == last.seq && *hash != last.hash {
                return Some("it is not the record that was noted");
            }
            self.met += u64::from(*who == ANCHOR);
        }
        None
    }

    /// What is noted and not there.
    fn missing(&self, checker: &Checker) -> Option<Finding> {
        let finding = |why: String| Finding {
            seq: checker.last.seq + 1,
            file: checker.file.clone(),
            line: checker.line + 1,
            why,
        };
        if let Some((_, _, who)) = self.due.get(self.next) {
            let newest = self.due.last().map_or(0, |(seq, ..)| *seq);
            return Some(finding(format!(
                "it is missing: {who} knows of records up to {newest}"
            )));
        }
        if !self.has_note && checker.last.seq > 0 {
            return Some(finding(format!("{NOTE} is gone")));
        }
        self.wrong.map(|why| finding(why.to_owned()))
    }
}
