//! A day of music in lock step, as fast as it goes: 24 hours with a new mood every 43 s, and what came of it.
//!
//! `cargo run --release -p gstmoodplayer --example day -- [HOURS] [TRACKS]`, 24 and 60 where not given. Makes a library of short tones (one file in
//! ten is broken), shows ten frames a second of a person with one mood after the other, and looks at every sample that
//! comes out. Ends with an error where anything is amiss.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use gst::prelude::*;
use mood_schema::{Affect, Classification, Emotion, Face, Frame, Rect};

const FPS: u64 = 10;
const MOOD_MILLISECONDS: u64 = 43_200;
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
    let report = perform(player, hours)?;
    report.print(hours);
    if report.faults() == 0 { Ok(()) } else { Err("not as it should be".into()) }
}

/// A tone of 2 to 240 s; every tenth file is noise that no decoder takes.
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

#[derive(Default)]
struct Report {
    /// Of sound, seconds.
    seconds: f64,
    /// Seconds by the clock, and of all processors.
    took: f64,
    cpu: f64,
    switches: u64,
    started: u64,
    failed: u64,
    /// Of the first hour and of the whole, MiB.
    memory: (u64, u64),
    /// Buffers that do not begin where the last one ended, samples that are no numbers or too loud, and buffers of
    /// silence after the music has begun.
    gaps: u64,
    not_finite: u64,
    too_loud: u64,
    underruns: u64,
}

impl Report {
    fn faults(&self) -> u64 {
        self.gaps + self.not_finite + self.too_loud + self.underruns
    }

    fn print(&self, hours: u64) {
        println!(
            "{hours} h of audio in {:.0} s, {:.0} times real time; {:.0} s of processor, {:.0} times",
            self.took,
            self.seconds / self.took,
            self.cpu,
            self.seconds / self.cpu
        );
        println!(
            "{:.3} h rendered, {} mood switches, {} tracks started",
            self.seconds / 3600.0,
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
            self.gaps, self.not_finite, self.too_loud, self.underruns
        );
    }
}

fn perform(player: gst::Element, hours: u64) -> Result<Report, Box<dyn Error>> {
    let pipeline = gst::Pipeline::new();
    let camera = gst_app::AppSrc::builder()
        .caps(
            &gst::Caps::builder("video/x-raw").field("framerate", gst::Fraction::new(FPS as i32, 1)).build(),
        )
        .format(gst::Format::Time)
        .block(true)
        .max_buffers(100)
        .build();
    let caps = "audio/x-raw,format=F32LE,rate=48000,channels=2".parse::<gst::Caps>()?;
    let sink = gst_app::AppSink::builder().sync(false).max_buffers(50).caps(&caps).build();
    pipeline.add_many([camera.upcast_ref(), &player, sink.upcast_ref()])?;
    let mood = player.request_pad_simple("mood").ok_or("no mood pad")?;
    camera.static_pad("src").ok_or("no source pad")?.link(&mood)?;
    player.link(&sink)?;
    let bus = pipeline.bus().ok_or("no bus")?;
    pipeline.set_state(gst::State::Playing)?;
    let feeder = std::thread::spawn(move || feed(&camera, hours));

    let mut report = Report::default();
    let (begun, cpu) = (Instant::now(), processor());
    let (mut end, mut heard) = (0, false);
    while let Ok(sample) = sink.pull_sample() {
        let buffer = sample.buffer().ok_or("no buffer")?;
        let (pts, duration) = buffer.pts().zip(buffer.duration()).ok_or("no time")?;
        report.gaps += u64::from(pts.nseconds() != end);
        let hour = end / 3_600_000_000_000;
        end = pts.nseconds() + duration.nseconds();
        heard |= !buffer.flags().contains(gst::BufferFlags::GAP);
        report.underruns += u64::from(heard && buffer.flags().contains(gst::BufferFlags::GAP));
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
            let now = resident();
            if hour == 0 {
                report.memory.0 = now;
            }
            report.memory.1 = report.memory.1.max(now);
            eprintln!("hour {}: {:.0} s, {now} MiB", hour + 1, begun.elapsed().as_secs_f64());
        }
    }
    (report.seconds, report.took) = (end as f64 / 1e9, begun.elapsed().as_secs_f64());
    report.cpu = processor() - cpu;
    pipeline.set_state(gst::State::Null)?;
    let _ = feeder.join();
    Ok(report)
}

/// One mood after the other.
fn feed(camera: &gst_app::AppSrc, hours: u64) {
    mood_meta::frame::register();
    for index in 0..hours * 3600 * FPS {
        let mood = MOODS[(index * 1000 / FPS / MOOD_MILLISECONDS) as usize % MOODS.len()];
        let mut buffer = gst::Buffer::new();
        if let Some(writable) = buffer.get_mut() {
            writable.set_pts(gst::ClockTime::SECOND * index / FPS);
            writable.set_duration(gst::ClockTime::SECOND / FPS);
            let _ = mood_meta::frame::write(writable, &Frame { faces: vec![face(mood)] });
        }
        if camera.push_buffer(buffer).is_err() {
            return;
        }
    }
    let _ = camera.end_of_stream();
}

fn face(emotion: Emotion) -> Face {
    let mut probabilities = [0.05; 7];
    probabilities[emotion.index()] = 0.7;
    let affect = Affect::from_distribution(&probabilities);
    let classification = Classification { label: emotion.into(), confidence: 0.7, probabilities, affect };
    let bbox = Rect { x: 0.3, y: 0.3, w: 0.4, h: 0.4 };
    Face { id: 1, bbox, classification: Some(classification), quality: 1.0, roll: 0.0 }
}

/// Of this process, MiB; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Seconds of processor that this process has used; in proc(5) in hundredths.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0
}
