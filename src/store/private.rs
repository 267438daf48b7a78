//! Files and folders that hold what is known of a tenant: for the account that runs the program alone.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

/// Makes a folder, and those above it that are missing. One that is there keeps the rights that somebody gave it.
///
/// # Errors
/// When the file system refuses.
pub fn folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Opens a file for writing and makes it where it is missing; what it holds stays.
///
/// # Errors
/// When the file system refuses.
pub fn opened(path: &Path) -> io::Result<File> {
    options().truncate(false).open(path)
}

/// Makes an empty file, in the place of one that is there.
///
/// # Errors
/// When the file system refuses.
pub fn created(path: &Path) -> io::Result<File> {
    options().truncate(true).open(path)
}

/// Whether a file could be written, or made where it is missing; nothing is changed, and nothing stays behind.
///
/// # Errors
/// When the file system refuses.
pub fn try_out(path: &Path) -> io::Result<()> {
    if path.exists() {
        return OpenOptions::new().append(true).open(path).map(drop);
    }
    let here = Path::new(".");
    let above = path.ancestors().skip(1).map(|above| if above.as_os_str().is_empty() { here } else { above });
    let Some(folder) = above.into_iter().find(|above| above.exists()) else { return Ok(()) };
    let probe = folder.join(format!(".portcullis-{}", std::process::id()));
    created(&probe)?;
    std::fs::remove_file(probe)
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_could_not_be_written_is_known_before() {
        let place = tempfile::tempdir().unwrap();
        let missing = place.path().join("a/b.db");
        try_out(&missing).unwrap();
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "nothing stays behind");
        created(&place.path().join("file")).unwrap();
        try_out(&place.path().join("file")).unwrap();
        assert!(try_out(&place.path().join("file/p.db")).is_err(), "a file holds no file");
        assert!(try_out(place.path()).is_err(), "a folder is no database");
    }

    #[test]
    fn what_is_made_is_for_its_owner_alone() {
        let place = tempfile::tempdir().unwrap();
        let (folder_path, file) = (place.path().join("a/b"), place.path().join("a/b/c"));
        folder(&folder_path).unwrap();
        created(&file).unwrap();
        opened(&file.with_extension("lock")).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder_path), mode(&file), mode(&file.with_extension("lock"))), (0o700, 0o600, 0o600));
    }
}
