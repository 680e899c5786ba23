//! The broker mosquitto on ports of its own, and its clients.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::process::{RunningProcess, TIMEOUT, shell};
use crate::{command, run};

/// The environment variable with the password.
pub const PASSWORD_VARIABLE: &str = "GST_MOOD_MQTT_PASSWORD";
const PASSWORD: &str = "p@ss word";

/// A broker on ports of its own: one plain, one with TLS and a certificate that `ca.pem` signs. Both want the user `mood`.
pub struct Broker {
    /// The broker.
    pub process: RunningProcess,
    /// Its configuration and certificates, and what its clients need.
    pub folder: TempDir,
    /// The plain port.
    pub port: u16,
    /// The port for TLS.
    pub tls_port: u16,
}

impl Broker {
    /// Starts it; it takes connections a little later.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        openssl(
            folder.path(),
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 2",
        );
        fs::write(path("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1").unwrap();
        let tls = make_certificate(folder.path(), "cert", "ec -pkeyopt ec_paramgen_curve:P-256");
        let mut passwords = command("mosquitto_passwd");
        passwords.args(["-c", "-b"]).arg(path("passwords")).args(["mood", PASSWORD]);
        run(passwords, TIMEOUT).assert_success();
        let [port, tls_port] = free_ports();
        let configuration = format!(
            "user root\npassword_file {0}/passwords\nallow_anonymous false\nlistener {port} 127.0.0.1\n\
             listener {tls_port} 127.0.0.1\n{tls}",
            folder.path().display()
        );
        fs::write(path("mosquitto.conf"), configuration).unwrap();
        let process = Self::run(folder.path());
        Self { process, folder, port, tls_port }
    }

    /// One more port, for this version of TLS, from the next start on. Its certificate, for this kind of key as openssl has it, is called
    /// `name`.
    pub fn add_tls_port(&mut self, name: &str, key: &str, version: &str) -> u16 {
        let [port, _] = free_ports();
        let certificate = make_certificate(self.folder.path(), name, key);
        let mut configuration =
            OpenOptions::new().append(true).open(self.folder.path().join("mosquitto.conf")).unwrap();
        write!(configuration, "listener {port} 127.0.0.1\n{certificate}tls_version {version}\n").unwrap();
        port
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
    pub fn restart(&mut self) {
        self.process.signal("KILL");
        self.process = Self::run(self.folder.path());
    }

    /// A subscriber that writes `TOPIC RETAINED PAYLOAD` of everything to a file, ready when this returns.
    pub fn subscribe(&self) -> Subscriber {
        let path = self.folder.path().join("received.txt");
        let deadline = Instant::now() + TIMEOUT;
        loop {
            thread::sleep(Duration::from_millis(50));
            // Line by line, also into a file.
            let mut client = command("stdbuf");
            client.args(["-oL", "mosquitto_sub"]).args(self.login());
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

    /// Publishes a text, with `more` arguments of mosquitto_pub.
    #[track_caller]
    pub fn publish(&self, topic: &str, payload: &str, more: &[&str]) {
        let mut client = command("mosquitto_pub");
        client.args(self.login()).args(["-t", topic, "-m", payload]).args(more);
        run(client, TIMEOUT).assert_success();
    }

    fn login(&self) -> [String; 8] {
        ["-h", "127.0.0.1", "-p", &self.port.to_string(), "-u", "mood", "-P", PASSWORD].map(String::from)
    }

    /// The parameter of a URI with the password of the user `mood`.
    pub fn credentials(&self) -> String {
        let path = self.folder.path().join("password");
        fs::write(&path, format!("{PASSWORD}\n")).unwrap();
        format!("password-file={}", path.display())
    }
}

/// A client that receives everything.
pub struct Subscriber {
    child: Child,
    path: PathBuf,
}

impl Subscriber {
    /// Whether it has not given up, as it does where nobody listens.
    fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// All it has received: topic, whether it was retained, payload.
    pub fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap()
    }

    /// Payloads of a topic so far.
    pub fn payloads(&self, topic: &str) -> Vec<String> {
        let text = self.text();
        let payload = |line: &str| Some(line.strip_prefix(topic)?.strip_prefix(' ')?.get(2..)?.to_string());
        text.lines().filter_map(payload).collect()
    }

    /// Waits for a condition; `what` names it in the message of the timeout.
    #[track_caller]
    pub fn wait(&self, what: &str, condition: impl Fn(&Self) -> bool) {
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

fn openssl(folder: &Path, line: &str) {
    run(shell(&format!("cd {} && openssl {line}", folder.display())), TIMEOUT).assert_success();
}

/// A certificate for this machine that `ca.pem` signs, for a kind of key as openssl has it; returns its lines in the broker's
/// configuration.
fn make_certificate(folder: &Path, name: &str, key: &str) -> String {
    openssl(
        folder,
        &format!("req -newkey {key} -nodes -keyout {name}.key -out {name}.request -subj /CN=localhost"),
    );
    openssl(
        folder,
        &format!(
            "x509 -req -in {name}.request -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out {name}.pem -days 2"
        ),
    );
    let path = folder.join(name).display().to_string();
    format!("certfile {path}.pem\nkeyfile {path}.key\n")
}

/// Ports on which nobody listens.
pub fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
