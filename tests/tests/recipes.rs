//! The recipes of pipelines/ that connect to other programs, run against these programs: a network camera, Icecast,
//! mosquitto, receivers of video, GStreamer Editing Services, LabStreamingLayer.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use mood_schema::{Emotion, Mood};
use mood_tests::broker::free_ports;
use mood_tests::bus::wait_for;
use mood_tests::process::{RunningProcess, TIMEOUT, shell};
use mood_tests::{Timeline, actor, audio, command, gst_launch, paths, pipeline_script, run};
use serde_json::Value;
use tempfile::TempDir;

/// A loudspeaker that writes what it plays into a file.
fn loudspeaker(file: &Path) -> String {
    let file = file.display();
    format!(
        "audioconvert ! audio/x-raw,format=F32LE,channels=1 ! filesink location={file} buffer-mode=unbuffered"
    )
}

/// Waits until music sounds in such a file: nothing plays before a face was seen.
#[track_caller]
fn wait_for_music(file: &Path) {
    wait_for("music", || {
        let bytes = fs::read(file).ok()?;
        let samples = bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
        samples.into_iter().any(|sample| sample.abs() > 0.01).then_some(())
    });
}

/// A pipeline description of a source that shows the smiling actor at 10 frames a second until it is interrupted.
fn camera(folder: &Path) -> String {
    let photo = actor::write_photo(folder);
    format!(
        "multifilesrc location={} loop=true caps=image/png,framerate=10/1 ! pngdec ! videoconvert ! identity sync=true",
        photo.display()
    )
}

/// Ends a recipe as Ctrl-C does.
#[track_caller]
fn interrupt(recipe: RunningProcess) {
    recipe.signal("INT");
    let output = recipe.wait(TIMEOUT);
    assert!(!output.stderr.contains("ERROR"), "{output}");
}

#[test]
fn a_network_camera_drives_the_music() {
    let folder = TempDir::new().unwrap();
    let music = audio::make_library(&folder.path().join("music"));
    let mut server = command("/usr/bin/python3");
    server.arg(paths::workspace_root().join("tests/readers/rtsp_camera.py"));
    server.arg(actor::write_photo(folder.path())).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut server = server.spawn().unwrap();
    let address = BufReader::new(server.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    let sound = folder.path().join("sound");
    let mut recipe = pipeline_script("rtsp-camera.sh");
    recipe.args([&address]).arg(music).env("VIDEO_SINK", "fakesink").env("AUDIO_SINK", loudspeaker(&sound));
    let recipe = RunningProcess::start(recipe);
    wait_for_music(&sound);
    interrupt(recipe);
    server.kill().unwrap();
    server.wait().unwrap();
}

#[test]
fn two_rooms_have_music_and_publications_of_their_own() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let music = audio::make_library(&path("music"));
    let mut recipe = pipeline_script("two-rooms.sh");
    recipe.arg(&music).env("CAMERA_1", camera(folder.path())).env("CAMERA_2", camera(folder.path()));
    for room in ["1", "2"] {
        recipe.env(format!("AUDIO_SINK_{room}"), loudspeaker(&path(room)));
        recipe.env(format!("PUBLISH_{room}"), format!("file://{}", path(&format!("{room}.jsonl")).display()));
    }
    let recipe = RunningProcess::start(recipe);
    for room in ["1", "2"] {
        wait_for_music(&path(room));
        wait_for("a publication", || {
            fs::read_to_string(path(&format!("{room}.jsonl"))).ok()?.contains("\"happy\"").then_some(())
        });
    }
    interrupt(recipe);
}

#[test]
fn icecast_listeners_hear_the_music() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let [port, _] = free_ports();
    fs::create_dir(path("logs")).unwrap();
    let root = match rustix::process::geteuid().is_root() {
        true => "<security><changeowner><user>nobody</user><group>nogroup</group></changeowner></security>",
        false => "",
    };
    run(shell(&format!("chmod -R a+rwX {}", folder.path().display())), TIMEOUT).assert_success();
    fs::write(
        path("icecast.xml"),
        format!(
            "<icecast><hostname>localhost</hostname><authentication><source-password>p@ss word</source-password>\
             </authentication><listen-socket><port>{port}</port><bind-address>127.0.0.1</bind-address></listen-socket>\
             <paths><logdir>{0}</logdir><webroot>/usr/share/icecast2/web</webroot><adminroot>/usr/share/icecast2/admin\
             </adminroot></paths><logging><accesslog>access</accesslog><errorlog>error</errorlog></logging>{root}</icecast>",
            path("logs").display()
        ),
    )
    .unwrap();
    let mut server = command("icecast2");
    server.arg("-c").arg(path("icecast.xml"));
    let _server = RunningProcess::start(server);
    wait_for("icecast", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    let music = audio::make_library(&path("music"));
    fs::write(path("password"), "p@ss word\n").unwrap();
    let start = |password: &str| {
        let mut recipe = pipeline_script("icecast.sh");
        recipe.arg(&music).args(["127.0.0.1", &port.to_string(), "/mood.ogg"]);
        recipe.env("CAMERA", camera(folder.path())).env("ICECAST_PASSWORD_FILE", path(password));
        RunningProcess::start(recipe)
    };
    fs::write(path("wrong"), "guessed\n").unwrap();
    let output = start("wrong").wait(TIMEOUT);
    assert!(output.code == Some(1) && output.stderr.contains("icecast.sh: "), "{output}");
    let recipe = start("password");
    // A listener who comes too early is told that there is no such stream.
    let heard = path("heard");
    wait_for("the stream", || {
        let mut listener = command("ffmpeg");
        listener.args(["-nostdin", "-v", "error", "-y", "-i", &format!("http://127.0.0.1:{port}/mood.ogg")]);
        listener.args(["-t", "3", "-f", "f32le", "-ac", "1"]).arg(&heard);
        (run(listener, TIMEOUT).code == Some(0)).then_some(())
    });
    wait_for_music(&heard);
    interrupt(recipe);
}

#[test]
fn home_assistants_broker_lets_it_steer_the_session_and_nobody_else_in() {
    let folder = TempDir::new().unwrap();
    let music = audio::make_library(&folder.path().join("music"));
    let broker = folder.path().join("broker");
    let [port, _] = free_ports();
    let mut recipe = pipeline_script("home-assistant.sh");
    recipe.arg(&music).args(["--camera", &camera(folder.path()), "--no-window", "--no-mpris"]);
    recipe.args(["--audio-sink", "fakesink sync=true"]).env("BROKER", &broker).env("PORT", port.to_string());
    recipe.env("ROOM", "kitchen").env("LISTEN", "127.0.0.1");
    let recipe = RunningProcess::start(recipe);
    let client = |program: &str, more: &[&str]| {
        let password = fs::read_to_string(broker.join("homeassistant.password")).ok()?;
        let mut client = command(program);
        client.args([
            "-h",
            "127.0.0.1",
            "-p",
            &port.to_string(),
            "-u",
            "homeassistant",
            "-P",
            password.trim(),
        ]);
        client.args(more);
        Some(run(client, TIMEOUT))
    };
    let read = |topic: &str| {
        wait_for(topic, || {
            let received = client("mosquitto_sub", &["-t", topic, "-C", "1", "-W", "5"])?;
            serde_json::from_str::<Value>(received.stdout.trim()).ok()
        })
    };
    let config = read("homeassistant/select/kitchen/set_mood/config");
    assert_eq!(config["command_topic"], "kitchen/set/mood");
    client("mosquitto_pub", &["-t", "kitchen/set/mood", "-m", "sad"]).unwrap().assert_success();
    wait_for("the mood", || (read("kitchen/control")["mood"] == "sad").then_some(()));
    // The broker takes it and passes it on to nobody.
    client("mosquitto_pub", &["-t", "kitchen/control", "-m", "{}", "-r"]).unwrap();
    assert_eq!(read("kitchen/control")["mood"], "sad");
    let mut stranger = command("mosquitto_pub");
    stranger.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-t", "kitchen/set/mood", "-m", "happy"]);
    assert_ne!(run(stranger, TIMEOUT).code, Some(0));
    let mode = run(shell(&format!("stat -c %a {}/*.password", broker.display())), TIMEOUT).stdout;
    assert_eq!(mode.lines().collect::<Vec<_>>(), ["600", "600"]);
    interrupt(recipe);
}

#[test]
fn obs_gets_the_annotated_picture_over_the_network_and_by_shared_memory() {
    let folder = TempDir::new().unwrap();
    let [port, _] = free_ports();
    let shm = folder.path().join("shm");
    let start = |shm: Option<&Path>| {
        let mut recipe = pipeline_script("obs.sh");
        recipe.env("CAMERA", camera(folder.path())).env("PORT", port.to_string());
        recipe.env("SIZE", "width=320,height=240");
        if let Some(shm) = shm {
            recipe.env("SHM", shm);
        }
        RunningProcess::start(recipe)
    };
    let save = |name: &str| {
        format!(
            "videoconvert ! video/x-raw,format=RGB ! filesink location={}/{name}.raw",
            folder.path().display()
        )
    };
    let recipe = start(None);
    gst_launch(&format!(
        "udpsrc port={port} timeout=60000000000 ! tsdemux ! h264parse ! avdec_h264 ! identity eos-after=30 ! {}",
        save("udp")
    ))
    .assert_success();
    interrupt(recipe);
    let recipe = start(Some(&shm));
    wait_for("shared memory", || shm.exists().then_some(()));
    gst_launch(&format!(
        "shmsrc socket-path={} num-buffers=30 ! video/x-raw,format=I420,width=320,height=240,framerate=30/1 ! {}",
        shm.display(),
        save("shm")
    ))
    .assert_success();
    // Killed: GStreamer 1.22's shmsink calls its own end an error.
    drop(recipe);
    for name in ["udp", "shm"] {
        assert_is_annotated(&fs::read(folder.path().join(name).with_extension("raw")).unwrap(), name);
    }
}

/// Whether the last frame of RGB video of 320x240 has a box in the colour of the mood happy.
#[track_caller]
fn assert_is_annotated(video: &[u8], name: &str) {
    let colour = Mood::from(Emotion::Happy).colour();
    let frame = &video[video.len() - 320 * 240 * 3..];
    let is_close = |pixel: &[u8; 3]| pixel.iter().zip(colour).all(|(a, b)| a.abs_diff(b) < 48);
    let count = frame.as_chunks::<3>().0.iter().filter(|pixel| is_close(pixel)).count();
    assert!(count > 100, "{name}: {count} pixels");
}

#[test]
fn the_annotation_is_an_effect_of_editing_services() {
    let folder = TempDir::new().unwrap();
    let recording = actor::write_recording(folder.path(), "recording.mp4");
    let out = folder.path().join("annotated.webm");
    let mut recipe = pipeline_script("ges-effect.sh");
    recipe.arg(&recording).arg(&out);
    run(recipe, TIMEOUT).assert_success();
    let raw = folder.path().join("raw");
    let mut decode = command("ffmpeg");
    decode
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(&out)
        .args(["-s", "320x240", "-pix_fmt", "rgb24", "-f", "rawvideo"]);
    run(
        {
            decode.arg(&raw);
            decode
        },
        TIMEOUT,
    )
    .assert_success();
    let video = fs::read(&raw).unwrap();
    assert!(video.len() >= 40 * 320 * 240 * 3, "two seconds");
    assert_is_annotated(&video, "ges");
}

/// How well two clocks are compared over the network of a loaded computer, s: a fifth of the time between two frames.
const ACCURACY: f64 = 0.02;

/// The samples of a stream of LabStreamingLayer: their values and their times, s.
fn samples(stream: &Value) -> Vec<(&Value, f64)> {
    let values = stream["values"].as_array().unwrap();
    values
        .iter()
        .zip(stream["times"].as_array().unwrap())
        .map(|(value, time)| (value, time.as_f64().unwrap()))
        .collect()
}

/// The liblsl that pylsl's wheel brings.
fn find_liblsl(environment: &Path) -> PathBuf {
    let packages = fs::read_dir(environment.join("lib")).unwrap().map(|entry| entry.unwrap().path());
    let mut libraries = packages.map(|python| python.join("site-packages/pylsl/lib/liblsl.so"));
    libraries.find(|library| library.exists()).unwrap()
}

#[test]
fn labstreaminglayer_receives_and_records_samples_and_markers_with_their_times() {
    let folder = TempDir::new().unwrap();
    // Whoever else is in the laboratory does not meet this test's streams.
    let settings = folder.path().join("lsl_api.cfg");
    let session = format!("[lab]\nSessionID = test-{}\nKnownPeers = {{127.0.0.1}}\n", std::process::id());
    fs::write(&settings, format!("{session}[multicast]\nResolveScope = machine\n")).unwrap();
    let environment = paths::workspace_root().join("target/readers");
    let python = |script: &str| {
        let mut python = command(environment.join("bin/python"));
        python.arg(paths::workspace_root().join(script)).env("LSLAPICFG", &settings);
        python
    };
    // What sends is like another computer, whose clock is 1000 s ahead.
    let clock = folder.path().join("clock_ahead.so");
    let mut compiler = command("cc");
    compiler.args(["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"]).arg(&clock);
    compiler.arg(paths::workspace_root().join("tests/readers/clock_ahead.c")).arg("-ldl");
    run(compiler, TIMEOUT).assert_success();
    // Its streams are there before the first frame, which comes with a photo through a pipe.
    let (pipe, music) = (folder.path().join("pipe"), audio::make_library(&folder.path().join("music")));
    run(shell(&format!("mkfifo {}", pipe.display())), TIMEOUT).assert_success();
    let mut publisher = shell(&format!(
        "exec gst-launch-1.0 -m fdsrc ! pngdec ! videoconvert ! imagefreeze is-live=true ! video/x-raw,framerate=10/1 ! \
         haarfacedetect ! emotionclassify ! emotionpublish interval=0 uri='lsl:?name=lab' ! moodplayer library={} ! \
         fakesink sync=true <>{}",
        music.display(),
        pipe.display()
    ));
    publisher
        .env("LSLAPICFG", &settings)
        .env("LD_PRELOAD", &clock)
        .env("PYLSL_LIB", find_liblsl(&environment));
    let publisher = RunningProcess::start(publisher);

    // Two programs that are none of ours receive it: LabRecorder, whose files pyxdf reads, and pylsl.
    let start = |mut program: Command| {
        let mut program = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(program.stdout.take().unwrap()).lines().map(Result::unwrap);
        (program, lines)
    };
    let mut recorder = python("tests/readers/lab_recorder.py");
    recorder.arg(folder.path().join("session.xdf"));
    let (mut recorder, mut recorded) = start(recorder);
    let mut receiver = python("tests/readers/lsl.py");
    receiver.args(["20", "2"]);
    let (mut receiver, mut received) = start(receiver);
    for lines in [&mut recorded, &mut received] {
        assert_eq!(lines.find(|line| line == "ready").as_deref(), Some("ready"));
    }
    fs::write(&pipe, fs::read(actor::write_photo(folder.path())).unwrap()).unwrap();
    let received: Value = serde_json::from_str(&received.next().expect("what was received")).unwrap();
    assert!(receiver.wait().unwrap().success());
    // LabRecorder fetches twice a second, and no more when it is told to end.
    thread::sleep(Duration::from_secs(1));
    recorder.stdin.take().unwrap().write_all(b"\n").unwrap();
    let recorded: Value = serde_json::from_str(&recorded.next().expect("what was recorded")).unwrap();
    assert!(recorder.wait().unwrap().success());
    // Not before: LabRecorder compares the clocks at last.
    interrupt(publisher);

    let (mood, markers) = (samples(&received["lab"]), samples(&received["lab-markers"]));
    let (last, _) = mood.last().unwrap();
    assert!(last[3].as_f64().unwrap() > 0.4 && last[9] == 1.0, "{last:?}");
    let times: Vec<f64> = mood.iter().map(|(_, time)| *time).collect();
    // Those of the frames: tenths of a second apart, whatever delays them, once the first, which waited for the model to be loaded, are past.
    let last_time = *times.last().unwrap();
    let is_tenth =
        |time: &f64| (((last_time - time) * 10.0).round() / 10.0 - (last_time - time)).abs() < ACCURACY;
    assert!(times[14..].iter().all(is_tenth) && times.is_sorted(), "{times:?}");
    // On the receiver's clock, which is not the sender's.
    let now = received["now"].as_f64().unwrap();
    assert!(times.iter().all(|time| (0.0..60.0).contains(&(now - time))), "{now}: {times:?}");
    let texts: Vec<&Value> = markers.iter().map(|(value, _)| &value[0]).collect();
    assert_eq!(texts, ["mood happy", "track happy"]);

    // The recording has the same at the same times: both streams are on one clock.
    for (name, kind, labels) in [
        ("lab", "Mood", "angry disgust fear happy sad surprise neutral valence arousal faces"),
        ("lab-markers", "Markers", ""),
    ] {
        let stream = &recorded[name];
        assert_eq!(
            (&stream["type"], stream["labels"].as_array().unwrap().len()),
            (&kind.into(), labels.split_whitespace().count())
        );
        assert!(stream["labels"].as_array().unwrap().iter().eq(labels.split_whitespace()), "{stream}");
        assert_eq!(stream["channels"], if labels.is_empty() { 1 } else { 10 });
        let offsets = stream["clock_offsets"].as_array().unwrap();
        assert!(
            !offsets.is_empty()
                && offsets.iter().all(|offset| (offset.as_f64().unwrap() + 1000.0).abs() < ACCURACY)
        );
        let stored = samples(stream);
        let mut compared = 0;
        for (value, time) in samples(&received[name]) {
            if time > stored.last().unwrap().1 + ACCURACY {
                break;
            }
            compared += 1;
            let is_same = |(other, at): &(&Value, f64)| *other == value && (at - time).abs() < ACCURACY;
            assert!(stored.iter().any(is_same), "{name}: {value} at {time} in {stored:?}");
        }
        assert!(compared >= if labels.is_empty() { 2 } else { 10 }, "{name}: {stored:?}");
    }
}

#[test]
fn the_faces_of_the_opencv_plugin_are_classified() {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("timeline.jsonl");
    let photo = actor::write_photo(folder.path());
    gst_launch(&format!(
        "filesrc location={} ! pngdec ! imagefreeze num-buffers=5 ! videoconvert ! video/x-raw,format=RGB,framerate=10/1 ! \
         facedetect display=false profile=/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml ! \
         videoconvert ! emotionclassify ! emotionlog location={} ! fakesink",
        photo.display(),
        log.display()
    ))
    .assert_success();
    let frames = Timeline::read(&log).frames;
    assert_eq!(frames.len(), 5);
    for frame in frames {
        let face = frame.faces.iter().max_by(|a, b| a.bbox.w.total_cmp(&b.bbox.w)).unwrap();
        assert_eq!((face.id, face.classification.as_ref().unwrap().label), (1, Emotion::Happy.into()));
    }
}
