//! The server against well-behaved and hostile clients, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use mood_schema::{Affect, Classification, Emotion, Mood};
use panel::{Command, FaceView, Options, Panel, PanelError, Refusal, SpanKind, State, TrackView};

/// How long a server may take to answer on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A panel, its address, and the commands that it has handed on.
/// Held by every test that runs beside others, and alone by the one that measures the memory of the process.
static RUNNING: RwLock<()> = RwLock::new(());

struct Fixture {
    panel: Panel,
    address: SocketAddr,
    commands: Arc<Mutex<Vec<Command>>>,
    _running: Option<RwLockReadGuard<'static, ()>>,
}

impl Fixture {
    fn new() -> Self {
        Self::start(Some(RUNNING.read().unwrap_or_else(PoisonError::into_inner)))
    }

    fn start(running: Option<RwLockReadGuard<'static, ()>>) -> Self {
        let commands = Arc::new(Mutex::new(Vec::new()));
        let received = Arc::clone(&commands);
        let options = Options {
            address: "127.0.0.1:0".parse().unwrap(),
            allows_network: false,
            origin: Instant::now(),
        };
        let handle = move |command: Command| match command {
            Command::Undo => Err(Refusal("there is nothing to undo".into())),
            command => {
                received.lock().unwrap().push(command);
                Ok(())
            }
        };
        let panel = Panel::start(&options, Box::new(handle)).unwrap();
        let address = panel.links().panel.split('/').nth(2).unwrap().parse().unwrap();
        Self { panel, address, commands, _running: running }
    }

    /// The path of a resource behind the panel's link.
    fn path(&self, resource: &str) -> String {
        format!("/{}/{resource}", self.panel.links().panel.split('/').nth(3).unwrap())
    }

    /// The path of a resource behind the link for the client's screen.
    fn screen_path(&self, resource: &str) -> String {
        format!("/{}/{resource}", self.panel.links().screen.split('/').nth(3).unwrap())
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.set_write_timeout(Some(TIMEOUT)).unwrap();
        stream
    }

    /// Sends a request with its own `Host` and returns the response, head and body.
    fn get(&self, path: &str) -> String {
        self.request(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address))
    }

    fn request(&self, text: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(text.as_bytes()).unwrap();
        let mut response = Vec::new();
        stream.read_to_end(&mut response).unwrap();
        String::from_utf8_lossy(&response).into_owned()
    }

    /// The head of a POST of a command as the page sends it, with `length` bytes to follow.
    fn post_head(&self, length: usize) -> String {
        let (path, address) = (self.path("command"), self.address);
        format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        )
    }

    fn post(&self, json: &str) -> String {
        self.request(&(self.post_head(json.len()) + json))
    }

    /// Asserts that the server still answers, and that no command but `expected` has come through.
    #[track_caller]
    fn assert_sound(&self, expected: &[Command]) {
        assert_status(&self.get(&self.path("")), 200);
        assert_eq!(*self.commands.lock().unwrap(), expected);
    }
}

#[track_caller]
fn assert_status(response: &str, status: u16) {
    let head: String = response.lines().take(1).collect();
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{status} expected: {head}");
}

/// A state with a title that is easy to find.
fn state(title: &str) -> State {
    let track = TrackView { number: 1, title: title.into(), ..Default::default() };
    State { track: Some(track), ..Default::default() }
}

fn classification() -> Classification {
    let mut probabilities = [0.0; 7];
    probabilities[Emotion::Happy.index()] = 1.0;
    let affect = Affect::from_distribution(&probabilities);
    Classification { label: Emotion::Happy.into(), confidence: 1.0, probabilities, raw: None, affect }
}

#[test]
fn pages_have_a_strict_policy_and_load_nothing_from_elsewhere() {
    let fixture = Fixture::new();
    for path in [fixture.path(""), fixture.screen_path("")] {
        let response = fixture.get(&path);
        assert_status(&response, 200);
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        let policy = head.lines().find(|line| line.starts_with("content-security-policy")).unwrap();
        for part in
            ["default-src 'none'", "script-src 'sha256-", "style-src 'sha256-", "frame-ancestors 'none'"]
        {
            assert!(policy.contains(part), "{part} in {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        for header in
            ["cache-control: no-store", "referrer-policy: no-referrer", "x-content-type-options: nosniff"]
        {
            assert!(head.contains(header), "{header} in {head}");
        }
        assert!(!head.to_lowercase().contains("set-cookie"));
        for forbidden in ["http:", "https:", " onclick", " onload", " style=", "innerHTML", "eval("] {
            let own = body.replace("http://www.w3.org/2000/svg", "");
            assert!(!own.contains(forbidden), "{forbidden}");
        }
    }
}

#[test]
fn requests_without_the_token_or_from_elsewhere_reach_nothing() {
    let fixture = Fixture::new();
    let (address, path) = (fixture.address, fixture.path("command"));
    fixture.panel.set_state(&state("secret title"));
    for path in
        ["/", "/x/", "//events", "/../", &fixture.path("").replace('/', ""), &fixture.path("nothing"), "*"]
    {
        let response = fixture.get(path);
        assert!(response.starts_with("HTTP/1.1 40"), "{path}: {response}");
        assert!(!response.contains("secret"));
    }
    let json = r#"{"command":"skip","track":1}"#;
    let post = |host: &str, origin: &str, kind: &str| {
        fixture.request(&format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\n{origin}Content-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{json}",
            json.len()
        ))
    };
    let (own, own_origin) = (address.to_string(), format!("Origin: http://{address}\r\n"));
    for (host, origin, kind, status) in [
        ("example.org", own_origin.as_str(), "application/json", 403),
        (
            &format!("example.org:{}", address.port()),
            "Origin: http://example.org\r\n",
            "application/json",
            403,
        ),
        (&own, "Origin: http://example.org\r\n", "application/json", 403),
        (&own, "Origin: null\r\n", "application/json", 403),
        (&own, "", "application/json", 403),
        (&own, &format!("{own_origin}Sec-Fetch-Site: cross-site\r\n"), "application/json", 403),
        // The kinds that a form of any page can send.
        (&own, &own_origin, "text/plain", 415),
        (&own, &own_origin, "application/x-www-form-urlencoded", 415),
    ] {
        assert_status(&post(host, origin, kind), status);
    }
    let events = |host: &str, site: &str| {
        let path = fixture.path("events");
        fixture.request(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{site}Connection: close\r\n\r\n"))
    };
    assert_status(&events("attacker.example:80", ""), 403);
    assert_status(&events(&own, "Sec-Fetch-Site: cross-site\r\n"), 403);
    // The client's screen cannot steer.
    let as_screen =
        fixture.post_head(json.len()).replace(&fixture.path("command"), &fixture.screen_path("command"));
    assert_status(&fixture.request(&(as_screen + json)), 405);
    assert_status(&fixture.get(&fixture.screen_path("picture")), 405);
    for broken in [
        "GET / HTTP/9.9\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
        "GET /\u{7f} HTTP/1.1\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        fixture.request(broken);
    }
    fixture.assert_sound(&[]);
    assert_status(&post(&own, &own_origin, "application/json"), 202);
    fixture.assert_sound(&[Command::Skip { track: 1 }]);
}

#[test]
fn commands_are_handed_on_and_refusals_come_back() {
    let fixture = Fixture::new();
    assert_status(&fixture.post(r#"{"command":"volume","volume":0.5}"#), 202);
    let refused = fixture.post(r#"{"command":"undo"}"#);
    assert_status(&refused, 409);
    assert!(refused.ends_with("there is nothing to undo"));
    assert_status(&fixture.post(r#"{"command":"volume","volume":5}"#), 422);
    assert_status(&fixture.post("{"), 400);
    fixture.assert_sound(&[Command::Volume { volume: 0.5 }]);
}

#[test]
fn large_bodies_and_heads_are_refused() {
    let fixture = Fixture::new();
    // Refused by its declared length, before it is sent.
    assert_status(&fixture.request(&fixture.post_head(10_000_000)), 413);
    // Sent all the same, in chunks without a declared length.
    let head = fixture.post_head(0).replace("Content-Length: 0", "Transfer-Encoding: chunked");
    let mut stream = fixture.connect();
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    // The server stops to read, so that a write may fail.
    let sent = (0..160).take_while(|_| stream.write_all(chunk.as_bytes()).is_ok()).count();
    let mut response = String::new();
    let _ = stream.read_to_string(&mut response);
    assert!(sent < 160 || response.starts_with("HTTP/1.1 413"), "{sent} {response}");
    // A declared length that the body does not have.
    let mut stream = fixture.connect();
    let _ = stream.write_all((fixture.post_head(10_000_000) + &"x".repeat(100_000)).as_bytes());
    drop(stream);
    let long = "x".repeat(200_000);
    let mut stream = fixture.connect();
    let _ = stream.write_all(format!("GET /{long} HTTP/1.1\r\nHost: a\r\n").as_bytes());
    let mut response = String::new();
    let _ = stream.read_to_string(&mut response);
    assert!(response.is_empty() || response.starts_with("HTTP/1.1 4"), "{response}");
    fixture.assert_sound(&[]);
}

/// Opens `count` connections that say nothing, and then steers.
fn flood(count: usize) {
    let fixture = Fixture::new();
    let mut open = Vec::new();
    for n in 0..count {
        let mut stream = fixture.connect();
        if n % 2 == 0 {
            let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: ");
        }
        open.push(stream);
        // What this process can hold open.
        if open.len() > 300 {
            open.remove(0);
        }
        if n % 500 == 0 {
            assert_status(&fixture.post(r#"{"command":"play"}"#), 202);
        }
    }
    assert_status(&fixture.post(r#"{"command":"pause"}"#), 202);
    let plays = count.div_ceil(500);
    fixture.assert_sound(&[vec![Command::Play; plays], vec![Command::Pause]].concat());
}

#[test]
fn many_idle_connections_do_not_lock_the_therapist_out() {
    flood(600);
}

#[test]
#[ignore = "takes long: the full count, run with --ignored"]
fn ten_thousand_connections_do_not_lock_the_therapist_out() {
    flood(10_000);
}

/// Reads events from a stream until one of the given name has data that contains `text`.
fn wait_for_event(reader: &mut impl BufRead, name: &str, text: &str) -> String {
    let (deadline, mut event, mut line) = (Instant::now() + TIMEOUT, String::new(), String::new());
    loop {
        assert!(Instant::now() < deadline, "no {name} with {text}");
        line.clear();
        assert_ne!(reader.read_line(&mut line).unwrap(), 0, "the stream ended before {name} with {text}");
        if let Some(found) = line.strip_prefix("event: ") {
            event = found.trim().into();
        } else if let Some(data) =
            line.strip_prefix("data: ").filter(|data| event == name && data.contains(text))
        {
            return data.to_owned();
        }
    }
}

/// Opens a stream of events.
fn open_events(fixture: &Fixture, path: &str) -> BufReader<TcpStream> {
    let mut stream = fixture.connect();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", fixture.address).as_bytes()).unwrap();
    BufReader::new(stream)
}

#[test]
fn pages_are_in_step_and_one_that_comes_later_gets_everything() {
    let fixture = Fixture::new();
    let mut first = open_events(&fixture, &fixture.path("events"));
    fixture.panel.set_state(&state("one"));
    wait_for_event(&mut first, "state", "one");
    fixture.panel.add_span(SpanKind::Mood, 0.5, "happy", Emotion::Happy.into());
    for time in 0..5 {
        fixture.panel.set_faces(f64::from(time), &[], Some(&classification()));
    }
    fixture.panel.set_state(&state("two"));
    wait_for_event(&mut first, "state", "two");
    let mut second = open_events(&fixture, &fixture.path("events"));
    wait_for_event(&mut second, "state", "two");
    wait_for_event(&mut second, "spans", "happy");
    let columns = wait_for_event(&mut second, "columns", "second");
    assert!(columns.contains(r#""second":0"#) && columns.contains(r#""second":3"#), "{columns}");
    // The first has had all but the newest, and gets no more than that.
    fixture.panel.set_faces(6.0, &[], None);
    for page in [&mut first, &mut second] {
        let columns = wait_for_event(page, "columns", r#""second":5"#);
        assert!(!columns.contains(r#""second":0"#), "{columns}");
    }
    // A screen gets nothing of all that.
    let mut screen = open_events(&fixture, &fixture.screen_path("events"));
    fixture.panel.set_state(&State {
        shows_title_on_screen: true,
        status: panel::PlaybackStatus::Playing,
        ..state("shown")
    });
    let shown = wait_for_event(&mut screen, "screen", "shown");
    assert_eq!(shown.trim(), r#"{"title":"shown","artist":""}"#);
    // The heartbeat, so that a page notices a connection that is silent for other reasons.
    wait_for_event(&mut screen, "time", "2.");
}

#[test]
fn a_reader_that_reads_nothing_holds_nothing_back() {
    let fixture = Fixture::new();
    let slow = open_events(&fixture, &fixture.path("events"));
    let mut quick = open_events(&fixture, &fixture.path("events"));
    // More than the buffers of the sockets take.
    let long = "x".repeat(4_000_000);
    fixture.panel.set_state(&state(&long));
    wait_for_event(&mut quick, "state", "xxx");
    fixture.panel.set_state(&state("after"));
    wait_for_event(&mut quick, "state", "after");
    fixture.assert_sound(&[]);
    drop(slow);
}

#[test]
fn eight_hours_of_events_do_not_grow() {
    let _alone = RUNNING.write().unwrap_or_else(PoisonError::into_inner);
    let fixture = Fixture::start(None);
    let mut page = open_events(&fixture, &fixture.path("events"));
    let slow = open_events(&fixture, &fixture.path("events"));
    let memory = || {
        let status = std::fs::read_to_string("/proc/self/statm").unwrap();
        status.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
    };
    let face = FaceView {
        id: 1,
        bbox: Default::default(),
        is_followed: true,
        classification: Some(classification()),
    };
    let publish = |from: u64, to: u64| {
        for second in from..to {
            for frame in 0..5 {
                let time = second as f64 + f64::from(frame) / 5.0;
                fixture.panel.set_faces(time, std::slice::from_ref(&face), face.classification.as_ref());
            }
            if second % 10 == 0 {
                fixture.panel.set_state(&state(&format!("piece {second}")));
                fixture.panel.add_span(
                    SpanKind::Track,
                    second as f64,
                    format!("piece {second}"),
                    Mood::Absent,
                );
            }
        }
    };
    publish(0, 3600);
    let before = memory();
    publish(3600, 8 * 3600);
    let grown = memory().saturating_sub(before);
    println!("{grown} bytes more after eight hours than after one");
    assert!(grown < 4_000_000, "{grown}");
    let columns = wait_for_event(&mut page, "columns", r#""second":28798"#);
    assert!(columns.len() < 200_000);
    drop(slow);
}

#[test]
fn an_address_for_other_machines_needs_permission_and_a_taken_port_is_reported() {
    let start = |address: &str, allows_network| {
        Panel::start(
            &Options { address: address.parse().unwrap(), allows_network, origin: Instant::now() },
            Box::new(|_| Ok(())),
        )
    };
    let error = start("0.0.0.0:0", false).err().unwrap();
    assert!(matches!(error, PanelError::Network(_)) && error.to_string().contains("encrypted"), "{error}");
    let open = start("0.0.0.0:0", true).unwrap();
    assert!(!open.links().panel.contains("0.0.0.0"), "{:?}", open.links());
    let address: SocketAddr = open.links().panel.split('/').nth(2).unwrap().parse().unwrap();
    let taken = start(&format!("127.0.0.1:{}", address.port()), false);
    assert!(matches!(taken.err().unwrap(), PanelError::Bind(_, _)));
    drop(open);
    // The port is free again once the panel is gone.
    start(&format!("127.0.0.1:{}", address.port()), false).unwrap();
}
