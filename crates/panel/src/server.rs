//! The server: one thread that accepts connections, checks requests, sends events and hands on commands.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Either, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use mood_schema::{Classification, Mood};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use crate::access::{Token, check_origin};
use crate::connections::{Connections, Place};
use crate::content::{Content, Position};
use crate::pages::{ICON, PANEL, Page, SCREEN};
use crate::timed_stream::TimedStream;
use crate::{Command, CommandError, FaceView, SpanKind, State};

/// The largest body of a request, bytes.
const MAX_BODY: usize = 64 * 1024;
/// How long a request may take to arrive, and how long a connection may stay without one.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a reader may take nothing.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest time between two events. A page that gets none for three times as long takes the connection for lost.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// The shortest time between two events to a page. A page draws no more often.
const EVENT_INTERVAL: Duration = Duration::from_millis(33);
/// How long to wait where no connection can be accepted, for example for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Where and for whom the panel is served.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The address; port 0 takes a free one.
    pub address: SocketAddr,
    /// Whether an address is allowed that other machines can reach. What is sent there is not encrypted.
    pub allows_network: bool,
    /// When the session began; all times count from here.
    pub origin: Instant,
}

/// Why there is no panel.
#[derive(Debug, thiserror::Error)]
pub enum PanelError {
    /// The address can be reached from other machines.
    #[error("{0} can be reached from other machines, and nothing that the panel sends is encrypted")]
    Network(SocketAddr),
    /// The address cannot be used.
    #[error("{0}: {1}")]
    Bind(SocketAddr, io::Error),
    /// The system gives no random numbers.
    #[error("no random numbers for the link: {0}")]
    Random(#[from] getrandom::Error),
    /// The thread cannot be started.
    #[error("the panel's thread: {0}")]
    Thread(io::Error),
}

/// Why a command is not carried out; the page shows the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

/// Carries out commands; called on the panel's thread, so it must not wait.
pub type HandleCommand = Box<dyn Fn(Command) -> Result<(), Refusal> + Send + Sync>;

/// The addresses of the pages. Whoever has one has the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    /// The therapist's page.
    pub panel: String,
    /// The page for the client's screen.
    pub screen: String,
}

/// A running panel. It ends when the value is dropped.
pub struct Panel {
    content: Arc<Content>,
    links: Links,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

/// What every request needs.
struct Shared {
    content: Arc<Content>,
    panel_token: Token,
    screen_token: Token,
    handle_command: HandleCommand,
}

impl Panel {
    /// Starts the server. Pages that are open see `handle_command`'s refusals; what commands change, they see from the next
    /// state on.
    ///
    /// # Errors
    /// Where the address cannot be used, or can be reached from other machines without [`Options::allows_network`].
    pub fn start(options: &Options, handle_command: HandleCommand) -> Result<Self, PanelError> {
        let address = options.address;
        if !address.ip().is_loopback() && !options.allows_network {
            return Err(PanelError::Network(address));
        }
        let bind = |error| PanelError::Bind(address, error);
        let listener = std::net::TcpListener::bind(address).map_err(bind)?;
        listener.set_nonblocking(true).map_err(bind)?;
        let bound = listener.local_addr().map_err(bind)?;
        let reachable = SocketAddr::new(reachable_address(bound.ip()), bound.port());
        let (panel_token, screen_token) = (Token::generate()?, Token::generate()?);
        let link = |token: &Token| format!("http://{reachable}/{}/", token.as_str());
        let links = Links { panel: link(&panel_token), screen: link(&screen_token) };
        let content = Arc::new(Content::new(options.origin));
        let shared =
            Arc::new(Shared { content: Arc::clone(&content), panel_token, screen_token, handle_command });
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(PanelError::Thread)?;
        let thread = thread::Builder::new()
            .name("panel".into())
            .spawn(move || runtime.block_on(serve(listener, &shared, stopped)))
            .map_err(PanelError::Thread)?;
        Ok(Self { content, links, stop, thread: Some(thread) })
    }

    /// The addresses of the pages.
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// Publishes the state.
    pub fn set_state(&self, state: &State) {
        self.content.set_state(state);
    }

    /// Publishes the faces of a frame at `time`, and adds the subject's classification to the chart.
    pub fn set_faces(&self, time: f64, faces: &[FaceView], subject: Option<&Classification>) {
        self.content.set_faces(time, faces, subject);
    }

    /// Adds a mood or track that lasts from `start` until the next of its kind to the chart. `mood` gives its colour.
    pub fn add_span(&self, kind: SpanKind, start: f64, text: impl Into<String>, mood: Mood) {
        self.content.add_span(kind, start, text.into(), mood);
    }

    /// Publishes the camera's picture, a JPEG. Without [`State::shows_picture`], it is discarded.
    pub fn set_picture(&self, jpeg: impl Into<Bytes>) {
        self.content.set_picture(jpeg.into());
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// An address by which other machines reach a socket that is bound to `bound`, as far as it can be found out.
fn reachable_address(bound: IpAddr) -> IpAddr {
    if !bound.is_unspecified() {
        return bound;
    }
    // Connecting a UDP socket sends nothing; it only looks up the route. The addresses are for documentation (RFC 5737, 3849).
    let (own, remote) = match bound {
        IpAddr::V4(_) => (IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))),
        IpAddr::V6(_) => {
            let remote = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
            (IpAddr::V6(Ipv6Addr::UNSPECIFIED), IpAddr::V6(remote))
        }
    };
    let find_route = || {
        let socket = UdpSocket::bind((own, 0))?;
        socket.connect((remote, 9))?;
        socket.local_addr()
    };
    let loopback = match bound {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    find_route().map_or(loopback, |address| address.ip())
}

/// Accepts connections until `stopped` changes.
async fn serve(listener: std::net::TcpListener, shared: &Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let connections = Connections::default();
    let accept = async {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let id = connections.next_id();
                    let place = connections.place(id);
                    let task = tokio::spawn(serve_connection(stream, Arc::clone(shared), place));
                    connections.add(id, task.abort_handle());
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    };
    let stop = async { while !*stopped.borrow_and_update() && stopped.changed().await.is_ok() {} };
    tokio::pin!(accept, stop);
    // Whichever is first; the tasks of connections end with the runtime.
    std::future::poll_fn(|cx| {
        let is_stopped = stop.as_mut().poll(cx).is_ready();
        if is_stopped { Poll::Ready(()) } else { accept.as_mut().poll(cx).map(|()| ()) }
    })
    .await;
}

/// Serves the requests of a connection.
async fn serve_connection(stream: TcpStream, shared: Arc<Shared>, place: Place) {
    let Ok(local) = stream.local_addr() else { return };
    let _ = stream.set_nodelay(true);
    let place = Mutex::new(place);
    let service = service_fn(|request| {
        let (shared, place) = (Arc::clone(&shared), &place);
        async move { Ok::<_, Infallible>(respond(request, local, &shared, place).await) }
    });
    let io = TokioIo::new(TimedStream::new(stream, WRITE_TIMEOUT));
    // Its errors are those of the peer: it has gone, reads or writes nothing, or speaks no HTTP.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(READ_TIMEOUT)
        .max_buf_size(MAX_BODY)
        .serve_connection(io, service)
        .await;
}

/// The body of a response: a whole, or a stream of events.
type ResponseBody = Either<Full<Bytes>, EventBody>;

/// Checks a request and makes the response.
async fn respond(
    request: Request<Incoming>,
    local: SocketAddr,
    shared: &Arc<Shared>,
    place: &Mutex<Place>,
) -> Response<ResponseBody> {
    let mut response = match check_and_route(request, local, shared, place).await {
        Ok(response) => response,
        Err((status, text)) => {
            let mut response = text_response(status, text);
            // An unread body would be read as the next request, and who was refused need not stay.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            response
        }
    };
    for (name, value) in [
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A refused request: the status and a text for whoever reads it.
type RefusedRequest = (StatusCode, String);

/// Makes the response to a request that is allowed.
async fn check_and_route(
    request: Request<Incoming>,
    local: SocketAddr,
    shared: &Arc<Shared>,
    place: &Mutex<Place>,
) -> Result<Response<ResponseBody>, RefusedRequest> {
    let refuse = |status: StatusCode, text: &str| Err((status, text.to_owned()));
    let path = request.uri().path().strip_prefix('/').unwrap_or_default().to_owned();
    let (token, resource) = path.split_once('/').unwrap_or((&path, ""));
    let is_post = request.method() == Method::POST;
    if check_origin(request.headers(), local, resource.is_empty(), is_post).is_err() {
        return refuse(StatusCode::FORBIDDEN, "this request does not come from the panel's own page");
    }
    let is_panel = shared.panel_token.matches(token);
    if !is_panel && !shared.screen_token.matches(token) {
        return refuse(StatusCode::NOT_FOUND, "open the link that gst-mood has printed");
    }
    if !place.lock().unwrap_or_else(PoisonError::into_inner).make_known() {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "too many pages are open");
    }
    match (request.method(), resource, is_panel) {
        (&Method::GET, "", true) => Ok(page_response(&PANEL)),
        (&Method::GET, "", false) => Ok(page_response(&SCREEN)),
        (&Method::GET, "icon", _) => Ok(whole_response(StatusCode::OK, "image/svg+xml", ICON.into())),
        (&Method::GET, "events", _) => Ok(event_response(Arc::clone(&shared.content), is_panel)),
        (&Method::GET, "picture", true) => match shared.content.picture() {
            Some(jpeg) => Ok(whole_response(StatusCode::OK, "image/jpeg", jpeg)),
            None => refuse(StatusCode::NOT_FOUND, "the picture is switched off"),
        },
        (&Method::POST, "command", true) => {
            let command = read_command(request).await?;
            (shared.handle_command)(command).map_err(|Refusal(text)| (StatusCode::CONFLICT, text))?;
            Ok(text_response(StatusCode::ACCEPTED, String::new()))
        }
        (_, "" | "icon" | "events" | "picture" | "command", _) => {
            refuse(StatusCode::METHOD_NOT_ALLOWED, "this cannot be done here")
        }
        _ => refuse(StatusCode::NOT_FOUND, "there is no such page"),
    }
}

/// Reads the command in the body of a request.
async fn read_command(request: Request<Incoming>) -> Result<Command, RefusedRequest> {
    let is_json = request.headers().get(CONTENT_TYPE).is_some_and(|value| value == "application/json");
    if !is_json {
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "a command is application/json".into()));
    }
    let too_long = || (StatusCode::PAYLOAD_TOO_LARGE, format!("a command has at most {MAX_BODY} bytes"));
    // The length that the header declares, before any of it is read.
    if request.body().size_hint().lower() > MAX_BODY as u64 {
        return Err(too_long());
    }
    let body = Limited::new(request.into_body(), MAX_BODY).collect();
    let body = match tokio::time::timeout(READ_TIMEOUT, body).await {
        Err(_) => return Err((StatusCode::REQUEST_TIMEOUT, "the command did not arrive".into())),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_long()),
        Ok(Err(_)) => return Err((StatusCode::BAD_REQUEST, "the command could not be read".into())),
        Ok(Ok(body)) => body.to_bytes(),
    };
    Command::parse(&body).map_err(|error| {
        let status = match error {
            CommandError::Syntax(_) => StatusCode::BAD_REQUEST,
            CommandError::Value(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        (status, error.to_string())
    })
}

fn whole_response(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<ResponseBody> {
    let mut response = Response::new(Either::Left(Full::new(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn text_response(status: StatusCode, text: String) -> Response<ResponseBody> {
    whole_response(status, "text/plain; charset=utf-8", text.into())
}

fn page_response(page: &Page) -> Response<ResponseBody> {
    let mut response = whole_response(StatusCode::OK, "text/html; charset=utf-8", page.html.clone());
    // Hashes and keywords are visible ASCII.
    if let Ok(policy) = HeaderValue::from_str(&page.policy) {
        response.headers_mut().insert("content-security-policy", policy);
    }
    response
}

fn event_response(content: Arc<Content>, is_panel: bool) -> Response<ResponseBody> {
    // One event waits at most; the next one is made from what is newest then.
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(send_events(content, is_panel, sender));
    let mut response = Response::new(Either::Right(EventBody(receiver)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response
}

/// Sends a page what is new until it has gone.
async fn send_events(content: Arc<Content>, is_panel: bool, sender: mpsc::Sender<Bytes>) {
    let mut changes = content.subscribe();
    let mut position = Position::default();
    loop {
        changes.mark_unchanged();
        let events =
            if is_panel { content.panel_events(&mut position) } else { content.screen_events(&mut position) };
        if sender.send(events.into()).await.is_err() {
            return;
        }
        tokio::time::sleep(EVENT_INTERVAL).await;
        if !matches!(tokio::time::timeout(HEARTBEAT, changes.changed()).await, Ok(Ok(())) | Err(_)) {
            return;
        }
    }
}

/// A stream of events as the body of a response.
struct EventBody(mpsc::Receiver<Bytes>);

impl Body for EventBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
