//! One input's way: is it done already, must the video be played, or is the timeline to be read anew?

use std::fs;
use std::io::Write as _;
use std::time::Duration;

use session::{PersonMap, Summary, Timeline};

use super::graph::{self, Plan};
use super::inputs::Input;
use super::notes::{self, Notes};
use super::{Arguments, container, fingerprint, outputs};
use crate::failure::Failure;
use crate::folder::{self, FACES, PICTURE, SUMMARY, TIMELINE, part_of};
use crate::progress::{Progress, printable};

/// What was to do.
pub enum Done {
    Made,
    Already,
}

/// Makes an input's folder, as far as it is not there.
pub fn process(input: &Input, arguments: &Arguments) -> Result<Done, Failure> {
    if !input.path.is_file() {
        return Err(Failure::Work("it is not a file".into()));
    }
    let notes = notes::read(&input.path, &arguments.reading)?;
    let made_from = fingerprint::of(&input.path, arguments, &notes)?;
    let summary = input.folder.join(SUMMARY);
    let known = folder::read_summary(&summary).ok().and_then(|summary| summary.made_from);
    let known = known.filter(|_| !arguments.force);
    if known.as_ref() == Some(&made_from) {
        return Ok(Done::Already);
    }
    let same_work = known.is_some_and(|known| known.get("work") == made_from.get("work"));
    fs::create_dir_all(&input.folder).map_err(|error| Failure::file(&input.folder, &error))?;
    // From now on until the end it is not finished.
    folder::remove(&summary)?;
    let session = Session { input, arguments, notes: &notes, made_from };
    if input.is_picture {
        session.look()?;
    } else if same_work && input.folder.join(TIMELINE).exists() {
        session.read(true)?;
    } else {
        session.record()?;
    }
    Ok(Done::Made)
}

/// From the first frame to the end of the last.
fn length(timeline: &Timeline) -> Duration {
    let [begin, end] = timeline.span();
    Duration::from_nanos(end.saturating_sub(begin))
}

/// What to say where the pictures end long before the file does: no error, because its sound may be longer.
fn early(seen: Duration, length: Duration) -> Option<String> {
    let lost = length.saturating_sub(seen);
    (lost > Duration::from_secs(2) && lost > length / 10).then(|| {
        let (seen, length) = (seen.as_secs_f64(), length.as_secs_f64());
        format!("its pictures end after {seen:.0} s, the file says {length:.0} s: it may be damaged")
    })
}

struct Session<'a> {
    input: &'a Input,
    arguments: &'a Arguments,
    notes: &'a Notes,
    made_from: serde_json::Value,
}

impl Session<'_> {
    fn plan(&self) -> Plan<'_> {
        Plan {
            input: &self.input.path,
            folder: &self.input.folder,
            settings: &self.arguments.settings,
            client: self.notes.client(),
            anonymous: self.arguments.reading.pseudonym,
        }
    }

    fn progress(&self) -> Progress {
        let name = self.input.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Progress::start(name, 0)
    }

    fn record(&self) -> Result<(), Failure> {
        let folder = &self.input.folder;
        outputs::clear(folder)?;
        fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
        let progress = self.progress();
        let played = graph::record(&self.plan(), &progress);
        let film = match &played {
            Ok(()) | Err(Failure::Interrupted) => folder::name_films(folder),
            Err(_) => folder::drop_films(folder),
        };
        let timeline = folder.join(TIMELINE);
        let (frames, seen) = Timeline::load(&timeline)
            .map_or((0, Duration::ZERO), |timeline| (timeline.frames.len(), length(&timeline)));
        let played = match container::missing(&self.input.path) {
            Some(length) if !matches!(played, Err(Failure::Interrupted)) => {
                let left =
                    if frames == 0 { "what there is cannot be played" } else { "what there is, is done" };
                let why = played.err().map(|failure| format!(" ({failure})")).unwrap_or_default();
                Err(Failure::Work(format!(
                    "it ends in the middle, it should have {length} bytes; {left}{why}"
                )))
            }
            _ => played,
        };
        if frames == 0 {
            outputs::clear(folder)?;
            let nothing = || Failure::Work("it has no pictures: is it a video?".into());
            return Err(played.err().unwrap_or_else(nothing));
        }
        if let (Ok(()), Some(length)) = (&played, progress.length())
            && let Some(early) = early(seen, length)
        {
            eprintln!("gst-mood: warning: {}", printable(&format!("{}: {early}", self.input.path.display())));
        }
        progress.finish(progress.media());
        // What there is, is written; why there is not more is what the user must know.
        let written = film.and_then(|()| self.read(played.is_ok()));
        played.and(written)
    }

    /// Everything that is made of the timeline. What is not `whole` will be done again.
    fn read(&self, whole: bool) -> Result<(), Failure> {
        let folder = &self.input.folder;
        let mut timeline = folder::read_timeline(&folder.join(TIMELINE), folder)?;
        if !whole {
            timeline.end = None;
        }
        timeline.merge_people(&self.notes.cast);
        let made_from = whole.then(|| self.made_from.clone());
        outputs::write(&timeline, self.title(), made_from, folder, &self.arguments.reading, self.notes)
    }

    /// The file's name, or nothing that tells it.
    fn title(&self) -> String {
        if self.arguments.reading.pseudonym {
            let name = fingerprint::name(&self.input.path);
            return format!("Session {}", name.chars().take(8).collect::<String>());
        }
        self.input.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn look(&self) -> Result<(), Failure> {
        let folder = &self.input.folder;
        let (rows, picture) = (part_of(&folder.join("faces.jsonl")), part_of(&folder.join(PICTURE)));
        let progress = self.progress();
        let looked = graph::look(&self.plan(), &rows, &picture, &progress);
        let mut timeline = looked.and_then(|()| folder::read_timeline(&rows, folder));
        if let Ok(timeline) = &mut timeline
            && !self.arguments.reading.pseudonym
        {
            let whole = self.input.path.canonicalize().unwrap_or_else(|_| self.input.path.clone());
            timeline.header.source = gst::glib::filename_to_uri(whole, None).ok().map(Into::into);
        }
        folder::remove(&rows)?;
        let timeline = timeline.inspect_err(|_| {
            let _ = fs::remove_file(&picture);
            let _ = fs::remove_dir(folder);
        })?;
        progress.finish(None);
        let annotated = folder.join(PICTURE);
        fs::rename(&picture, &annotated).map_err(|error| Failure::file(&annotated, &error))?;
        let mut summary = Summary::compute(&timeline, &PersonMap::default());
        summary.title = self.title();
        outputs::export(&folder.join(FACES), session::export::Format::Csv, &timeline, &summary)?;
        summary.made_from = Some(self.made_from.clone());
        let text =
            serde_json::to_string_pretty(&summary).map_err(|error| Failure::Work(error.to_string()))?;
        folder::write_whole(&folder.join(SUMMARY), |file| writeln!(file, "{text}"))
    }
}
