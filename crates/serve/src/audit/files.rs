//! The files of the log: which there are, how they end, and what a killed process left.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::AuditError;
use super::chain::{self, Head};
use crate::access::who::Key;

/// Where the newest record is noted.
pub(super) const HEAD: &str = "head";
const LOCK: &str = "lock";
const END: &str = ".jsonl";

/// A file is not continued beyond this size.
pub(super) const FILE_BYTES_MAX: u64 = 64 << 20;

/// A file of records.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    /// Sequence of its first record, by its name.
    pub(super) first: u64,
    /// Its bytes that count.
    pub(super) bytes: u64,
}

/// The log at one instant.
pub(super) struct Snapshot {
    pub(super) files: Vec<Segment>,
    pub(super) head: Option<Vec<u8>>,
}

/// How the log ends.
pub(super) struct Tail {
    /// The file to be continued; none for an empty log.
    pub(super) file: Option<Segment>,
    pub(super) last: Head,
    /// Bytes after the last whole line.
    pub(super) torn: u64,
}

pub(super) fn failed(path: &Path, error: &std::io::Error) -> AuditError {
    AuditError::File {
        path: path.display().to_string(),
        why: error.to_string(),
    }
}

pub(super) fn broken(path: &Path, why: &str) -> AuditError {
    AuditError::Broken {
        path: path.display().to_string(),
        why: why.to_owned(),
    }
}

/// Options for a file that only its owner may read.
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

/// Makes the folder, readable for its owner alone; those that it lies in are as they are.
pub(super) fn make_folder(folder: &Path) -> Result<(), AuditError> {
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent).map_err(|error| failed(folder, &error))?;
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder
        .create(folder)
        .map_err(|error| failed(folder, &error))
}

/// Waits until no other process appends. The lock goes with the file.
pub(super) fn lock(folder: &Path) -> Result<File, AuditError> {
    let path = folder.join(LOCK);
    let mut options = OpenOptions::new();
    let opened = private(options.create(true).truncate(false).write(true)).open(&path);
    let locked = opened.and_then(|file| file.lock().map(|()| file));
    locked.map_err(|error| failed(&path, &error))
}

pub(super) fn path_of(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:012}{END}"))
}

/// The files in their order.
pub(super) fn segments(folder: &Path) -> Result<Vec<Segment>, AuditError> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| failed(folder, &error))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| failed(folder, &error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let first = name.strip_suffix(END).and_then(|name| name.parse().ok());
        if let Some(first) = first {
            let path = entry.path();
            let about = entry.metadata().map_err(|error| failed(&path, &error))?;
            found.push(Segment {
                path,
                first,
                bytes: about.len(),
            });
        }
    }
    found.sort_by_key(|file| file.first);
    Ok(found)
}

/// The log as it is when nobody appends.
pub(super) fn snapshot(folder: &Path) -> Result<Snapshot, AuditError> {
    if !folder.is_dir() {
        return Ok(Snapshot {
            files: Vec::new(),
            head: None,
        });
    }
    let _lock = lock(folder)?;
    let head = std::fs::read(folder.join(HEAD)).ok();
    Ok(Snapshot {
        files: segments(folder)?,
        head,
    })
}

/// The bytes of a file that count.
pub(super) fn bytes(file: &Segment) -> Result<Vec<u8>, AuditError> {
    let mut bytes = Vec::new();
    let read =
        File::open(&file.path).and_then(|open| open.take(file.bytes).read_to_end(&mut bytes));
    read.map_err(|error| failed(&file.path, &error))?;
    Ok(bytes)
}

/// How the log ends. A file that a killed process made and did not get to fill is passed over.
pub(super) fn tail(folder: &Path, key: &Key) -> Result<Tail, AuditError> {
    let mut torn_file = None;
    for file in segments(folder)?.into_iter().rev() {
        let (line, whole) = last_line(&file)?;
        let torn = file.bytes - whole;
        let Some(line) = line else {
            // Nothing whole in it. Only the newest may be so.
            if torn_file.replace((file.clone(), torn)).is_some() {
                return Err(broken(&file.path, "there is no record in it"));
            }
            continue;
        };
        let line = chain::parse(&line);
        let line = line.ok_or_else(|| broken(&file.path, "its last line is no record"))?;
        // Only by itself: what lies before is looked at by `verify`.
        let before = Head {
            seq: line.record.seq.saturating_sub(1),
            ..Head::empty()
        };
        let before = Head {
            hash: line.prev.clone(),
            ..before
        };
        if let Some(why) = line.wrong_after(&before, key) {
            return Err(broken(&file.path, &format!("its last record: {why}")));
        }
        let last = line.head(key);
        return match torn_file {
            Some((next, _)) if next.first != last.seq + 1 => {
                Err(broken(&next.path, "there is no record in it"))
            }
            Some((next, torn)) => Ok(Tail {
                file: Some(next),
                last,
                torn,
            }),
            None => Ok(Tail {
                file: Some(file),
                last,
                torn,
            }),
        };
    }
    match torn_file {
        Some((file, _)) if file.first != 1 => {
            Err(broken(&file.path, "files before it are missing"))
        }
        Some((file, torn)) => Ok(Tail {
            file: Some(file),
            last: Head::empty(),
            torn,
        }),
        None => Ok(Tail {
            file: None,
            last: Head::empty(),
            torn: 0,
        }),
    }
}

/// The last whole line of a file, and the bytes up to its end.
fn last_line(file: &Segment) -> Result<(Option<Vec<u8>>, u64), AuditError> {
    let failed = |error| failed(&file.path, &error);
    let mut open = File::open(&file.path).map_err(failed)?;
    let mut piece = 1 << 16;
    loop {
        let from = file.bytes.saturating_sub(piece);
        let mut bytes = Vec::new();
        open.seek(SeekFrom::Start(from)).map_err(failed)?;
        (&open)
            .take(file.bytes - from)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        let end = bytes.iter().rposition(|byte| *byte == b'\n');
        let begin = end.and_then(|end| bytes[..end].iter().rposition(|byte| *byte == b'\n'));
        match (begin, end) {
            (Some(begin), Some(end)) => {
                return Ok((Some(bytes[begin + 1..end].to_vec()), from + end as u64 + 1));
            }
            (None, Some(end)) if from == 0 => {
                return Ok((Some(bytes[..end].to_vec()), end as u64 + 1));
            }
            (None, None) if from == 0 => return Ok((None, 0)),
            _ => piece *= 4,
        }
    }
}

/// Notes the newest record beside the log. It is not synced: what matters is that it is never
/// newer than the log, and the log was synced before.
pub(super) fn write_head(folder: &Path, head: &Head) -> Result<(), AuditError> {
    let (path, beside) = (folder.join(HEAD), folder.join("head.part"));
    let write = || -> std::io::Result<()> {
        let mut options = OpenOptions::new();
        let options = private(options.create(true).truncate(true).write(true));
        options.open(&beside)?.write_all(head.line().as_bytes())?;
        std::fs::rename(&beside, &path)
    };
    write().map_err(|error| failed(&path, &error))
}

/// Notes the newest record in the anchor, and syncs it.
pub(super) fn write_anchor(path: &Path, head: &Head) -> Result<(), AuditError> {
    let write = || -> std::io::Result<()> {
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            std::fs::create_dir_all(folder)?;
        }
        let mut options = OpenOptions::new();
        let mut file = private(options.create(true).append(true)).open(path)?;
        file.write_all(head.line().as_bytes())?;
        file.sync_data()
    };
    write().map_err(|error| failed(path, &error))
}
