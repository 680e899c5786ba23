//! The workflow of pipelines/cluster with the real Snakemake: a complete archive, wrong settings, failing jobs.
//!
//! `MOOD_TEST_CLUSTER` may hold Snakemake options that run the jobs elsewhere; tests/slurm.sh uses it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use mood_tests::process::RunningProcess;
use mood_tests::{ProcessOutput, command, media, paths, pipeline_script, run};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A talking head, about 2.4 s with audio.
const CLIP: &str = "video/single_face.mp4";
/// Longer than other tests' timeout: a cluster is polled for the state of its jobs only every few seconds.
const TIMEOUT: Duration = Duration::from_secs(600);

/// A temporary folder with an archive of recordings, the settings of the workflow, and its results.
struct Archive {
    folder: TempDir,
}

impl Archive {
    /// Creates an archive without recordings.
    fn new() -> Self {
        let archive = Self { folder: TempDir::new().unwrap() };
        fs::create_dir(archive.path("videos")).unwrap();
        archive.write_settings("");
        archive
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the settings file: the paths, followed by the lines `extra`.
    fn write_settings(&self, extra: &str) {
        let settings = format!("sessions: table.csv\nvideos: videos\noutput: results\n{extra}");
        fs::write(self.path("settings.yaml"), settings).unwrap();
    }

    /// Writes the table of sessions.
    fn write_table(&self, rows: &[&str]) {
        fs::write(self.path("table.csv"), format!("video,client,date\n{}\n", rows.join("\n"))).unwrap();
    }

    /// Makes a recording of the archive from `clip` with ffmpeg.
    fn transcode(&self, name: &str, clip: &Path, arguments: &[&str]) -> PathBuf {
        let path = self.path("videos").join(name);
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-nostdin", "-y", "-i"]).arg(clip).args(arguments).arg(&path);
        assert!(ffmpeg.status().unwrap().success());
        path
    }

    /// The command that runs the workflow on this machine.
    fn command(&self, options: &[&str]) -> Command {
        let program = paths::workspace_root().join("target/snakemake/bin/snakemake");
        assert!(program.exists(), "no {}: run `make setup` first", program.display());
        let mut command = pipeline_script("cluster/run.sh");
        command.arg(self.path("settings.yaml")).args(options);
        // Snakemake caches the text of its source files.
        command.env("XDG_CACHE_HOME", self.path("cache")).current_dir(self.folder.path());
        command
    }

    /// Runs the workflow where `MOOD_TEST_CLUSTER` says.
    fn run(&self, options: &[&str]) -> ProcessOutput {
        let cluster_options = env::var("MOOD_TEST_CLUSTER").unwrap_or_default();
        let mut command = self.command(options);
        command.args(cluster_options.split_whitespace());
        run(command, TIMEOUT)
    }

    /// Reads a result file.
    fn read(&self, name: &str) -> String {
        let path = self.path("results").join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The rows of a CSV result, each as values by column name. Only the last field of a row may hold a comma.
    fn read_rows(&self, name: &str) -> Vec<BTreeMap<String, String>> {
        let text = self.read(name);
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().unwrap().split(',').collect();
        let row = |line: &str| {
            let fields = line.splitn(header.len(), ',').map(|field| field.trim_matches('"').to_owned());
            header.iter().map(|&name| name.to_owned()).zip(fields).collect()
        };
        lines.map(row).collect()
    }

    /// When each session was last processed, by session code.
    fn processing_times(&self) -> BTreeMap<String, SystemTime> {
        let state = fs::read_dir(self.path("results/state")).unwrap();
        let times = state.map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name.trim_end_matches(".json").to_owned(), entry.metadata().unwrap().modified().unwrap())
        });
        times.collect()
    }

    /// The error of each failed session, by session code.
    fn failures(&self) -> BTreeMap<String, String> {
        let rows = self.read_rows("cohort/failed.csv").into_iter();
        rows.map(|mut row| (row.remove("session").unwrap(), row.remove("error").unwrap())).collect()
    }
}

/// All files and folders below a folder; symbolic links are left out.
fn paths_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| !path.is_symlink())
        .flat_map(|path| {
            let inside = if path.is_dir() { paths_below(&path) } else { vec![] };
            [vec![path], inside].concat()
        })
        .collect()
}

/// ffmpeg's output arguments for an MP4 file that costs little time and can be cut off at its end.
const FAST_ENCODING: [&str; 6] = ["-c:v", "libx264", "-preset", "ultrafast", "-movflags", "+faststart"];

/// Asserts that a field of a table is the number `value`, to five digits.
#[track_caller]
fn assert_close(field: &str, value: &Value) {
    let (found, expected) = (field.parse::<f64>().unwrap(), value.as_f64().unwrap());
    assert!((found - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{found} {expected}");
}

#[test]
fn an_archive_gives_reports_and_tables_and_is_updated_where_it_changes() {
    let Some(clip) = media(CLIP) else { return };
    let archive = Archive::new();
    let videos = archive.path("videos");
    fs::copy(&clip, videos.join("Ada Lovelace {1} [ü].mp4")).unwrap();
    archive.transcode("Lovelace2.mkv", &clip, &[&["-t", "1.5"], &FAST_ENCODING[..4]].concat());
    let good = archive.transcode("good.mp4", &clip, &[&["-t", "1"], &FAST_ENCODING[..]].concat());
    let complete = fs::read(&good).unwrap();
    fs::write(videos.join("cut.mp4"), &complete[..complete.len() * 3 / 4]).unwrap();
    archive.transcode("sound.m4a", &clip, &["-vn"]);
    let rows = [
        "Ada Lovelace {1} [ü].mp4,C01,2026-05-17",
        "Lovelace2.mkv,C01,2026-05-03",
        "good.mp4,C02,2026-05-04",
        "cut.mp4,C02,2026-05-11",
        "sound.m4a,C03,2026-05-11",
        "later.mp4,C03,2026-05-12",
    ];
    archive.write_table(&rows);

    let output = archive.run(&[]);
    assert!(
        output.code == Some(1) && output.stderr.contains("3 of 6 sessions failed, the others are done"),
        "{output}"
    );
    let failures = archive.failures();
    assert_eq!(failures.keys().collect::<Vec<_>>(), ["C02-2026-05-11", "C03-2026-05-11", "C03-2026-05-12"]);
    assert!(failures["C02-2026-05-11"].contains("it ends in the middle"), "{failures:?}");
    assert!(failures["C03-2026-05-11"].contains("no video"), "{failures:?}");
    assert_eq!(failures["C03-2026-05-12"], "there is no such file");

    let sessions = archive.read_rows("cohort/sessions.csv");
    let codes: Vec<&str> = sessions.iter().map(|row| row["session"].as_str()).collect();
    assert_eq!(
        codes,
        ["C01-2026-05-03", "C01-2026-05-17", "C02-2026-05-04"],
        "the sessions of a client in order"
    );
    let (mut seconds, mut happy) = (0.0, 0.0);
    for row in &sessions {
        let summary = archive.read(&format!("sessions/{}/summary.json", row["session"]));
        let summary: Value = serde_json::from_str(&summary).unwrap();
        let subject = &summary["subjects"][0];
        assert_close(&row["seconds"], &json!(summary["duration"].as_f64().unwrap() / 1e9));
        assert_close(&row["uncertain"], &json!(subject["uncertain"].as_f64().unwrap() / 1e9));
        assert_close(&row["share_happy"], subject["labels"].get("happy").unwrap_or(&json!(0)));
        assert_close(&row["valence_mean"], &subject["valence"]["mean"]);
        assert_eq!(row["model"], summary["made_from"]["work"]["model"]);
        assert_eq!(row["title"], summary["title"], "the title in the client's report");
        if row["client"] == "C01" {
            let classified: f64 = row["classified"].parse().unwrap();
            seconds += classified;
            happy += classified * row["share_happy"].parse::<f64>().unwrap();
        }
    }
    let clients = archive.read_rows("cohort/clients.csv");
    let counts: Vec<[&str; 3]> = clients
        .iter()
        .map(|row| ["client", "sessions", "failed"].map(|column| row[column].as_str()))
        .collect();
    assert_eq!(counts, [["C01", "2", "0"], ["C02", "1", "1"], ["C03", "0", "2"]]);
    assert_close(&clients[0]["share_happy"], &json!(happy / seconds));
    assert_eq!((clients[0]["first"].as_str(), clients[0]["last"].as_str()), ("2026-05-03", "2026-05-17"));
    assert_eq!(archive.read_rows("clients/C01/sessions.csv"), sessions[..2]);
    let comparison = archive.read("clients/C01/report.html");
    assert!(sessions[..2].iter().all(|row| comparison.contains(&row["title"])), "both sessions");
    assert!(archive.read("clients/C02/report.html").contains(&sessions[2]["title"]));
    assert!(!archive.path("results/clients/C03/report.html").exists());

    for path in
        paths_below(&archive.path("results")).into_iter().chain(paths_below(&archive.path(".snakemake")))
    {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        // Snakemake makes its metadata readable for the group, in a folder that only its owner can enter.
        let is_metadata = path.components().any(|part| part.as_os_str() == "metadata");
        assert!(is_metadata || mode & 0o077 == 0, "{}: {mode:o}", path.display());
        let text = if path.is_file() { fs::read(&path).unwrap() } else { vec![] };
        assert!(!String::from_utf8_lossy(&text).contains("Lovelace"), "{}", path.display());
    }
    assert!(!output.stderr.contains("Lovelace"), "{output}");

    let first = archive.processing_times();
    let again = archive.run(&[]);
    assert!(again.code == Some(1) && again.stderr.contains("3 of 6 sessions failed"), "{again}");
    assert_eq!(archive.processing_times(), first, "nothing is processed again");

    // A complete copy of the recording, with an older modification time.
    fs::write(videos.join("cut.mp4"), &complete).unwrap();
    let old = SystemTime::now() - Duration::from_secs(86_400);
    File::options().write(true).open(videos.join("cut.mp4")).unwrap().set_modified(old).unwrap();
    let report = |client: &str| {
        fs::metadata(archive.path("results/clients").join(client).join("report.html"))
            .unwrap()
            .modified()
            .unwrap()
    };
    let reports = (report("C01"), report("C02"));
    let updated = archive.run(&[]);
    assert!(updated.stderr.contains("2 of 6 sessions failed"), "{updated}");
    let second = archive.processing_times();
    let changed: Vec<_> =
        second.iter().filter(|(code, time)| first[*code] != **time).map(|(code, _)| code).collect();
    assert_eq!(changed, ["C02-2026-05-11"], "only the replaced recording");
    assert!(report("C01") == reports.0 && report("C02") > reports.1);
    assert_eq!(archive.read_rows("cohort/sessions.csv").len(), 4);

    // The missing recording is added, the one without video is removed, and one row names another recording.
    fs::copy(&good, videos.join("later.mp4")).unwrap();
    archive.write_table(&["Lovelace2.mkv,C02,2026-05-04", rows[0], rows[1], rows[3], rows[5]]);
    archive.run(&[]).assert_success();
    let sessions = archive.read_rows("cohort/sessions.csv");
    let by_code = |code: &str| sessions.iter().find(|row| row["session"] == code).unwrap();
    assert_eq!(sessions.len(), 5);
    assert_eq!(by_code("C02-2026-05-04")["recording"], by_code("C01-2026-05-03")["recording"]);
    assert_eq!(archive.failures().len(), 0);
}

#[test]
fn wrong_settings_are_reported_before_any_job_runs() {
    let archive = Archive::new();
    fs::write(archive.path("videos/a.mp4"), "no video").unwrap();
    let good = "a.mp4,C01,2026-05-03";
    let assert_reported = |words: &[&str]| {
        let output = run(archive.command(&[]), TIMEOUT);
        assert_eq!(output.code, Some(2), "{output}");
        assert!(
            output.stderr.lines().any(|line| words.iter().all(|word| line.contains(word))),
            "{words:?}\n{output}"
        );
        assert!(!archive.path("results/state").exists());
    };
    assert_reported(&["table.csv", "No such file"]);
    for (rows, words) in [
        (&["a.mp4,Ada Lovelace,2026-05-03"][..], &["line 2", "client", "a code"][..]),
        (&[good, "a.mp4,C02,3.5.2026"], &["line 3", "date", "2026-05-03"]),
        (&[good, "b.mp4,C01,2026-05-03"], &["line 3", "a second session C01-2026-05-03"]),
        (&["b.mp4,C01,2026-05-03"], &["none of its videos is there", "videos/b.mp4"]),
    ] {
        archive.write_table(rows);
        assert_reported(words);
    }
    archive.write_table(&[good]);
    for (extra, words) in [
        ("optoins: {}", &["settings.yaml", "optoins"][..]),
        ("options: { blur_faces: true }", &["options", "overlay"]),
        ("options: { library: /nowhere }", &["options.library", "/nowhere"]),
        ("gst_mood: /nowhere/gst-mood", &["/nowhere/gst-mood"]),
    ] {
        archive.write_settings(extra);
        assert_reported(words);
    }
    let usage = run(pipeline_script("cluster/run.sh"), TIMEOUT);
    assert!(usage.code == Some(2) && usage.stderr.contains("usage: "), "{usage}");
}

#[test]
fn a_program_that_prints_no_result_is_a_failed_session() {
    let folder = tempfile::TempDir::new().unwrap();
    let script = paths::workspace_root().join("pipelines/cluster/scripts/session.py");
    let run_script = |code: u8, printed: &str, is_last: bool| {
        let program = folder.path().join("program");
        fs::write(&program, format!("#!/bin/sh\necho '{printed}'\nexit {code}\n")).unwrap();
        fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let python = format!(
            "from types import SimpleNamespace as N\n\
             last = {last}\n\
             snakemake = N(input={{'video': 'v.mp4'}}, log=['log'], output=['outcome.json'], wildcards=N(session='S'),\n\
             params=N(program='./program', arguments=[]), resources=N(mem_mb=4096, runtime=10, last=last))\n\
             exec(open('{script}').read())",
            last = if is_last { "True" } else { "False" },
            script = script.display()
        );
        let mut command = command("python3");
        command.arg("-c").arg(python).current_dir(folder.path());
        run(command, TIMEOUT)
    };
    for printed in ["", "no JSON", "5", "[]"] {
        for code in [0, 1] {
            let output = run_script(code, printed, true);
            assert!(!output.stderr.contains("Traceback"), "{output}");
        }
        // A result without an error is missing: not done.
        run_script(0, printed, true).assert_success();
        let outcome = fs::read_to_string(folder.path().join("outcome.json")).unwrap();
        assert!(
            outcome.contains("failed") && outcome.contains("ended with 0 and without a result"),
            "{outcome}"
        );
        let retried = run_script(0, printed, false);
        assert!(retried.code == Some(1) && retried.stderr.contains("without a result"), "{retried}");
    }
}

/// Makes the archive use a wrapper of `gst-mood` that counts its runs in files `tried-CODE`, and that aborts, exits with
/// 3 or hangs for the sessions for which there is a file `aborts-CODE`, `lacks-CODE` or `hangs-CODE`.
fn use_failing_program(archive: &Archive) {
    let program = archive.path("failing-gst-mood");
    let real = paths::release_folder().join("gst-mood");
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
    archive.write_settings("gst_mood: failing-gst-mood");
}

#[test]
fn a_crash_is_retried_and_a_broken_machine_is_not_a_failed_session() {
    let Some(clip) = media(CLIP) else { return };
    let archive = Archive::new();
    use_failing_program(&archive);
    let half_a_second = [&["-t", "0.5"], &FAST_ENCODING[..]].concat();
    for name in ["a.mp4", "b.mp4", "c.mp4"] {
        archive.transcode(name, &clip, &half_a_second);
    }
    archive.write_table(&["a.mp4,A,2026-05-03", "b.mp4,B,2026-05-03", "c.mp4,C,2026-05-03"]);
    for name in ["aborts-A-2026-05-03", "lacks-B-2026-05-03"] {
        fs::write(archive.path(name), "").unwrap();
    }
    let output = archive.run(&[]);
    assert!(
        output.code == Some(1) && output.stderr.contains("the same command goes on from here"),
        "{output}"
    );
    let attempts =
        |code: &str| fs::read_to_string(archive.path(&format!("tried-{code}"))).unwrap().lines().count();
    assert_eq!(["A-2026-05-03", "B-2026-05-03", "C-2026-05-03"].map(attempts), [3, 3, 1], "{output}");
    assert!(archive.path("results/clients/C/report.html").exists());
    assert!(!archive.path("results/cohort/failed.csv").exists());

    fs::remove_file(archive.path("lacks-B-2026-05-03")).unwrap();
    let output = archive.run(&[]);
    assert!(output.stderr.contains("1 of 3 sessions failed"), "{output}");
    assert_eq!(["A-2026-05-03", "B-2026-05-03", "C-2026-05-03"].map(attempts), [3, 4, 1]);
    assert_eq!(
        archive.failures()["A-2026-05-03"],
        "the program ended with signal 6, see logs/A-2026-05-03.log"
    );
}

#[test]
fn a_killed_workflow_continues_where_it_stopped() {
    let Some(clip) = media(CLIP) else { return };
    let archive = Archive::new();
    use_failing_program(&archive);
    let half_a_second = [&["-t", "0.5"], &FAST_ENCODING[..]].concat();
    for name in ["a.mp4", "b.mp4"] {
        archive.transcode(name, &clip, &half_a_second);
    }
    archive.write_table(&["a.mp4,A,2026-05-03", "b.mp4,B,2026-05-03"]);
    fs::write(archive.path("hangs-B-2026-05-03"), "").unwrap();
    // Always on this machine: jobs submitted to a cluster would survive the signal.
    let running = RunningProcess::start(archive.command(&["--cores", "4"]));
    let expected = [archive.path("results/clients/A/report.html"), archive.path("tried-B-2026-05-03")];
    let deadline = Instant::now() + Duration::from_secs(60);
    while !expected.iter().all(|path| path.exists()) {
        thread::sleep(Duration::from_millis(50));
        assert!(deadline > Instant::now(), "{}", running.wait(Duration::ZERO));
    }
    running.signal("KILL");
    let killed = running.wait(TIMEOUT);
    assert_eq!(killed.code, None);

    fs::remove_file(archive.path("hangs-B-2026-05-03")).unwrap();
    run(archive.command(&["--unlock"]), TIMEOUT).assert_success();
    run(archive.command(&[]), TIMEOUT).assert_success();
    let attempts =
        |code: &str| fs::read_to_string(archive.path(&format!("tried-{code}"))).unwrap().lines().count();
    assert_eq!(["A-2026-05-03", "B-2026-05-03"].map(attempts), [1, 2]);
    assert_eq!(archive.read_rows("cohort/sessions.csv").len(), 2);
}

/// A session with music and a baseline, and one in which no face was detected.
#[test]
fn tables_hold_what_the_summaries_say() {
    let archive = Archive::new();
    let estimate =
        |mean: f64| json!({"mean": mean, "low": mean - 0.1, "high": mean + 0.1, "se": 0.05, "df": 9.0});
    let without_faces = json!({
        "title": "b", "duration": 5_000_000_000_u64, "frames": 125, "face_share": 0.0, "subject": null, "subjects": [],
        "tracks": [], "track_changes": 0, "failed_tracks": 0, "mood_changes": 0, "responses": [],
        "response_valence": null, "response_arousal": null, "made_from": null,
    });
    let mut with_music = without_faces.clone();
    let person = |id: u32, valence: f64| {
        json!({
            "id": id, "seen": 4_000_000_000_u64, "absent": 1_000_000_000_u64, "classified": 3_000_000_000_u64,
            "uncertain": 600_000_000_u64, "quality": 0.9, "labels": {"happy": 0.8, "uncertain": 0.2},
            "valence": estimate(valence), "arousal": {"mean": 0.2},
            "valence_trend": {"per_minute": 0.3}, "arousal_trend": null,
            "above_baseline": {"valence": estimate(0.15), "arousal": estimate(-0.05)},
        })
    };
    with_music["subjects"] = json!([person(7, -0.5), person(3, 0.4)]);
    with_music["subject"] = json!(3);
    with_music["tracks"] = json!([{}, {}]);
    with_music["track_changes"] = json!(1);
    with_music["response_valence"] = estimate(0.25);
    for (code, summary) in [("A-1", &with_music), ("A-2", &without_faces)] {
        let folder = archive.path("sessions").join(code);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("summary.json"), summary.to_string()).unwrap();
    }
    let tables = "import json, sys; sys.path.insert(0, sys.argv[1]); import tables\n\
        who = [{'client': 'A', 'date': f'2026-05-0{n}', 'session': f'A-{n}'} for n in (1, 2)]\n\
        rows = [tables.session_row(row, tables.read_summary(row)) for row in who]\n\
        assert all(set(row) <= set(tables.SESSION_COLUMNS) for row in rows)\n\
        print(json.dumps([*rows, tables.client_row('A', rows, 0)]))";
    let mut python = command(paths::workspace_root().join("target/snakemake/bin/python"));
    python.args(["-B", "-c", tables]).arg(paths::workspace_root().join("pipelines/cluster/scripts"));
    python.current_dir(archive.folder.path());
    let found: Value = serde_json::from_str(&run(python, TIMEOUT).assert_success().stdout).unwrap();
    let expected = r#"{
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
    let expected: Value = serde_json::from_str(expected).unwrap();
    assert_eq!(found[0], expected, "the subject's row, not another person's");
    assert!(found[1]["people"] == 0 && found[1].get("valence_mean").is_none(), "{}", found[1]);
    let client = &found[2];
    assert!(client["sessions"] == 2 && client["seconds"] == 10.0, "{client}");
    assert_close("0.8", &client["share_happy"]);
    assert_close("0.4", &client["valence_mean"]);
    assert!(client.get("valence_sd").is_none(), "{client}");
}

#[test]
fn names_are_shown_with_a_consent_note_only() {
    let Some(clip) = media(CLIP) else { return };
    let archive = Archive::new();
    let half_a_second = [&["-t", "0.5"], &FAST_ENCODING[..]].concat();
    let people = "[people.client]\nname = \"Ada\"\nids = [1]\n";
    for (name, consent) in [("a", "consent = \"signed 3 May 2026\"\n"), ("b", "")] {
        archive.transcode(&format!("{name}.mp4"), &clip, &half_a_second);
        fs::write(archive.path(&format!("videos/{name}.mp4.toml")), format!("{consent}{people}")).unwrap();
    }
    archive.write_table(&["a.mp4,A,2026-05-03", "b.mp4,B,2026-05-03"]);
    let shows_name = || archive.read("sessions/A-2026-05-03/summary.json").contains("\"Ada\"");
    archive.run(&[]).assert_success();
    assert!(!shows_name());
    archive.write_settings("pseudonym: false");
    let output = archive.run(&[]);
    assert!(output.stderr.contains("1 of 2 sessions failed"), "{output}");
    assert!(archive.failures()["B-2026-05-03"].contains("without a consent note"));
    assert!(shows_name() && archive.read_rows("cohort/sessions.csv")[0]["title"] == "A-2026-05-03");
}

/// Without a cluster: the Slurm profile in a dry run, and the Kubernetes profile with a `kubectl` that runs the jobs here.
#[test]
fn cluster_profiles_submit_jobs_with_their_resources() {
    let Some(clip) = media(CLIP) else { return };
    let archive = Archive::new();
    archive.transcode("a.mp4", &clip, &[&["-t", "0.5"], &FAST_ENCODING[..]].concat());
    archive.write_table(&["a.mp4,A,2026-05-03"]);
    let profile = |name: &str| {
        paths::workspace_root().join("pipelines/cluster/profiles").join(name).display().to_string()
    };
    let dry_run =
        run(archive.command(&["--profile", &profile("slurm"), "--dry-run"]), TIMEOUT).assert_success();
    assert!(dry_run.stdout.contains("mem_mb=1024") || dry_run.stderr.contains("mem_mb=1024"), "{dry_run}");

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
    run(command, TIMEOUT).assert_success();
    assert_eq!(archive.read_rows("cohort/sessions.csv").len(), 1);
    let manifests = paths_below(&archive.path("bin"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"));
    let manifests: Vec<String> = manifests.map(|path| fs::read_to_string(path).unwrap()).collect();
    assert_eq!(manifests.len(), 3, "one for the recording, one for the client, one for the cohort");
    assert!(manifests.iter().all(|text| !text.contains("@S") && !text.contains("@M")), "{manifests:?}");
    assert!(
        manifests.iter().any(|text| text.contains("cpu: \"2\"") && text.contains("memory: 1024M")),
        "{manifests:?}"
    );
}
