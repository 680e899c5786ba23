//! Imports any bytes as a table into a library database: refused as a whole, or exported again.

#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use music_library::{Database, csv_table};

fuzz_target!(|bytes: &[u8]| {
    let path = fuzz::folder().join("library.db");
    let _ = fs::remove_file(&path);
    let database = Database::open_or_create(&path).unwrap();
    match csv_table::import(&database, "", bytes) {
        Ok(_) => csv_table::export(&database, "", &mut Vec::new()).unwrap(),
        Err(error) => assert_eq!(error.to_string().lines().count(), 1, "unreadable error: {error}"),
    }
});
