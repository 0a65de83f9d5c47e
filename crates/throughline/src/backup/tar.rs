//! Tar, as far as backups need it: plain files, in the form that every `tar` reads (POSIX ustar,
//! with GNU's numbers for files over 8 GiB).

use std::io::{self, Read, Write};

const BLOCK: usize = 512;

/// Writes the header of a file.
pub(super) fn write_header(out: &mut impl Write, path: &str, bytes: u64) -> io::Result<()> {
    let mut header = [0u8; BLOCK];
    let (prefix, name) = split(path)?;
    put(&mut header[..100], name.as_bytes());
    put(&mut header[100..108], b"0000600\0");
    put(&mut header[108..116], b"0000000\0");
    put(&mut header[116..124], b"0000000\0");
    if bytes < 1 << 33 {
        put(&mut header[124..136], format!("{bytes:011o}\0").as_bytes());
    } else {
        header[124] = 0x80;
        put(&mut header[128..136], &bytes.to_be_bytes());
    }
    put(&mut header[136..148], b"00000000000\0");
    header[156] = b'0';
    put(&mut header[257..265], b"ustar\x0000");
    put(&mut header[345..500], prefix.as_bytes());
    let sum = format!("{:06o}\0 ", checksum(&header));
    put(&mut header[148..156], sum.as_bytes());
    out.write_all(&header)
}

/// Fills up the last block of a file.
pub(super) fn write_padding(out: &mut impl Write, bytes: u64) -> io::Result<()> {
    out.write_all(&[0; BLOCK][..padding(bytes)])
}

/// Ends the archive.
pub(super) fn write_end(out: &mut impl Write) -> io::Result<()> {
    out.write_all(&[0; 2 * BLOCK])
}

/// Reads the next header: path and size; none at the end of the archive.
pub(super) fn read_header(input: &mut impl Read) -> io::Result<Option<(String, u64)>> {
    let mut header = [0u8; BLOCK];
    input.read_exact(&mut header)?;
    if header.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let sum = octal(&header[148..156]);
    if sum != Some(checksum(&header)) || header[156] != b'0' {
        return Err(invalid("a header is damaged, or not of a plain file"));
    }
    let bytes = if header[124] == 0x80 {
        let mut number = [0; 8];
        number.copy_from_slice(&header[128..136]);
        Some(u64::from_be_bytes(number))
    } else {
        octal(&header[124..136])
    };
    let bytes = bytes.ok_or_else(|| invalid("a header has no size"))?;
    let (name, prefix) = (text(&header[..100])?, text(&header[345..500])?);
    let path = match prefix {
        "" => name.to_owned(),
        prefix => format!("{prefix}/{name}"),
    };
    Ok(Some((path, bytes)))
}

/// Reads over what fills up the last block of a file.
pub(super) fn read_padding(input: &mut impl Read, bytes: u64) -> io::Result<()> {
    input.read_exact(&mut [0; BLOCK][..padding(bytes)])
}

fn padding(bytes: u64) -> usize {
    let over = (bytes % BLOCK as u64) as usize;
    if over == 0 { 0 } else { BLOCK - over }
}

/// A path as a prefix of up to 155 bytes and a name of up to 100, parted at a slash.
fn split(path: &str) -> io::Result<(&str, &str)> {
    if path.len() <= 100 {
        return Ok(("", path));
    }
    path.match_indices('/')
        .map(|(at, _)| (&path[..at], &path[at + 1..]))
        .find(|(prefix, name)| prefix.len() <= 155 && name.len() <= 100)
        .ok_or_else(|| invalid(&format!("the path `{path}` is too long for an archive")))
}

fn put(field: &mut [u8], value: &[u8]) {
    field[..value.len()].copy_from_slice(value);
}

/// The sum of a header's bytes, its own field taken as blanks.
fn checksum(header: &[u8; BLOCK]) -> u64 {
    let sum = header.iter().enumerate().map(|(at, byte)| match at {
        148..156 => u64::from(b' '),
        _ => u64::from(*byte),
    });
    sum.sum()
}

fn octal(field: &[u8]) -> Option<u64> {
    let digits = field
        .split(|byte| matches!(byte, 0 | b' '))
        .find(|part| !part.is_empty())?;
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

fn text(field: &[u8]) -> io::Result<&str> {
    let end = field.iter().position(|byte| *byte == 0);
    let text = std::str::from_utf8(&field[..end.unwrap_or(field.len())]);
    text.map_err(|_| invalid("a path is not UTF-8"))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
