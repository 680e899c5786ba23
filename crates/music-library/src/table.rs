//! A library's knowledge as a CSV table: out for a spreadsheet or another program, and back in.
//!
//! One header line, then a row a track in the order of the uris: `uri`, a column a [`Field`] with a column of who says so
//! beside it (`mood`, `mood_from`), then `rating` and `excluded`. Of each value the believed one is written. Read back,
//! the columns may be fewer and in any order, and the sayers may be left out; `uri` may be a path.

use std::io::{Read, Write};

use csv::StringRecord;

use crate::value::{Field, Provenance, Stated};
use crate::{Database, Entry, Error, Skipped, store};

/// A table that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum Broken {
    #[error("the table is broken: {0}; export one to see how it should be")]
    Csv(#[from] csv::Error),
    #[error("the table has no column 'uri': export one to see how it should be")]
    NoUri,
    #[error("the table cannot be written: {0}")]
    Write(#[from] std::io::Error),
}

/// What became of a table's rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Tracks of which something new is known now.
    pub changed: usize,
    /// Tracks of which all was known.
    pub unchanged: usize,
    /// Rows, or values of them, that were left out.
    pub failed: Vec<Skipped>,
}

/// Writes every track, as `client` (`""` for everybody) sees it.
pub fn export(database: &Database, client: &str, to: impl Write) -> Result<(), Error> {
    let mut table = csv::Writer::from_writer(to);
    let mut header = vec![String::from("uri")];
    for field in Field::ALL {
        header.extend([field.to_string(), from_column(*field)]);
    }
    header.extend(["rating".into(), "excluded".into()]);
    table.write_record(&header).map_err(Broken::from)?;
    let mut result = Ok(());
    database.each(client, |entry| {
        if result.is_ok() {
            result = table.write_record(row(&entry));
        }
    })?;
    result.map_err(Broken::from)?;
    table.flush().map_err(Broken::from)?;
    Ok(())
}

fn from_column(field: Field) -> String {
    format!("{field}_from")
}

fn row(entry: &Entry) -> Vec<String> {
    let mut row = vec![entry.uri.clone()];
    for field in Field::ALL {
        let said = entry.get(*field);
        row.push(said.map(|said| said.value.to_string()).unwrap_or_default());
        row.push(said.map(|said| said.provenance.to_string()).unwrap_or_default());
    }
    row.push(if entry.rating == 0 { String::new() } else { entry.rating.to_string() });
    row.push(if entry.excluded { "yes".into() } else { String::new() });
    row
}

/// Takes a table's values over: what differs from what the library believes becomes [`Provenance::Import`], or
/// [`Provenance::User`] where the table says so. Empty cells say nothing. Ratings and exclusions become `client`'s.
/// Rows of tracks that are not in the library, and values out of their range, are left out and told of.
///
/// # Errors
/// A table without a `uri`, or that is no CSV from some row on: nothing is changed then.
pub fn import(database: &Database, client: &str, from: impl Read) -> Result<Imported, Error> {
    let mut table = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(from);
    let header = table.headers().map_err(Broken::from)?.clone();
    let columns = Columns::of(&header).ok_or(Broken::NoUri)?;
    let rows = table.records().collect::<Result<Vec<_>, _>>().map_err(Broken::from)?;
    let mut imported = Imported::default();
    let mut changes = Vec::new();
    for row in &rows {
        let place = row.get(columns.uri).unwrap_or_default();
        match database.find(place, client) {
            Ok(entry) => changes.push(columns.changes(&entry, row, &mut imported.failed)),
            Err(Error::NoSuchTrack(_)) => {
                let line = row.position().map_or(0, csv::Position::line);
                let why = format!("line {line}: not in the library; scan it first");
                imported.failed.push(Skipped { what: place.into(), why });
            }
            Err(error) => return Err(error),
        }
    }
    database.told(database.written(|connection| {
        changes.iter().try_for_each(|change| {
            change.stated.iter().try_for_each(|said| store::put(connection, change.id, said))?;
            crate::person::put(connection, client, change.id, change.rating, change.excluded)
        })
    }))?;
    imported.changed = changes.iter().filter(|change| !change.is_empty()).count();
    imported.unchanged = changes.len() - imported.changed;
    Ok(imported)
}

/// Where in a row things stand.
struct Columns {
    uri: usize,
    /// Value and sayer.
    fields: Vec<(Field, usize, Option<usize>)>,
    rating: Option<usize>,
    excluded: Option<usize>,
}

/// What a row says that the library does not know.
struct Change {
    id: i64,
    stated: Vec<Stated>,
    rating: Option<i32>,
    excluded: Option<bool>,
}

impl Change {
    fn is_empty(&self) -> bool {
        self.stated.is_empty() && self.rating.is_none() && self.excluded.is_none()
    }
}

impl Columns {
    fn of(header: &StringRecord) -> Option<Self> {
        let find = |name: &str| {
            // Spreadsheets mark a file's beginning.
            header.iter().position(|cell| cell.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name))
        };
        let fields = Field::ALL
            .iter()
            .filter_map(|field| Some((*field, find(field.as_str())?, find(&from_column(*field)))));
        Some(Self {
            uri: find("uri").or_else(|| find("path"))?,
            fields: fields.collect(),
            rating: find("rating"),
            excluded: find("excluded"),
        })
    }

    fn changes(&self, entry: &Entry, row: &StringRecord, failed: &mut Vec<Skipped>) -> Change {
        let line = row.position().map_or(0, csv::Position::line);
        let cell = |at: Option<usize>| at.and_then(|at| row.get(at)).filter(|cell| !cell.is_empty());
        let mut leave_out = |why: String| {
            failed.push(Skipped { what: entry.uri.clone(), why: format!("line {line}: {why}") });
        };
        let mut change = Change { id: entry.id, stated: Vec::new(), rating: None, excluded: None };
        for &(field, at, from) in &self.fields {
            let Some(text) = cell(Some(at)) else { continue };
            match field.parse(text) {
                Ok(value) => {
                    let by_user = cell(from) == Some(Provenance::User.as_str());
                    let provenance = if by_user { Provenance::User } else { Provenance::Import };
                    if entry.get(field).is_none_or(|said| said.value != value) {
                        change.stated.push(Stated::sure(field, value, provenance));
                    }
                }
                Err(error) => leave_out(error.to_string()),
            }
        }
        match cell(self.rating).map(str::parse::<i32>) {
            Some(Ok(rating)) if (-2..=2).contains(&rating) => {
                change.rating = (rating != entry.rating).then_some(rating);
            }
            Some(_) => leave_out("rating is a whole number from -2 to 2".into()),
            None => {}
        }
        match cell(self.excluded).map(str::to_ascii_lowercase).as_deref() {
            Some("yes" | "true" | "1") => change.excluded = (!entry.excluded).then_some(true),
            Some("no" | "false" | "0") => change.excluded = entry.excluded.then_some(false),
            Some(_) => leave_out("excluded is yes or no".into()),
            None => {}
        }
        change
    }
}
