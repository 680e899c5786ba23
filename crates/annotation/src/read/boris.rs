//! BORIS project (Friard and Gamba 2016, doi:10.1111/2041-210X.12584): an observation's state events, each of which starts and
//! stops alternately.

use std::collections::HashMap;

use serde_json::Value;

use super::time::seconds_to_ns;
use super::{FileError, Parsed};
use crate::Annotation;

/// Reads the project's only observation. A project with several is an error that names them.
pub(super) fn parse(text: &str) -> Result<Parsed, FileError> {
    let project: Value = serde_json::from_str(text)
        .map_err(|error| FileError::Content(format!("it is no BORIS project: {error}")))?;
    let observations = project["observations"].as_object().ok_or_else(|| {
        FileError::Content("it is JSON, but no BORIS project: it has no observations".into())
    })?;
    let observation = match observations.iter().collect::<Vec<_>>()[..] {
        [] => return Err(FileError::Content("the project has no observations".into())),
        [(_, observation)] => observation,
        _ => {
            let names: Vec<&str> = observations.keys().map(String::as_str).collect();
            let names = names.join(", ");
            return Err(FileError::Content(format!(
                "the project has several observations ({names}): export the events of one as a table, or save it alone"
            )));
        }
    };
    let behaviors = project["behaviors_conf"].as_object();
    let point_codes: Vec<&str> = behaviors
        .into_iter()
        .flat_map(|behaviors| behaviors.values())
        .filter(|behavior| behavior["type"].as_str().is_some_and(|kind| kind.starts_with("Point")))
        .filter_map(|behavior| behavior["code"].as_str())
        .collect();
    let mut parsed = Parsed::new();
    let mut open: HashMap<(&str, &str, &str), u64> = HashMap::new();
    let (mut points, mut broken) = (0, 0);
    let mut events: Vec<(u64, &Value)> = Vec::new();
    for event in observation["events"].as_array().into_iter().flatten() {
        // Some versions write numbers, others texts.
        let time = event[0].as_f64().or_else(|| event[0].as_str()?.parse().ok()).and_then(seconds_to_ns);
        match time {
            Some(time) => events.push((time, event)),
            None => broken += 1,
        }
    }
    // BORIS keeps them sorted; a file edited by hand may not be.
    events.sort_by_key(|(time, _)| *time);
    for (time, event) in events {
        let text = |index: usize| event[index].as_str().unwrap_or_default();
        let (subject, code, modifiers) = (text(1), text(2), text(3));
        if point_codes.contains(&code) {
            points += 1;
            continue;
        }
        match open.remove(&(subject, code, modifiers)) {
            Some(start) => {
                let tier = if subject.is_empty() { "No focal subject" } else { subject };
                parsed.add(tier, Annotation { start, end: time, label: code.to_owned() });
            }
            None => {
                open.insert((subject, code, modifiers), time);
            }
        }
    }
    parsed.warn_of(points, "point events have no duration and are left out");
    parsed.warn_of(broken, "events have no time and are left out");
    parsed.warn_of(open.len(), "state events never stop and are left out");
    Ok(parsed)
}
