//! `gst-mood follow`: a session as `gst-mood live` has it, without a camera: the moods come from a timeline, from another
//! session over MQTT, or by hand.
//!
//! A thread gives the session frames without pixels but with the faces of the source; everything behind is that of `live`.

mod feeder;
mod mqtt_source;
mod recorded_source;
mod source;

use std::io::{self, BufRead};

use mood_schema::Emotion;

use crate::error::CommandError;
use crate::files::path_to_str;
use crate::live::control::{SessionCommand, SessionControl};
use crate::live::{FACES, LivePanel, LiveSession, SessionArguments, graph, run_session};
use crate::pipeline;
use feeder::{FEED, Feeder};
use mqtt_source::MqttSource;
use recorded_source::RecordedSource;
use source::{FaceSource, NoFaces, SourceAddress};

/// The arguments of `follow`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Where the mood comes from: a timeline.jsonl or a session's folder; mqtt://USER@HOST/TOPIC or mqtts://, where another session
    /// publishes; - for standard input, with a mood or `automatic` on each line [default: by hand only, on the panel, by
    /// media keys or over MQTT]
    pub source: Option<SourceAddress>,
    /// What it has in common with `live`.
    #[command(flatten)]
    pub session: SessionArguments,
}

/// Plays until the source ends, Ctrl-C is pressed, or a user interface ends the session.
pub fn run(arguments: &Arguments) -> Result<(), CommandError> {
    let settings = &arguments.session;
    settings.client.require_consent()?;
    let recorded = match &arguments.source {
        Some(SourceAddress::Recorded(path)) => Some(RecordedSource::load(path)?),
        _ => None,
    };
    pipeline::init_gstreamer()?;
    let library = path_to_str(&settings.library()?)?.to_owned();
    let pipeline = build(settings, &library)?;
    let client = settings.client.consented()?;
    let session = LiveSession::new(pipeline.clone(), settings, client.as_ref(), false, false)?;
    let control = session.control();
    let source: Box<dyn FaceSource> = match (&arguments.source, recorded) {
        (_, Some(recorded)) => Box::new(recorded),
        (Some(SourceAddress::Mqtt(broker)), _) => Box::new(MqttSource::start(broker, &control)?),
        (Some(SourceAddress::StandardInput), _) => {
            read_moods(control)?;
            Box::new(NoFaces)
        }
        _ => Box::new(NoFaces),
    };
    let _feeder = Feeder::start(&pipeline, source)?;
    let panel = LivePanel::start(settings, &session, false)?;
    run_session(session, panel, settings, library, client)
}

/// Builds the pipeline of `live` with frames that a [`Feeder`] gives in the place of a camera's.
fn build(arguments: &SessionArguments, library: &str) -> Result<gst::Pipeline, CommandError> {
    let pipeline = pipeline::parse(&format!(
        "appsrc name={FEED} is-live=true do-timestamp=true format=time max-buffers=16 leaky-type=downstream caps=application/x-mood-frames
         ! identity name={FACES} {} ! {}",
        graph::record(arguments),
        graph::music()
    ))?;
    graph::configure(&pipeline, arguments, library)?;
    Ok(pipeline)
}

/// Has the session follow the moods on standard input, and end with it.
fn read_moods(control: SessionControl) -> Result<(), CommandError> {
    let read = move || {
        for line in io::stdin().lock().lines() {
            let line = match line {
                Ok(line) => line,
                Err(error) => {
                    control.warn(format!("standard input: {error}"));
                    break;
                }
            };
            let mood = match line.trim() {
                "" => continue,
                "automatic" => None,
                name => match name.parse::<Emotion>() {
                    Ok(mood) => Some(mood),
                    Err(error) => {
                        control.warn(format!("standard input: {error}; or automatic"));
                        continue;
                    }
                },
            };
            if control.send(SessionCommand::SetMood { mood }).is_err() {
                return;
            }
        }
        let _ = control.send(SessionCommand::Quit);
    };
    // It is not waited for: a read of standard input cannot be interrupted.
    let thread = std::thread::Builder::new().name("moods".into()).spawn(read);
    thread.map(|_| ()).map_err(CommandError::thread)
}
