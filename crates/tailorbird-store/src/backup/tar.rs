//! The tar format, as far as backups need it: regular files in the `ustar` form of POSIX.1-1988. Sizes from
//! 8 GiB on are written as a binary number, as GNU tar does.

use std::io::{self, Read, Write};

/// Everything in a tar file is padded to blocks of so many bytes.
pub(super) const BLOCK: usize = 512;
/// Where a header has its size, and how long that field is.
const SIZE: std::ops::Range<usize> = 124..136;
/// Where it has its checksum.
const CHECKSUM: std::ops::Range<usize> = 148..156;
/// The first size that eleven octal digits cannot say.
const FIRST_BINARY_SIZE: u64 = 1 << 33;
/// The bit that says that a number is binary.
const BINARY: u8 = 0x80;

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) size: u64,
}

impl Entry {
    /// Bytes after the content, up to the next block.
    pub(super) fn padding(&self) -> usize {
        let block = u64::try_from(BLOCK).unwrap_or(u64::MAX);
        usize::try_from((block - self.size % block) % block).unwrap_or_default()
    }
}

/// Writes the header of a file that only its owner may read.
pub(super) fn write_header(out: &mut impl Write, entry: &Entry, seconds: i64) -> io::Result<()> {
    let mut header = [0_u8; BLOCK];
    let name = entry.name.as_bytes();
    if name.len() >= 100 {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the name is too long for a tar file",
        ));
    }
    put(&mut header, 0, name);
    put(&mut header, 100, b"0000600\0");
    put(&mut header, 108, b"0000000\0");
    put(&mut header, 116, b"0000000\0");
    if entry.size < FIRST_BINARY_SIZE {
        put(
            &mut header,
            SIZE.start,
            format!("{:011o}\0", entry.size).as_bytes(),
        );
    } else {
        put(&mut header, SIZE.start, &[BINARY]);
        put(&mut header, SIZE.end - 8, &entry.size.to_be_bytes());
    }
    put(
        &mut header,
        136,
        format!("{:011o}\0", seconds.clamp(0, 0o777_7777_7777)).as_bytes(),
    );
    put(&mut header, CHECKSUM.start, b"        ");
    put(&mut header, 156, b"0");
    put(&mut header, 257, b"ustar\x0000");
    let sum = checksum(&header);
    put(&mut header, CHECKSUM.start, format!("{sum:06o}\0 ").as_bytes());
    out.write_all(&header)
}

/// Writes what follows a content, so that the next entry begins at a block.
pub(super) fn write_padding(out: &mut impl Write, entry: &Entry) -> io::Result<()> {
    out.write_all([0_u8; BLOCK].get(..entry.padding()).unwrap_or_default())
}

/// Writes the end of the archive.
pub(super) fn write_end(out: &mut impl Write) -> io::Result<()> {
    out.write_all(&[0_u8; BLOCK * 2])
}

/// Reads a header; nothing at the end of the archive.
pub(super) fn read_header(from: &mut impl Read) -> io::Result<Option<Entry>> {
    let mut header = [0_u8; BLOCK];
    from.read_exact(&mut header)?;
    if header.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let odd = || {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "it is not a tar file of regular files",
        )
    };
    let stored = octal(header.get(CHECKSUM).unwrap_or_default()).ok_or_else(odd)?;
    let magic = header.get(257..262).unwrap_or_default();
    let kind = header.get(156).copied().unwrap_or_default();
    if stored != checksum(&header) || magic != b"ustar" || !matches!(kind, b'0' | 0) {
        return Err(odd());
    }
    let field = header.get(SIZE).unwrap_or_default();
    let size = match field.split_first() {
        Some((&BINARY, rest)) => rest
            .last_chunk::<8>()
            .map(|bytes| u64::from_be_bytes(*bytes))
            .ok_or_else(odd)?,
        _ => octal(field).ok_or_else(odd)?,
    };
    let name = header.get(..100).unwrap_or_default();
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(Some(Entry {
        name: std::str::from_utf8(name).map_err(|_| odd())?.to_owned(),
        size,
    }))
}

fn put(header: &mut [u8; BLOCK], at: usize, bytes: &[u8]) {
    header
        .iter_mut()
        .skip(at)
        .zip(bytes)
        .for_each(|(to, from)| *to = *from);
}

/// The sum of a header's bytes, its own field counted as spaces.
fn checksum(header: &[u8; BLOCK]) -> u64 {
    header
        .iter()
        .enumerate()
        .map(|(at, byte)| u64::from(if CHECKSUM.contains(&at) { b' ' } else { *byte }))
        .sum()
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?;
    u64::from_str_radix(text.trim_matches(['\0', ' ']), 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        for size in [
            0,
            1,
            511,
            512,
            513,
            FIRST_BINARY_SIZE - 1,
            FIRST_BINARY_SIZE,
            1 << 45,
        ] {
            let entry = Entry {
                name: "services/one.yaml".to_owned(),
                size,
            };
            let mut bytes = Vec::new();
            write_header(&mut bytes, &entry, 1_795_000_000).unwrap();
            assert_eq!(bytes.len(), BLOCK);
            assert_eq!(read_header(&mut bytes.as_slice()).unwrap(), Some(entry));
        }
        assert_eq!(read_header(&mut [0_u8; BLOCK].as_slice()).unwrap(), None);
    }

    #[test]
    fn other_bytes_are_refused() {
        let entry = Entry {
            name: "x".to_owned(),
            size: 3,
        };
        let mut bytes = Vec::new();
        write_header(&mut bytes, &entry, 0).unwrap();
        for at in [0, 100, 124, 130, 148, 156, 257] {
            let mut other = bytes.clone();
            other[at] ^= 0x41;
            assert!(read_header(&mut other.as_slice()).is_err(), "byte {at}");
        }
        assert!(read_header(&mut b"short".as_slice()).is_err());
        let long = Entry {
            name: "n".repeat(100),
            size: 0,
        };
        assert!(write_header(&mut Vec::new(), &long, 0).is_err());
    }

    #[test]
    fn contents_are_padded_to_blocks() {
        let padding = |size| {
            Entry {
                name: String::new(),
                size,
            }
            .padding()
        };
        assert_eq!(
            (padding(0), padding(1), padding(512), padding(1023)),
            (0, 511, 0, 1)
        );
    }
}
