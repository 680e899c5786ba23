//! Export of a library database to a CSV table (RFC 4180), for a spreadsheet or another program, and import
//! of such a table.
//!
//! The table has a header line and a row for each track in the order of the URIs: `uri`, two columns for each
//! [`Field`] (its best value, such as `mood`, and the provenance of that value, such as `mood_from`),
//! `rating` and `excluded`. For an import, columns may be missing and in any order, `uri` may be
//! called `path`, its cells may be paths, and the text may be as spreadsheets write it: columns separated by commas,
//! semicolons or tabs, a first line `sep=;`, decimal commas, UTF-8, UTF-16 or Windows-1252.
//! Addresses are written without credentials; an import finds the tracks by them.

use std::io::{Read, Write};

use csv::StringRecord;
use mood_schema::redact_addresses;

use crate::database::{self, Database, TrackRecord};
use crate::metadata::{Field, Provenance, SourcedValue};
use crate::{Error, SkippedItem, TableError, text};

/// The characters that may separate columns, in the order in which they are tried: the first one that gives a column `uri` or
/// `path` counts.
const DELIMITERS: [u8; 3] = *b",;\t";

/// The result of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Number of tracks that were changed.
    pub changed: usize,
    /// Number of tracks for which the table had nothing new.
    pub unchanged: usize,
    /// Rows, or values in them, that were left out.
    pub skipped: Vec<SkippedItem>,
}

/// Writes a table of all tracks, with rating and exclusion as they apply to `client`.
///
/// # Errors
/// The database cannot be read or the table cannot be written.
pub fn export(database: &Database, client: &str, to: impl Write) -> Result<(), Error> {
    let mut writer = csv::Writer::from_writer(to);
    let mut header = vec![String::from("uri")];
    for field in Field::ALL {
        header.extend([field.to_string(), provenance_column(*field)]);
    }
    header.extend(["rating".into(), "excluded".into()]);
    writer.write_record(&header).map_err(TableError::from)?;
    let mut result = Ok(());
    database.for_each_track(client, |track| {
        if result.is_ok() {
            result = writer.write_record(format_row(&track));
        }
    })?;
    result.map_err(TableError::from)?;
    writer.flush().map_err(TableError::from)?;
    Ok(())
}

/// The name of the column with the provenance of a field's value.
fn provenance_column(field: Field) -> String {
    format!("{field}_from")
}

/// The cells of a track's row.
fn format_row(track: &TrackRecord) -> Vec<String> {
    let mut row = vec![redact_addresses(&track.uri).into_owned()];
    for field in Field::ALL {
        let best = track.best_value(*field);
        row.push(best.map(|best| best.value.to_string()).unwrap_or_default());
        row.push(best.map(|best| best.provenance.to_string()).unwrap_or_default());
    }
    row.push(if track.rating == 0 { String::new() } else { track.rating.to_string() });
    row.push(if track.excluded { "yes".into() } else { String::new() });
    row
}

/// Imports a table. A value that differs from the best value of its field is stored with the provenance
/// [`Provenance::User`] where the table says so, otherwise [`Provenance::Import`]. Ratings and exclusions
/// become those of `client`. Empty cells change nothing. Rows of tracks that are not in the library and
/// values out of their range are skipped.
///
/// # Errors
/// The table has no column `uri` or `path`, a part of it is not valid CSV, or the database fails. Nothing is
/// changed then.
pub fn import(database: &Database, client: &str, mut from: impl Read) -> Result<ImportReport, Error> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).map_err(TableError::Read)?;
    // The reader counts lines by LF.
    let text = text::decode(&bytes).replace("\r\n", "\n");
    // Excel writes its separator into a line of its own. Without its text it is an empty line, which the reader skips.
    let line = text.find('\n').unwrap_or_default();
    let table = if text.starts_with("sep=") && line <= 6 { &text[line..] } else { &text };
    let open = |delimiter| {
        let mut builder = csv::ReaderBuilder::new();
        builder.flexible(true).trim(csv::Trim::All).delimiter(delimiter).from_reader(table.as_bytes())
    };
    let mut found = None;
    for delimiter in DELIMITERS {
        let mut reader = open(delimiter);
        let header = reader.headers().map_err(TableError::from)?;
        if let Some(columns) = Columns::find(header) {
            found = Some((reader, columns));
            break;
        }
    }
    let (mut reader, columns) = found.ok_or(TableError::NoUri)?;
    let rows = reader.records().collect::<Result<Vec<_>, _>>().map_err(TableError::from)?;
    let mut report = ImportReport::default();
    let mut changes = Vec::new();
    for row in &rows {
        let path_or_uri = row.get(columns.uri).unwrap_or_default();
        match database.find_track(path_or_uri, client) {
            Ok(track) => changes.push(columns.find_changes(&track, row, &mut report.skipped)),
            Err(Error::NoSuchTrack(_)) => {
                let line = row.position().map_or(0, csv::Position::line);
                let reason = format!("line {line}: not in the library; scan it first");
                report.skipped.push(SkippedItem { name: path_or_uri.into(), reason });
            }
            Err(error) => return Err(error),
        }
    }
    database.map_sql_error(database.transaction(|connection| {
        changes.iter().try_for_each(|change| {
            let mut values = change.values.iter();
            values.try_for_each(|value| database::store_value(connection, change.id, value))?;
            database::store_opinion(connection, client, change.id, change.rating, change.excluded)
        })
    }))?;
    report.changed = changes.iter().filter(|change| !change.is_empty()).count();
    report.unchanged = changes.len() - report.changed;
    Ok(report)
}

/// Indices of the columns of a table.
struct Columns {
    uri: usize,
    /// Each field with the columns of its value and of its provenance.
    fields: Vec<(Field, usize, Option<usize>)>,
    rating: Option<usize>,
    excluded: Option<usize>,
}

/// The changes that a row makes to a track.
struct Change {
    /// Primary key of the track.
    id: i64,
    values: Vec<SourcedValue>,
    rating: Option<i32>,
    excluded: Option<bool>,
}

impl Change {
    fn is_empty(&self) -> bool {
        self.values.is_empty() && self.rating.is_none() && self.excluded.is_none()
    }
}

impl Columns {
    /// Finds the columns by their names, in upper or lower case; `None` without a column `uri` or `path`.
    fn find(header: &StringRecord) -> Option<Self> {
        let find_column = |name: &str| header.iter().position(|cell| cell.eq_ignore_ascii_case(name));
        let fields = Field::ALL.iter().filter_map(|field| {
            Some((*field, find_column(field.as_str())?, find_column(&provenance_column(*field))))
        });
        Some(Self {
            uri: find_column("uri").or_else(|| find_column("path"))?,
            fields: fields.collect(),
            rating: find_column("rating"),
            excluded: find_column("excluded"),
        })
    }

    /// Finds what a row changes in a track. Invalid values are appended to `skipped`.
    fn find_changes(
        &self,
        track: &TrackRecord,
        row: &StringRecord,
        skipped: &mut Vec<SkippedItem>,
    ) -> Change {
        let line = row.position().map_or(0, csv::Position::line);
        let cell = |column: Option<usize>| row.get(column?).filter(|cell| !cell.is_empty());
        let mut skip = |reason: String| {
            skipped.push(SkippedItem { name: track.uri.clone(), reason: format!("line {line}: {reason}") });
        };
        let mut change = Change { id: track.id, values: Vec::new(), rating: None, excluded: None };
        for &(field, value_column, provenance_column) in &self.fields {
            let Some(text) = cell(Some(value_column)) else { continue };
            match field.parse(text) {
                Ok(value) => {
                    let is_by_user = cell(provenance_column) == Some(Provenance::User.as_str());
                    let provenance = if is_by_user { Provenance::User } else { Provenance::Import };
                    if track.best_value(field).is_none_or(|best| best.value != value) {
                        change.values.push(SourcedValue::certain(field, value, provenance));
                    }
                }
                Err(error) => skip(error.to_string()),
            }
        }
        match cell(self.rating).map(str::parse::<i32>) {
            Some(Ok(rating)) if (-2..=2).contains(&rating) => {
                change.rating = (rating != track.rating).then_some(rating);
            }
            Some(_) => skip("rating is a whole number from -2 to 2".into()),
            None => {}
        }
        match cell(self.excluded).map(str::to_ascii_lowercase).as_deref() {
            Some("yes" | "true" | "1") => change.excluded = (!track.excluded).then_some(true),
            Some("no" | "false" | "0") => change.excluded = track.excluded.then_some(false),
            Some(_) => skip("excluded is yes or no".into()),
            None => {}
        }
        change
    }
}
