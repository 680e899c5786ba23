//! The command `gst-mood`: arguments in, exit code out.
//!
//! Exit codes: 0 done, 1 the work or a part of it failed, 2 usage, 3 something is missing on this machine (`gst-mood doctor` says what).

mod clients;
mod data;
mod decode;
mod demo;
mod doctor;
mod evaluate;
mod export;
mod failure;
mod folder;
mod forget;
mod library;
mod live;
mod material;
mod mpris;
mod pipeline;
mod plane;
mod process;
mod progress;
mod recommend;
mod report;
mod seen;
mod volume;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

/// Music by the mood on a face, and a readable record of a session.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the whole way on the built-in actor and music: annotated video, timeline, report and soundtrack
    Demo {
        /// Folder for the results; made if it is not there
        #[arg(short, long, default_value = "gst-mood-demo")]
        output: PathBuf,
        /// Print the results' paths as JSON
        #[arg(long)]
        json: bool,
    },
    /// Let a camera drive the music, until Ctrl-C; desktops, media keys and playerctl control it (MPRIS)
    Live(live::Arguments),
    /// Make a readable record of recordings: timeline, statistics, report, subtitles, annotations
    Process(process::Arguments),
    /// Write a session in the format of another program
    Export(export::Arguments),
    /// Make a session's report again, or compare several sessions of one person
    Report(report::Arguments),
    /// Remove what is stored of a client
    Forget(forget::Arguments),
    /// Measure a model on faces whose expression is known
    Evaluate {
        /// A folder of class folders (angry, disgust, fear, happy, sad, surprise, neutral) with pictures of faces, or
        /// FER-2013's csv
        data: PathBuf,
        /// The part of FER-2013's csv
        #[arg(long, value_enum, default_value_t)]
        split: evaluate::Split,
        /// An ONNX model instead of the built-in one
        #[arg(long)]
        model: Option<PathBuf>,
        /// Write the figures to this file as JSON
        #[arg(long)]
        json: Option<PathBuf>,
    },
    /// A music library that knows what its tracks feel like
    #[command(subcommand)]
    Library(library::Command),
    /// Rank the music that fits a picture, a video, a mood, or a point of valence and arousal
    Recommend(recommend::Arguments),
    /// Say what is there, where and in which version, and what to install where something is missing
    Doctor {
        /// Print the findings as JSON
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        Command::Demo { output, json } => demo::run(&output, json),
        Command::Live(arguments) => live::run(&arguments),
        Command::Process(arguments) => process::run(arguments),
        Command::Export(arguments) => export::run(arguments),
        Command::Report(arguments) => report::run(arguments),
        Command::Forget(arguments) => forget::run(&arguments),
        Command::Evaluate { data, split, model, json } => evaluate::run(&data, split, model, json.as_deref()),
        Command::Library(command) => library::run(command),
        Command::Recommend(arguments) => recommend::run(&arguments),
        Command::Doctor { json } => doctor::run(json),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !matches!(failure, Failure::Told) {
                eprintln!("gst-mood: {failure}");
            }
            failure.exit_code()
        }
    }
}

/// Starts GStreamer and makes our elements known to this process, whatever GST_PLUGIN_PATH says.
fn start_gstreamer() -> Result<(), Failure> {
    gst::init().map_err(|error| Failure::Environment(format!("GStreamer does not start: {error}")))?;
    gstfacedetect::plugin_register_static()
        .and_then(|()| gstemotionclassify::plugin_register_static())
        .and_then(|()| gstmoodplayer::plugin_register_static())
        .map_err(|error| Failure::Environment(format!("our elements cannot be registered: {error}")))
}
