//! ELAN's annotation format 3.0 (<https://www.mpi.nl/tools/elan/EAF_Annotation_Format_3.0_and_ELAN.pdf>): the video linked,
//! a tier a person, labels from a controlled vocabulary.

use std::collections::BTreeSet;
use std::io::{self, Write};

use mood_schema::{Emotion, Label};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::{Kind, Recording, Tier};

const VOCABULARY: &str = "expressions";
/// ELAN's word for text in no particular language.
const LANGUAGE: &str = "und";

pub(super) fn write(tiers: &[Tier], recording: &Recording, to: &mut dyn Write) -> io::Result<()> {
    let mut xml = Writer::new_with_indent(to, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let document = xml.create_element("ANNOTATION_DOCUMENT").with_attributes([
        ("AUTHOR", "gst-mood"),
        ("DATE", recording.date.as_str()),
        ("FORMAT", "3.0"),
        ("VERSION", "3.0"),
        ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
        ("xsi:noNamespaceSchemaLocation", "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"),
    ]);
    document.write_inner_content(|xml| {
        header(xml, tiers, recording)?;
        let slots = time_order(xml, tiers)?;
        let mut number = 0;
        for tier in tiers {
            annotations(xml, tier, &slots, &mut number)?;
        }
        types(xml)?;
        vocabulary(xml)
    })?;
    xml.into_inner().write_all(b"\n")
}

fn header<W: Write>(xml: &mut Writer<W>, tiers: &[Tier], recording: &Recording) -> io::Result<()> {
    let header =
        xml.create_element("HEADER").with_attributes([("MEDIA_FILE", ""), ("TIME_UNITS", "milliseconds")]);
    header.write_inner_content(|xml| {
        if let Some((uri, name)) = recording.media.as_deref().zip(recording.file_name()) {
            let relative = format!("./{name}");
            let media = [("MEDIA_URL", uri), ("MIME_TYPE", mime(name)), ("RELATIVE_MEDIA_URL", &relative)];
            xml.create_element("MEDIA_DESCRIPTOR").with_attributes(media).write_empty()?;
        }
        let count: usize = tiers.iter().map(|tier| tier.spans.len()).sum();
        let property = xml.create_element("PROPERTY").with_attribute(("NAME", "lastUsedAnnotationId"));
        property.write_text_content(BytesText::new(&count.to_string()))?;
        Ok(())
    })?;
    Ok(())
}

/// ELAN's names for what it plays.
fn mime(name: &str) -> &'static str {
    let extension = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    match extension.as_str() {
        "mp4" | "m4v" => "video/mp4",
        "mov" => "video/quicktime",
        "mpg" | "mpeg" => "video/mpeg",
        "avi" => "video/x-msvideo",
        "mkv" => "video/x-matroska",
        "webm" => "video/webm",
        _ => "video/*",
    }
}

/// The milliseconds that anything begins or ends at; a slot's number is its place, from 1.
fn time_order<W: Write>(xml: &mut Writer<W>, tiers: &[Tier]) -> io::Result<Vec<u64>> {
    let spans = tiers.iter().flat_map(|tier| &tier.spans);
    let times: BTreeSet<u64> = spans.flat_map(|span| [span.start, span.end]).collect();
    let times: Vec<u64> = times.into_iter().collect();
    xml.create_element("TIME_ORDER").write_inner_content(|xml| {
        for (index, time) in times.iter().enumerate() {
            let (id, value) = (slot(index), time.to_string());
            let attributes = [("TIME_SLOT_ID", id.as_str()), ("TIME_VALUE", &value)];
            xml.create_element("TIME_SLOT").with_attributes(attributes).write_empty()?;
        }
        Ok(())
    })?;
    Ok(times)
}

fn slot(index: usize) -> String {
    format!("ts{}", index + 1)
}

fn annotations<W: Write>(
    xml: &mut Writer<W>,
    tier: &Tier,
    slots: &[u64],
    number: &mut u64,
) -> io::Result<()> {
    let kind = type_of(tier.kind);
    let attributes =
        [("LINGUISTIC_TYPE_REF", kind), ("PARTICIPANT", tier.name.as_str()), ("TIER_ID", &tier.name)];
    let element = xml.create_element("TIER");
    // Only people take part.
    let from =
        if tier.kind == Kind::Person { attributes.to_vec() } else { vec![attributes[0], attributes[2]] };
    element.with_attributes(from).write_inner_content(|xml| {
        for span in &tier.spans {
            *number += 1;
            let id = format!("a{number}");
            // Every time has its slot: they were made of the same spans.
            let at = |time| slot(slots.partition_point(|&slot| slot < time));
            let (start, end) = (at(span.start), at(span.end));
            let entry = entry_of(&span.text);
            let mut attributes = vec![("ANNOTATION_ID", id.as_str())];
            if tier.kind == Kind::Person {
                attributes.push(("CVE_REF", &entry));
            }
            attributes.extend([("TIME_SLOT_REF1", start.as_str()), ("TIME_SLOT_REF2", &end)]);
            xml.create_element("ANNOTATION").write_inner_content(|xml| {
                let annotation = xml.create_element("ALIGNABLE_ANNOTATION").with_attributes(attributes);
                annotation.write_inner_content(|xml| {
                    let value = xml.create_element("ANNOTATION_VALUE");
                    value.write_text_content(BytesText::new(&span.text))?;
                    Ok(())
                })?;
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok(())
}

fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Person => "expression",
        Kind::Mood => "mood",
        Kind::Music => "music",
    }
}

fn types<W: Write>(xml: &mut Writer<W>) -> io::Result<()> {
    for kind in [Kind::Person, Kind::Mood, Kind::Music] {
        let mut attributes = vec![
            ("GRAPHIC_REFERENCES", "false"),
            ("LINGUISTIC_TYPE_ID", type_of(kind)),
            ("TIME_ALIGNABLE", "true"),
        ];
        if kind == Kind::Person {
            attributes.insert(0, ("CONTROLLED_VOCABULARY_REF", VOCABULARY));
        }
        xml.create_element("LINGUISTIC_TYPE").with_attributes(attributes).write_empty()?;
    }
    let language = [
        ("LANG_DEF", "http://cdb.iso.org/lg/CDB-00130975-001"),
        ("LANG_ID", LANGUAGE),
        ("LANG_LABEL", "undetermined (und)"),
    ];
    xml.create_element("LANGUAGE").with_attributes(language).write_empty()?;
    Ok(())
}

fn entry_of(label: &str) -> String {
    format!("cve_{label}")
}

fn vocabulary<W: Write>(xml: &mut Writer<W>) -> io::Result<()> {
    let labels = Emotion::ALL.map(Label::Known).into_iter().chain([Label::Uncertain]);
    let vocabulary = xml.create_element("CONTROLLED_VOCABULARY").with_attribute(("CV_ID", VOCABULARY));
    vocabulary.write_inner_content(|xml| {
        let description = xml.create_element("DESCRIPTION").with_attribute(("LANG_REF", LANGUAGE));
        description
            .write_text_content(BytesText::new("Estimates from facial expression, not felt emotion"))?;
        for label in labels {
            let id = entry_of(label.as_str());
            let entry = xml.create_element("CV_ENTRY_ML").with_attribute(("CVE_ID", id.as_str()));
            entry.write_inner_content(|xml| {
                let value = [("DESCRIPTION", ""), ("LANG_REF", LANGUAGE)];
                let value = xml.create_element("CVE_VALUE").with_attributes(value);
                value.write_text_content(BytesText::new(label.as_str()))?;
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok(())
}
