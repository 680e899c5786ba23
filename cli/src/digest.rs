//! SHA-256 of files and names, as lowercase hexadecimal text.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::CommandError;

/// Bytes of a file that are hashed at a time.
const BLOCK_SIZE: usize = 1 << 20;

/// The first 32 digits (128 bits) of the SHA-256 of `bytes`: enough to tell names apart.
pub fn short_sha256(bytes: &[u8]) -> String {
    to_hex(&Sha256::digest(bytes)).chars().take(32).collect()
}

/// The SHA-256 of a file's content, 64 digits.
pub fn file_sha256(path: &Path) -> Result<String, CommandError> {
    let io_error = |error: io::Error| CommandError::io(path, &error);
    let mut file = File::open(path).map_err(io_error)?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; BLOCK_SIZE];
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(to_hex(&hasher.finalize())),
            Ok(length) => hasher.update(block.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(io_error(error)),
        }
    }
}

/// Identifies a file by where it is without revealing its name: the [short hash](short_sha256) of the
/// canonical path.
pub fn path_hash(path: &Path) -> String {
    let canonical = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    short_sha256(canonical.as_os_str().as_encoded_bytes())
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
