//! The command `gst-mood`: reads the arguments, runs a command, and sets the exit code.
//!
//! Exit codes: 0 done, 1 the work or a part of it failed, 2 usage, 3 something is missing on this machine
//! (`gst-mood doctor` lists what).

// First, because its macros are those of all modules.
#[macro_use]
mod output;

mod agreement;
mod arguments;
mod client_face;
mod clients;
mod consent;
mod correct;
mod data_folder;
mod decode;
mod demo;
mod digest;
mod doctor;
mod error;
mod evaluate;
mod export;
mod expression;
mod files;
mod folder;
mod follow;
mod forget;
mod interruption;
mod library;
mod live;
mod lock;
mod manual;
mod media_kind;
mod mpris;
mod pipeline;
mod plot;
mod process;
mod progress;
mod recommend;
mod report;
mod volume;

use std::env;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use error::CommandError;

/// Music by the mood on a face, and a readable record of a session.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// The command to run.
    #[command(subcommand)]
    command: Command,
}

/// The commands, with the help texts that clap shows.
#[derive(Subcommand)]
enum Command {
    /// Demonstrate everything on a built-in actor and music: annotated video, timeline, report and soundtrack
    Demo(demo::Arguments),
    /// Let a camera drive the music, until Ctrl-C; desktops, media keys and playerctl control it (MPRIS)
    Live(live::Arguments),
    /// Let a recorded timeline, another session's moods over MQTT, or a mood by hand drive the music, without a camera
    Follow(Box<follow::Arguments>),
    /// Make a readable record of recordings: timeline, statistics, report, subtitles, annotations
    #[command(
        after_help = "Who is who, when it was recorded, and what the report is to say stand in notes beside a recording: \
                            gst-mood notes writes them to fill in."
    )]
    Process(process::Arguments),
    /// Write notes to fill in beside a recording: who is who, when it was, what the report is to say
    Notes(process::notes_file::Arguments),
    /// Write a session in the format of another program
    Export(export::Arguments),
    /// Make a session's report again, or compare several sessions of one person
    Report(report::Arguments),
    /// Measure how far a human and a session, or two humans, agree on what a person showed
    Agreement(agreement::Arguments),
    /// Take back into a session what a human corrected in ELAN or another annotation program
    Correct(correct::Arguments),
    /// List the clients of whom something is stored, and what
    Clients(clients::Arguments),
    /// Remove everything stored about a client
    Forget(forget::Arguments),
    /// Measure a model on faces whose expression is known
    Evaluate(evaluate::Arguments),
    /// Manage a music library with the moods of its tracks
    #[command(subcommand)]
    Library(library::Command),
    /// Rank the music that fits a picture, a video, a mood, or a point of valence and arousal
    Recommend(recommend::Arguments),
    /// Check for everything that is needed: its version and place, or what to install if it is missing
    Doctor(doctor::Arguments),
    /// Write man pages and shell completions, for packages
    #[command(hide = true)]
    Manual(manual::Arguments),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return print_usage_error(&error),
    };
    // Whatever a command writes is about a person, or what somebody listens to.
    files::restrict_permissions();
    let result = match arguments.command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Live(arguments) => live::run(&arguments),
        Command::Follow(arguments) => follow::run(&arguments),
        Command::Process(arguments) => process::run(arguments),
        Command::Notes(arguments) => process::notes_file::run(&arguments),
        Command::Export(arguments) => export::run(arguments),
        Command::Report(arguments) => report::run(arguments),
        Command::Agreement(arguments) => agreement::run(&arguments),
        Command::Correct(arguments) => correct::run(&arguments),
        Command::Clients(arguments) => clients::run(&arguments),
        Command::Forget(arguments) => forget::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Library(command) => library::run(command),
        Command::Recommend(arguments) => recommend::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Manual(arguments) => manual::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !matches!(error, CommandError::AlreadyReported) {
                eprintln!("gst-mood: {error}");
            }
            error.exit_code()
        }
    }
}

/// Prints what clap has to say, which quotes the arguments: the help, the version, or an error.
fn print_usage_error(error: &clap::Error) -> ExitCode {
    let text = error.render();
    let styled = |is_terminal: bool| {
        if is_terminal && env::var_os("NO_COLOR").is_none() {
            text.ansi().to_string()
        } else {
            text.to_string()
        }
    };
    if error.use_stderr() {
        output::print_error_text(&format!("{}\n", styled(io::stderr().is_terminal()).trim_end_matches('\n')));
        ExitCode::from(2)
    } else {
        print!("{}", styled(io::stdout().is_terminal()));
        ExitCode::SUCCESS
    }
}
