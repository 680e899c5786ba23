//! Plays for many hours of recorded video, as fast as it can, with a new mood every 43 s, and reports what
//! came of it.
//!
//! ```shell
//! cargo run --release -p gstmoodplayer --example soak_test -- [HOURS] [TRACKS]
//! ```
//!
//! By default 24 hours and 60 tracks. Makes a library of tones, of which every tenth file is broken, feeds
//! ten frames a second, and checks every sample of the output. Fails where there is a gap, silence, or a
//! sample that is too loud or not finite.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use gst::prelude::*;
use mood_schema::{Affect, Classification, Emotion, Face, Frame, Rect};

/// Frame rate of the video.
const FPS: u64 = 10;
/// How long a mood lasts: 2,000 of them make a day.
const MOOD_MILLISECONDS: u64 = 43_200;
/// The moods, in turn.
const MOODS: [Emotion; 4] = [Emotion::Happy, Emotion::Sad, Emotion::Neutral, Emotion::Angry];

fn main() -> Result<(), Box<dyn Error>> {
    gst::init()?;
    gstmoodplayer::plugin_register_static()?;
    let number = |index: usize, default: u64| match std::env::args().nth(index) {
        Some(text) => text.parse::<u64>(),
        None => Ok(default),
    };
    let (hours, tracks) = (number(1, 24)?, number(2, 60)?);
    let folder = tempfile::TempDir::new()?;
    for index in 0..tracks {
        make_track(folder.path(), index)?;
    }
    let player = gst::ElementFactory::make("moodplayer")
        .property("library", folder.path().to_str())
        .property_from_str("resume", "resume")
        .build()?;
    let report = play(player, hours)?;
    report.print(hours);
    if report.faults() == 0 { Ok(()) } else { Err("the audio has faults".into()) }
}

/// Writes a tone of 2 to 240 s, or for every tenth index a file that nothing decodes, and its mood.
fn make_track(folder: &Path, index: u64) -> Result<(), Box<dyn Error>> {
    let kinds =
        [("flac", "flacenc"), ("ogg", "vorbisenc ! oggmux"), ("wav", "wavenc"), ("mp3", "lamemp3enc")];
    let (extension, encoder) = kinds[index as usize % kinds.len()];
    let path = folder.join(format!("{index:03}.{extension}"));
    let mood = MOODS[(index / 4) as usize % MOODS.len()];
    std::fs::write(path.with_added_extension("mood"), mood.as_str())?;
    if index % 10 == 9 {
        return Ok(std::fs::write(path, [0x5a; 100_000])?);
    }
    let (seconds, rate) = (2 + index * 37 % 239, [44_100, 48_000, 32_000][index as usize % 3]);
    let pipeline = gst::parse::launch(&format!(
        "audiotestsrc freq={} volume=0.3 samplesperbuffer={} num-buffers={} ! audio/x-raw,rate={rate},channels={} \
         ! audioconvert ! {encoder} ! filesink location=\"{}\"",
        200 + 10 * index,
        rate / 10,
        seconds * 10,
        1 + index % 2,
        path.display(),
    ))?;
    pipeline.set_state(gst::State::Playing)?;
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let message =
        pipeline.bus().and_then(|bus| bus.timed_pop_filtered(gst::ClockTime::from_seconds(60), &ends));
    pipeline.set_state(gst::State::Null)?;
    match message.map(|message| message.type_()) {
        Some(gst::MessageType::Eos) => Ok(()),
        _ => Err(format!("{} could not be made", path.display()).into()),
    }
}

/// What is measured.
#[derive(Default)]
struct Report {
    /// Length of the audio.
    audio_seconds: f64,
    /// Time that it took.
    wall_seconds: f64,
    /// Processor time that it took, of all threads.
    cpu_seconds: f64,
    /// Changes of the mood.
    switches: u64,
    /// Tracks that were started.
    started: u64,
    /// Tracks that were reported as broken.
    failed: u64,
    /// Resident memory after the first hour, and the highest after any hour, MiB.
    memory: (u64, u64),
    /// Buffers that do not begin where the last one ended.
    gaps: u64,
    /// Values that are infinite or not a number.
    not_finite: u64,
    /// Values above -1 dBFS.
    too_loud: u64,
    /// Buffers of silence after the music has begun.
    silent_buffers: u64,
}

impl Report {
    /// The number of faults of all kinds.
    fn faults(&self) -> u64 {
        self.gaps + self.not_finite + self.too_loud + self.silent_buffers
    }

    /// Prints the report as text.
    fn print(&self, hours: u64) {
        println!(
            "{hours} h of audio in {:.0} s, {:.0} times real time; {:.0} s of processor, {:.0} times",
            self.wall_seconds,
            self.audio_seconds / self.wall_seconds,
            self.cpu_seconds,
            self.audio_seconds / self.cpu_seconds
        );
        println!(
            "{:.3} h rendered, {} mood switches, {} tracks started",
            self.audio_seconds / 3600.0,
            self.switches,
            self.started
        );
        println!("{} broken files skipped and reported", self.failed);
        println!(
            "resident memory: {} MiB after the first hour, {} MiB at most",
            self.memory.0, self.memory.1
        );
        println!(
            "gaps {}, samples not finite {}, above -1 dB {}, silent buffers {}",
            self.gaps, self.not_finite, self.too_loud, self.silent_buffers
        );
    }
}

/// Feeds the player and checks its output.
fn play(player: gst::Element, hours: u64) -> Result<Report, Box<dyn Error>> {
    let pipeline = gst::Pipeline::new();
    let source = gst_app::AppSrc::builder()
        .caps(
            &gst::Caps::builder("video/x-raw").field("framerate", gst::Fraction::new(FPS as i32, 1)).build(),
        )
        .format(gst::Format::Time)
        .block(true)
        .max_buffers(100)
        .build();
    let caps = "audio/x-raw,format=F32LE,rate=48000,channels=2".parse::<gst::Caps>()?;
    let sink = gst_app::AppSink::builder().sync(false).max_buffers(50).caps(&caps).build();
    pipeline.add_many([source.upcast_ref(), &player, sink.upcast_ref()])?;
    let mood = player.request_pad_simple("mood").ok_or("no mood pad")?;
    source.static_pad("src").ok_or("no source pad")?.link(&mood)?;
    player.link(&sink)?;
    let bus = pipeline.bus().ok_or("no bus")?;
    pipeline.set_state(gst::State::Playing)?;
    let feeder = std::thread::spawn(move || feed(&source, hours));

    let mut report = Report::default();
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let (mut end, mut music_begun) = (0, false);
    while let Ok(sample) = sink.pull_sample() {
        let buffer = sample.buffer().ok_or("no buffer")?;
        let (pts, duration) = buffer.pts().zip(buffer.duration()).ok_or("no time")?;
        report.gaps += u64::from(pts.nseconds() != end);
        let hour = end / 3_600_000_000_000;
        end = pts.nseconds() + duration.nseconds();
        music_begun |= !buffer.flags().contains(gst::BufferFlags::GAP);
        report.silent_buffers += u64::from(music_begun && buffer.flags().contains(gst::BufferFlags::GAP));
        for bytes in buffer.map_readable()?.chunks_exact(4) {
            let value = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            report.not_finite += u64::from(!value.is_finite());
            report.too_loud += u64::from(value.abs() > 0.891_25);
        }
        while let Some(message) = bus.pop() {
            if let gst::MessageView::Error(error) = message.view() {
                return Err(error.error().to_string().into());
            }
            let Some(structure) = message.structure() else { continue };
            match structure.name().as_str() {
                "mood-changed" => report.switches += 1,
                "track-started" => report.started += 1,
                "track-failed" => {
                    report.failed += 1;
                    eprintln!("{structure}");
                }
                _ => {}
            }
        }
        if end / 3_600_000_000_000 != hour {
            let now = resident_memory();
            if hour == 0 {
                report.memory.0 = now;
            }
            report.memory.1 = report.memory.1.max(now);
            eprintln!("hour {}: {:.0} s, {now} MiB", hour + 1, started.elapsed().as_secs_f64());
        }
    }
    (report.audio_seconds, report.wall_seconds) = (end as f64 / 1e9, started.elapsed().as_secs_f64());
    report.cpu_seconds = cpu_seconds() - cpu;
    pipeline.set_state(gst::State::Null)?;
    let _ = feeder.join();
    Ok(report)
}

/// Pushes frames with one mood after the other.
fn feed(source: &gst_app::AppSrc, hours: u64) {
    mood_meta::frame::register();
    for index in 0..hours * 3600 * FPS {
        let mood = MOODS[(index * 1000 / FPS / MOOD_MILLISECONDS) as usize % MOODS.len()];
        let mut buffer = gst::Buffer::new();
        if let Some(writable) = buffer.get_mut() {
            writable.set_pts(gst::ClockTime::SECOND * index / FPS);
            writable.set_duration(gst::ClockTime::SECOND / FPS);
            let _ = mood_meta::frame::write(writable, &Frame { faces: vec![face(mood)], shot: 0 });
        }
        if source.push_buffer(buffer).is_err() {
            return;
        }
    }
    let _ = source.end_of_stream();
}

/// A face that shows an emotion.
fn face(emotion: Emotion) -> Face {
    let mut probabilities = [0.05; 7];
    probabilities[emotion.index()] = 0.7;
    let affect = Affect::from_distribution(&probabilities);
    let classification =
        Classification { label: emotion.into(), confidence: 0.7, probabilities, raw: None, affect };
    let bbox = Rect { x: 0.3, y: 0.3, w: 0.4, h: 0.4 };
    Face {
        id: 1,
        bbox,
        classification: Some(classification),
        quality: 1.0,
        roll: 0.0,
        source: Default::default(),
        resembles: None,
        quality_limit: None,
    }
}

/// The resident memory of this process, MiB; 0 where the system does not say.
fn resident_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// The processor time that this process has used, seconds; 0 where the system does not say. proc(5) counts
/// hundredths.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0
}
