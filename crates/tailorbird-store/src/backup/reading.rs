//! Reading a backup back: what it is, and whether it is whole.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::manifest::{FORM, Manifest};
use super::tar::{self, Entry};
use super::{
    BackupProgress, LEDGER, MANIFEST, MAX_MANIFEST_BYTES, MAX_SERVICE_BYTES, MAX_SERVICES, MAX_SUMS_BYTES,
    SERVICES, SUMS, is_plain_name,
};
use crate::{StoreError, entropy, schema};

/// Bytes that are copied at once.
const COPY_BYTES: usize = 1 << 20;

/// Where the contents of a backup go.
pub(super) trait Sink {
    /// A service file.
    fn service(&mut self, name: &str, content: &[u8]) -> io::Result<()>;
    /// Where the database is written to.
    fn ledger(&mut self) -> io::Result<Box<dyn Write + '_>>;
}

/// Takes nothing: for a check.
pub(super) struct Nowhere;

impl Sink for Nowhere {
    fn service(&mut self, _name: &str, _content: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn ledger(&mut self) -> io::Result<Box<dyn Write + '_>> {
        Ok(Box::new(io::sink()))
    }
}

/// Reads a whole backup and compares every checksum; what it holds goes into the sink meanwhile. Tells how many
/// service files there are.
pub(super) fn read(
    path: &Path,
    sink: &mut dyn Sink,
    doing: &'static str,
    progress: &mut dyn FnMut(BackupProgress),
) -> Result<(Manifest, usize), StoreError> {
    let file = File::open(path).map_err(|source| StoreError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    let total = file.metadata().map_or(0, |metadata| metadata.len());
    let mut reader = Reader {
        from: BufReader::with_capacity(COPY_BYTES, file),
        path,
        sums: BTreeMap::new(),
        progress: &mut |done| {
            progress(BackupProgress { doing, done, total });
        },
    };
    let manifest = reader.manifest()?;
    let (mut services, mut has_ledger) = (0, false);
    loop {
        let Some(entry) = reader.header()? else {
            return Err(reader.damaged("it ends without its checksums"));
        };
        if entry.name == SUMS {
            let text = reader.small(&entry, MAX_SUMS_BYTES)?;
            reader.compare(&text)?;
            break;
        }
        if entry.name == LEDGER && !has_ledger {
            has_ledger = true;
            reader.large(&entry, sink)?;
            continue;
        }
        let name = entry
            .name
            .strip_prefix(SERVICES)
            .filter(|name| is_plain_name(name));
        let Some(name) = name.map(str::to_owned).filter(|_| services < MAX_SERVICES) else {
            return Err(reader.damaged(&format!("it holds {:?}, which no backup has", entry.name)));
        };
        let content = reader.small(&entry, MAX_SERVICE_BYTES)?;
        reader.note(&entry.name, Sha256::digest(&content).as_slice());
        sink.service(&name, &content)
            .map_err(|source| written(path, source))?;
        services += 1;
    }
    if !has_ledger {
        return Err(reader.damaged("it holds no ledger"));
    }
    Ok((manifest, services))
}

fn written(path: &Path, source: io::Error) -> StoreError {
    StoreError::Io {
        action: "write what is in",
        path: path.to_owned(),
        source,
    }
}

struct Reader<'a> {
    from: BufReader<File>,
    path: &'a Path,
    sums: BTreeMap<String, String>,
    progress: &'a mut dyn FnMut(u64),
}

impl Reader<'_> {
    fn damaged(&self, why: &str) -> StoreError {
        StoreError::BackupFile {
            path: self.path.to_owned(),
            problem: format!("is damaged: {why}"),
            hint: "Nothing was changed. Take another copy of the file: this one was cut off or altered.",
        }
    }

    fn foreign(&self) -> StoreError {
        StoreError::BackupFile {
            path: self.path.to_owned(),
            problem: "is not a backup of this program".to_owned(),
            hint: "Nothing was changed. Name a file that `tailorbird backup` has written.",
        }
    }

    /// The first entry tells what the file is.
    fn manifest(&mut self) -> Result<Manifest, StoreError> {
        let entry = tar::read_header(&mut self.from).ok().flatten();
        let Some(entry) = entry.filter(|entry| entry.name == MANIFEST) else {
            return Err(self.foreign());
        };
        let text = self.small(&entry, MAX_MANIFEST_BYTES)?;
        let form = serde_json::from_slice::<serde_json::Value>(&text)
            .ok()
            .and_then(|value| value.get("tailorbird_backup").and_then(serde_json::Value::as_u64))
            .ok_or_else(|| self.foreign())?;
        if form > u64::from(FORM) {
            return Err(StoreError::BackupFile {
                path: self.path.to_owned(),
                problem: format!("has form {form}, and this program knows form {FORM}"),
                hint: "Nothing was changed. Use the version of the program that wrote it, or a newer one.",
            });
        }
        let manifest: Manifest =
            serde_json::from_slice(&text).map_err(|_| self.damaged("its first entry cannot be read"))?;
        if manifest.schema > schema::newest() {
            return Err(StoreError::SchemaNewer {
                found: manifest.schema,
                known: schema::newest(),
            });
        }
        self.note(MANIFEST, Sha256::digest(&text).as_slice());
        Ok(manifest)
    }

    fn header(&mut self) -> Result<Option<Entry>, StoreError> {
        tar::read_header(&mut self.from).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => self.damaged("it was cut off"),
            _ => self.damaged(&error.to_string()),
        })
    }

    fn small(&mut self, entry: &Entry, most: u64) -> Result<Vec<u8>, StoreError> {
        if entry.size > most {
            return Err(self.damaged(&format!("{:?} is larger than it may be", entry.name)));
        }
        let mut content = Vec::new();
        let read = (&mut self.from).take(entry.size).read_to_end(&mut content);
        if read.is_err() || u64::try_from(content.len()).ok() != Some(entry.size) {
            return Err(self.damaged("it was cut off"));
        }
        self.skip_padding(entry)?;
        Ok(content)
    }

    fn large(&mut self, entry: &Entry, sink: &mut dyn Sink) -> Result<(), StoreError> {
        let mut hash = Sha256::new();
        let mut left = entry.size;
        let mut buffer = vec![0_u8; COPY_BYTES];
        {
            let mut out = sink.ledger().map_err(|source| written(self.path, source))?;
            while left > 0 {
                let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
                let read = match buffer.get_mut(..most).map(|part| self.from.read(part)) {
                    Some(Ok(read)) if read > 0 => read,
                    _ => return Err(self.damaged("it was cut off")),
                };
                let part = buffer.get(..read).unwrap_or_default();
                hash.update(part);
                out.write_all(part).map_err(|source| written(self.path, source))?;
                left = left.saturating_sub(u64::try_from(read).unwrap_or(left));
                (self.progress)(entry.size - left);
            }
            out.flush().map_err(|source| written(self.path, source))?;
        }
        self.note(&entry.name, hash.finalize().as_slice());
        self.skip_padding(entry)
    }

    fn skip_padding(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let mut padding = [0_u8; tar::BLOCK];
        let read = padding
            .get_mut(..entry.padding())
            .map(|padding| self.from.read_exact(padding));
        match read {
            Some(Ok(())) => Ok(()),
            _ => Err(self.damaged("it was cut off")),
        }
    }

    fn note(&mut self, name: &str, digest: &[u8]) {
        self.sums.insert(name.to_owned(), entropy::hex(digest));
    }

    /// Compares what was read with the list of checksums.
    fn compare(&self, list: &[u8]) -> Result<(), StoreError> {
        let text = std::str::from_utf8(list).map_err(|_| self.damaged("its checksums cannot be read"))?;
        let listed: BTreeMap<String, String> = text
            .lines()
            .filter_map(|line| line.split_once("  "))
            .map(|(sum, name)| (name.to_owned(), sum.to_owned()))
            .collect();
        if let Some((name, _)) = self
            .sums
            .iter()
            .find(|(name, sum)| listed.get(*name) != Some(sum))
        {
            return Err(self.damaged(&format!("{name:?} does not have its checksum")));
        }
        if listed.len() != self.sums.len() {
            return Err(self.damaged("something that its checksums list is missing"));
        }
        Ok(())
    }
}
