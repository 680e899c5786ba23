//! `emotionpublish` against real receivers: the broker mosquitto with its own clients, python-osc, files and sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Stdio;
use std::thread;

use mood_tests::broker::{Broker, PASSWORD_VARIABLE, Subscriber, free_ports};
use mood_tests::bus::PrivateBus;
use mood_tests::process::{RunningProcess, TIMEOUT, shell};
use mood_tests::readers::{assert_valid, reader_script};
use mood_tests::{actor, audio, command, gst_launch, gst_mood, pipeline_script, run};
use serde_json::Value;

/// A pipeline that shows the smiling actor for `frames` frames at 10 frames a second.
fn pipeline(folder: &Path, frames: i32, uri: &str) -> String {
    let camera = actor::camera(folder, frames);
    format!(
        "-m {camera} ! videoconvert ! haarfacedetect ! emotionclassify ! emotionpublish name=p interval=0 uri='{uri}' ! fakesink"
    )
}

#[test]
fn a_broker_gets_states_faces_and_what_home_assistant_needs_to_find_them() {
    let broker = Broker::start();
    let subscriber = broker.subscribe();
    let uri = format!(
        "mqtts://mood@localhost:{}/room?ca={}&discovery=homeassistant&{}",
        broker.tls_port,
        broker.folder.path().join("ca.pem").display(),
        broker.credentials()
    );
    let output = gst_launch(&pipeline(broker.folder.path(), 20, &uri)).assert_success();
    assert!(!output.stdout.contains("dropped") && !output.stderr.contains("WARNING"), "{output}");
    subscriber.wait("offline", |subscriber| subscriber.payloads("room/status").contains(&"offline".into()));
    assert_eq!(subscriber.payloads("room/status"), ["online", "offline"]);

    let states = subscriber.payloads("room/state");
    let frames = subscriber.payloads("room/frame");
    assert_eq!((states.len(), frames.len()), (20, 20));
    for (name, schema, values) in
        [("states", "publication.schema.json", &states), ("frames", "timeline.schema.json", &frames)]
    {
        let path = broker.folder.path().join(name).with_extension("jsonl");
        fs::write(&path, values.join("\n")).unwrap();
        assert_valid(schema, &path);
    }
    let last: Value = serde_json::from_str(states.last().unwrap()).unwrap();
    assert_eq!((&last["mood"], &last["people"]), (&"happy".into(), &1.into()));

    // Whoever comes later finds the state and the configuration, which the broker keeps.
    let late = broker.subscribe();
    late.wait("retained messages", |late| !late.payloads("room/state").is_empty());
    assert!(late.text().contains("room/status 1 offline"), "{}", late.text());
    for sensor in ["mood", "confidence", "valence", "arousal", "people", "track"] {
        let topic = format!("homeassistant/sensor/room/{sensor}/config");
        late.wait(&topic, |late| !late.payloads(&topic).is_empty());
        let config: Value = serde_json::from_str(&late.payloads(&topic)[0]).unwrap();
        assert_eq!(
            (&config["state_topic"], &config["availability_topic"]),
            (&"room/state".into(), &"room/status".into())
        );
    }
}

#[test]
fn brokers_of_either_tls_version_and_with_every_kind_of_key_are_reached_with_the_authorities_of_the_system() {
    let mut broker = Broker::start();
    let folder = broker.folder.path().to_owned();
    let mut uris = Vec::new();
    for (topic, key, version) in [
        ("rsa", "rsa:2048", "tlsv1.2"),
        ("p256", "ec -pkeyopt ec_paramgen_curve:P-256", "tlsv1.2"),
        ("rsa13", "rsa:3072", "tlsv1.3"),
        ("p384", "ec -pkeyopt ec_paramgen_curve:P-384", "tlsv1.3"),
        ("ed25519", "ed25519", "tlsv1.3"),
    ] {
        let port = broker.add_tls_port(topic, key, version);
        uris.push((topic, format!("mqtts://mood@localhost:{port}/{topic}?{}", broker.credentials())));
    }
    broker.restart();
    fs::create_dir(folder.join("authorities")).unwrap();
    fs::copy(folder.join("ca.pem"), folder.join("authorities/ours.pem")).unwrap();
    let uri: Vec<&str> = uris.iter().map(|(_, uri)| uri.as_str()).collect();
    let launch = |variable: &str, value: String| {
        let mut launch = shell(&format!("exec gst-launch-1.0 {}", pipeline(&folder, 5, &uri.join(" "))));
        launch.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR").env(variable, value);
        run(launch, TIMEOUT).assert_success()
    };
    let at = |file: &str| folder.join(file).display().to_string();
    for (variable, value) in
        [("SSL_CERT_FILE", at("ca.pem")), ("SSL_CERT_DIR", format!("/nonexistent:{}", at("authorities")))]
    {
        let subscriber = broker.subscribe();
        let output = launch(variable, value);
        assert!(!output.stdout.contains("cannot publish"), "{variable}: {output}");
        for (topic, _) in &uris {
            let status = format!("{topic}/status");
            let was_there = |subscriber: &Subscriber| subscriber.payloads(&status).contains(&"online".into());
            subscriber.wait(&format!("{variable} {topic}"), was_there);
        }
    }
    // Who says whom to trust, and errs, trusts nobody.
    let output = launch("SSL_CERT_FILE", at("absent.pem"));
    assert_eq!(output.stdout.matches("correct SSL_CERT_FILE").count(), uris.len(), "{output}");
}

#[test]
fn every_way_not_to_reach_a_broker_is_a_warning_with_its_remedy_and_the_video_goes_on() {
    let broker = Broker::start();
    drop(broker.subscribe());
    let [nobody, _] = free_ports();
    let (port, tls) = (broker.port, broker.tls_port);
    let guessed = broker.folder.path().join("guessed");
    fs::write(&guessed, "guessed\n").unwrap();
    let guessed = guessed.display();
    let uri = format!(
        "mqtt://127.0.0.1:{nobody}/a mqtt://eve@127.0.0.1:{port}/b mqtts://mood@localhost:{tls}/c \
         mqtt://nowhere.invalid/d unix:///nonexistent/e mqtt://mood@127.0.0.1:{port}/f?password-file=/nonexistent/g \
         mqtt://mood@127.0.0.1:{port}/h?password-file={guessed} mqtts://localhost:{port}/i?ca={} lsl:",
        broker.folder.path().join("ca.pem").display()
    );
    let mut launch = shell(&format!("exec gst-launch-1.0 {}", pipeline(broker.folder.path(), 30, &uri)));
    launch.env("PYLSL_LIB", "/nonexistent/liblsl.so");
    let output = run(launch, TIMEOUT).assert_success();
    for (address, remedy) in [
        (format!("mqtt://127.0.0.1:{nobody}/a"), "start the broker"),
        (format!("mqtt://127.0.0.1:{port}/b"), "GST_MOOD_MQTT_PASSWORD"),
        (format!("mqtts://localhost:{tls}/c"), "?ca=PATH"),
        ("mqtt://nowhere.invalid:1883/d".into(), "check the host nowhere.invalid"),
        ("unix:///nonexistent/e".into(), "start the program that listens there"),
        (format!("mqtt://127.0.0.1:{port}/f"), "/nonexistent/g cannot be read"),
        (format!("mqtt://127.0.0.1:{port}/h"), "refuses the user name or the password"),
        (format!("mqtts://localhost:{port}/i"), "the port for TLS?"),
        ("lsl:".into(), "give the path of liblsl.so in PYLSL_LIB"),
    ] {
        let warnings = output
            .stdout
            .lines()
            .chain(output.stderr.lines())
            .filter(|line| line.contains("WARNING") || line.contains("cannot publish"));
        let told = warnings.filter(|line| line.contains(&address) && line.contains(remedy)).count();
        assert!(told >= 1, "{address}: {remedy}\n{output}");
    }
}

#[test]
fn a_value_that_is_refused_before_the_start_is_in_the_error_of_the_start() {
    // gst-launch sets properties before anybody can watch the bus.
    for (line, words) in [
        ("videotestsrc ! emotionpublish", ["nowhere to publish", "mqtt://localhost"]),
        ("videotestsrc ! emotionpublish uri=mqtt://me:secret@h/", ["password in the URI", PASSWORD_VARIABLE]),
        ("videotestsrc ! emotionpublish uri=mqtt://h/a/+", ["'h/a/+'", "wildcard"]),
        ("videotestsrc ! emotionpublish uri=kafka://h", ["'kafka:'", "use mqtt"]),
        ("videotestsrc ! emotionpublish uri='\"file:///a b\"'", ["'b' is no URI", "%20"]),
        (
            "videotestsrc ! emotionpublish uri=file:///dev/null uri=osc://h",
            ["osc needs a port", "osc://localhost:9000"],
        ),
        ("videotestsrc ! emotionoverlay names=Ada", ["names: give a JSON object", "\"Ada\""]),
        ("moodplayer library=. manual-mood=hapy", ["manual-mood", "hapy"]),
        ("moodplayer library=. subject=everybody", ["subject", "everybody"]),
    ] {
        gst_launch(&format!("{line} ! fakesink")).assert_error(&words);
    }
    gst_launch("videotestsrc num-buffers=1 ! emotionpublish uri=osc://h uri=file:///dev/null ! fakesink")
        .assert_success();
}

#[test]
fn a_broker_that_stalls_delays_no_frame_and_one_that_returns_gets_the_rest() {
    let mut broker = Broker::start();
    let subscriber = broker.subscribe();
    let uri = format!("mqtt://mood@127.0.0.1:{}/room?{}", broker.port, broker.credentials());
    // More frames than queue, client and socket hold together, each with a long text.
    let stream = |frames: u32| {
        format!(
            "-m videotestsrc num-buffers={frames} ! video/x-raw,format=GRAY8,width=64,height=48 ! haarfacedetect ! \
             emotionpublish interval=0 uri='{uri}' ! fakesink"
        )
    };
    broker.process.signal("STOP");
    let output = gst_launch(&stream(3000)).assert_success();
    assert!(output.stdout.contains("the oldest publications are dropped"), "{output}");
    broker.process.signal("CONT");

    // Killed, it would keep what it has not written yet.
    let live = format!("exec stdbuf -oL gst-launch-1.0 {}", pipeline(broker.folder.path(), 10_000, &uri));
    let running = RunningProcess::start(shell(&live));
    subscriber.wait("first state", |subscriber| subscriber.payloads("room/state").len() > 3);
    broker.restart();
    let subscriber = broker.subscribe();
    subscriber.wait("states after the restart", |subscriber| subscriber.payloads("room/state").len() > 3);
    assert!(subscriber.payloads("room/status").contains(&"online".into()));
    // Killed, it says nothing; the broker does.
    running.signal("KILL");
    let output = running.wait(TIMEOUT);
    subscriber.wait("last will", |subscriber| subscriber.payloads("room/status").contains(&"offline".into()));
    assert!(format!("{}{}", output.stdout, output.stderr).contains("cannot publish to mqtt://"), "{output}");
}

#[test]
fn an_independent_receiver_understands_osc() {
    let mut receiver = reader_script("osc.py");
    let mut child =
        receiver.arg("/stage/face/1/label").stdout(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let port = lines.next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let camera = actor::camera(folder.path(), 10_000);
    let line = format!(
        "exec gst-launch-1.0 {camera} ! videoconvert ! haarfacedetect ! emotionclassify ! \
         emotionpublish interval=0 uri=osc://localhost:{port}/stage ! fakesink"
    );
    let running = RunningProcess::start(shell(&line));
    let messages: Vec<Value> = lines.map(|line| serde_json::from_str(&line).unwrap()).collect();
    assert!(child.wait().unwrap().success());
    running.signal("KILL");
    let find = |address: &str| {
        let found = messages.iter().rev().find(|message| message[0] == address);
        found.unwrap_or_else(|| panic!("no {address} in {messages:?}")).as_array().unwrap()[1..].to_vec()
    };
    assert_eq!(find("/stage/mood"), ["happy"]);
    assert_eq!(find("/stage/face/1/label"), ["happy"]);
    assert_eq!(find("/stage/people"), [1]);
    assert_eq!(find("/stage/face/1/box").len(), 4);
    let happy = find("/stage/emotion/happy")[0].as_f64().unwrap();
    assert!(happy > 0.4 && (find("/stage/confidence")[0].as_f64().unwrap() - happy).abs() < 1e-6);
}

#[test]
fn moods_and_tracks_of_a_player_reach_a_socket_and_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let library = audio::make_library(folder.path());
    let socket = folder.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    let reader = thread::spawn(move || {
        BufReader::new(listener.accept().unwrap().0).lines().map(Result::unwrap).collect::<Vec<_>>()
    });
    let file = folder.path().join("published.jsonl");
    let camera = actor::camera(folder.path(), 40);
    let output = gst_launch(&format!(
        "{camera} ! videoconvert ! haarfacedetect ! emotionclassify ! \
         emotionpublish uri='unix://{} file://{}' changes-only=true ! moodplayer library={} ! fakesink",
        socket.display(),
        file.display(),
        library.display()
    ));
    output.assert_success();
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(text.lines().collect::<Vec<_>>(), reader.join().unwrap());
    let count = |kind: &str| lines.iter().filter(|line| line["type"] == kind).count();
    assert!(count("mood") >= 1 && count("track") >= 1, "{text}");
    // The first frame, the face, the mood, the track: the states that differ, of 40 frames.
    assert!((2..20).contains(&count("state")), "{text}");
    let last = lines.iter().rfind(|line| line["type"] == "state").unwrap();
    assert!(last["track"]["uri"].as_str().unwrap().starts_with("file:///"), "{text}");
}

/// A session with the smiling actor before the camera that publishes below a topic.
fn start_live(broker: &Broker, bus: &PrivateBus, topic: &str, more: &[&str]) -> RunningProcess {
    let folder = broker.folder.path();
    let camera = actor::camera(folder, -1);
    let library = audio::make_library(&folder.join("music"));
    let uri = format!(
        "mqtt://mood@127.0.0.1:{}/{topic}?discovery=homeassistant&{}",
        broker.port,
        broker.credentials()
    );
    let mut live = gst_mood(&["live", "--no-window", "--min-dwell", "0", "--hold-time", "0.2"]);
    live.args(["--audio-sink", "fakesink sync=true", "--camera", &camera, "--library"]).arg(library);
    live.args(["--publish", &uri]).args(more);
    bus.use_in(&mut live);
    RunningProcess::start(live)
}

/// The latest JSON below a topic; null before the first.
fn latest(subscriber: &Subscriber, topic: &str) -> Value {
    let payloads = subscriber.payloads(topic);
    payloads.last().map_or(Value::Null, |payload| serde_json::from_str(payload).unwrap())
}

#[test]
fn home_assistant_steers_a_session_that_allows_it_and_no_other() {
    let broker = Broker::start();
    let subscriber = broker.subscribe();
    // Kept since some earlier evening.
    broker.publish("room/set/mood", "angry", &["-r"]);
    let bus = PrivateBus::start(broker.folder.path());
    let live = start_live(&broker, &bus, "room", &["--allow-mqtt-commands"]);
    let deaf = start_live(&broker, &bus, "hall", &["--no-mpris"]);
    let control = |key: &str| latest(&subscriber, "room/control")[key].clone();
    let wait = |key: &str, value: Value| {
        subscriber.wait(&format!("{key} {value}"), |_| control(key) == value);
    };
    subscriber.wait("commands", |subscriber| subscriber.payloads("room/control/status") == ["online"]);
    wait("status", "playing".into());
    assert_eq!((control("mood"), control("strategy")), ("automatic".into(), "match".into()));
    for topic in ["room", "hall"] {
        subscriber
            .wait("a track", |subscriber| !latest(subscriber, &format!("{topic}/state"))["track"].is_null());
    }
    for _ in 0..3 {
        for (topic, payload) in [("mood", "hapy"), ("volume", "1"), ("skip", "now"), ("mood", "")] {
            broker.publish(&format!("room/set/{topic}"), payload, &[]);
        }
    }
    for topic in ["room", "hall"] {
        broker.publish(&format!("{topic}/set/mood"), "sad", &[]);
    }
    wait("mood", "sad".into());
    subscriber.wait("the mood", |subscriber| latest(subscriber, "room/state")["mood"] == "sad");
    for (topic, payload, key, value) in [
        ("hold", "ON", "hold", true.into()),
        ("hold", "OFF", "hold", false.into()),
        ("strategy", "iso", "strategy", "iso".into()),
        ("pause", "ON", "status", "paused".into()),
        ("pause", "OFF", "status", "playing".into()),
        ("mood", "automatic", "mood", "automatic".into()),
    ] {
        broker.publish(&format!("room/set/{topic}"), payload, &[]);
        wait(key, value);
    }
    // Who sees that nobody is there pauses it: messages as Frigate documents them.
    broker.publish("frigate/living_room/person", "0", &["-r"]);
    let mut frigate = pipeline_script("frigate-pause.sh");
    frigate.args(["127.0.0.1", "living_room", "room"]).env("PORT", broker.port.to_string());
    frigate.env("USER_NAME", "mood").env("PASSWORD_FILE", broker.folder.path().join("password"));
    let frigate = RunningProcess::start(frigate);
    wait("status", "paused".into());
    for (count, status) in [("nobody", "paused"), ("2", "playing")] {
        broker.publish("frigate/living_room/person", count, &[]);
        wait("status", status.into());
    }
    frigate.signal("INT");
    let output = frigate.wait(TIMEOUT);
    assert!(output.stderr.contains("no number of people at frigate/living_room/person: nobody"), "{output}");

    let begun = |subscriber: &Subscriber| {
        let tracks = subscriber.payloads("room/track");
        tracks.iter().filter(|track| track.contains("\"started\"")).count()
    };
    let before = begun(&subscriber);
    broker.publish("room/set/exclude", "PRESS", &[]);
    subscriber.wait("another track", |subscriber| begun(subscriber) > before);

    // Whoever stops it there switches the camera off, and nobody elsewhere switches it on.
    let mut stop = command("playerctl");
    stop.args(["--player=gst_mood", "stop"]);
    bus.use_in(&mut stop);
    run(stop, TIMEOUT).assert_success();
    wait("status", "stopped".into());
    broker.publish("room/set/pause", "OFF", &[]);
    broker.publish("room/set/hold", "ON", &[]);
    wait("hold", true.into());
    assert_eq!(control("status"), "stopped");

    let path = broker.folder.path().join("control.jsonl");
    fs::write(&path, subscriber.payloads("room/control").join("\n")).unwrap();
    assert_valid("publication.schema.json", &path);

    live.signal("INT");
    let output = live.wait(TIMEOUT).assert_success();
    subscriber.wait("the end", |subscriber| {
        subscriber.payloads("room/control/status").last().is_some_and(|status| status == "offline")
    });
    for (words, count) in [("the broker had kept", 1), ("that is no command", 1), ("warning", 2)] {
        assert_eq!(output.stderr.matches(words).count(), count, "{words}: {output}");
    }
    deaf.signal("INT");
    let output = deaf.wait(TIMEOUT).assert_success();
    assert!(!output.stderr.contains("warning"), "{output}");
    assert!(subscriber.payloads("hall/state").iter().all(|state| !state.contains("\"sad\"")));
    assert_eq!(subscriber.payloads("hall/control"), [""; 0]);

    let late = broker.subscribe();
    for (component, key) in [("select", "mood"), ("switch", "hold"), ("button", "skip")] {
        let topic = |room: &str| format!("homeassistant/{component}/{room}/set_{key}/config");
        late.wait(key, |late| !late.payloads(&topic("room")).is_empty());
        assert_eq!(latest(&late, &topic("room"))["command_topic"], format!("room/set/{key}"));
        assert!(late.payloads(&topic("hall")).is_empty());
    }
    let output = run(gst_mood(&["live", "--publish", "osc://h:1", "--allow-mqtt-commands"]), TIMEOUT);
    assert!(output.code == Some(2) && output.stderr.contains("--publish mqtt://HOST"), "{output}");
}
