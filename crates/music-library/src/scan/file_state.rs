//! Size, modification time and content hash of a file, by which a scan detects that it has changed.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use crate::tags::find_sidecar;

/// Number of bytes that are read and hashed at a time.
const HASH_BLOCK_SIZE: usize = 1 << 18;

/// Size and modification time of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileStamp {
    /// Size, bytes.
    pub(super) size: i64,
    /// Modification time of the file plus that of its sidecar file, ns since 1970. The sum changes when the
    /// sidecar file is added, changed or removed.
    pub(super) modified: i64,
}

impl FileStamp {
    /// Reads the stamp of the file at `path` and of its sidecar file, if there is one.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        let modified = |metadata: &fs::Metadata| {
            let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            since.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or_default()
        };
        let sidecar = find_sidecar(path).and_then(|sidecar| fs::metadata(sidecar).ok());
        let sidecar_modified = sidecar.map_or(0, |metadata| modified(&metadata));
        let size = i64::try_from(metadata.len()).unwrap_or(i64::MAX);
        Ok(Self { size, modified: modified(&metadata).wrapping_add(sidecar_modified) })
    }
}

/// Computes the SHA-256 hash of a file's content; `None` once `cancel` is set.
pub(super) fn hash_file(path: &Path, cancel: &AtomicBool) -> io::Result<Option<Vec<u8>>> {
    let (mut file, mut hasher) = (File::open(path)?, Sha256::new());
    let mut block = vec![0; HASH_BLOCK_SIZE];
    loop {
        if cancel.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match file.read(&mut block) {
            Ok(0) => return Ok(Some(hasher.finalize().to_vec())),
            Ok(length) => hasher.update(&block[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Reads stamp and SHA-256 hash of a file, whose tags a scan has just written.
pub(super) fn read_stamp_and_hash(path: &Path) -> io::Result<(FileStamp, Vec<u8>)> {
    Ok((FileStamp::read(path)?, Sha256::digest(fs::read(path)?).to_vec()))
}
