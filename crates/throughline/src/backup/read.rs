//! Reading a backup: whole or not at all.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};

use super::{Entry, LAKE, MANIFEST, Manifest, PROJECT, STATE, tar};

/// Longest manifest that is read.
const MANIFEST_BYTES_MAX: u64 = 1 << 30;

/// The files of a backup, one after another: after [`Reader::next`] it reads the file's content.
pub(crate) struct Reader {
    input: Input,
    /// Bytes of the file that are left, and of how many.
    left: u64,
    bytes: u64,
}

enum Input {
    Folder {
        root: PathBuf,
        rest: std::vec::IntoIter<Entry>,
        file: Option<File>,
    },
    Archive(Box<zstd::Decoder<'static, BufReader<File>>>),
}

impl Reader {
    /// Opens the backup, a folder or a file. A folder's files are those of its manifest.
    pub(crate) fn open(place: &Path) -> anyhow::Result<Self> {
        let shown = place.display();
        let input = if place.is_dir() {
            let rest = folder_manifest(place)?.files.into_iter();
            Input::Folder {
                root: place.to_owned(),
                rest,
                file: None,
            }
        } else {
            let file = File::open(place).with_context(|| format!("cannot open `{shown}`"))?;
            Input::Archive(Box::new(zstd::Decoder::new(file)?))
        };
        Ok(Self {
            input,
            left: 0,
            bytes: 0,
        })
    }

    /// The next file's path and size; none at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<(String, u64)>> {
        io::copy(self, &mut io::sink())?;
        let next = match &mut self.input {
            Input::Folder { root, rest, file } => match rest.next() {
                None => None,
                Some(entry) => {
                    is_safe(&entry.path)?;
                    let opened = File::open(root.join(&entry.path))?;
                    let bytes = opened.metadata()?.len();
                    *file = Some(opened);
                    Some((entry.path, bytes))
                }
            },
            Input::Archive(input) => {
                tar::read_padding(input, self.bytes)?;
                let header = tar::read_header(input)?;
                if header.is_none() {
                    // To the last byte: an archive cut there has all its files and no end.
                    io::copy(input, &mut io::sink())?;
                }
                header
            }
        };
        self.bytes = next.as_ref().map_or(0, |(_, bytes)| *bytes);
        self.left = self.bytes;
        if let Some((path, _)) = &next {
            is_safe(path)?;
        }
        Ok(next)
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let count = match &mut self.input {
            Input::Folder { file: None, .. } => 0,
            Input::Folder {
                file: Some(file), ..
            } => file.read(&mut buffer[..most])?,
            Input::Archive(input) => input.read(&mut buffer[..most])?,
        };
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        Ok(count)
    }
}

/// Reads all of a backup, and says what is in it.
///
/// # Errors
/// It has no manifest, because it was broken off, or not exactly what its manifest names.
pub(crate) fn verify(place: &Path) -> anyhow::Result<Manifest> {
    let shown = place.display();
    read_whole(place).with_context(|| {
        format!("`{shown}` is not a whole backup\nhint: nothing was restored; take another backup")
    })
}

fn read_whole(place: &Path) -> anyhow::Result<Manifest> {
    let mut manifest = match place.is_dir() {
        true => Some(folder_manifest(place)?),
        false => None,
    };
    let mut reader = Reader::open(place)?;
    let mut found = BTreeMap::new();
    while let Some((path, bytes)) = reader.next()? {
        if manifest.is_some() && !place.is_dir() {
            bail!("`{path}` stands behind the manifest");
        }
        if path == MANIFEST {
            if bytes > MANIFEST_BYTES_MAX {
                bail!("its manifest is too long");
            }
            let mut text = Vec::new();
            reader.read_to_end(&mut text)?;
            manifest = Some(Manifest::parse(&text)?);
            continue;
        }
        let mut hash = Sha256::new();
        io::copy(&mut reader, &mut hash).with_context(|| format!("cannot read `{path}`"))?;
        let entry = Entry {
            path: path.clone(),
            bytes,
            sha256: hex::encode(hash.finalize()),
        };
        if found.insert(path.clone(), entry).is_some() {
            bail!("`{path}` is in it twice");
        }
    }
    let Some(manifest) = manifest else {
        bail!("it has no manifest: it was broken off");
    };
    for entry in &manifest.files {
        match found.remove(&entry.path) {
            Some(read) if read == *entry => {}
            Some(_) => bail!("`{}` is not what was written: it is damaged", entry.path),
            None => bail!("`{}` is missing", entry.path),
        }
    }
    if let Some(path) = found.into_keys().next() {
        bail!("`{path}` is not in its manifest");
    }
    Ok(manifest)
}

fn folder_manifest(folder: &Path) -> anyhow::Result<Manifest> {
    match std::fs::read(folder.join(MANIFEST)) {
        Ok(text) => Manifest::parse(&text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bail!("it has no manifest: it was broken off, or is no backup")
        }
        Err(error) => Err(error).context("cannot read its manifest"),
    }
}

/// Refuses a path that is none of a backup, or leads out of it.
fn is_safe(path: &str) -> io::Result<()> {
    let mut parts = Path::new(path).components();
    let is_plain = parts.all(|part| matches!(part, Component::Normal(_)));
    let is_known = [PROJECT, LAKE, STATE].iter().any(|at| path.starts_with(at));
    if is_plain && (is_known || path == MANIFEST) {
        return Ok(());
    }
    let why = format!("`{path}` is no path of a backup");
    Err(io::Error::new(io::ErrorKind::InvalidData, why))
}
