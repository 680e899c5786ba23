//! Broken and hostile cascades, and images of every size: an error or an empty result, never a panic.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use haar::{Cascade, CascadeError, Detector, GrayImage, Params, ParamsError};

const TREES: &str = include_str!("expected/made_up_trees.xml");

/// The example cascade with the first occurrence of `from` replaced.
fn parse_with(from: &str, to: &str) -> Result<Cascade, CascadeError> {
    assert!(TREES.contains(from), "{from}");
    Cascade::parse(&TREES.replacen(from, to, 1))
}

#[test]
fn the_example_cascade_is_valid() {
    let cascade = Cascade::parse(TREES).unwrap();
    assert_eq!(cascade.window(), (18, 15));
    assert_eq!(cascade.stages(), 4);
    assert!(cascade.has_tilted_features());
}

#[test]
fn other_kinds_of_cascade_are_named_in_the_error() {
    for kind in ["LBP", "HOG"] {
        let error = parse_with("HAAR", kind).unwrap_err();
        assert!(matches!(error, CascadeError::UnsupportedFeatures(_)) && error.to_string().contains(kind));
    }
    let old =
        r#"<opencv_storage><c type_id="opencv-haar-classifier"><size>20 20</size></c></opencv_storage>"#;
    assert!(matches!(Cascade::parse(old), Err(CascadeError::OldFormat)));
    let old = "<opencv_storage><c><size>20 20</size><stages/></c></opencv_storage>";
    assert!(matches!(Cascade::parse(old), Err(CascadeError::OldFormat)));
    assert!(parse_with("<maxCatCount>0", "<maxCatCount>256").is_err());
    assert!(parse_with("BOOST", "SVM").is_err());
}

#[test]
fn broken_files_are_errors() {
    for text in ["", "not xml", "<a/>", "<opencv_storage/>", "<opencv_storage><cascade/></opencv_storage>"] {
        assert!(Cascade::parse(text).is_err(), "{text}");
    }
    for (from, to) in [
        ("<width>18", "<width>2"),
        ("<width>18", "<width>-18"),
        ("<width>18", "<width>100000"),
        ("<width>18", "<width>99999999999999999999"),
        ("<width>18", "<width>eighteen"),
        ("<height>15", "<height>3"),
        ("<internalNodes>", "<internalNodes>7 "),
        ("<internalNodes>", "<internalNodes>0 -1 99999 0.5 "),
        ("<leafValues>", "<leafValues>nan "),
        ("<leafValues>", "<leafValues>1e300 "),
        ("<leafValues>", "<leafValues>0.5 "),
        ("<stageThreshold>", "<stageThreshold>x"),
        ("<rects>", "<rects><_>1 1 2 2</_>"),
        ("<rects>", "<rects><_>1 1 2 2 1</_><_>1 1 2 2 1</_>"),
        ("<rects>", "<rects><_>-1 1 2 2 1</_>"),
        ("<rects>", "<rects><_>2147483647 1 2147483647 2 1</_>"),
    ] {
        assert!(parse_with(from, to).is_err(), "{from} -> {to}");
    }
    let parse_tree = |nodes: &str, leaves: &str| {
        Cascade::parse(&format!(
            "<opencv_storage><cascade><stageType>BOOST</stageType><featureType>HAAR</featureType>\
             <height>9</height><width>9</width><stages><_><stageThreshold>0</stageThreshold><weakClassifiers><_>\
             <internalNodes>{nodes}</internalNodes><leafValues>{leaves}</leafValues></_></weakClassifiers></_>\
             </stages><features><_><rects><_>0 0 2 2 1</_></rects></_></features></cascade></opencv_storage>"
        ))
    };
    assert!(parse_tree("0 -1 0 0.5", "0 1").is_ok());
    assert!(parse_tree("0 -1 0 <!-- comment --> 0.5", "0 1").is_ok());
    assert!(parse_tree("0 -1 1 0.5", "0 1").is_err(), "no such feature");
    assert!(parse_tree("0 -1 -1 0.5", "0 1").is_err(), "no such feature");
    assert!(parse_tree("0 -2 0 0.5", "0 1").is_err(), "no such leaf");
    assert!(parse_tree("0 2 0 0.5 -1 -2 0 0.5", "0 1 2").is_err(), "no such node");
    assert!(parse_tree("1 -1 0 0.5 1 -2 0 0.5", "0 1 2").is_err(), "a loop");
    assert!(parse_tree("0 -2147483648 0 0.5", "0 1").is_err(), "no such leaf");
    assert!(parse_tree("", "").is_err(), "no nodes");
}

#[test]
fn a_truncated_file_is_an_error() {
    for end in (0..TREES.len() - "</opencv_storage>\n".len()).step_by(97) {
        assert!(Cascade::parse(&TREES[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn a_file_with_any_word_replaced_is_parsed_or_refused() {
    let words: Vec<_> = TREES.split_inclusive([' ', '>', '\n']).collect();
    for (index, _) in words.iter().enumerate().step_by(7) {
        for other in ["", "-5 ", "40000 ", "<_> ", "1e9 "] {
            let text: String =
                words.iter().enumerate().map(|(i, word)| if i == index { other } else { word }).collect();
            if let Ok(cascade) = Cascade::parse(&text) {
                let pixels: Vec<u8> = (0..40 * 40).map(|i| (i * i / 3 % 251) as u8).collect();
                let image = GrayImage::new(&pixels, 40, 40, 40).unwrap();
                Detector::new(cascade, Params::default()).unwrap().detect(&image);
            }
        }
    }
}

/// The error for a text, which must be short and on one line.
fn parse_error(text: &str) -> String {
    let message = Cascade::parse(text).unwrap_err().to_string();
    assert!(message.len() < 300 && message.lines().count() == 1, "{message}");
    message
}

#[test]
fn errors_name_the_line_and_the_element() {
    let error = |from: &str, to: &str| parse_with(from, to).unwrap_err().to_string();
    let line_of = |text: &str| TREES.lines().position(|line| line.contains(text)).unwrap() + 1;
    for (from, to, element) in [
        ("<internalNodes>", "<internalNodes>7 ", "internalNodes"),
        ("<leafValues>", "<leafValues>nan ", "leafValues"),
        ("<stageThreshold>", "<stageThreshold>x", "stageThreshold"),
        ("<rects><_>", "<rects><_>1 ", "_"),
        ("<width>18", "<width>eighteen", "width"),
    ] {
        let expected = format!("line {}, <{element}>: ", line_of(from));
        assert!(error(from, to).contains(&expected), "{} lacks {expected}", error(from, to));
    }
    assert!(error("<rects><_>", "<rects><_>-9").contains("feature 0 "));
    assert!(error("<leafValues>", "<leafValues>0.5 ").contains("stage 0: "));
    assert!(
        parse_error("<opencv_storage>\n\n<c/></opencv_storage>")
            .contains("line 3, <c>: <stageType> is missing")
    );
}

/// None of these may take much memory or time: if this test runs for minutes, it has failed.
#[test]
fn hostile_files_are_refused() {
    let storage = |inside: String| format!("<opencv_storage>{inside}</opencv_storage>");
    // Deep nesting.
    parse_error(&storage("<_>".repeat(300_000) + &"</_>".repeat(300_000)));
    parse_error(&"<_>".repeat(300_000));
    // Entity expansion, and entities that name files.
    let billion_laughs =
        "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]><opencv_storage>&b;</opencv_storage>";
    assert!(parse_error(billion_laughs).contains("DTD"));
    assert!(parse_error("<!DOCTYPE l SYSTEM \"/etc/passwd\"><opencv_storage/>").contains("DTD"));
    // Attributes and namespaces, which the XML parser compares pairwise.
    let many = |prefix: &str| (0..60_000).map(|i| format!(" {prefix}{i}='u{i}'")).collect::<String>();
    assert!(parse_error(&format!("<opencv_storage{}/>", many("a"))).contains("attributes"));
    assert!(parse_error(&format!("<opencv_storage{}/>", many("xmlns:a"))).contains("attributes"));
    // Numbers of nodes and bytes.
    assert!(parse_error(&storage("<_/>".repeat(2_500_000))).contains("nodes limit"));
    assert!(parse_error(&storage("<!---->".repeat(2_200_000))).contains("nodes limit"));
    assert!(parse_error(&" ".repeat((16 << 20) + 1)).contains("16 MiB"));
    let number = "9".repeat(1_000_000);
    assert!(parse_with("<width>18", &format!("<width>{number}")).is_err());
    assert!(parse_with("<stageThreshold>", &format!("<stageThreshold>{number}")).is_err());
    // Text that would fill a terminal or control it.
    let word = "\u{1b}[2J\n\"".repeat(10_000);
    for field in ["BOOST", "HAAR", "<width>18"] {
        let error = parse_with(field, &format!("{field}{word}")).unwrap_err().to_string();
        assert!(error.len() < 2_000 && !error.contains(char::is_control), "{field}");
    }
    let tag = "a".repeat(1_000_000);
    assert!(parse_error(&format!("<opencv_storage><{tag}/></opencv_storage>")).contains("<aaa"));
    assert!(Cascade::parse(&format!("<{tag}></b>")).unwrap_err().to_string().len() < 2_000);
    // Text that is no number, or a number too large for single precision.
    for number in ["nan", "inf", "-inf", "1e39", "-1e39", "1e999", "0x10", ""] {
        assert!(parse_with("<leafValues>", &format!("<leafValues>0 {number} ")).is_err(), "{number}");
    }
}

#[test]
fn a_cascade_that_every_window_passes_terminates() {
    let cascade = Cascade::parse(
        "<opencv_storage><cascade><stageType>BOOST</stageType><featureType>HAAR</featureType><height>9</height>\
         <width>9</width><stages><_><stageThreshold>-9</stageThreshold><weakClassifiers><_>\
         <internalNodes>0 -1 0 0.5</internalNodes><leafValues>0 1</leafValues></_></weakClassifiers></_></stages>\
         <features><_><rects><_>0 0 2 2 1</_></rects></_></features></cascade></opencv_storage>",
    );
    let pixels: Vec<u8> = (0..320 * 240_u32).map(|i| (i.wrapping_mul(2654435761) >> 24) as u8).collect();
    let mut detector = Detector::new(cascade.unwrap(), Params::default()).unwrap();
    assert!(!detector.detect(&GrayImage::new(&pixels, 320, 240, 320).unwrap()).is_empty());
}

#[test]
fn missing_files_and_folders_are_errors() {
    assert!(matches!(Cascade::load("/no/such/file.xml"), Err(CascadeError::Read { .. })));
    assert!(Cascade::load("/").is_err());
    // Reading it would never end.
    assert!(Cascade::load("/dev/zero").unwrap_err().to_string().contains("not a file"));
}

#[test]
fn scale_factors_out_of_range_are_errors() {
    for scale_factor in [1.0, 0.5, -1.0, f64::NAN, f64::INFINITY] {
        let cascade = Cascade::parse(TREES).unwrap();
        let error = Detector::new(cascade, Params { scale_factor, ..Params::default() }).err();
        assert!(matches!(error, Some(ParamsError::ScaleFactor(_))));
        let mut detector = Detector::new(Cascade::parse(TREES).unwrap(), Params::default()).unwrap();
        assert!(detector.set_params(Params { scale_factor, ..Params::default() }).is_err());
        assert_eq!(detector.params(), &Params::default());
    }
}

#[test]
fn any_size_and_stride_is_supported() {
    let data: Vec<u8> = (0..400 * 90).map(|i: u32| (i.wrapping_mul(2654435761) >> 24) as u8).collect();
    let params = Params { min_neighbors: 0, threads: 2, ..Params::default() };
    let mut detector = Detector::new(Cascade::parse(TREES).unwrap(), params).unwrap();
    for (width, height) in
        [(0, 0), (1, 1), (0, 50), (17, 15), (18, 14), (18, 15), (19, 87), (399, 16), (61, 33), (1, 90)]
    {
        let packed: Vec<u8> =
            data.chunks_exact(400).take(height).flat_map(|row| &row[..width]).copied().collect();
        let detections = detector.detect(&GrayImage::new(&packed, width, height, width).unwrap());
        assert_eq!(detections, detector.detect(&GrayImage::new(&data, width, height, 400).unwrap()));
        assert!(detections.is_empty() || (width >= 18 && height >= 15));
        assert!(
            detections
                .iter()
                .map(|detection| detection.rect)
                .all(|r| r.w > 0 && (r.x + r.w) as usize <= width && (r.y + r.h) as usize <= height)
        );
    }
}
