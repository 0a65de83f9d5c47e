//! Writing a backup: file by file, the manifest last.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};

use super::{Entry, MANIFEST, Manifest, tar};

/// Bytes of a file that are copied at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// How hard archives are compressed: data files are compressed already.
const LEVEL: i32 = 3;

/// A backup in the making.
pub(crate) struct Writer {
    out: Out,
    files: Vec<Entry>,
    open: Option<Open>,
}

enum Out {
    Folder {
        root: PathBuf,
        file: Option<File>,
    },
    Archive {
        out: Box<zstd::Encoder<'static, File>>,
        part: PathBuf,
        target: PathBuf,
    },
}

/// The file that is being written.
struct Open {
    path: String,
    bytes: u64,
    written: u64,
    hash: Sha256,
}

impl Writer {
    /// Begins a backup at `target`: one file if its name ends with `.tar.zst`, else a folder.
    ///
    /// # Errors
    /// Something is there already, or nothing can be written there.
    pub(crate) fn create(target: &Path) -> anyhow::Result<Self> {
        let shown = target.display();
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let out = if name.ends_with(".tar.zst") {
            if target.exists() {
                bail!("`{shown}` is there already\nhint: name a new file, or remove that one");
            }
            let part = target.with_file_name(format!("{name}.part"));
            let file = private(OpenOptions::new().write(true).create(true).truncate(true))
                .open(&part)
                .with_context(|| format!("cannot make `{}`", part.display()))?;
            let mut out = zstd::Encoder::new(file, LEVEL)?;
            out.include_checksum(true)?;
            Out::Archive {
                out: Box::new(out),
                part,
                target: target.to_owned(),
            }
        } else {
            let is_used = match std::fs::read_dir(target) {
                Ok(mut entries) => entries.next().is_some(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => false,
                Err(error) => return Err(error).with_context(|| format!("cannot use `{shown}`")),
            };
            if is_used {
                bail!("`{shown}` is not empty\nhint: name a new folder, or a file `….tar.zst`");
            }
            private_folder(target).with_context(|| format!("cannot make `{shown}`"))?;
            Out::Folder {
                root: target.to_owned(),
                file: None,
            }
        };
        Ok(Self {
            out,
            files: Vec::new(),
            open: None,
        })
    }

    /// Begins a file of so many bytes.
    pub(crate) fn begin(&mut self, path: &str, bytes: u64) -> io::Result<()> {
        match &mut self.out {
            Out::Folder { root, file } => {
                let path = root.join(path);
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder)?;
                }
                *file = Some(private(OpenOptions::new().write(true).create_new(true)).open(path)?);
            }
            Out::Archive { out, .. } => tar::write_header(out, path, bytes)?,
        }
        self.open = Some(Open {
            path: path.to_owned(),
            bytes,
            written: 0,
            hash: Sha256::new(),
        });
        Ok(())
    }

    /// Writes the next piece of the file.
    pub(crate) fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        if let Some(open) = &mut self.open {
            open.hash.update(piece);
            open.written += piece.len() as u64;
        }
        match &mut self.out {
            Out::Folder { file, .. } => file.as_mut().map_or(Ok(()), |file| file.write_all(piece)),
            Out::Archive { out, .. } => out.write_all(piece),
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// It was not as long as it was said to be: it changed while it was copied.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        if open.written != open.bytes {
            let why = format!("`{}` changed its size while it was copied", open.path);
            return Err(io::Error::other(why));
        }
        match &mut self.out {
            Out::Folder { file, .. } => {
                if let Some(file) = file.take() {
                    file.sync_all()?;
                }
            }
            Out::Archive { out, .. } => tar::write_padding(out, open.bytes)?,
        }
        self.files.push(Entry {
            path: open.path,
            bytes: open.bytes,
            sha256: hex::encode(open.hash.finalize()),
        });
        Ok(())
    }

    /// Copies a file from the disk.
    pub(crate) fn copy(&mut self, path: &str, from: &Path) -> anyhow::Result<()> {
        let copied = self.copy_file(path, from);
        copied.with_context(|| format!("cannot copy `{}`", from.display()))
    }

    fn copy_file(&mut self, path: &str, from: &Path) -> io::Result<()> {
        let mut file = File::open(from)?;
        self.begin(path, file.metadata()?.len())?;
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            match file.read(&mut buffer)? {
                0 => return self.end(),
                count => self.write(&buffer[..count])?,
            }
        }
    }

    /// Writes the manifest, and with it makes this a backup.
    pub(crate) fn finish(mut self, mut manifest: Manifest) -> anyhow::Result<Manifest> {
        manifest.files = std::mem::take(&mut self.files);
        let text = serde_json::to_vec_pretty(&manifest)?;
        match self.out {
            Out::Folder { root, .. } => {
                let beside = root.join(format!("{MANIFEST}.part"));
                let mut file =
                    private(OpenOptions::new().write(true).create_new(true)).open(&beside)?;
                file.write_all(&text)?;
                file.sync_all()?;
                std::fs::rename(beside, root.join(MANIFEST))?;
                File::open(root)?.sync_all()?;
            }
            Out::Archive {
                mut out,
                part,
                target,
            } => {
                tar::write_header(&mut out, MANIFEST, text.len() as u64)?;
                out.write_all(&text)?;
                tar::write_padding(&mut out, text.len() as u64)?;
                tar::write_end(&mut out)?;
                out.finish()?.sync_all()?;
                std::fs::rename(part, &target)?;
                if let Some(folder) = target.parent().filter(|path| !path.as_os_str().is_empty()) {
                    File::open(folder)?.sync_all()?;
                }
            }
        }
        Ok(manifest)
    }
}

/// Options for a file that only its owner may read: it may hold the key, and people's addresses.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

/// Makes a folder that only its owner may read.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path)
}
