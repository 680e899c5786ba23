//! `gst-mood correct`: takes the episodes that a human corrected in an annotation program back into a session.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};

use annotation::{AnnotationFile, LabelMap, Tier};
use mood_schema::{CorrectionLine, Label, LabelledSpan, Line, SCHEMA_VERSION, SessionHeader};
use session::export::person_tier_names;
use session::{Episode, PersonSummary, RecordAgreement};

use crate::agreement::parse_rule;
use crate::arguments::path_parser;
use crate::digest::file_sha256;
use crate::error::CommandError;
use crate::files::{utc_now, write_atomically, write_json};
use crate::folder::{CORRECTIONS, SUMMARY, SessionFolder, TIMELINE};
use crate::output::replace_control_characters;
use crate::{clients, process};

/// What our own exports name as their author, who is nobody.
const PROGRAM: &str = "gst-mood";

/// The arguments of `correct`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The folder of a session
    #[arg(value_parser = path_parser())]
    session: PathBuf,
    /// The session's session.eaf as ELAN saved it after it was corrected there, or another file of ELAN, BORIS, Praat or
    /// Audacity, or a table with the columns start, end and label
    #[arg(required_unless_present = "undo", conflicts_with = "undo", value_parser = path_parser())]
    file: Option<PathBuf>,
    /// Who corrected; without it, the author that the file names
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// The tier or subject of FILE that counts; without it, every tier that is called as a person of the session
    #[arg(long, value_name = "NAME")]
    tier: Option<String>,
    /// Whom that tier is about; without it, the person of that name
    #[arg(long, value_name = "NAME", requires = "tier")]
    person: Option<String>,
    /// A label of FILE and the one that it stands for, such as laughs=happy; nothing after the = leaves it out. Can be repeated
    #[arg(long, value_name = "LABEL=LABEL", value_parser = parse_rule)]
    map: Vec<(String, String)>,
    /// What FILE does not label stays as it was
    #[arg(long, conflicts_with = "whole")]
    partial: bool,
    /// What FILE does not label is to have no label, however much that is
    #[arg(long)]
    whole: bool,
    /// Take the last correction back
    #[arg(long)]
    undo: bool,
}

/// Takes corrections in, or the last one back, and makes statistics, page and exports anew.
pub fn run(arguments: &Arguments) -> Result<(), CommandError> {
    let path = &arguments.session;
    if path.is_file() && path.file_name().is_none_or(|name| name != TIMELINE) {
        return Err(CommandError::Usage(format!("{}: name the folder of the session", path.display())));
    }
    let mut session = SessionFolder::load(path)?;
    session.summary.apply_corrections(&session.timeline);
    let lines = match &arguments.file {
        None => take_back(&session)?,
        Some(path) => take_in(&mut session, path, arguments)?,
    };
    if lines.is_empty() {
        println!("the session has this record already: nothing is changed");
        // What an earlier run could not write is written now.
        return write_results(&session);
    }
    append(&session.path.join(CORRECTIONS), &lines)?;
    session.timeline.add_music(lines.into_iter().map(Line::Correction));
    session.summary.apply_corrections(&session.timeline);
    for warning in session.summary.warnings.iter().filter(|warning| warning.kind.is_about_corrections()) {
        eprintln!("gst-mood: warning: {}", warning.text);
    }
    write_results(&session)?;
    for person in &session.summary.people {
        if let Some(text) = describe(person) {
            println!("{}", replace_control_characters(&text));
        }
    }
    if session.summary.corrections.is_empty() {
        println!("the record is gst-mood's own again");
    }
    Ok(())
}

/// Makes what is made from a session's timeline anew.
fn write_results(session: &SessionFolder) -> Result<(), CommandError> {
    process::write_views(&session.path, &session.timeline, &session.summary)?;
    write_json(&session.path.join(SUMMARY), &session.summary)?;
    clients::update_session(&session.summary)?;
    process::update_tables(&session.path)
}

/// The lines that take the last correction back, of all people whom it is about.
fn take_back(session: &SessionFolder) -> Result<Vec<CorrectionLine>, CommandError> {
    let last = session.timeline.corrections.last();
    let last = last.ok_or_else(|| {
        CommandError::Failed(format!("{} has no correction to take back", session.path.display()))
    })?;
    let is_same =
        |line: &&CorrectionLine| (&line.utc, &line.sha256, &line.by) == (&last.utc, &last.sha256, &last.by);
    let corrections = session.timeline.corrections.iter().filter(is_same);
    let removal = |line: &CorrectionLine| CorrectionLine { id: line.id, removed: true, ..Default::default() };
    Ok(corrections.map(removal).collect())
}

/// The lines that take the annotations of a file in; none where they say the same as the record. The session's timeline and
/// summary serve as scratch paper: they are as before where this returns lines.
fn take_in(
    session: &mut SessionFolder,
    path: &Path,
    arguments: &Arguments,
) -> Result<Vec<CorrectionLine>, CommandError> {
    let file = annotation::read_file(path).map_err(|error| CommandError::Failed(error.to_string()))?;
    for warning in &file.warnings {
        let text = format!("{}: {warning}", path.display());
        eprintln!("gst-mood: warning: {text}");
    }
    let by = name_corrector(arguments, &file)?;
    let sha256 = file_sha256(path)?;
    let tiers = choose_tiers(session, path, &file, arguments)?;
    let map = label_map(path, &tiers, arguments)?;
    let is_pseudonymous = session.summary.source.is_none()
        && session.summary.made_from.as_ref().is_some_and(|made_from| made_from.get("work").is_some());
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let next_id = next_id(&session.path.join(CORRECTIONS), session)?;
    let utc = utc_now();
    let mut lines = Vec::new();
    for (person, tier) in tiers {
        let spans = read_spans(path, tier, &map, session)?;
        let Some(summary) = session.summary.people.iter().find(|other| other.id == person) else { continue };
        check_extent(path, summary, &spans, arguments)?;
        lines.push(CorrectionLine {
            id: next_id + lines.len() as u64,
            person,
            by: by.clone(),
            utc: utc.clone(),
            file: name.clone().filter(|_| !is_pseudonymous),
            sha256: sha256.clone(),
            partial: arguments.partial,
            places: session.timeline.places_of(person),
            spans,
            ..CorrectionLine::default()
        });
    }
    lines.retain(|line| changes_record(session, line));
    Ok(lines)
}

/// Whether the person's record is another one with the correction.
fn changes_record(session: &SessionFolder, line: &CorrectionLine) -> bool {
    let mut timeline = session.timeline.clone();
    timeline.corrections.push(line.clone());
    let mut corrected = session.summary.clone();
    corrected.apply_corrections(&timeline);
    let record = |summary: &session::Summary| -> Vec<(u64, u64, Label)> {
        let person = summary.people.iter().find(|person| person.id == line.person);
        let episodes: &[Episode] = person.map(|person| person.episodes.as_slice()).unwrap_or_default();
        episodes.iter().map(|episode| (episode.start, episode.end, episode.label)).collect()
    };
    record(&session.summary) != record(&corrected)
}

/// Who corrected: the argument, or else the author that the file names. Fails where neither says it.
fn name_corrector(arguments: &Arguments, file: &AnnotationFile) -> Result<String, CommandError> {
    let author = file.author.clone().filter(|author| author != PROGRAM);
    let name = arguments.by.clone().or(author).map(|name| name.trim().to_owned());
    name.filter(|name| !name.is_empty()).ok_or_else(|| {
        CommandError::Usage(
            "who corrected it? The file does not say: name them with --by NAME (initials will do)".into(),
        )
    })
}

/// The tiers of a file that correct the session, each with the id of its person.
fn choose_tiers<'a>(
    session: &SessionFolder,
    path: &Path,
    file: &'a AnnotationFile,
    arguments: &Arguments,
) -> Result<Vec<(u32, &'a Tier)>, CommandError> {
    let exported = person_tier_names(&session.summary);
    // Also those without an episode, which have no tier in an export.
    let others = session.summary.people.iter().map(|person| (person.id, person.name.clone()));
    let mut people = exported.clone();
    people.extend(others.filter(|(id, _)| exported.iter().all(|(other, _)| other != id)));
    let find = |name: &str| {
        let is_same = |(_, other): &&(u32, String)| other.eq_ignore_ascii_case(name.trim());
        people.iter().find(is_same).map(|(id, _)| *id)
    };
    let list = |names: Vec<&str>| format!("'{}'", names.join("', '"));
    let people_list = list(people.iter().map(|(_, name)| name.as_str()).collect());
    let tier_list = list(file.tiers.iter().map(|tier| tier.name.as_str()).collect());
    let path = path.display();
    if let Some(name) = &arguments.tier {
        let tier = file.tiers.iter().find(|tier| tier.name.eq_ignore_ascii_case(name));
        let tier = tier.ok_or_else(|| {
            CommandError::Usage(format!("{path} has no tier {name}: give --tier one of {tier_list}"))
        })?;
        let person = arguments.person.as_deref().unwrap_or(&tier.name);
        let id = find(person).ok_or_else(|| {
            CommandError::Usage(format!(
                "nobody in the session is called {person}: give --person one of {people_list}"
            ))
        })?;
        return Ok(vec![(id, tier)]);
    }
    let tiers: Vec<(u32, &Tier)> =
        file.tiers.iter().filter_map(|tier| Some((find(&tier.name)?, tier))).collect();
    if tiers.is_empty() {
        return Err(CommandError::Usage(format!(
            "no tier of {path} is called as a person of the session: say with --tier (one of {tier_list}) which counts, and with \
             --person (one of {people_list}) whom it is about"
        )));
    }
    Ok(tiers)
}

/// The rules of `--map`. Fails for one whose label no tier has.
fn label_map(path: &Path, tiers: &[(u32, &Tier)], arguments: &Arguments) -> Result<LabelMap, CommandError> {
    let mut map = LabelMap::default();
    for (from, to) in &arguments.map {
        map.insert(from, to);
    }
    let annotations = tiers.iter().flat_map(|(_, tier)| tier.annotations());
    let given: BTreeSet<&str> = annotations.map(|annotation| annotation.label.as_str()).collect();
    match map.unused(given).as_slice() {
        [] => Ok(map),
        unused => {
            Err(CommandError::Usage(format!("--map: {} has no label {}", path.display(), unused.join(", "))))
        }
    }
}

/// What a tier says, up to the end of the recording.
fn read_spans(
    path: &Path,
    tier: &Tier,
    map: &LabelMap,
    session: &SessionFolder,
) -> Result<Vec<LabelledSpan>, CommandError> {
    // Files have milliseconds, the recording has not.
    let end = session.summary.begin.saturating_add(session.summary.duration);
    let path = path.display();
    let (mut spans, mut unknown, mut late) = (Vec::new(), BTreeSet::new(), 0);
    for annotation in tier.annotations() {
        let Some(text) = map.translate(&annotation.label) else { continue };
        let Ok(label) = text.parse::<Label>() else {
            unknown.insert(annotation.label.clone());
            continue;
        };
        if annotation.start >= end {
            late += 1;
            continue;
        }
        spans.push(LabelledSpan { start: annotation.start, end: annotation.end.min(end), label });
    }
    if let Some(first) = unknown.first() {
        let names = unknown.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        return Err(CommandError::Usage(format!(
            "{path}: {names}: not a label of the session (angry, disgust, fear, happy, sad, surprise, neutral, uncertain); say what \
             it stands for with --map '{first}=happy', or leave it out with --map '{first}='"
        )));
    }
    if late > 0 {
        return Err(CommandError::Failed(format!(
            "{path}: {late} annotations of {} are after the end of the recording ({:.1} s): is it of the same recording?",
            tier.name,
            end as f64 / 1e9
        )));
    }
    Ok(spans)
}

/// Fails where a file would take the label of more than half of a person's labelled time, unless that is said to be meant.
fn check_extent(
    path: &Path,
    person: &PersonSummary,
    spans: &[LabelledSpan],
    arguments: &Arguments,
) -> Result<(), CommandError> {
    if arguments.partial || arguments.whole {
        return Ok(());
    }
    let labelled: u64 = person.episodes.iter().map(Episode::duration).sum();
    let covered: u64 = person
        .episodes
        .iter()
        .flat_map(|episode| {
            spans.iter().map(|span| span.end.min(episode.end).saturating_sub(span.start.max(episode.start)))
        })
        .sum();
    if covered.saturating_mul(2) >= labelled {
        return Ok(());
    }
    Err(CommandError::Usage(format!(
        "{} labels {:.1} of the {:.1} s for which the session has a label of {}: say --partial if the rest stays as it is, or \
         --whole if the rest is to have no label",
        path.display(),
        covered as f64 / 1e9,
        labelled as f64 / 1e9,
        person.name
    )))
}

/// The number of the next correction; those taken back keep theirs.
fn next_id(path: &Path, session: &SessionFolder) -> Result<u64, CommandError> {
    let known = session.timeline.corrections.iter().map(|line| line.id).max().unwrap_or(0);
    let stored = read_lines(path)?;
    let stored = stored.iter().filter_map(|line| match line {
        Line::Correction(correction) => Some(correction.id),
        _ => None,
    });
    Ok(stored.max().unwrap_or(0).max(known) + 1)
}

/// The lines of the file of corrections; none where there is no such file.
fn read_lines(path: &Path) -> Result<Vec<Line>, CommandError> {
    match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(CommandError::io(path, &error)),
        Ok(file) => match session::read_lines(BufReader::new(file)) {
            Ok(read) => Ok(read.lines),
            Err(session::ReadError::Empty) => Ok(Vec::new()),
            Err(error) => Err(CommandError::Failed(format!("{}: {error}", path.display()))),
        },
    }
}

/// Adds lines to the file of corrections, or begins it.
fn append(path: &Path, corrections: &[CorrectionLine]) -> Result<(), CommandError> {
    let mut lines = read_lines(path)?;
    if lines.is_empty() {
        lines.push(Line::Session(SessionHeader {
            schema: SCHEMA_VERSION,
            generator: concat!("gst-mood ", env!("CARGO_PKG_VERSION")).into(),
            ..SessionHeader::default()
        }));
    }
    lines.extend(corrections.iter().cloned().map(Line::Correction));
    write_atomically(path, |file| lines.iter().try_for_each(|line| writeln!(file, "{}", line.to_json())))
}

/// What has become of a person's record; `None` where it is not corrected.
fn describe(person: &PersonSummary) -> Option<String> {
    let machine = person.machine.as_ref()?;
    let changes = person.changes();
    let seconds = changes.iter().map(|change| change.end - change.start).sum::<u64>() as f64 / 1e9;
    let agreement = match machine.agreement {
        Some(RecordAgreement { percent_agreement, kappa, .. }) => {
            let kappa = kappa.map(|kappa| format!(", kappa {kappa:.2}")).unwrap_or_default();
            format!("; gst-mood agrees for {percent_agreement:.1} % of the time that both label{kappa}")
        }
        None => String::new(),
    };
    Some(format!(
        "{}: corrected in {} places, {seconds:.1} s of {:.1} s{agreement}",
        person.name,
        changes.len(),
        person.classified as f64 / 1e9
    ))
}
