//! `gst-mood correct`: what a human edited in a file of ELAN comes back as the corrected record, with the figures of an
//! independent computation; the classifier's record stays.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use mood_tests::process::TIMEOUT;
use mood_tests::readers::{assert_valid, read_with, reader_script};
use mood_tests::sandbox::{Sandbox, read_json};
use mood_tests::session_folder::{PERIOD, Shown, label_sequence, write_timeline};
use mood_tests::{ProcessOutput, gst_mood, media, run};
use serde_json::Value;
use tempfile::TempDir;

/// Frames of the session: two minutes.
const FRAMES: u64 = 3_000;

/// A session of two people.
struct Session {
    folder: TempDir,
}

impl Session {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let people = label_sequence(FRAMES, 5).into_iter().zip(label_sequence(FRAMES, 6));
        let frames = people.map(|labels| {
            let shown = [(1, labels.0), (2, labels.1)].into_iter();
            shown.filter_map(|(id, label)| Some(Shown::new(id, label?))).collect()
        });
        write_timeline(folder.path(), Some("file:///archive/a.mp4"), PERIOD, frames);
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command on the session's folder.
    fn run(&self, command: &str, arguments: &[&str]) -> ProcessOutput {
        let mut command = gst_mood(&[command, "."]);
        command.args(arguments).current_dir(self.folder.path());
        run(command, TIMEOUT)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The summary's statistics of a person.
    fn person(&self, id: u32) -> Value {
        let summary = read_json(&self.path("summary.json"));
        let people = summary["subjects"].as_array().unwrap();
        people.iter().find(|person| person["id"] == id).unwrap().clone()
    }

    /// The tiers of the exported file of ELAN with the number of their annotations, as pympi reads it.
    fn tier_sizes(&self) -> Vec<(String, usize)> {
        let mut reader = reader_script("annotations.py");
        reader.arg("eaf");
        let spans = read_with(reader, &self.path("session.eaf"));
        let mut sizes: Vec<(String, usize)> = Vec::new();
        for span in spans["spans"].as_array().unwrap() {
            let name = span[0].as_str().unwrap();
            match sizes.iter_mut().find(|(other, _)| other == name) {
                Some((_, count)) => *count += 1,
                None => sizes.push((name.into(), 1)),
            }
        }
        sizes
    }
}

fn assert_close(found: &Value, expected: &Value, name: &str) {
    let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
    assert!((found - expected).abs() < 1e-9, "{name}: {found}, not {expected}");
}

#[test]
fn an_edited_file_of_elan_becomes_the_record_and_can_be_taken_back() {
    let session = Session::new();
    session.run("export", &["--to", "eaf"]).assert_success();
    // Whatever is not corrected gives the machine's record: the file as it was exported is none.
    let output = session.run("correct", &["session.eaf", "--by", "Anna"]).assert_success();
    assert!(output.stdout.contains("nothing is changed"), "{output}");
    let before = session.person(1);
    let untouched = session.person(2);
    let expected = read_with(reader_script("correct.py"), session.folder.path());

    session.run("correct", &["edited.eaf"]).assert_error(&["--by"]);
    let output = session.run("correct", &["edited.eaf", "--by", "Anna <b>"]).assert_success();
    assert!(output.stdout.contains("Person 1: corrected in"), "{output}");
    let after = session.person(1);
    for (label, share) in expected["labels"].as_object().unwrap() {
        assert_close(&after["labels"][label], share, label);
    }
    assert_eq!(after["labels"].as_object().unwrap().len(), expected["labels"].as_object().unwrap().len());
    for name in ["classified", "uncertain"] {
        assert_close(&after[name], &expected[name], name);
    }
    for name in ["percent_agreement", "kappa"] {
        assert_close(&after["machine"]["agreement"][name], &expected[name], name);
    }
    let episodes = after["episodes"].as_array().unwrap();
    assert_eq!(episodes.len() as u64, expected["episodes"].as_u64().unwrap());
    assert_eq!(episodes.iter().filter(|episode| episode["correction"] == 1).count(), 5);
    for name in ["labels", "transitions", "episodes", "classified", "uncertain"] {
        assert_eq!(after["machine"][name], before[name], "the machine's {name}");
    }
    assert_eq!(after["valence"], before["valence"]);
    assert_eq!(session.person(2), untouched);
    assert_valid("summary.schema.json", &session.path("summary.json"));
    assert_valid("timeline.schema.json", &session.path("corrections.jsonl"));

    // Page and exports show it, and who said it.
    let page = session.text("report.html");
    assert!(page.contains("corrected by Anna &lt;b&gt;, last on ") && !page.contains("Anna <b>"));
    assert!(page.contains("(from edited.eaf)") && page.contains(">nothing</td>"));
    let machine_episodes = before["episodes"].as_array().unwrap().len();
    let tiers = session.tier_sizes();
    let size = |name: &str| tiers.iter().find(|(tier, _)| tier == name).map(|(_, size)| *size);
    assert_eq!(size("Person 1"), Some(episodes.len()));
    assert_eq!(size("Person 1, by gst-mood"), Some(machine_episodes));
    assert_eq!((size("Person 1, corrected"), size("Person 2, by gst-mood")), (Some(5), None));
    let table = session.text("timeline.csv");
    assert!(table.lines().next().unwrap().ends_with(",subject,machine_label,corrected_by"));
    let changed = table.lines().filter(|line| line.ends_with(",Anna <b>")).count();
    assert!(changed > 50, "{changed}");
    // Every frame has a row, also one in which nobody was found.
    let frames: BTreeSet<u64> =
        table.lines().skip(1).map(|line| line.split_once(',').unwrap().0.parse().unwrap()).collect();
    assert!(frames.into_iter().eq(0..FRAMES), "{table}");
    // What a human saw while no face was found.
    let gap = label_sequence(FRAMES, 5).iter().position(Option::is_none).unwrap() as u64;
    let [from, to] = [gap * PERIOD, (gap + 1) * PERIOD].map(|time| time as f64 / 1e9);
    fs::write(session.path("gap.csv"), format!("start,end,label,tier\n{from},{to},disgust,Person 1\n"))
        .unwrap();
    session.run("correct", &["gap.csv", "--by", "Gil", "--partial"]).assert_success();
    let table = session.text("timeline.csv");
    let row = table.lines().find(|line| line.ends_with(",Gil")).unwrap();
    assert!(row.starts_with(&format!("{gap},")) && row.contains(",1,,,,,disgust,,1,"), "{row}");
    let columns = |row: &str| row.matches(',').count();
    assert_eq!(columns(row), columns(table.lines().next().unwrap()));
    session.run("correct", &["--undo"]).assert_success();
    assert!(session.text("session.vtt").contains("surprise"));
    let again = session.run("export", &["--to", "jsonl", "-o", "-"]).assert_success().stdout;
    assert!(again.contains(r#"{"type":"correction","id":1,"#) && again.lines().count() as u64 == FRAMES + 3);

    // The session as the first coder is the corrected one, as the second the machine's.
    let figures = session.run("agreement", &[".", "--json", "-"]).assert_success().stdout;
    let figures: Value = serde_json::from_str(&figures).unwrap();
    assert_close(&figures["kappa"], &expected["kappa"], "kappa of gst-mood agreement");

    // Once more is nothing more, also by way of our own export.
    let stored = session.text("corrections.jsonl");
    for file in ["edited.eaf", "session.eaf"] {
        let output = session.run("correct", &[file, "--by", "Bo"]).assert_success();
        assert!(output.stdout.contains("nothing is changed"), "{output}");
    }
    assert_eq!(session.text("corrections.jsonl"), stored);
    assert_eq!(session.person(1), after);

    // A second human over the first, and both taken back.
    fs::write(session.path("bo.csv"), "start,end,label,tier\n1,2.5,afraid,Person 1\n3,4,joy,Person 2\n")
        .unwrap();
    session.run("correct", &["bo.csv", "--by", "Bo"]).assert_error(&["--partial", "--whole"]);
    session.run("correct", &["bo.csv", "--by", "Bo", "--partial"]).assert_success();
    assert!(session.text("report.html").contains("corrected by Anna &lt;b&gt;, Bo, last on "));
    let table = session.text("timeline.csv");
    assert!(table.lines().any(|line| line.ends_with(",Bo") && line.contains(",fear,")));
    assert!(table.lines().any(|line| line.ends_with(",Anna <b>")), "what Anna said elsewhere stays hers");
    session.run("correct", &["--undo"]).assert_success();
    assert_eq!((session.person(1), session.person(2)), (after, untouched));
    let output = session.run("correct", &["--undo"]).assert_success();
    assert!(output.stdout.contains("gst-mood's own again"), "{output}");
    assert_eq!(session.person(1), before);
    assert!(!session.text("report.html").contains("Anna"));
    assert_valid("timeline.schema.json", &session.path("corrections.jsonl"));
    session.run("correct", &["--undo"]).assert_error(&["no correction to take back"]);
}

#[test]
fn what_cannot_be_taken_in_changes_nothing_and_says_what_to_do() {
    let session = Session::new();
    let write = |name: &str, text: &str| fs::write(session.path(name), text).unwrap();
    write("other.csv", "start,end,label,tier\n1,2,happy,Anna's view\n");
    write("words.csv", "start,end,label,tier\n1,2,plays along,Person 1\n");
    write("late.csv", "start,end,label,tier\n500,510,happy,Person 1\n");
    for (arguments, parts) in [
        (&["other.csv", "--by", "A"][..], &["'Anna's view'", "'Person 1', 'Person 2'"][..]),
        (&["other.csv", "--by", "A", "--tier", "Anna's view", "--person", "Cy"], &["'Person 1', 'Person 2'"]),
        (&["other.csv", "--by", " ", "--tier", "Anna's view", "--person", "Person 1"], &["--by NAME"]),
        (&["words.csv", "--by", "A"], &["--map 'plays along=happy'"]),
        (&["words.csv", "--by", "A", "--map", "laughs=happy"], &["no label laughs"]),
        (&["late.csv", "--by", "A"], &["after the end", "same recording"]),
        (&["none.eaf", "--by", "A"], &["none.eaf"]),
    ] {
        session.run("correct", arguments).assert_error(parts);
    }
    assert!(!session.path("corrections.jsonl").exists() && !session.path("summary.json").exists());
    let arguments = ["other.csv", "--by", "A", "--tier", "anna's view", "--person", "person 2", "--partial"];
    session.run("correct", &arguments).assert_success();
    assert_eq!(read_json(&session.path("summary.json"))["corrections"][0]["person"], 2);
}

#[test]
fn processing_again_keeps_a_correction_also_where_ids_change() {
    let Some(clip) = media("video/single_face.mp4") else { return };
    let sandbox = Sandbox::new();
    let clip = clip.to_str().unwrap();
    sandbox.process(&[clip, "--client", "Ada", "--consent", "3 May 2026"]).assert_success();
    let process = |arguments: &[&str]| sandbox.process(&[&[clip, "--client", "Ada"], arguments].concat());
    let machine = sandbox.summary("single_face")["subjects"][0].clone();
    let name = machine["name"].as_str().unwrap();
    fs::write(sandbox.path("a.csv"), format!("start,end,label,tier\n0.5,1.5,disgust,{name}\n")).unwrap();
    let correct = sandbox.command(&["correct", "out/single_face", "a.csv", "--by", "Anna", "--partial"]);
    run(correct, TIMEOUT).assert_success();
    let corrected = sandbox.summary("single_face")["subjects"][0].clone();
    assert!(corrected["labels"]["disgust"].as_f64() > machine["labels"]["disgust"].as_f64());
    assert_eq!(corrected["machine"]["episodes"], machine["episodes"]);
    let client = fs::read_dir(sandbox.path("data/clients")).unwrap().next().unwrap().unwrap().path();
    let stored = fs::read_dir(client.join("sessions")).unwrap().next().unwrap().unwrap().path();
    let stored = &read_json(&stored)["subjects"][0];
    assert_eq!(stored["labels"], corrected["labels"], "in the client's history, too");
    assert_eq!(
        (&stored["episodes"], &stored["machine"]["episodes"]),
        (&Value::Array(vec![]), &Value::Array(vec![]))
    );
    let output = process(&[]).assert_success();
    assert!(output.stdout.contains("finished before"), "{output}");
    // As if the person had had another number when the correction was taken in.
    let path = sandbox.path("out/single_face/corrections.jsonl");
    let stored = fs::read_to_string(&path).unwrap();
    fs::write(&path, stored.replace("\"person\":1,", "\"person\":9,")).unwrap();
    process(&["--force"]).assert_success();
    assert_eq!(sandbox.summary("single_face")["subjects"][0], corrected);
    // As if it were about somebody else.
    let mut elsewhere: Vec<Value> = stored.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for place in elsewhere[1]["places"].as_array_mut().unwrap() {
        place["x"] = 0.001.into();
    }
    let lines: String = elsewhere.iter().map(|line| format!("{line}\n")).collect();
    fs::write(&path, lines).unwrap();
    let output = process(&["--baseline", "off"]).assert_success();
    assert!(output.stderr.contains("correction by Anna") && output.stderr.contains("no effect"), "{output}");
    let summary = sandbox.summary("single_face");
    assert_eq!(summary["warnings"][0]["kind"], "correction-lost");
    assert!(summary["subjects"][0].get("machine").is_none() && path.exists());
}
