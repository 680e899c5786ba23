//! `emotionpublish` against real receivers: the broker mosquitto with its own clients, python-osc, files and sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use mood_tests::process::{RunningProcess, TIMEOUT, shell};
use mood_tests::readers::{assert_valid, reader_script};
use mood_tests::{actor, command, gst_launch, run};
use serde_json::Value;
use tempfile::TempDir;

const PASSWORD: &str = "p@ss word";

/// A broker on ports of its own: one plain, one with TLS and a certificate that `ca.pem` signs. Both want the user `mood`.
struct Broker {
    process: RunningProcess,
    folder: TempDir,
    port: u16,
    tls_port: u16,
}

impl Broker {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let openssl = |line: &str| {
            run(shell(&format!("cd {} && openssl {line}", folder.path().display())), TIMEOUT)
                .assert_success();
        };
        openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 2",
        );
        openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out request.pem -subj /CN=localhost",
        );
        fs::write(path("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1").unwrap();
        openssl(
            "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out cert.pem -days 2",
        );
        let mut passwords = command("mosquitto_passwd");
        passwords.args(["-c", "-b"]).arg(path("passwords")).args(["mood", PASSWORD]);
        run(passwords, TIMEOUT).assert_success();
        let [port, tls_port] = free_ports();
        let configuration = format!(
            "user root\npassword_file {0}/passwords\nallow_anonymous false\nlistener {port} 127.0.0.1\n\
             listener {tls_port} 127.0.0.1\ncertfile {0}/cert.pem\nkeyfile {0}/key.pem\n",
            folder.path().display()
        );
        fs::write(path("mosquitto.conf"), configuration).unwrap();
        let process = Self::run(folder.path());
        Self { process, folder, port, tls_port }
    }

    fn run(folder: &Path) -> RunningProcess {
        // Debian has it in /usr/sbin, which is not on every user's path.
        let program = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"]
            .into_iter()
            .find(|path| Path::new(path).exists());
        let mut broker = command(program.unwrap_or("mosquitto"));
        broker.arg("-c").arg(folder.join("mosquitto.conf"));
        RunningProcess::start(broker)
    }

    /// Ends the broker and starts it again at once.
    fn restart(&mut self) {
        self.process.signal("KILL");
        self.process = Self::run(self.folder.path());
    }

    /// A subscriber that writes `TOPIC RETAINED PAYLOAD` of everything to a file, ready when this returns.
    fn subscribe(&self) -> Subscriber {
        let path = self.folder.path().join("received.txt");
        let deadline = Instant::now() + TIMEOUT;
        loop {
            thread::sleep(Duration::from_millis(50));
            // Line by line, also into a file.
            let mut client = command("stdbuf");
            client.args([
                "-oL",
                "mosquitto_sub",
                "-h",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
                "-u",
                "mood",
                "-P",
                PASSWORD,
            ]);
            client.args(["-t", "#", "-F", "%t %r %p", "-d"]);
            let output = File::create(&path).unwrap();
            let child = client.stdin(Stdio::null()).stdout(output).stderr(Stdio::null()).spawn().unwrap();
            let mut subscriber = Subscriber { child, path: path.clone() };
            // With -d it says when the broker has confirmed the subscription.
            let ready = Instant::now() + Duration::from_secs(10);
            while subscriber.is_running() && Instant::now() < ready {
                if subscriber.text().contains("SUBACK") || subscriber.text().contains("Subscribed") {
                    return subscriber;
                }
                thread::sleep(Duration::from_millis(20));
            }
            assert!(Instant::now() < deadline, "the broker does not start");
        }
    }

    fn credentials(&self) -> String {
        let path = self.folder.path().join("password");
        fs::write(&path, format!("{PASSWORD}\n")).unwrap();
        format!("password-file={}", path.display())
    }
}

struct Subscriber {
    child: Child,
    path: PathBuf,
}

impl Subscriber {
    /// Whether it has not given up, as it does where nobody listens.
    fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap()
    }

    /// Payloads of a topic so far.
    fn payloads(&self, topic: &str) -> Vec<String> {
        let text = self.text();
        let payload = |line: &str| Some(line.strip_prefix(topic)?.strip_prefix(' ')?.get(2..)?.to_string());
        text.lines().filter_map(payload).collect()
    }

    fn wait(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + TIMEOUT;
        while !condition(self) {
            assert!(Instant::now() < deadline, "no {what} in\n{}", self.text());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

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
fn every_way_not_to_reach_a_broker_is_a_warning_with_its_remedy_and_the_video_goes_on() {
    let broker = Broker::start();
    drop(broker.subscribe());
    let [nobody, _] = free_ports();
    let (port, tls) = (broker.port, broker.tls_port);
    // The last one lacks a user; the password is of another.
    let uri = format!(
        "mqtt://127.0.0.1:{nobody}/a mqtt://eve@127.0.0.1:{port}/b mqtts://mood@localhost:{tls}/c \
         mqtt://nowhere.invalid/d unix:///nonexistent/e mqtt://mood@127.0.0.1:{port}/f?password-file=/nonexistent/g"
    );
    let output = gst_launch(&pipeline(broker.folder.path(), 30, &uri)).assert_success();
    for (address, remedy) in [
        (format!("mqtt://127.0.0.1:{nobody}/a"), "start the broker"),
        (format!("mqtt://127.0.0.1:{port}/b"), "GST_MOOD_MQTT_PASSWORD"),
        (format!("mqtts://localhost:{tls}/c"), "?ca=PATH"),
        ("mqtt://nowhere.invalid:1883/d".into(), "check the host nowhere.invalid"),
        ("unix:///nonexistent/e".into(), "start the program that listens there"),
        (format!("mqtt://127.0.0.1:{port}/f"), "/nonexistent/g cannot be read"),
    ] {
        let warnings = output
            .stdout
            .lines()
            .chain(output.stderr.lines())
            .filter(|line| line.contains("WARNING") || line.contains("cannot publish"));
        let told = warnings.filter(|line| line.contains(&address) && line.contains(remedy)).count();
        assert!(told >= 1, "{address}: {remedy}\n{output}");
    }
    for refused in ["mqtt://ada:secret@h/", "mqtt://h/a/+", "kafka://h"] {
        let output =
            gst_launch(&format!("videotestsrc num-buffers=1 ! emotionpublish uri={refused} ! fakesink"));
        output.assert_error(&["nowhere to publish"]);
    }
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

    let live = format!("exec gst-launch-1.0 {}", pipeline(broker.folder.path(), 10_000, &uri));
    let running = RunningProcess::start(shell(&live));
    subscriber.wait("first state", |subscriber| subscriber.payloads("room/state").len() > 3);
    broker.restart();
    let subscriber = broker.subscribe();
    subscriber.wait("states after the restart", |subscriber| subscriber.payloads("room/state").len() > 3);
    assert!(subscriber.payloads("room/status").contains(&"online".into()));
    // Killed, it says nothing; the broker does.
    running.signal("KILL");
    subscriber.wait("last will", |subscriber| subscriber.payloads("room/status").contains(&"offline".into()));
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
    let library = mood_tests::audio::make_library(folder.path());
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
