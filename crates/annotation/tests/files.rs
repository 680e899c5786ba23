//! The files of annotation programs, as they write them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use annotation::{Annotation, Format, Tier, read};

const MS: u64 = 1_000_000;

fn spans(tier: &Tier) -> Vec<(u64, u64, &str)> {
    let in_ms = |annotation: &Annotation| (annotation.start / MS, annotation.end / MS);
    tier.annotations().iter().map(|found| (in_ms(found).0, in_ms(found).1, found.label.as_str())).collect()
}

#[test]
fn elan_with_dependent_tiers_and_missing_times() {
    let text = r#"<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT FORMAT="3.0" VERSION="3.0">
<TIME_ORDER><TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="0"/><TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="1200"/>
<TIME_SLOT TIME_SLOT_ID="ts3"/><TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="3000"/></TIME_ORDER>
<TIER TIER_ID="remark" PARENT_REF="Anna"><ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a3" ANNOTATION_REF="a1">
<ANNOTATION_VALUE>grinst &amp; nickt</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION></TIER>
<TIER TIER_ID="Anna"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
<ANNOTATION_VALUE>happy</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="ts4">
<ANNOTATION_VALUE>sad</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
<TIER TIER_ID="empty"/></ANNOTATION_DOCUMENT>"#;
    let file = read(text.as_bytes()).unwrap();
    assert_eq!(file.format, Format::Eaf);
    assert_eq!(file.tiers.iter().map(|tier| tier.name.as_str()).collect::<Vec<_>>(), ["Anna", "remark"]);
    assert_eq!(spans(&file.tiers[0]), [(0, 1200, "happy")]);
    assert_eq!(spans(&file.tiers[1]), [(0, 1200, "grinst & nickt")]);
    assert_eq!(file.warnings, ["1 annotations have no time of their own and are left out"]);
}

#[test]
fn praat_long_and_short_in_both_encodings() {
    let long = "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\nxmin = 0\nxmax = 2.5\ntiers? <exists>\nsize = 2\nitem []:\n\
        item [1]:\n class = \"IntervalTier\"\n name = \"J\u{fc}rgen \"\"J\"\"\"\n xmin = 0\n xmax = 2.5\n intervals: size = 2\n\
        intervals [1]:\n xmin = 0\n xmax = 1.25\n text = \"happy\"\nintervals [2]:\n xmin = 1.25\n xmax = 2.5\n text = \"\"\n\
        item [2]:\n class = \"TextTier\"\n name = \"claps\"\n xmin = 0\n xmax = 2.5\n points: size = 1\npoints [1]:\n number = 1\n mark = \"x\"\n";
    let short = "File type = \"ooTextFile\"\n\"TextGrid\"\n\n0\n2.5\n<exists>\n2\n\"IntervalTier\"\n\"J\u{fc}rgen \"\"J\"\"\"\n0\n2.5\n2\n\
        0\n1.25\n\"happy\"\n1.25\n2.5\n\"\"\n\"TextTier\"\n\"claps\"\n0\n2.5\n1\n1\n\"x\"\n";
    for text in [long, short] {
        let mut utf16 = vec![0xfe, 0xff];
        utf16.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
        for bytes in [text.as_bytes(), &utf16] {
            let file = read(bytes).unwrap();
            assert_eq!(file.format, Format::TextGrid);
            assert_eq!((file.tiers.len(), file.tiers[0].name.as_str()), (1, "J\u{fc}rgen \"J\""));
            assert_eq!(spans(&file.tiers[0]), [(0, 1250, "happy")]);
            assert_eq!(file.warnings, ["1 points have no duration and are left out"]);
        }
    }
    assert!(read(&short.as_bytes()[..short.len() / 2]).is_err());
}

#[test]
fn boris_projects_pair_starts_and_stops() {
    let text = r#"{"behaviors_conf": {"0": {"type": "State event", "code": "happy"}, "1": {"type": "Point event", "code": "claps"}},
        "observations": {"s1": {"events": [[0.5, "Anna", "happy", "", "", "NA"], [1.0, "", "sad", "", ""],
        [1.5, "Anna", "claps", "", ""], ["2.5", "Anna", "happy", "", "", 75], [3.0, "", "sad", "", ""], [4, "Anna", "happy", "", ""]]}}}"#;
    let file = read(text.as_bytes()).unwrap();
    assert_eq!(file.format, Format::Boris);
    assert_eq!(spans(&file.tiers[0]), [(500, 2500, "happy")]);
    assert_eq!(
        (file.tiers[1].name.as_str(), spans(&file.tiers[1])),
        ("No focal subject", vec![(1000, 3000, "sad")])
    );
    assert_eq!(
        file.warnings,
        ["1 point events have no duration and are left out", "1 state events never stop and are left out"]
    );
    let several = r#"{"observations": {"s1": {}, "s2": {}}}"#;
    let error = read(several.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("s1, s2"), "{error}");
}

#[test]
fn audacity_labels_name_their_tier() {
    let text = "0.000000\t1.500000\tPerson 1: happy\n\\\t100.0\t200.0\n1,5\t2,0\tnote\n2\t2\tpoint\nbroken\n";
    let file = read(text.as_bytes()).unwrap();
    assert_eq!(file.format, Format::Audacity);
    assert_eq!((file.tiers[0].name.as_str(), spans(&file.tiers[0])), ("Person 1", vec![(0, 1500, "happy")]));
    assert_eq!((file.tiers[1].name.as_str(), spans(&file.tiers[1])), ("labels", vec![(1500, 2000, "note")]));
    assert_eq!(file.warnings.len(), 2);
}

#[test]
fn tables_of_several_programs() {
    let boris_events = "Observation id;s1\nMedia file;a.mp4\n\nTime;Subject;Behavior;Status\n0,5;Anna;happy;START\n1;Anna;claps;POINT\n2,5;Anna;happy;STOP\n";
    let boris_aggregated =
        "Observation id,Subject,Behavior,Behavior type,Start (s),Stop (s)\ns1,Anna,happy,STATE,0.5,2.5\n";
    let elan = "Tier\tBegin Time - ss.msec\tEnd Time - ss.msec\tAnnotation\nAnna\t0.5\t2.5\thappy\n";
    let own = "\u{feff}start,end,label,tier\r\n00:00:00.500,00:00:02.500,happy,Anna\r\n";
    let durations = "onset\tduration\tlabel\tperson\n0.5\t2.0\thappy\tAnna\n";
    for text in [boris_events, boris_aggregated, elan, own, durations] {
        let file = read(text.as_bytes()).unwrap();
        assert_eq!(file.format, Format::Table, "{text}");
        assert_eq!(
            (file.tiers[0].name.as_str(), spans(&file.tiers[0])),
            ("Anna", vec![(500, 2500, "happy")]),
            "{text}"
        );
    }
    let file = read(b"start,end,label\n0,1,happy\nx,2,sad\n3,2,sad\n").unwrap();
    assert_eq!(file.warnings, ["2 rows have no valid times and are left out, the first in line 3"]);
}

#[test]
fn what_is_no_annotation_file_is_an_error_with_a_remedy() {
    for (content, part) in [
        (&b""[..], "columns start, end and label"),
        (b"hello\nworld\n", "columns start, end and label"),
        (b"start,end,label\n", "no annotations"),
        (b"<html></html>", "not an ELAN file"),
        (b"<ANNOTATION_DOCUMENT>", "no ELAN file"),
        (b"{\"a\": 1}", "no BORIS project"),
        (b"\x1f\x8b\x08", "gunzip"),
        (b"\x00\xff\xfe\x01", "columns"),
    ] {
        let error = read(content).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}
