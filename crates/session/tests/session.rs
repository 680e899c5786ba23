//! Reading a timeline, its statistics against values counted by hand, and the report page.

use mood_schema::{
    Affect, Classification, ClockLine, Emotion, Face, FrameLine, Label, Line, MarkerLine, Mood, MoodLine,
    QualityLimit, Rect, SessionEnd, SessionHeader, SettingsLine, TrackEvent, TrackLine,
};
use session::{PersonMap, ReadError, Summary, Timeline, WarningKind, read_lines, report};

const MS: u64 = 1_000_000;

fn header() -> Line {
    Line::Session(SessionHeader {
        schema: 1,
        generator: "test 1".into(),
        source: None,
        settings: Default::default(),
    })
}

fn face(id: u32, label: Label) -> Face {
    let mut probabilities = [0.0; 7];
    if let Label::Known(emotion) = label {
        probabilities[emotion.index()] = 1.0;
    }
    Face {
        id,
        bbox: Rect { x: 0.4, y: 0.3, w: 0.2, h: 0.3 },
        classification: Some(Classification {
            label,
            confidence: 0.9,
            probabilities,
            raw: None,
            affect: Affect::from_distribution(&probabilities),
        }),
        quality: 0.8,
        roll: 0.0,
        source: Default::default(),
        resembles: None,
        quality_limit: None,
    }
}

fn frame(frame: u64, ms: u64, faces: Vec<Face>) -> Line {
    Line::Frame(FrameLine { frame, pts: ms * MS, faces, shot: 0 })
}

fn track(ms: u64, event: TrackEvent, title: &str) -> Line {
    Line::Track(TrackLine {
        pts: ms * MS,
        event,
        uri: format!("file:///music/{title}.flac"),
        title: title.into(),
        mood: Some(Emotion::Happy.into()),
        distance: None,
        reason: "nearest".into(),
        runners_up: vec![],
    })
}

fn mood(ms: u64, from: Mood, to: Mood) -> Line {
    Line::Mood(MoodLine { pts: ms * MS, from, to, confidence: 0.9, evidence: [0, ms * MS] })
}

fn to_jsonl(lines: &[Line]) -> String {
    lines.iter().map(|line| line.to_json() + "\n").collect()
}

fn parse(text: &str) -> Result<Timeline, ReadError> {
    Timeline::from_reader(text.as_bytes())
}

/// Ten frames of 100 ms: person 1 is happy in four, sad in four, uncertain in one and absent in the last;
/// person 2 is found in two.
fn sample_lines() -> Vec<Line> {
    let (happy, sad) = (Emotion::Happy.into(), Emotion::Sad.into());
    let mut lines = vec![header()];
    for n in 0..10 {
        let faces = match n {
            0..4 => vec![face(1, happy)],
            4..6 => vec![face(1, sad), face(2, happy)],
            6..8 => vec![face(1, sad)],
            8 => vec![face(1, Label::Uncertain)],
            _ => vec![],
        };
        lines.push(frame(n, n * 100, faces));
    }
    lines.push(Line::End(SessionEnd { pts: 1000 * MS, frames: 10 }));
    lines
}

#[test]
fn statistics_match_values_counted_by_hand() {
    let summary = Summary::compute(&parse(&to_jsonl(&sample_lines())).unwrap(), &PersonMap::default());
    assert_eq!((summary.duration, summary.frames, summary.complete), (1000 * MS, 10, true));
    assert!((summary.face_share - 0.9).abs() < 1e-9);
    let [one, two] = &summary.people[..] else { panic!("two people") };
    assert_eq!((one.id, one.found, two.id, two.found), (1, 900 * MS, 2, 200 * MS));
    assert!((one.labels[&Emotion::Happy.into()] - 4.0 / 9.0).abs() < 1e-9);
    assert!((one.labels[&Emotion::Sad.into()] - 4.0 / 9.0).abs() < 1e-9);
    assert!((one.labels[&Label::Uncertain] - 1.0 / 9.0).abs() < 1e-9);
    // (4 * 0.87 + 4 * -0.73 + 0) / 9 and (4 * 0.65 + 4 * 0.01 + 0) / 9.
    assert!((one.mean_affect().valence - 0.56 / 9.0).abs() < 1e-9);
    assert!((one.mean_affect().arousal - 2.64 / 9.0).abs() < 1e-9);
    assert_eq!(two.labels.len(), 1);
}

#[test]
fn frames_are_weighted_by_duration() {
    let (happy, sad) = (Emotion::Happy.into(), Emotion::Sad.into());
    // 400 ms happy in one frame, then 100 ms each: sad, sad, and one more of the usual length.
    let lines = [
        header(),
        frame(0, 0, vec![face(1, happy)]),
        frame(1, 400, vec![face(1, sad)]),
        frame(2, 500, vec![face(1, sad)]),
        frame(3, 600, vec![face(1, sad)]),
    ];
    let summary = Summary::compute(&parse(&to_jsonl(&lines)).unwrap(), &PersonMap::default());
    assert!((summary.people[0].labels[&happy] - 4.0 / 7.0).abs() < 1e-9);
    assert_eq!(summary.duration, 700 * MS);
    assert!(!summary.complete);
}

#[test]
fn time_gaps_are_not_counted() {
    let happy = Emotion::Happy.into();
    let lines = [0, 100, 200, 90_000, 90_100].map(|ms| frame(0, ms, vec![face(1, happy)]));
    let summary = Summary::compute(
        &parse(&to_jsonl(&[&[header()], &lines[..]].concat())).unwrap(),
        &PersonMap::default(),
    );
    assert_eq!(summary.people[0].found, 500 * MS);
}

#[test]
fn decision_log_is_merged_once() {
    let mut timeline = parse(&to_jsonl(&sample_lines())).unwrap();
    let decision_log = [
        header(),
        track(0, TrackEvent::Started, "A"),
        mood(400, Emotion::Happy.into(), Emotion::Sad.into()),
        track(500, TrackEvent::Started, "B"),
        track(700, TrackEvent::Ended, "A"),
        track(800, TrackEvent::Failed, "C"),
    ];
    let lines = read_lines(to_jsonl(&decision_log).as_bytes()).unwrap().lines;
    timeline.add_music(lines.clone());
    timeline.add_music(lines);
    let summary = Summary::compute(&timeline, &PersonMap::default());
    assert_eq!((summary.mood_changes, summary.track_changes, summary.failed_tracks), (1, 1, 1));
    let spans: Vec<_> = summary.tracks.iter().map(|t| (t.title.as_str(), t.start / MS, t.end / MS)).collect();
    assert_eq!(spans, [("A", 0, 700), ("B", 500, 1000)]);
    let json = serde_json::to_string(&summary).unwrap();
    assert_eq!(serde_json::from_str::<Summary>(&json).unwrap(), summary);
    let page = report::render_session(&timeline, &summary, "Music", None);
    assert!(
        page.contains(">A</td>")
            && page.contains("and the music changed once; one track could not be played")
    );
}

#[test]
fn people_briefly_found_are_counted_and_only_the_subject_is_always_listed() {
    let page = |ms: u64| {
        let lines: Vec<Line> = (0..20)
            .map(|n| {
                let mut faces = vec![face(1, Emotion::Happy.into())];
                if n < 3 {
                    faces.push(face(2, Emotion::Fear.into()));
                }
                frame(n, n * ms, faces)
            })
            .collect();
        let timeline = parse(&to_jsonl(&[&[header()], &lines[..]].concat())).unwrap();
        let summary = Summary::compute(&timeline, &PersonMap::default());
        assert_eq!(summary.people.len(), 2);
        report::render_session(&timeline, &summary, "Passers-by", None)
    };
    let long = page(1000);
    assert!(long.contains("Person 2</th>") && !long.contains("less than a second"));
    // Recordings of 2 s and of 0.2 s: the subject is listed even where it is found for less than a second.
    for ms in [100, 10] {
        let short = page(ms);
        assert!(short.contains("Person 1</th>") && !short.contains("Person 2</th>"), "{ms}");
        assert!(short.contains("And 1 more that was found for less than a second."), "{ms}");
        assert!(!short.contains(">fear</th>"), "no column for labels of unlisted people");
    }
}

#[test]
fn the_page_says_first_what_is_known() {
    let lines = |music: bool| {
        let mut lines: Vec<Line> = [header()].into();
        for n in 0..200 {
            let found = n % 50 > 3;
            let face = Face { quality_limit: Some(QualityLimit::Tilted), ..face(7, Emotion::Fear.into()) };
            lines.push(frame(n, n * 100, if found { vec![face] } else { vec![] }));
        }
        if music {
            lines.push(track(0, TrackEvent::Started, "A"));
            for ms in [5000, 10_000] {
                lines.push(track(ms, TrackEvent::Ended, "A"));
                lines.push(track(ms, TrackEvent::Started, "A"));
            }
            lines.push(track(15_000, TrackEvent::Started, "B"));
        }
        lines
    };
    let mut timeline = parse(&to_jsonl(&lines(true))).unwrap();
    let settings = serde_json::json!({ "moodplayer": { "subject": "id:7,9" } });
    let Line::Session(log) = header() else { panic!("no header") };
    timeline
        .add_music([Line::Session(SessionHeader { settings: settings.as_object().unwrap().clone(), ..log })]);
    let names = PersonMap { names: [(7, "Ada".into())].into(), ..PersonMap::default() };
    let mut summary = Summary::compute(&timeline, &names);
    assert_eq!((summary.tracks.len(), summary.track_changes, summary.responses.len()), (4, 1, 1));
    summary.note = Some("A <pause>.\n\nThen drums.".into());
    summary.recorded =
        serde_json::from_value(serde_json::json!({ "at": "2026-05-03", "origin": "notes" })).unwrap();
    let page = report::render_session(&timeline, &summary, "x", None);
    for part in [
        "<li>Recorded on Sunday 3 May 2026, as the notes say.</li>",
        "<li>It lasts 20 seconds (it was cut off); the face of Ada was found in 92 % of it; for the rest: just before and after, it \
         was tilted (100 % of that time), which may be why.</li>",
        "<li>Ada showed fear most of all (100 % of that time).</li>",
        "The music followed Ada. The mood never changed, and the music changed once; tracks began again 2 times, which is no change",
        "<p>A &lt;pause&gt;.</p><p>Then drums.</p>",
        "<small>began again 2 times</small>",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let caution = page.find("not felt emotion").unwrap();
    assert!(caution < page.find("Over time").unwrap(), "it stands before the chart");
    let trend = summary.subject().unwrap().valence_trend;
    assert!(trend.is_none() && !page.contains("over the session"), "20 s have no trend");

    // What there is nothing of has no heading.
    let plain = parse(&to_jsonl(&lines(false))).unwrap();
    let page = report::render_session(&plain, &Summary::compute(&plain, &PersonMap::default()), "x", None);
    assert!(
        page.contains("When it was recorded is not known")
            && !page.contains("No music")
            && !page.contains("People")
    );
    assert!(
        ["Music", "Response", "Markers", "Note", "Transitions"]
            .iter()
            .all(|title| !page.contains(&format!("<h2>{title}")))
    );
}

#[test]
fn people_are_shown_by_where_and_when_they_were_found() {
    let at = |id, x| Face { bbox: Rect { x, y: 0.2, w: 0.2, h: 0.3 }, ..face(id, Emotion::Sad.into()) };
    let frames = (0..100).map(|n| match n {
        0..50 => frame(n, n * 100, vec![at(1, 0.0), at(2, 0.7)]),
        50..60 => frame(n, n * 100, vec![at(1, 0.0)]),
        _ => frame(n, n * 100, vec![at(4, 0.1)]),
    });
    let timeline = parse(&to_jsonl(&[header()].into_iter().chain(frames).collect::<Vec<_>>())).unwrap();
    let render = |timeline: &Timeline, people: &PersonMap| {
        report::render_session(timeline, &Summary::compute(timeline, people), "x", None)
    };
    let page = render(&timeline, &PersonMap::default());
    assert_eq!(page.matches("class=\"place\"").count(), 3);
    assert!(page.contains("number 2: on the right, found for 5 seconds (50 %), 0:00.0 to 0:05.0"));
    // The bar of the times: 200 units for ten seconds.
    assert!(page.contains(r#"<rect x="120" width="80" height="8"/>"#), "person 4");
    let mut merged = timeline.clone();
    let people = PersonMap { merge: vec![vec![1, 4]], ..PersonMap::default() };
    merged.merge_people(&people);
    assert!(render(&merged, &people).contains("numbers 1, 4: on the left, found for 10 seconds (100 %)"));
    assert!(!page.contains("<img") && !page.contains("data:image"), "no pictures of anybody");
}

#[test]
fn truncated_timelines_are_readable() {
    let complete = to_jsonl(&sample_lines());
    for cut in 0..complete.len() {
        match parse(&complete[..cut]) {
            Ok(timeline) => assert!(timeline.frames.len() <= 10),
            Err(error) => assert!(matches!(error, ReadError::Empty), "cut at {cut}: {error}"),
        }
    }
    let timeline = parse(&complete[..complete.len() - 5]).unwrap();
    assert_eq!((timeline.frames.len(), timeline.end), (10, None));
}

#[test]
fn errors_name_the_line_or_file_and_the_remedy() {
    let message = |text: &str| parse(text).unwrap_err().to_string();
    assert!(message("").contains("empty"));
    let newer = r#"{"type":"session","schema":2,"something":"else"}"#.to_owned() + "\n";
    assert!(message(&newer).contains("schema 2") && message(&newer).contains("newer gst-mood"));
    assert!(message("id,label\n1,happy\n").contains("timeline.jsonl"));
    assert!(message(&to_jsonl(&sample_lines()[1..])).contains("line 1"));
    let missing = Timeline::load("/nonexistent/timeline.jsonl").unwrap_err().to_string();
    assert!(missing.contains("/nonexistent/timeline.jsonl"));
}

#[test]
fn broken_lines_are_passed_over_and_reported() {
    let text = to_jsonl(&sample_lines());
    let (first, second) = text.split_at(text.find("{\"type\":\"frame\",\"frame\":3").unwrap());
    // A run that was cut off in a line, then continued: with a line feed between, and without.
    for (cut_off, broken) in [("{\"type\":\"fra\n", 5), ("{\"type\":\"fra", 5), ("\u{0}\u{fffd}\n", 5)] {
        let timeline = parse(&format!("{first}{cut_off}{second}")).unwrap();
        assert_eq!(timeline.frames.len(), 10, "{cut_off}");
        assert_eq!((timeline.broken_lines.count, timeline.broken_lines.first), (1, broken));
        assert_eq!(timeline.end, Some(1000 * MS));
        let summary = Summary::compute(&timeline, &PersonMap::default());
        assert!(matches!(&summary.warnings[..], [warning] if warning.kind == WarningKind::BrokenLines
            && warning.text == "line 5 of the timeline is broken and was passed over"));
        let page = report::render_session(&timeline, &summary, "A", None);
        assert!(page.contains("<li>line 5 of the timeline is broken and was passed over.</li>"));
    }
    // Also where the very first line was cut off.
    let timeline = parse(&format!("{{\"type\":\"session\",\"sch\n{text}")).unwrap();
    assert_eq!((timeline.frames.len(), timeline.broken_lines.first), (10, 1));
    assert!(Summary::compute(&parse(&text).unwrap(), &PersonMap::default()).warnings.is_empty());
}

#[test]
fn several_sessions_and_changed_settings_are_reported() {
    let change = SettingsLine { pts: 100 * MS, settings: [("a".into(), true.into())].into_iter().collect() };
    let mut lines = sample_lines();
    lines.insert(2, Line::Settings(change.clone()));
    let text = to_jsonl(&lines);
    let timeline = parse(&(text.clone() + &text)).unwrap();
    let kinds: Vec<WarningKind> = Summary::compute(&timeline, &PersonMap::default())
        .warnings
        .iter()
        .map(|warning| warning.kind)
        .collect();
    assert_eq!(kinds, [WarningKind::JoinedSessions, WarningKind::ChangedSettings]);
    let (timeline, mut exported) = (parse(&text).unwrap(), Vec::new());
    let summary = Summary::compute(&timeline, &PersonMap::default());
    let recording = session::export::Recording::default();
    let format = session::export::Format::Jsonl;
    session::export::write(format, &timeline, &summary, &recording, &mut exported).unwrap();
    assert_eq!(read_lines(&exported[..]).unwrap().lines[2], Line::Settings(change));
}

fn clock(pts: u64, time: u64) -> Line {
    let (utc, zone) = ("2026-05-03T10:00:00.000Z".into(), "+02:00".into());
    Line::Clock(ClockLine { pts: pts * MS, time: time * MS, utc, zone, video: Some("recording.mkv".into()) })
}

fn marker(ms: u64, id: u64, text: &str, removed: bool) -> Line {
    Line::Marker(MarkerLine { pts: ms * MS, id, text: text.into(), removed })
}

#[test]
fn parts_in_which_a_detector_remembers_people_share_their_ids() {
    let part = |memory: &str, start: u64, id: u32| {
        let settings = serde_json::json!({ "haarfacedetect": { "people-memory": memory } });
        let settings = settings.as_object().unwrap().clone();
        let header = Line::Session(SessionHeader { settings, ..SessionHeader::default() });
        [header, clock(0, start), frame(0, 0, vec![face(id, Emotion::Happy.into())])]
    };
    // A device is looked for in vain between the second and the third.
    let parts = [part("a", 0, 2), part("a", 100, 1), part("a", 200, 3), part("b", 300, 2), part("b", 400, 1)];
    let mut lines = parts.concat();
    lines.insert(6, header());
    let timeline = parse(&to_jsonl(&lines)).unwrap();
    let ids: Vec<u32> = timeline.frames.iter().map(|frame| frame.faces[0].id).collect();
    assert_eq!(ids, [2, 1, 3, 5, 4]);
    assert_eq!(timeline.further_sessions, 0);
}

#[test]
fn the_parts_of_a_live_session_follow_each_other_by_its_clock() {
    let (happy, sad) = (Emotion::Happy.into(), Emotion::Sad.into());
    let end = |ms: u64| Line::End(SessionEnd { pts: ms * MS, frames: 2 });
    let mut timeline = parse(&to_jsonl(&[
        header(),
        frame(0, 40, vec![face(3, happy)]),
        clock(40, 40),
        frame(1, 80, vec![face(3, happy)]),
        // Paused for ten seconds; a drift of a tenth of a second changes nothing.
        clock(120, 10_120),
        frame(2, 120, vec![face(3, happy)]),
        clock(160, 10_260),
        frame(3, 160, vec![face(3, happy)]),
        end(200),
        // A device was looked for in vain.
        header(),
        end(0),
        // Stopped and started again: time and ids begin anew.
        header(),
        frame(0, 0, vec![face(1, sad)]),
        mood(20, Mood::Absent, Emotion::Sad.into()),
        clock(40, 20_040),
        frame(1, 40, vec![face(1, sad)]),
        track(60, TrackEvent::Started, "A"),
        end(80),
    ]))
    .unwrap();
    let frames: Vec<_> = timeline.frames.iter().map(|f| (f.frame, f.pts / MS, f.faces[0].id)).collect();
    assert_eq!(
        frames,
        [(0, 40, 3), (1, 80, 3), (2, 10_120, 3), (3, 10_160, 3), (4, 20_000, 4), (5, 20_040, 4)]
    );
    assert_eq!((timeline.moods[0].pts, timeline.tracks[0].pts), (20_020 * MS, 20_060 * MS));
    assert_eq!((timeline.end, timeline.further_sessions), (Some(20_080 * MS), 0));
    timeline.add_music([
        marker(500, 1, "laughs", false),
        marker(20_050, 2, "plays <along>", false),
        marker(900, 3, "by mistake", false),
        marker(900, 3, "", true),
    ]);
    let mut bytes = Vec::new();
    timeline.write_to(&mut bytes).unwrap();
    // Its videos are one file by then.
    assert_eq!(timeline.videos.len(), 3);
    timeline.videos.clear();
    assert_eq!(parse(&String::from_utf8(bytes).unwrap()).unwrap(), timeline, "it is one session now");

    let summary = Summary::compute(&timeline, &PersonMap::default());
    assert_eq!(summary.markers.len(), 2);
    assert_eq!(summary.clock.as_ref().map(|clock| clock.time), Some(40 * MS));
    let page = report::render_session(&timeline, &summary, "x", None);
    assert!(
        page.contains("plays &lt;along&gt;")
            && page.contains("\nmarked\n")
            && page.contains("Last, what was marked")
            && page.contains("Recorded on Sunday 3 May 2026, 12:00 (UTC+02:00).")
    );
    let recording = session::export::Recording::default();
    for (format, expected) in [
        ("eaf", "<ANNOTATION_VALUE>laughs</ANNOTATION_VALUE>"),
        ("textgrid", "name = \"markers\""),
        ("boris", "\"Point event\""),
        ("vtt", "00:00:00.500 --> 00:00:01.500\nmood: absent\n[laughs]"),
        ("srt", "[plays ‹along›]"),
        ("audacity", "0.500000\t1.500000\tlaughs"),
        ("jsonl", "\"type\":\"marker\""),
    ] {
        let mut bytes = Vec::new();
        session::export::write(format.parse().unwrap(), &timeline, &summary, &recording, &mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains(expected), "{format}: {text}");
    }
    // A session without markers has neither lane nor heading.
    let plain = parse(&to_jsonl(&sample_lines())).unwrap();
    let page = report::render_session(&plain, &Summary::compute(&plain, &PersonMap::default()), "x", None);
    assert!(!page.contains("Markers") && !page.contains("\nmarked\n"));
}

#[test]
fn a_face_that_is_found_seldom_leads_the_page_with_what_its_images_show() {
    let limited = |limit| Face { quality: 0.4, quality_limit: limit, ..face(1, Emotion::Sad.into()) };
    // Good, then tilted and turned away, then lost for 20 s, then dark.
    let faces = |second: u64| match second {
        0..=5 => vec![limited(None)],
        6 => vec![limited(Some(QualityLimit::Tilted))],
        7 => vec![limited(Some(QualityLimit::Turned))],
        8..=27 => vec![],
        _ => vec![limited(Some(QualityLimit::Dark))],
    };
    let session = |end: u64, faces: &dyn Fn(u64) -> Vec<Face>| {
        let frames = (0..end * 10).map(|number| frame(number, number * 100, faces(number / 10)));
        let timeline = parse(&to_jsonl(&[header()].into_iter().chain(frames).collect::<Vec<_>>())).unwrap();
        let summary = Summary::compute(&timeline, &PersonMap::default());
        let page = report::render_session(&timeline, &summary, "S", None);
        (summary, page)
    };
    let (summary, page) = session(30, &faces);
    let [warning] = &summary.warnings[..] else { panic!("{:?}", summary.warnings) };
    assert_eq!(warning.kind, WarningKind::SeldomFound);
    assert!((warning.share.unwrap() - 20.0 / 30.0).abs() < 0.01, "{warning:?}");
    assert_eq!(
        warning.text,
        "the face of Person 1 was found 33 % of the time only, and nothing is known of the rest; just before and after, it was \
         dark (50 % of that time), tilted (25 % of that time) and turned away or partly hidden (25 % of that time), which \
         may be why"
    );
    let [lead, overview] =
        ["<p class=\"lead\">The face of", "class=\"said\""].map(|part| page.find(part).unwrap());
    assert!(
        lead < overview && !page.contains("class=\"warnings\""),
        "the page begins with it, and says it once"
    );
    assert!(!page.contains("in view"));
    let (summary, _) = session(30, &|second| if second < 10 { vec![limited(None)] } else { vec![] });
    assert!(summary.warnings[0].text.contains("its image was good"), "{:?}", summary.warnings);
    let (summary, page) = session(30, &|second| if second < 25 { vec![limited(None)] } else { vec![] });
    assert!(summary.warnings.is_empty() && !page.contains("class=\"lead\""));
}

#[test]
fn a_single_frame_counts_as_a_whole() {
    let lines = [header(), frame(0, 0, vec![face(1, Emotion::Happy.into()), face(2, Label::Uncertain)])];
    let timeline = parse(&to_jsonl(&lines)).unwrap();
    let summary = Summary::compute(&timeline, &PersonMap::default());
    assert_eq!((summary.face_share, summary.duration), (1.0, 0));
    assert_eq!(summary.people[0].labels, [(Emotion::Happy.into(), 1.0)].into());
    assert_eq!(summary.people[0].quality, 0.8);
    assert!(summary.warnings.is_empty());
    let nobody = parse(&to_jsonl(&[header(), frame(0, 0, vec![])])).unwrap();
    assert_eq!(Summary::compute(&nobody, &PersonMap::default()).face_share, 0.0);
}

#[test]
fn people_who_look_alike_and_never_meet_are_asked_about() {
    let alike = |id, other| Face { resembles: Some(other), ..face(id, Emotion::Sad.into()) };
    let lone = |id| face(id, Emotion::Sad.into());
    let people = [
        vec![lone(1), lone(4)],
        vec![alike(2, 1)],
        vec![alike(3, 2)],
        // These two meet later, so they are two people.
        vec![alike(5, 4)],
        vec![lone(4), lone(5)],
    ];
    let frames = people.into_iter().zip(1..).map(|(faces, number)| frame(number, 40 * number, faces));
    let mut timeline = parse(&to_jsonl(&[header()].into_iter().chain(frames).collect::<Vec<_>>())).unwrap();
    assert_eq!(timeline.look_alikes(), [[1, 2, 3]]);
    let warnings = |timeline: &Timeline| Summary::compute(timeline, &PersonMap::default()).warnings;
    assert_eq!(warnings(&timeline)[0].kind, WarningKind::LookAlikes);
    assert!(warnings(&timeline)[0].text.contains("persons 1, 2 and 3 are never seen together"));
    assert!(warnings(&timeline)[0].text.ends_with("say --merge 1,2,3"));
    timeline.merge_people(&PersonMap { merge: vec![vec![1, 2, 3]], ..PersonMap::default() });
    assert!(timeline.look_alikes().is_empty());
    assert!(warnings(&timeline).iter().all(|warning| warning.kind != WarningKind::LookAlikes));
}

#[test]
fn credentials_of_older_timelines_appear_nowhere() {
    let address = "rtsp://lovelace:secret@h/a.mp4?token=secret";
    let old = to_jsonl(&[header(), frame(0, 40, vec![face(1, Emotion::Sad.into())])])
        + &to_jsonl(&[track(40, TrackEvent::Started, "T")]);
    let old = old.replacen("\"settings\"", &format!("\"source\":\"{address}\",\"settings\""), 1);
    let old =
        old.replace("file:///music/", "http://lovelace:secret@h/").replace(".flac", ".flac?token=secret");
    assert_eq!(old.matches("secret").count(), 4);
    let timeline = parse(&old).unwrap();
    let summary = Summary::compute(&timeline, &PersonMap::default());
    let json = serde_json::to_string(&summary).unwrap();
    let page = report::render_session(&timeline, &summary, &summary.title, None);
    assert!(json.contains("rtsp://h/a.mp4") && json.contains("http://h/T.flac"), "{json}");
    let recording = session::export::Recording { media: summary.source.clone(), ..Default::default() };
    let exports = session::export::Format::ALL.map(|format| {
        let mut bytes = Vec::new();
        session::export::write(format, &timeline, &summary, &recording, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    });
    for text in exports.iter().chain([&json, &page]) {
        assert!(!text.contains("secret") && !text.contains("lovelace"), "{text}");
    }
    let stored = json.replace("//h/", "//lovelace:secret@h/");
    assert_eq!(serde_json::from_str::<Summary>(&stored).unwrap(), summary);
}

#[test]
fn small_shares_are_escaped() {
    let frames = (0..1000).map(|n| {
        let label = if n == 500 { Label::Uncertain } else { Emotion::Sad.into() };
        frame(n, n * 100, vec![face(1, label)])
    });
    let lines: Vec<Line> = [header()].into_iter().chain(frames).collect();
    let timeline = parse(&to_jsonl(&lines)).unwrap();
    let summary = Summary::compute(&timeline, &PersonMap::default());
    let page = report::render_session(&timeline, &summary, "A", None);
    assert!(page.contains("and &lt;1 % of the time") && !page.contains("<1 %"));
}

#[test]
fn unusual_timelines_can_be_rendered() {
    let backwards = [header(), frame(0, 900, vec![face(1, Emotion::Sad.into())]), frame(1, 100, vec![])];
    let last_ms = u64::MAX / MS;
    let far_apart = [header(), frame(0, 0, vec![face(1, Emotion::Sad.into())]), frame(1, last_ms, vec![])];
    let single = [header(), frame(0, 40, vec![face(1, Emotion::Sad.into())])];
    for lines in
        [&backwards[..], &far_apart, &single, &[header()], &[header(), track(10, TrackEvent::Started, "A")]]
    {
        let timeline = parse(&to_jsonl(lines)).unwrap();
        let page = report::render_session(
            &timeline,
            &Summary::compute(&timeline, &PersonMap::default()),
            "Odd",
            None,
        );
        assert!(page.contains("</html>") && !page.contains("NaN"));
    }
}

#[test]
fn page_escapes_text_and_loads_no_external_resources() {
    let mut lines = sample_lines();
    lines.insert(1, track(0, TrackEvent::Started, "<script>alert(1)</script>"));
    let Line::Session(header) = &mut lines[0] else { panic!("no header") };
    header.source = Some("file:///\"><img src=x>.mp4".into());
    header.generator = "<b>bold</b>".into();
    let timeline = parse(&to_jsonl(&lines)).unwrap();
    let page = report::render_session(
        &timeline,
        &Summary::compute(&timeline, &PersonMap::default()),
        "<script>alert('title')</script>",
        None,
    );
    assert!(page.contains("&lt;script&gt;alert(&#39;title&#39;)&lt;/script&gt;"));
    // The page's own script and data only.
    assert_eq!(page.matches("<script").count(), 2);
    assert!(page.contains(r#"script-src 'sha256-"#) && page.contains("; media-src blob:; base-uri"));
    assert!(!page.contains("http://"));
    for forbidden in ["<script>alert", "<img", "<b>", "https://", "url(", "@import", " style="] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains(r#"<html lang="en">"#));
    assert!(
        page.contains(
            r#"http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-"#
        )
    );
    assert!(page.contains("not felt emotion") && page.contains("not a medical device"));
}

#[test]
fn page_of_two_hours_is_small() {
    let labels = [Emotion::Neutral, Emotion::Happy, Emotion::Sad].map(Label::from);
    let frames = (0..2 * 3600 * 10).map(|n| FrameLine {
        frame: n,
        pts: n * 100 * MS,
        faces: vec![face(1, labels[(n / 300) as usize % 3])],
        shot: 0,
    });
    let timeline = Timeline { frames: frames.collect(), ..Default::default() };
    let page =
        report::render_session(&timeline, &Summary::compute(&timeline, &PersonMap::default()), "Long", None);
    assert!(page.len() < 300_000, "{}", page.len());
}
