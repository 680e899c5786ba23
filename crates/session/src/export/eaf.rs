//! ELAN annotation format 3.0 (<https://www.mpi.nl/tools/elan/EAF_Annotation_Format_3.0_and_ELAN.pdf>, schema
//! <http://www.mpi.nl/tools/elan/EAFv3.0.xsd>): the video is linked, each person has a tier, and the labels come from a
//! controlled vocabulary.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use mood_schema::{Emotion, Label};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::{Recording, Tier, TierKind};

/// Id of the controlled vocabulary of labels.
const VOCABULARY: &str = "expressions";
/// Language id of text in no particular language, as ELAN itself writes it (ISO 639-3 `und`).
const LANGUAGE: &str = "und";

/// Writes the document, its elements in the order that the schema requires.
pub(super) fn write(tiers: &[Tier], recording: &Recording, writer: &mut dyn Write) -> io::Result<()> {
    let mut xml = Writer::new_with_indent(writer, b' ', 2);
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
        write_header(xml, tiers, recording)?;
        let slots = write_time_order(xml, tiers)?;
        let mut annotation_count = 0;
        for tier in tiers {
            write_tier(xml, tier, &slots, &mut annotation_count)?;
        }
        write_types(xml, tiers)?;
        write_vocabulary(xml)
    })?;
    xml.into_inner().write_all(b"\n")
}

/// Writes the header with the link to the video, absolute and relative to the document.
fn write_header<W: Write>(xml: &mut Writer<W>, tiers: &[Tier], recording: &Recording) -> io::Result<()> {
    let header =
        xml.create_element("HEADER").with_attributes([("MEDIA_FILE", ""), ("TIME_UNITS", "milliseconds")]);
    header.write_inner_content(|xml| {
        if let Some(Media { url, relative }) = Media::from_recording(recording) {
            let mut media = vec![("MEDIA_URL", url.as_str()), ("MIME_TYPE", mime_type(&url))];
            media.extend(relative.as_deref().map(|relative| ("RELATIVE_MEDIA_URL", relative)));
            xml.create_element("MEDIA_DESCRIPTOR").with_attributes(media).write_empty()?;
        }
        let count: usize = tiers.iter().map(|tier| tier.annotations.len()).sum();
        let property = xml.create_element("PROPERTY").with_attribute(("NAME", "lastUsedAnnotationId"));
        property.write_text_content(BytesText::new(&count.to_string()))?;
        Ok(())
    })?;
    Ok(())
}

/// Where the video is, as ELAN writes it: the path as it is, without percent encoding, since ELAN takes `%20` for part of a name.
struct Media {
    url: String,
    /// From the folder of the document, beginning with `./` or `../`; `None` for an address that is no file.
    relative: Option<String>,
}

impl Media {
    /// The video of a recording; `None` where there is none.
    fn from_recording(recording: &Recording) -> Option<Self> {
        let Some(uri) = &recording.media else {
            // Where the folder is may be nobody's business.
            let film = relative_path(recording.folder.as_deref(), recording.film.as_deref()?);
            return Some(Self { url: film.clone(), relative: Some(film) });
        };
        let Some(encoded) = uri.strip_prefix("file://") else {
            return Some(Self { url: uri.clone(), relative: None });
        };
        // A name that is not UTF-8 cannot stand in XML otherwise than encoded.
        let decoded = percent_encoding::percent_decode_str(encoded).decode_utf8();
        let path = decoded.map_or_else(|_| encoded.to_owned(), |path| path.into_owned());
        let relative = relative_path(recording.folder.as_deref(), Path::new(&path));
        Some(Self { url: format!("file://{path}"), relative: Some(relative) })
    }
}

/// The way from an absolute folder to a file, beginning with `./` or `../`; where the folder is unknown, as if it were the file's.
fn relative_path(folder: Option<&Path>, file: &Path) -> String {
    let beside = || format!("./{}", file.file_name().unwrap_or_default().to_string_lossy());
    let Some(folder) = folder.filter(|folder| folder.is_absolute() && file.is_absolute()) else {
        return beside();
    };
    let common = folder.components().zip(file.components()).take_while(|(one, two)| one == two).count();
    let up = folder.components().count() - common;
    let start = if up == 0 { "./".to_owned() } else { "../".repeat(up) };
    let rest: PathBuf = file.components().skip(common).collect();
    format!("{start}{}", rest.to_string_lossy())
}

/// MIME type of a media file by its extension, as ELAN names them.
fn mime_type(name: &str) -> &'static str {
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

/// Writes a time slot for every time (ms) at which an annotation starts or ends, and returns these times. The slots are
/// numbered by position, from 1.
fn write_time_order<W: Write>(xml: &mut Writer<W>, tiers: &[Tier]) -> io::Result<Vec<u64>> {
    let annotations = tiers.iter().flat_map(|tier| &tier.annotations);
    let times: BTreeSet<u64> =
        annotations.flat_map(|annotation| [annotation.start, annotation.end]).collect();
    let times: Vec<u64> = times.into_iter().collect();
    xml.create_element("TIME_ORDER").write_inner_content(|xml| {
        for (index, time) in times.iter().enumerate() {
            let (id, value) = (slot_id(index), time.to_string());
            let attributes = [("TIME_SLOT_ID", id.as_str()), ("TIME_VALUE", &value)];
            xml.create_element("TIME_SLOT").with_attributes(attributes).write_empty()?;
        }
        Ok(())
    })?;
    Ok(times)
}

/// Id of the time slot at an index.
fn slot_id(index: usize) -> String {
    format!("ts{}", index + 1)
}

/// Writes a tier. `annotation_count` numbers the annotations through the document.
fn write_tier<W: Write>(
    xml: &mut Writer<W>,
    tier: &Tier,
    slots: &[u64],
    annotation_count: &mut u64,
) -> io::Result<()> {
    let kind = type_id(tier.kind);
    let attributes =
        [("LINGUISTIC_TYPE_REF", kind), ("PARTICIPANT", tier.name.as_str()), ("TIER_ID", &tier.name)];
    let element = xml.create_element("TIER");
    // Only people are participants.
    let attributes =
        if tier.kind == TierKind::Person { attributes.to_vec() } else { vec![attributes[0], attributes[2]] };
    element.with_attributes(attributes).write_inner_content(|xml| {
        for annotation in &tier.annotations {
            *annotation_count += 1;
            let id = format!("a{annotation_count}");
            // Every time has a slot: the slots were made from the same annotations.
            let slot_at = |time| slot_id(slots.partition_point(|&slot| slot < time));
            let (start, end) = (slot_at(annotation.start), slot_at(annotation.end));
            let entry = entry_id(&annotation.text);
            let mut attributes = vec![("ANNOTATION_ID", id.as_str())];
            if has_vocabulary(tier.kind) {
                attributes.push(("CVE_REF", &entry));
            }
            attributes.extend([("TIME_SLOT_REF1", start.as_str()), ("TIME_SLOT_REF2", &end)]);
            xml.create_element("ANNOTATION").write_inner_content(|xml| {
                let alignable = xml.create_element("ALIGNABLE_ANNOTATION").with_attributes(attributes);
                alignable.write_inner_content(|xml| {
                    let value = xml.create_element("ANNOTATION_VALUE");
                    value.write_text_content(BytesText::new(&annotation.text))?;
                    Ok(())
                })?;
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Id of the linguistic type of a kind of tier.
fn type_id(kind: TierKind) -> &'static str {
    match kind {
        TierKind::Person => "expression",
        TierKind::Mood => "mood",
        TierKind::Music => "music",
        TierKind::Marker => "marker",
        TierKind::Machine => "machine",
        TierKind::Corrector => "correction",
        TierKind::SharedSmile => "shared smile",
    }
}

/// Whether the annotations of a kind of tier are labels.
fn has_vocabulary(kind: TierKind) -> bool {
    matches!(kind, TierKind::Person | TierKind::Machine)
}

/// Writes the linguistic types of the tiers and the language of the vocabulary.
fn write_types<W: Write>(xml: &mut Writer<W>, tiers: &[Tier]) -> io::Result<()> {
    // Of the kinds that few sessions have, those that this one has.
    let others = [TierKind::Marker, TierKind::Machine, TierKind::Corrector, TierKind::SharedSmile];
    let others = others.into_iter().filter(|kind| tiers.iter().any(|tier| tier.kind == *kind));
    for kind in [TierKind::Person, TierKind::Mood, TierKind::Music].into_iter().chain(others) {
        let mut attributes = vec![
            ("GRAPHIC_REFERENCES", "false"),
            ("LINGUISTIC_TYPE_ID", type_id(kind)),
            ("TIME_ALIGNABLE", "true"),
        ];
        if has_vocabulary(kind) {
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

/// Id of a label's entry in the controlled vocabulary.
fn entry_id(label: &str) -> String {
    format!("cve_{label}")
}

/// Writes the controlled vocabulary of labels.
fn write_vocabulary<W: Write>(xml: &mut Writer<W>) -> io::Result<()> {
    let labels = Emotion::ALL.map(Label::Known).into_iter().chain([Label::Uncertain]);
    let vocabulary = xml.create_element("CONTROLLED_VOCABULARY").with_attribute(("CV_ID", VOCABULARY));
    vocabulary.write_inner_content(|xml| {
        let description = xml.create_element("DESCRIPTION").with_attribute(("LANG_REF", LANGUAGE));
        description
            .write_text_content(BytesText::new("Estimates from facial expression, not felt emotion"))?;
        for label in labels {
            let id = entry_id(label.as_str());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn videos_are_linked_as_elan_writes_them() {
        let media = |media: Option<&str>, folder: Option<&str>| {
            let recording = Recording {
                media: media.map(Into::into),
                film: Some("/results/a/annotated.mp4".into()),
                folder: folder.map(Into::into),
                ..Recording::default()
            };
            Media::from_recording(&recording).map(|media| (media.url, media.relative.unwrap_or_default()))
        };
        let expect = |url: &str, relative: &str| Some((url.to_owned(), relative.to_owned()));
        let encoded = Some("file:///archive/M%C3%A4rz%202026/A%20%26%20B%23.mp4");
        let raw = "file:///archive/März 2026/A & B#.mp4";
        assert_eq!(media(encoded, Some("/archive/März 2026")), expect(raw, "./A & B#.mp4"));
        assert_eq!(media(encoded, Some("/archive")), expect(raw, "./März 2026/A & B#.mp4"));
        assert_eq!(media(encoded, Some("/archive/results/a")), expect(raw, "../../März 2026/A & B#.mp4"));
        assert_eq!(media(encoded, None), expect(raw, "./A & B#.mp4"));
        assert_eq!(media(Some("file:///a%FF.mp4"), None), expect("file:///a%FF.mp4", "./a%FF.mp4"));
        assert_eq!(media(Some("rtsp://camera/live"), None), expect("rtsp://camera/live", ""));
        assert_eq!(media(None, Some("/results/a")), expect("./annotated.mp4", "./annotated.mp4"));
    }
}
