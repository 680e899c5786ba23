//! pipelines/cluster with the real Snakemake: an archive from beginning to end, mistakes, failures of every kind.
//!
//! `MOOD_TEST_CLUSTER` may hold other options of Snakemake's than those for this machine; tests/slurm.sh uses it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use mood_tests::process::Running;
use mood_tests::{Done, command, media, place, run, script};
use serde_json::{Value, json};
use tempfile::TempDir;

const CLIP: &str = "video/single_face.mp4";
/// A cluster asks only now and then what has become of a job.
const LIMIT: Duration = Duration::from_secs(600);

/// A folder with an archive, its settings and its results.
struct Archive {
    folder: TempDir,
}

impl Archive {
    /// With an empty table, and settings that say where things are.
    fn new() -> Self {
        let archive = Self { folder: TempDir::new().unwrap() };
        fs::create_dir(archive.path("videos")).unwrap();
        archive.set("");
        archive
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Settings, and more of them.
    fn set(&self, more: &str) {
        let settings = format!("sessions: table.csv\nvideos: videos\noutput: results\n{more}");
        fs::write(self.path("settings.yaml"), settings).unwrap();
    }

    fn table(&self, rows: &[&str]) {
        fs::write(self.path("table.csv"), format!("video,client,date\n{}\n", rows.join("\n"))).unwrap();
    }

    /// A recording made by ffmpeg from another.
    fn film(&self, name: &str, clip: &Path, arguments: &[&str]) -> PathBuf {
        let path = self.path("videos").join(name);
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-nostdin", "-y", "-i"]).arg(clip).args(arguments).arg(&path);
        assert!(ffmpeg.status().unwrap().success());
        path
    }

    fn command(&self, options: &[&str]) -> Command {
        let program = place::root().join("target/snakemake/bin/snakemake");
        assert!(program.exists(), "no {}: run `make setup` first", program.display());
        let mut command = script("cluster/run.sh");
        command.arg(self.path("settings.yaml")).args(options);
        // What Snakemake keeps of its sources' text stays with the test.
        command.env("XDG_CACHE_HOME", self.path("cache")).current_dir(self.folder.path());
        command
    }

    fn run(&self, options: &[&str]) -> Done {
        let elsewhere = env::var("MOOD_TEST_CLUSTER").unwrap_or_default();
        let mut command = self.command(options);
        command.args(elsewhere.split_whitespace());
        run(command, LIMIT)
    }

    /// A result.
    fn read(&self, name: &str) -> String {
        let path = self.path("results").join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// A table's rows by the names of its columns. No field of ours holds a quoted comma but the last.
    fn rows(&self, name: &str) -> Vec<BTreeMap<String, String>> {
        let text = self.read(name);
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().unwrap().split(',').collect();
        let row = |line: &str| {
            let fields = line.splitn(header.len(), ',').map(|field| field.trim_matches('"').to_owned());
            header.iter().map(|&name| name.to_owned()).zip(fields).collect()
        };
        lines.map(row).collect()
    }

    /// When each session was last worked on, by its code.
    fn worked(&self) -> BTreeMap<String, SystemTime> {
        let state = fs::read_dir(self.path("results/state")).unwrap();
        let worked = state.map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name.trim_end_matches(".json").to_owned(), entry.metadata().unwrap().modified().unwrap())
        });
        worked.collect()
    }

    fn failed(&self) -> BTreeMap<String, String> {
        let rows = self.rows("cohort/failed.csv").into_iter();
        rows.map(|mut row| (row.remove("session").unwrap(), row.remove("error").unwrap())).collect()
    }
}

/// Everything in a folder, but what links lead to.
fn everything(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| !path.is_symlink())
        .flat_map(|path| {
            let inside = if path.is_dir() { everything(&path) } else { vec![] };
            [vec![path], inside].concat()
        })
        .collect()
}

/// Encoding that costs little, readable from its beginning.
const QUICK: [&str; 6] = ["-c:v", "libx264", "-preset", "ultrafast", "-movflags", "+faststart"];

#[track_caller]
fn close(field: &str, value: &Value) {
    let (found, wanted) = (field.parse::<f64>().unwrap(), value.as_f64().unwrap());
    assert!((found - wanted).abs() <= 1e-5 * wanted.abs().max(1.0), "{found} {wanted}");
}

#[test]
fn an_archive_from_beginning_to_end() {
    let Some(clip) = media(CLIP) else { return };
    let archive = Archive::new();
    let videos = archive.path("videos");
    fs::copy(&clip, videos.join("Ada Lovelace {1} [ü].mp4")).unwrap();
    archive.film("Lovelace2.mkv", &clip, &[&["-t", "1.5"], &QUICK[..4]].concat());
    let good = archive.film("good.mp4", &clip, &[&["-t", "1"], &QUICK[..]].concat());
    let whole = fs::read(&good).unwrap();
    fs::write(videos.join("cut.mp4"), &whole[..whole.len() * 3 / 4]).unwrap();
    archive.film("sound.m4a", &clip, &["-vn"]);
    let rows = [
        "Ada Lovelace {1} [ü].mp4,C01,2026-05-17",
        "Lovelace2.mkv,C01,2026-05-03",
        "good.mp4,C02,2026-05-04",
        "cut.mp4,C02,2026-05-11",
        "sound.m4a,C03,2026-05-11",
        "later.mp4,C03,2026-05-12",
    ];
    archive.table(&rows);

    let done = archive.run(&[]);
    assert!(
        done.code == Some(1) && done.stderr.contains("3 of 6 sessions failed, the others are done"),
        "{done}"
    );
    let failed = archive.failed();
    assert_eq!(failed.keys().collect::<Vec<_>>(), ["C02-2026-05-11", "C03-2026-05-11", "C03-2026-05-12"]);
    assert!(failed["C02-2026-05-11"].contains("it ends in the middle"), "{failed:?}");
    assert!(failed["C03-2026-05-11"].contains("no video"), "{failed:?}");
    assert_eq!(failed["C03-2026-05-12"], "there is no such file");

    let sessions = archive.rows("cohort/sessions.csv");
    let codes: Vec<&str> = sessions.iter().map(|row| row["session"].as_str()).collect();
    assert_eq!(codes, ["C01-2026-05-03", "C01-2026-05-17", "C02-2026-05-04"], "a client's sessions in order");
    let (mut seconds, mut happy) = (0.0, 0.0);
    for row in &sessions {
        let summary = archive.read(&format!("sessions/{}/summary.json", row["session"]));
        let summary: Value = serde_json::from_str(&summary).unwrap();
        let subject = &summary["subjects"][0];
        close(&row["seconds"], &json!(summary["duration"].as_f64().unwrap() / 1e9));
        close(&row["uncertain"], &json!(subject["uncertain"].as_f64().unwrap() / 1e9));
        close(&row["share_happy"], subject["labels"].get("happy").unwrap_or(&json!(0)));
        close(&row["valence_mean"], &subject["valence"]["mean"]);
        assert_eq!(row["model"], summary["made_from"]["work"]["model"]);
        assert_eq!(row["title"], summary["title"], "how the client's report calls it");
        if row["client"] == "C01" {
            let classified: f64 = row["classified"].parse().unwrap();
            seconds += classified;
            happy += classified * row["share_happy"].parse::<f64>().unwrap();
        }
    }
    let clients = archive.rows("cohort/clients.csv");
    let counts: Vec<[&str; 3]> = clients
        .iter()
        .map(|row| ["client", "sessions", "failed"].map(|column| row[column].as_str()))
        .collect();
    assert_eq!(counts, [["C01", "2", "0"], ["C02", "1", "1"], ["C03", "0", "2"]]);
    close(&clients[0]["share_happy"], &json!(happy / seconds));
    assert_eq!((clients[0]["first"].as_str(), clients[0]["last"].as_str()), ("2026-05-03", "2026-05-17"));
    assert_eq!(archive.rows("clients/C01/sessions.csv"), sessions[..2]);
    let comparison = archive.read("clients/C01/report.html");
    assert!(sessions[..2].iter().all(|row| comparison.contains(&row["title"])), "both sessions");
    assert!(archive.read("clients/C02/report.html").contains(&sessions[2]["title"]));
    assert!(!archive.path("results/clients/C03/report.html").exists());

    for path in
        everything(&archive.path("results")).into_iter().chain(everything(&archive.path(".snakemake")))
    {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        // Snakemake opens its own notes to the group, in a folder that nobody else can enter.
        let its_own = path.components().any(|part| part.as_os_str() == "metadata");
        assert!(its_own || mode & 0o077 == 0, "{}: {mode:o}", path.display());
        let text = if path.is_file() { fs::read(&path).unwrap() } else { vec![] };
        assert!(!String::from_utf8_lossy(&text).contains("Lovelace"), "{}", path.display());
    }
    assert!(!done.stderr.contains("Lovelace"), "{done}");

    let first = archive.worked();
    let again = archive.run(&[]);
    assert!(again.code == Some(1) && again.stderr.contains("3 of 6 sessions failed"), "{again}");
    assert_eq!(archive.worked(), first, "nothing is missing");

    // A better copy, though an older file.
    fs::write(videos.join("cut.mp4"), &whole).unwrap();
    let old = SystemTime::now() - Duration::from_secs(86_400);
    File::options().write(true).open(videos.join("cut.mp4")).unwrap().set_modified(old).unwrap();
    let report = |client: &str| {
        fs::metadata(archive.path("results/clients").join(client).join("report.html"))
            .unwrap()
            .modified()
            .unwrap()
    };
    let reports = (report("C01"), report("C02"));
    let better = archive.run(&[]);
    assert!(better.stderr.contains("2 of 6 sessions failed"), "{better}");
    let second = archive.worked();
    let changed: Vec<_> =
        second.iter().filter(|(code, time)| first[*code] != **time).map(|(code, _)| code).collect();
    assert_eq!(changed, ["C02-2026-05-11"], "just that one");
    assert!(report("C01") == reports.0 && report("C02") > reports.1);
    assert_eq!(archive.rows("cohort/sessions.csv").len(), 4);

    // What was missing has come; what has no pictures is taken out; a row means another recording now.
    fs::copy(&good, videos.join("later.mp4")).unwrap();
    archive.table(&["Lovelace2.mkv,C02,2026-05-04", rows[0], rows[1], rows[3], rows[5]]);
    archive.run(&[]).ok();
    let sessions = archive.rows("cohort/sessions.csv");
    let by_code = |code: &str| sessions.iter().find(|row| row["session"] == code).unwrap();
    assert_eq!(sessions.len(), 5);
    assert_eq!(by_code("C02-2026-05-04")["recording"], by_code("C01-2026-05-03")["recording"]);
    assert_eq!(archive.failed().len(), 0);
}

#[test]
fn mistakes_are_told_before_anything_runs() {
    let archive = Archive::new();
    fs::write(archive.path("videos/a.mp4"), "no video").unwrap();
    let good = "a.mp4,C01,2026-05-03";
    let told = |words: &[&str]| {
        let done = run(archive.command(&[]), LIMIT);
        assert_eq!(done.code, Some(2), "{done}");
        assert!(
            done.stderr.lines().any(|line| words.iter().all(|word| line.contains(word))),
            "{words:?}\n{done}"
        );
        assert!(!archive.path("results/state").exists());
    };
    told(&["table.csv", "No such file"]);
    for (rows, words) in [
        (&["a.mp4,Ada Lovelace,2026-05-03"][..], &["line 2", "client", "a code"][..]),
        (&[good, "a.mp4,C02,3.5.2026"], &["line 3", "date", "2026-05-03"]),
        (&[good, "b.mp4,C01,2026-05-03"], &["line 3", "a second session C01-2026-05-03"]),
        (&["b.mp4,C01,2026-05-03"], &["none of its videos is there", "videos/b.mp4"]),
    ] {
        archive.table(rows);
        told(words);
    }
    archive.table(&[good]);
    for (more, words) in [
        ("optoins: {}", &["settings.yaml", "optoins"][..]),
        ("options: { blur_faces: true }", &["options", "overlay"]),
        ("options: { library: /nowhere }", &["options.library", "/nowhere"]),
        ("gst_mood: /nowhere/gst-mood", &["/nowhere/gst-mood"]),
    ] {
        archive.set(more);
        told(words);
    }
    let usage = run(script("cluster/run.sh"), LIMIT);
    assert!(usage.code == Some(2) && usage.stderr.contains("usage: "), "{usage}");
}

/// A program that stands before ours and does what the files beside it say.
fn unsteady(archive: &Archive) {
    let program = archive.path("unsteady");
    let real = place::release().join("gst-mood");
    let text = format!(
        r#"#!/bin/sh
here=$(dirname "$0")
for word; do case $word in .videos/*)
    echo x >>"$here/tried-$(basename "$word" .mp4)"
    [ ! -e "$here/aborts-$(basename "$word" .mp4)" ] || kill -ABRT $$
    [ ! -e "$here/lacks-$(basename "$word" .mp4)" ] || exit 3
    [ ! -e "$here/hangs-$(basename "$word" .mp4)" ] || exec sleep 1000 ;;
esac; done
exec '{}' "$@"
"#,
        real.display()
    );
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    archive.set("gst_mood: unsteady");
}

#[test]
fn a_crash_is_tried_again_and_a_machine_that_lacks_something_is_no_ones_failure() {
    let Some(clip) = media(CLIP) else { return };
    let archive = Archive::new();
    unsteady(&archive);
    let quick = [&["-t", "0.5"], &QUICK[..]].concat();
    for name in ["a.mp4", "b.mp4", "c.mp4"] {
        archive.film(name, &clip, &quick);
    }
    archive.table(&["a.mp4,A,2026-05-03", "b.mp4,B,2026-05-03", "c.mp4,C,2026-05-03"]);
    for name in ["aborts-A-2026-05-03", "lacks-B-2026-05-03"] {
        fs::write(archive.path(name), "").unwrap();
    }
    let done = archive.run(&[]);
    assert!(done.code == Some(1) && done.stderr.contains("the same command goes on from here"), "{done}");
    let tried =
        |code: &str| fs::read_to_string(archive.path(&format!("tried-{code}"))).unwrap().lines().count();
    assert_eq!(["A-2026-05-03", "B-2026-05-03", "C-2026-05-03"].map(tried), [3, 3, 1], "{done}");
    assert!(archive.path("results/clients/C/report.html").exists());
    assert!(!archive.path("results/cohort/failed.csv").exists());

    fs::remove_file(archive.path("lacks-B-2026-05-03")).unwrap();
    let done = archive.run(&[]);
    assert!(done.stderr.contains("1 of 3 sessions failed"), "{done}");
    assert_eq!(["A-2026-05-03", "B-2026-05-03", "C-2026-05-03"].map(tried), [3, 4, 1]);
    assert_eq!(
        archive.failed()["A-2026-05-03"],
        "the program ended with signal 6, see logs/A-2026-05-03.log"
    );
}

#[test]
fn what_was_killed_goes_on() {
    let Some(clip) = media(CLIP) else { return };
    let archive = Archive::new();
    unsteady(&archive);
    let quick = [&["-t", "0.5"], &QUICK[..]].concat();
    for name in ["a.mp4", "b.mp4"] {
        archive.film(name, &clip, &quick);
    }
    archive.table(&["a.mp4,A,2026-05-03", "b.mp4,B,2026-05-03"]);
    fs::write(archive.path("hangs-B-2026-05-03"), "").unwrap();
    // Always on this machine: what was handed to a cluster goes on there.
    let running = Running::start(archive.command(&["--cores", "4"]));
    let wanted = [archive.path("results/clients/A/report.html"), archive.path("tried-B-2026-05-03")];
    let until = Instant::now() + Duration::from_secs(60);
    while !wanted.iter().all(|path| path.exists()) {
        thread::sleep(Duration::from_millis(50));
        assert!(until > Instant::now(), "{}", running.finish(Duration::ZERO));
    }
    running.signal("KILL");
    let killed = running.finish(LIMIT);
    assert_eq!(killed.code, None);

    fs::remove_file(archive.path("hangs-B-2026-05-03")).unwrap();
    run(archive.command(&["--unlock"]), LIMIT).ok();
    run(archive.command(&[]), LIMIT).ok();
    let tried =
        |code: &str| fs::read_to_string(archive.path(&format!("tried-{code}"))).unwrap().lines().count();
    assert_eq!(["A-2026-05-03", "B-2026-05-03"].map(tried), [1, 2]);
    assert_eq!(archive.rows("cohort/sessions.csv").len(), 2);
}

/// What the tables make of a session with music and a baseline, and of one in which nobody was seen.
#[test]
fn tables_hold_what_the_summaries_say() {
    let archive = Archive::new();
    let estimate =
        |mean: f64| json!({"mean": mean, "low": mean - 0.1, "high": mean + 0.1, "se": 0.05, "df": 9.0});
    let nobody = json!({
        "title": "b", "duration": 5_000_000_000_u64, "frames": 125, "face_share": 0.0, "subject": null, "subjects": [],
        "tracks": [], "track_changes": 0, "failed_tracks": 0, "mood_changes": 0, "responses": [],
        "response_valence": null, "response_arousal": null, "made_from": null,
    });
    let mut music = nobody.clone();
    let person = |id: u32, valence: f64| {
        json!({
            "id": id, "seen": 4_000_000_000_u64, "absent": 1_000_000_000_u64, "classified": 3_000_000_000_u64,
            "uncertain": 600_000_000_u64, "quality": 0.9, "labels": {"happy": 0.8, "uncertain": 0.2},
            "valence": estimate(valence), "arousal": {"mean": 0.2},
            "valence_trend": {"per_minute": 0.3}, "arousal_trend": null,
            "above_baseline": {"valence": estimate(0.15), "arousal": estimate(-0.05)},
        })
    };
    music["subjects"] = json!([person(7, -0.5), person(3, 0.4)]);
    music["subject"] = json!(3);
    music["tracks"] = json!([{}, {}]);
    music["track_changes"] = json!(1);
    music["response_valence"] = estimate(0.25);
    for (code, summary) in [("A-1", &music), ("A-2", &nobody)] {
        let folder = archive.path("sessions").join(code);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("summary.json"), summary.to_string()).unwrap();
    }
    let tables = "import json, sys; sys.path.insert(0, sys.argv[1]); import tables\n\
        who = [{'client': 'A', 'date': f'2026-05-0{n}', 'session': f'A-{n}'} for n in (1, 2)]\n\
        rows = [tables.session(row, tables.summary(row)) for row in who]\n\
        assert all(set(row) <= set(tables.SESSION) for row in rows)\n\
        print(json.dumps([*rows, tables.client('A', rows, 0)]))";
    let mut python = command(place::root().join("target/snakemake/bin/python"));
    python.args(["-B", "-c", tables]).arg(place::root().join("pipelines/cluster/scripts"));
    python.current_dir(archive.folder.path());
    let found: Value = serde_json::from_str(&run(python, LIMIT).ok().stdout).unwrap();
    let first = r#"{
        "client": "A", "date": "2026-05-01", "session": "A-1", "title": "b", "seconds": 5.0, "frames": 125, "people": 2,
        "face_share": 0.0, "seen": 4.0, "absent": 1.0, "classified": 3.0, "uncertain": 0.6, "quality": 0.9,
        "share_angry": 0.0, "share_disgust": 0.0, "share_fear": 0.0, "share_happy": 0.8, "share_sad": 0.0,
        "share_surprise": 0.0, "share_neutral": 0.0, "share_uncertain": 0.2,
        "valence_mean": 0.4, "valence_low": 0.30000000000000004, "valence_high": 0.5, "valence_per_minute": 0.3,
        "valence_above_baseline": 0.15, "valence_response": 0.25, "valence_response_low": 0.15,
        "valence_response_high": 0.35,
        "arousal_mean": 0.2, "arousal_low": null, "arousal_high": null, "arousal_per_minute": null,
        "arousal_above_baseline": -0.05, "arousal_response": null, "arousal_response_low": null,
        "arousal_response_high": null,
        "tracks": 2, "track_changes": 1, "failed_tracks": 0, "mood_changes": 0,
        "program": null, "model": null, "cascade": null, "recording": null
    }"#;
    let first: Value = serde_json::from_str(first).unwrap();
    assert_eq!(found[0], first, "the subject's row, not another person's");
    assert!(found[1]["people"] == 0 && found[1].get("valence_mean").is_none(), "{}", found[1]);
    let client = &found[2];
    assert!(client["sessions"] == 2 && client["seconds"] == 10.0, "{client}");
    close("0.8", &client["share_happy"]);
    close("0.4", &client["valence_mean"]);
    assert!(client.get("valence_sd").is_none(), "{client}");
}

#[test]
fn names_need_a_consent_note() {
    let Some(clip) = media(CLIP) else { return };
    let archive = Archive::new();
    let quick = [&["-t", "0.5"], &QUICK[..]].concat();
    let people = "[people.client]\nname = \"Ada\"\nids = [1]\n";
    for (name, consent) in [("a", "consent = \"signed 3 May 2026\"\n"), ("b", "")] {
        archive.film(&format!("{name}.mp4"), &clip, &quick);
        fs::write(archive.path(&format!("videos/{name}.mp4.toml")), format!("{consent}{people}")).unwrap();
    }
    archive.table(&["a.mp4,A,2026-05-03", "b.mp4,B,2026-05-03"]);
    let names = || archive.read("sessions/A-2026-05-03/summary.json").contains("\"Ada\"");
    archive.run(&[]).ok();
    assert!(!names());
    archive.set("pseudonym: false");
    let done = archive.run(&[]);
    assert!(done.stderr.contains("1 of 2 sessions failed"), "{done}");
    assert!(archive.failed()["B-2026-05-03"].contains("without a consent note"));
    assert!(names() && archive.rows("cohort/sessions.csv")[0]["title"] == "A-2026-05-03");
}

/// As far as they can be tried without a cluster: Slurm's is read, and Kubernetes' hands its jobs to a `kubectl` that runs
/// them here.
#[test]
fn profiles_lead_to_clusters() {
    let Some(clip) = media(CLIP) else { return };
    let archive = Archive::new();
    archive.film("a.mp4", &clip, &[&["-t", "0.5"], &QUICK[..]].concat());
    archive.table(&["a.mp4,A,2026-05-03"]);
    let profile =
        |name: &str| place::root().join("pipelines/cluster/profiles").join(name).display().to_string();
    let dry = run(archive.command(&["--profile", &profile("slurm"), "--dry-run"]), LIMIT).ok();
    assert!(dry.stdout.contains("mem_mb=1024") || dry.stderr.contains("mem_mb=1024"), "{dry}");

    let kubectl = archive.path("bin/kubectl");
    fs::create_dir(archive.path("bin")).unwrap();
    fs::write(
        &kubectl,
        r#"#!/bin/sh
here=$(dirname "$0")
case $1 in
create)
    name=gst-mood-$$
    cat >"$here/$name.yaml"
    script=$(sed -n 's/.*"\/bin\/sh", "\(.*\)".*/\1/p' "$here/$name.yaml")
    if sh "$script" >"$here/$name.log" 2>&1; then echo Complete; else echo Failed; fi >"$here/$name.condition"
    printf %s "$name" ;;
get) printf '%s[%s]' "$3" "$(cat "$here/$3.condition")" ;;
esac
"#,
    )
    .unwrap();
    fs::set_permissions(&kubectl, PermissionsExt::from_mode(0o755)).unwrap();
    let mut command =
        archive.command(&["--profile", &profile("kubernetes"), "--seconds-between-status-checks", "1"]);
    let path = env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{path}", archive.path("bin").display()));
    run(command, LIMIT).ok();
    assert_eq!(archive.rows("cohort/sessions.csv").len(), 1);
    let manifests = everything(&archive.path("bin"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"));
    let manifests: Vec<String> = manifests.map(|path| fs::read_to_string(path).unwrap()).collect();
    assert_eq!(manifests.len(), 3, "a recording, a client, the cohort");
    assert!(manifests.iter().all(|text| !text.contains("@S") && !text.contains("@M")), "{manifests:?}");
    assert!(
        manifests.iter().any(|text| text.contains("cpu: \"2\"") && text.contains("memory: 1024M")),
        "{manifests:?}"
    );
}
