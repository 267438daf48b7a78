//! The folder that an export writes: each file appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::graph::export::Sink;
use crate::store::private;
use crate::tenant::Kind;

use super::pseudonyms::Pseudonyms;

/// A folder in the making.
pub(super) struct Folder {
    dir: PathBuf,
    pseudonyms: Option<Pseudonyms>,
    open: Mutex<Option<Open>>,
}

/// The file that is being written, under another name until it is whole.
struct Open {
    part: PathBuf,
    whole: PathBuf,
    kind: Kind,
    out: BufWriter<File>,
    count: usize,
}

impl Folder {
    /// Makes the folder if there is none.
    pub(super) fn new(dir: &Path, pseudonyms: Option<Pseudonyms>) -> io::Result<Self> {
        private::folder(dir)?;
        Ok(Self { dir: dir.to_owned(), pseudonyms, open: Mutex::new(None) })
    }

    /// Throws away what isn't whole. Left behind, it would be a hidden file that no command reads.
    fn discard(&self) {
        if let Some(file) = self.open().take() {
            let _ = fs::remove_file(file.part);
        }
    }

    fn open(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Logs are large: one object a line, so that nobody has to hold all of them.
fn is_log(kind: Kind) -> bool {
    matches!(kind, Kind::SignIns | Kind::DirectoryAudits)
}

impl Sink for Folder {
    fn begin(&self, file: &'static str, kind: Kind) -> io::Result<()> {
        self.discard();
        let ending = if is_log(kind) { "jsonl" } else { "json" };
        let (part, whole) = (self.dir.join(format!(".{file}.part")), self.dir.join(format!("{file}.{ending}")));
        // A kind that can't be read today must not look as if it had been, because of an earlier export.
        if whole.exists() {
            fs::remove_file(&whole)?;
        }
        let mut out = BufWriter::new(private::created(&part)?);
        if !is_log(kind) {
            out.write_all(b"[")?;
        }
        *self.open() = Some(Open { part, whole, kind, out, count: 0 });
        Ok(())
    }

    fn add(&self, object: &Value) -> io::Result<()> {
        let mut open = self.open();
        let Some(file) = open.as_mut() else { return Ok(()) };
        let replaced = self.pseudonyms.as_ref().map(|names| names.replaced(file.kind, object));
        let between = match (is_log(file.kind), file.count) {
            (true, _) => "",
            (false, 0) => "\n",
            (false, _) => ",\n",
        };
        file.out.write_all(between.as_bytes())?;
        serde_json::to_writer(&mut file.out, replaced.as_ref().unwrap_or(object))?;
        if is_log(file.kind) {
            file.out.write_all(b"\n")?;
        }
        file.count += 1;
        Ok(())
    }

    fn keep(&self) -> io::Result<()> {
        let Some(mut file) = self.open().take() else { return Ok(()) };
        if !is_log(file.kind) {
            file.out.write_all(b"\n]\n")?;
        }
        file.out.into_inner()?.sync_all()?;
        fs::rename(file.part, file.whole)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.discard();
    }
}
