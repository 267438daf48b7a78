//! How a reading is written: a line that names the format, then one compressed stream of frames.
//!
//! First comes everything but the rows; then the rows kind by kind, so many to a frame, each kind after its count. A frame
//! is decoded by itself, so neither side ever holds the whole stream. Frames don't describe themselves: whoever changes
//! what a snapshot holds gives the format a new [`NAME`], and what was kept before is read from the tenant again.

use std::io::{BufReader, BufWriter, Read, Seek, Write};

use anyhow::{Context as _, ensure};
use aws_lc_rs::digest::{Context as Hasher, SHA256};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::OtherVersion;
use crate::log::hex;
use crate::tenant::text::{Compact, Known};
use crate::tenant::{Group, Registration, Snapshot};

/// Names the format, in the clear.
pub(super) const NAME: &[u8] = b"portcullis reading 7\n";
/// Rows of a frame: some hundred kilobytes.
const ROWS: usize = 4096;
/// Groups of a frame: their members count for many rows.
const GROUPS: usize = 64;
/// The fastest that still takes ids to half their size.
const LEVEL: i32 = 1;
const BUFFER: usize = 1 << 18;

/// Writes a reading; gives what it was written to, and the hash of what was written.
pub(super) fn write<W: Write>(snapshot: &Snapshot, to: W) -> anyhow::Result<(String, W)> {
    let mut hashing = Hashing { hasher: Hasher::new(&SHA256), inner: to };
    hashing.write_all(NAME)?;
    let encoder = zstd::Encoder::new(hashing, LEVEL)?;
    let mut frames = Writer { to: BufWriter::with_capacity(BUFFER, encoder), frame: Vec::new() };
    frames.frame(&snapshot.without_rows())?;
    let directory = &snapshot.directory;
    frames.rows(directory.users.iter(), ROWS)?;
    frames.rows(directory.groups.values().map(LeanGroup::of), GROUPS)?;
    frames.rows(directory.service_principals.iter(), ROWS)?;
    frames.rows(directory.devices.iter(), ROWS)?;
    frames.rows(directory.registrations.values(), ROWS)?;
    frames.rows(snapshot.sign_ins.iter(), ROWS)?;
    frames.rows(snapshot.audits.iter(), ROWS)?;
    let encoder = frames.to.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    let hashing = encoder.finish()?;
    Ok((hex(hashing.hasher.finish().as_ref()), hashing.inner))
}

/// Reads what was written. Content that doesn't match its hash is an error, never a smaller tenant.
pub(super) fn read(hash: &str, mut from: impl Read + Seek) -> anyhow::Result<Snapshot> {
    let mut hashing = Hashing { hasher: Hasher::new(&SHA256), inner: std::io::sink() };
    std::io::copy(&mut BufReader::with_capacity(BUFFER, &mut from), &mut hashing)?;
    from.rewind()?;
    let mut name = vec![0; NAME.len()];
    let named = from.read_exact(&mut name).is_ok() && name == NAME;
    ensure!(named, OtherVersion { hash: hash.to_owned() });
    let found = hex(hashing.hasher.finish().as_ref());
    ensure!(found == hash, "reading {hash} is damaged: its content does not match its hash; scan again");
    let decoder = zstd::Decoder::new(from)?;
    let frames = Reader { from: BufReader::with_capacity(BUFFER, decoder), frame: Vec::new() };
    frames.snapshot().with_context(|| format!("reading {hash} can't be understood; scan again"))
}

/// A group whose members through others are left out where there are none.
#[derive(Serialize, Deserialize)]
struct LeanGroup {
    group: Group,
    /// Everybody in it is a direct member.
    flat: bool,
}

impl LeanGroup {
    fn of(group: &Group) -> Self {
        let flat = group.transitive.as_ref().is_some_and(|all| all.is(&group.members) || *all == group.members);
        let transitive = group.transitive.clone().filter(|_| !flat);
        Self { group: Group { transitive, ..group.clone() }, flat }
    }

    fn whole(self) -> Group {
        let transitive = if self.flat { Some(self.group.members.clone()) } else { self.group.transitive };
        Group { transitive, ..self.group }
    }
}

impl Compact for LeanGroup {}

struct Writer<W> {
    to: W,
    frame: Vec<u8>,
}

impl<W: Write> Writer<W> {
    fn frame(&mut self, content: &impl Serialize) -> anyhow::Result<()> {
        self.frame.clear();
        self.frame = postcard::to_extend(content, std::mem::take(&mut self.frame))?;
        self.to.write_all(&u32::try_from(self.frame.len())?.to_le_bytes())?;
        Ok(self.to.write_all(&self.frame)?)
    }

    fn rows<T: Serialize>(&mut self, mut rows: impl ExactSizeIterator<Item = T>, most: usize) -> anyhow::Result<()> {
        self.frame(&rows.len())?;
        while rows.len() > 0 {
            self.frame(&rows.by_ref().take(most).collect::<Vec<_>>())?;
        }
        Ok(())
    }
}

struct Reader<R> {
    from: R,
    frame: Vec<u8>,
}

impl<R: Read> Reader<R> {
    fn snapshot(mut self) -> anyhow::Result<Snapshot> {
        let mut snapshot: Snapshot = self.frame()?;
        let directory = &mut *snapshot.directory;
        directory.users = self.rows()?;
        let groups = self.rows()?.into_iter().map(LeanGroup::whole);
        directory.groups = groups.map(|group| (group.id.clone(), group)).collect();
        directory.service_principals = self.rows()?;
        directory.devices = self.rows()?;
        let registrations = self.rows()?.into_iter();
        directory.registrations = registrations.map(|one: Registration| (one.user_id.clone(), one)).collect();
        snapshot.sign_ins = self.rows()?;
        snapshot.audits = self.rows()?;
        Ok(snapshot)
    }

    fn frame<T: DeserializeOwned>(&mut self) -> anyhow::Result<T> {
        let mut length = [0; 4];
        self.from.read_exact(&mut length)?;
        self.frame.resize(usize::try_from(u32::from_le_bytes(length))?, 0);
        self.from.read_exact(&mut self.frame)?;
        Ok(postcard::from_bytes(&self.frame)?)
    }

    fn rows<T: DeserializeOwned + Compact>(&mut self) -> anyhow::Result<Vec<T>> {
        let count: usize = self.frame()?;
        let (mut rows, mut known) = (Vec::with_capacity(count), Known::default());
        while rows.len() < count {
            let mut some: Vec<T> = self.frame()?;
            ensure!(!some.is_empty(), "a frame without rows");
            T::compact(&mut some, &mut known);
            rows.append(&mut some);
        }
        Ok(rows)
    }
}

/// Hashes what passes through.
struct Hashing<W> {
    hasher: Hasher,
    inner: W,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}
