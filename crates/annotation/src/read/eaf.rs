//! ELAN annotation format (<http://www.mpi.nl/tools/elan/EAFv3.0.xsd>).

use std::collections::HashMap;

use roxmltree::{Document, Node};

use super::{FileError, Parsed};
use crate::Annotation;

/// Reads the tiers. Annotations that refer to others get the time of those.
pub(super) fn parse(text: &str) -> Result<Parsed, FileError> {
    let broken = |error: roxmltree::Error| FileError::Content(format!("it is no ELAN file: {error}"));
    let document = Document::parse(text).map_err(broken)?;
    let root = document.root_element();
    if !root.has_tag_name("ANNOTATION_DOCUMENT") {
        let name = root.tag_name().name();
        return Err(FileError::Content(format!("it is XML of <{name}>, not an ELAN file")));
    }
    let times: HashMap<&str, u64> = root
        .descendants()
        .filter(|node| node.has_tag_name("TIME_SLOT"))
        .filter_map(|slot| {
            Some((slot.attribute("TIME_SLOT_ID")?, slot.attribute("TIME_VALUE")?.trim().parse().ok()?))
        })
        .collect();
    // Milliseconds to nanoseconds.
    let time = |annotation: Node, attribute| {
        times.get(annotation.attribute(attribute)?).and_then(|ms| ms.checked_mul(1_000_000))
    };
    let mut parsed = Parsed::new();
    let author = root.attribute("AUTHOR").map(str::trim).filter(|author| !author.is_empty());
    parsed.author = author.map(str::to_owned);
    let mut untimed = 0;
    let mut spans: HashMap<&str, (u64, u64)> = HashMap::new();
    let mut references: Vec<(&str, &str, &str, String)> = Vec::new();
    for tier in root.children().filter(|node| node.has_tag_name("TIER")) {
        let name = tier.attribute("TIER_ID").unwrap_or_default();
        for annotation in tier.descendants() {
            let id = annotation.attribute("ANNOTATION_ID").unwrap_or_default();
            if annotation.has_tag_name("ALIGNABLE_ANNOTATION") {
                match (time(annotation, "TIME_SLOT_REF1"), time(annotation, "TIME_SLOT_REF2")) {
                    (Some(start), Some(end)) => {
                        spans.insert(id, (start, end));
                        parsed.add(name, Annotation { start, end, label: value(annotation) });
                    }
                    _ => untimed += 1,
                }
            } else if annotation.has_tag_name("REF_ANNOTATION") {
                let parent = annotation.attribute("ANNOTATION_REF").unwrap_or_default();
                references.push((name, id, parent, value(annotation)));
            }
        }
    }
    // A parent may itself refer to another annotation, and stand in a tier further down.
    while !references.is_empty() {
        let before = references.len();
        references.retain(|(name, id, parent, label)| match spans.get(parent).copied() {
            Some((start, end)) => {
                spans.insert(id, (start, end));
                parsed.add(name, Annotation { start, end, label: label.clone() });
                false
            }
            None => true,
        });
        if references.len() == before {
            break;
        }
    }
    parsed.warn_of(untimed + references.len(), "annotations have no time of their own and are left out");
    Ok(parsed)
}

/// The text of an annotation.
fn value(annotation: Node) -> String {
    let value = annotation.children().find(|node| node.has_tag_name("ANNOTATION_VALUE"));
    value.and_then(|value| value.text()).unwrap_or_default().trim().to_owned()
}
