//! What a live session leaves in a folder while it runs: `timeline.jsonl`, written by `emotionlog`, `markers.jsonl`, and
//! where it was asked for the recorded video. Each can be read up to the moment at which the process is killed;
//! `gst-mood process --resume` makes the rest.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use atomic_file::FileLock;
use gst::glib;
use gst::prelude::*;
use mood_meta::event;
use mood_schema::{ClockLine, Line, MarkerLine, SCHEMA_VERSION, SessionHeader};

use super::control::Marker;
use crate::consent::ConsentedClient;
use crate::error::CommandError;
use crate::files::{path_to_str, write_atomically};
use crate::folder::{MARKERS, NOTES, TIMELINE, recording_path};
use crate::lock::try_lock_folder;
use crate::pipeline;
use crate::process::live_folder;

/// Time between two lines with the time of the day. The clock that music is played by differs from that of the computer by up to
/// 0.1 %, which is 60 ms in a minute.
const CLOCK_INTERVAL: Duration = Duration::from_secs(60);

/// The record of a running session.
pub struct Record {
    folder: PathBuf,
    markers: File,
    /// The element that writes the timeline.
    timeline: gst::Element,
    /// The element that writes the video, where it is recorded.
    video: Option<gst::Element>,
    /// Number of the video that is recorded since the pipeline was started.
    number: usize,
    /// What tells sessions apart in a client's history; `None` before the first frame.
    identity: Option<String>,
    /// When the time of the day was written last since the pipeline was started or went on.
    clock_written: Option<Instant>,
    /// Nobody else records into the folder, or finishes what is in it.
    _lock: FileLock,
}

impl Record {
    /// Begins a record in a folder, which is made where there is none. Fails where there is a record in it.
    /// `client`: whose history the session belongs to, which is written beside it as notes, unless there are some.
    pub fn create(
        folder: &Path,
        pipeline: &gst::Pipeline,
        client: Option<&ConsentedClient>,
    ) -> Result<Self, CommandError> {
        let path = folder.join(TIMELINE);
        let is_used = || {
            CommandError::Usage(format!(
                "{} holds a session already: name another folder (gst-mood process --resume finishes one)",
                folder.display()
            ))
        };
        if path.exists() {
            return Err(is_used());
        }
        let lock = try_lock_folder(folder)?.ok_or_else(is_used)?;
        let markers_path = folder.join(MARKERS);
        let mut markers =
            File::create(&markers_path).map_err(|error| CommandError::io(&markers_path, &error))?;
        let header = Line::Session(SessionHeader {
            schema: SCHEMA_VERSION,
            generator: concat!("gst-mood ", env!("CARGO_PKG_VERSION")).into(),
            ..SessionHeader::default()
        });
        write_line(&mut markers, &header).map_err(|error| CommandError::io(&markers_path, &error))?;
        if let Some(client) = client {
            write_notes(folder, client)?;
        }
        let timeline = pipeline::element(pipeline, "timeline")?;
        timeline.set_property("location", path_to_str(&path)?);
        let video = pipeline.by_name("recording");
        Ok(Self {
            folder: folder.into(),
            markers,
            timeline,
            video,
            number: 1,
            clock_written: None,
            identity: None,
            _lock: lock,
        })
    }

    /// To be called before the pipeline is started: each start records a video of its own.
    pub fn prepare_start(&mut self) -> Result<(), CommandError> {
        let Some(video) = &self.video else { return Ok(()) };
        // A start that failed, because a device is still missing, has recorded nothing.
        while recording_path(&self.folder, self.number).exists() {
            self.number += 1;
        }
        video.set_property("location", path_to_str(&recording_path(&self.folder, self.number))?);
        Ok(())
    }

    /// What tells sessions apart in a client's history; `None` before the first frame.
    pub fn identity(&self) -> Option<String> {
        self.identity.clone()
    }

    /// To be called when the pipeline is paused, stopped or goes on: where time goes on is written anew.
    pub fn restart_clock(&mut self) {
        self.clock_written = None;
    }

    /// Writes the time of the day where that is due. `running_time` is the pipeline's and `time` that of the session's clock,
    /// ns, both now.
    pub fn update_clock(&mut self, running_time: u64, time: u64) {
        if self.clock_written.is_some_and(|written| written.elapsed() < CLOCK_INTERVAL) {
            return;
        }
        let Ok(now) = glib::DateTime::now_local() else { return };
        let text =
            |format: &str, time: &glib::DateTime| time.format(format).map(String::from).unwrap_or_default();
        let utc = now.to_utc().unwrap_or_else(|_| now.clone());
        let clock = ClockLine {
            pts: running_time,
            time,
            utc: format!("{}.{:03}Z", text("%Y-%m-%dT%H:%M:%S", &utc), utc.microsecond() / 1000),
            zone: text("%:z", &now),
            video: self.video.as_ref().map(|_| file_name(&recording_path(&self.folder, self.number))),
        };
        self.identity.get_or_insert_with(|| live_folder::identity(&clock.utc));
        // emotionlog writes the lines that come from downstream.
        if let Some(pad) = self.timeline.static_pad("src") {
            pad.send_event(event::build_player_line(&Line::Clock(clock)));
        }
        self.clock_written = Some(Instant::now());
    }

    /// Writes what has become of the markers, by comparing those before and after a command.
    pub fn update_markers(&mut self, before: &[Marker], after: &[Marker]) -> Result<(), CommandError> {
        let is_in = |markers: &[Marker], marker: &Marker| markers.iter().any(|other| other.id == marker.id);
        let line = |marker: &Marker, removed| {
            let text = if removed { String::new() } else { marker.text.clone() };
            Line::Marker(MarkerLine { pts: marker.time, id: marker.id, text, removed })
        };
        let added = after.iter().filter(|marker| !is_in(before, marker)).map(|marker| line(marker, false));
        let removed = before.iter().filter(|marker| !is_in(after, marker)).map(|marker| line(marker, true));
        for line in added.chain(removed) {
            let path = self.folder.join(MARKERS);
            write_line(&mut self.markers, &line).map_err(|error| CommandError::io(&path, &error))?;
        }
        Ok(())
    }
}

/// Writes whose history a session belongs to as its notes, so that it gets there also where the session is cut off. Notes that
/// are there already stay.
fn write_notes(folder: &Path, client: &ConsentedClient) -> Result<(), CommandError> {
    let path = folder.join(NOTES);
    let notes = toml::Table::from_iter([("client".to_owned(), client.name.clone().into())]);
    match path.exists() {
        true => Ok(()),
        false => write_atomically(&path, |file| write!(file, "{notes}")),
    }
}

/// The name of a file as text.
fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Writes a line in one piece, and to the disk: markers are few, and cannot be made again.
fn write_line(file: &mut File, line: &Line) -> io::Result<()> {
    file.write_all(format!("{}\n", line.to_json()).as_bytes())?;
    file.sync_data()
}
