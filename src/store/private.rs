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
