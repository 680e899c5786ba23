//! Makes tracks of tones that are recognised in the output, feeds faces to a player, and records what it
//! plays.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use gst::prelude::*;
use lofty::config::WriteOptions;
use lofty::file::{AudioFile, TaggedFileExt};
use lofty::tag::{ItemKey, Tag};
use mood_schema::{Affect, Classification, Emotion, Face, Frame, Rect};

/// A test that takes longer has failed.
pub const TIMEOUT: Duration = Duration::from_secs(60);
/// Frame rate of the video.
pub const FPS: u64 = 10;

/// Initialises GStreamer and registers the player, once.
pub fn init() {
    // A critical warning of GLib aborts the tests.
    gst::glib::log_set_always_fatal(gst::glib::LogLevels::LEVEL_CRITICAL);
    gst::init().unwrap();
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| gstmoodplayer::plugin_register_static().unwrap());
}

/// Writes a sine, encoded as the name's extension says, with a mood tag or, where the format has none, a
/// `.mood` file. `format` is the caps of the audio that is encoded.
pub fn write_tone(
    folder: &Path,
    name: &str,
    frequency: u32,
    seconds: u32,
    format: &str,
    mood: &str,
) -> PathBuf {
    let path = folder.join(name);
    let encoder = match path.extension().unwrap().to_str().unwrap() {
        "flac" => "flacenc",
        "ogg" => "vorbisenc ! oggmux",
        "mp3" => "lamemp3enc ! id3v2mux",
        "m4a" => "avenc_aac ! mp4mux",
        _ => "wavenc",
    };
    run_pipeline(&format!(
        "audiotestsrc freq={frequency} volume=0.2 samplesperbuffer=4800 num-buffers={} ! audio/x-raw,rate=48000 \
         ! audioconvert ! audioresample ! audio/x-raw,{format} ! audioconvert ! {encoder} ! filesink location=\"{}\"",
        seconds * 10,
        path.display()
    ));
    if !mood.is_empty() {
        let mut file = lofty::read_from_path(&path).unwrap();
        let kind = file.primary_tag_type();
        let mut tag = Tag::new(kind);
        assert!(tag.insert_text(ItemKey::TrackTitle, format!("{frequency} Hz")));
        if tag.insert_text(ItemKey::Mood, mood.into()) {
            file.insert_tag(tag);
            file.save_to_path(&path, WriteOptions::default()).unwrap();
        } else {
            std::fs::write(folder.join(format!("{name}.mood")), mood).unwrap();
        }
    }
    path
}

/// Runs a pipeline to its end.
fn run_pipeline(description: &str) {
    let pipeline = gst::parse::launch(description).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let end = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(30), &end);
    pipeline.set_state(gst::State::Null).unwrap();
    let message = message.expect("a track in time");
    assert_eq!(message.type_(), gst::MessageType::Eos, "{message:?}");
}

/// The frequency of the emotion's tone in [`tone_library`], Hz.
pub fn frequency(emotion: Emotion) -> u32 {
    300 + 100 * emotion.index() as u32
}

/// One long write_tone for each of four moods.
pub fn tone_library() -> tempfile::TempDir {
    init();
    let folder = tempfile::TempDir::new().unwrap();
    for (emotion, format) in [
        (Emotion::Neutral, "rate=44100,channels=1"),
        (Emotion::Happy, "rate=48000,channels=2"),
        (Emotion::Sad, "rate=44100,channels=2"),
        (Emotion::Angry, "rate=22050,channels=1"),
    ] {
        write_tone(
            folder.path(),
            &format!("{emotion}.flac"),
            frequency(emotion),
            30,
            format,
            emotion.as_str(),
        );
    }
    folder
}

pub fn make_player(library: &Path) -> gst::Element {
    gst::ElementFactory::make("moodplayer")
        .property("library", library.to_str().unwrap())
        .property("hold-time", 500_000_000u64)
        .property("min-dwell", 3_000_000_000u64)
        .property("crossfade", 500_000_000u64)
        .build()
        .unwrap()
}

/// A face that shows an emotion with little doubt.
pub fn face(emotion: Emotion) -> Face {
    let mut probabilities = [0.02; 7];
    probabilities[emotion.index()] = 0.88;
    Face {
        id: 1,
        bbox: Rect { x: 0.25, y: 0.25, w: 0.5, h: 0.5 },
        classification: Some(Classification {
            label: emotion.into(),
            confidence: 0.88,
            probabilities,
            raw: None,
            affect: Affect::from_distribution(&probabilities),
        }),
        quality: 0.9,
        roll: 0.0,
        source: Default::default(),
        resembles: None,
        quality_limit: None,
    }
}

/// Video buffers in which one face shows emotions, each for some seconds; `None` is no face.
pub fn frames_showing(moods: &[(Option<Emotion>, u64)]) -> Vec<gst::Buffer> {
    mood_meta::frame::register();
    let frames =
        moods.iter().flat_map(|(mood, seconds)| std::iter::repeat_n(*mood, (seconds * FPS) as usize));
    let frames = frames.enumerate().map(|(index, mood)| {
        let mut buffer = gst::Buffer::new();
        let frame = Frame { faces: mood.map(face).into_iter().collect(), shot: 0 };
        let writable = buffer.get_mut().unwrap();
        mood_meta::frame::write(writable, &frame).unwrap();
        writable.set_pts(gst::ClockTime::SECOND * index as u64 / FPS);
        writable.set_duration(gst::ClockTime::SECOND / FPS);
        buffer
    });
    frames.collect()
}

/// A source of such buffers.
pub fn video_source() -> gst_app::AppSrc {
    let caps =
        gst::Caps::builder("video/x-raw").field("framerate", gst::Fraction::new(FPS as i32, 1)).build();
    gst_app::AppSrc::builder().caps(&caps).format(gst::Format::Time).max_bytes(0).build()
}

/// A player in a pipeline whose sink records.
pub struct TestPipeline {
    /// The pipeline that holds player and sink.
    pub gst_pipeline: gst::Pipeline,
    /// The element under test.
    pub player: gst::Element,
    /// Its sink.
    pub sink: gst_app::AppSink,
    messages: mpsc::Receiver<gst::Message>,
}

impl Drop for TestPipeline {
    fn drop(&mut self) {
        let _ = self.gst_pipeline.set_state(gst::State::Null);
    }
}

/// What a player has played and posted.
#[derive(Debug, Default)]
pub struct Recording {
    /// The audio as it came.
    pub bytes: Vec<u8>,
    /// The same as interleaved float samples, where the format is F32LE.
    pub samples: Vec<f32>,
    /// Values a sample.
    pub channels: usize,
    /// Samples a second.
    pub rate: usize,
    /// Timestamp and duration of each buffer, ns.
    pub times: Vec<(u64, u64)>,
    /// Element messages of the player.
    pub messages: Vec<gst::Structure>,
    /// The player's errors and warnings.
    pub problems: Vec<String>,
}

impl TestPipeline {
    /// Links the player to a sink that accepts these caps.
    pub fn new(player: gst::Element, caps: &str) -> Self {
        init();
        let pipeline = gst::Pipeline::new();
        let (send, messages) = mpsc::channel();
        // With a sync handler, messages are kept while the test waits for audio.
        pipeline.bus().unwrap().set_sync_handler(move |_, message| {
            let _ = send.send(message.clone());
            gst::BusSyncReply::Drop
        });
        let sink =
            gst_app::AppSink::builder().sync(false).max_buffers(8).caps(&caps.parse().unwrap()).build();
        pipeline.add_many([&player, sink.upcast_ref()]).unwrap();
        player.link(&sink).unwrap();
        Self { gst_pipeline: pipeline, player, sink, messages }
    }

    /// Adds a source and links it to a mood pad, which is requested with the given name.
    pub fn link_input(&self, source: &gst::Element, pad: &str) -> gst::Pad {
        self.gst_pipeline.add(source).unwrap();
        let pad = self.player.request_pad_simple(pad).unwrap();
        source.static_pad("src").unwrap().link(&pad).unwrap();
        pad
    }

    /// Sets the pipeline to PLAYING.
    pub fn play(&self) -> &Self {
        self.gst_pipeline.set_state(gst::State::Playing).unwrap();
        self
    }

    /// Records so many seconds of audio, or to the end.
    pub fn record(&self, seconds: f64) -> Recording {
        let mut recording = Recording::default();
        let started = Instant::now();
        let mut length = 0;
        while (length as f64) < seconds * 1e9 {
            assert!(started.elapsed() < TIMEOUT, "no end in time; {:?}", self.errors());
            let Some(sample) = self.sink.try_pull_sample(gst::ClockTime::from_mseconds(100)) else {
                if self.sink.is_eos() {
                    break;
                }
                continue;
            };
            let info = gst_audio::AudioInfo::from_caps(sample.caps().unwrap()).unwrap();
            (recording.channels, recording.rate) = (info.channels() as usize, info.rate() as usize);
            let buffer = sample.buffer().unwrap();
            recording.times.push((buffer.pts().unwrap().nseconds(), buffer.duration().unwrap().nseconds()));
            length += buffer.duration().unwrap().nseconds();
            recording.bytes.extend_from_slice(&buffer.map_readable().unwrap());
        }
        let floats = recording.bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
        recording.samples = floats.collect();
        let messages = self.messages();
        recording.messages = messages.iter().filter_map(|m| m.structure().map(ToOwned::to_owned)).collect();
        recording.problems = messages.iter().filter_map(problem).collect();
        recording
    }

    /// Takes the messages that the player itself has posted since the last call.
    pub fn messages(&self) -> Vec<gst::Message> {
        self.messages.try_iter().filter(|message| message.src() == Some(self.player.upcast_ref())).collect()
    }

    /// Takes the same messages, and gives the texts of the errors and warnings.
    pub fn errors(&self) -> Vec<String> {
        self.messages().iter().filter_map(problem).collect()
    }
}

/// The text of an error or a warning.
fn problem(message: &gst::Message) -> Option<String> {
    match message.view() {
        gst::MessageView::Error(error) => Some(error.error().to_string()),
        gst::MessageView::Warning(warning) => Some(warning.error().to_string()),
        _ => None,
    }
}

/// Feeds a player faces as in [`frames_showing`], as fast as it takes them, and records all of the audio.
pub fn record_moods(player: gst::Element, moods: &[(Option<Emotion>, u64)]) -> Recording {
    record_moods_as(player, "rate=48000,channels=2", moods)
}

/// The same with other caps of the audio.
pub fn record_moods_as(player: gst::Element, format: &str, moods: &[(Option<Emotion>, u64)]) -> Recording {
    let pipeline = TestPipeline::new(player, &format!("audio/x-raw,format=F32LE,{format}"));
    let source = video_source();
    pipeline.link_input(source.upcast_ref(), "mood");
    frames_showing(moods).into_iter().for_each(|buffer| _ = source.push_buffer(buffer).unwrap());
    source.end_of_stream().unwrap();
    pipeline.play().record(f64::MAX)
}

impl Recording {
    /// The length of the audio.
    pub fn seconds(&self) -> f64 {
        self.times.iter().map(|(_, duration)| duration).sum::<u64>() as f64 / 1e9
    }

    /// Asserts that every buffer begins where the last one ended.
    pub fn assert_continuous(&self) {
        for pair in self.times.windows(2) {
            assert_eq!(pair[0].0 + pair[0].1, pair[1].0);
        }
    }

    /// The amplitude of a tone in the first channel, in the tenth of a second that begins at the second `at`;
    /// 1 is a full-scale sine.
    pub fn tone_level(&self, at: f64, frequency: u32) -> f64 {
        let from = (at * self.rate as f64) as usize * self.channels;
        let window = &self.samples[from..from + self.rate / 10 * self.channels];
        let step = std::f64::consts::TAU * f64::from(frequency) / self.rate as f64;
        let (mut cos, mut sin) = (0.0, 0.0);
        for (index, sample) in window.chunks_exact(self.channels).enumerate() {
            let (s, c) = (step * index as f64).sin_cos();
            cos += c * f64::from(sample[0]);
            sin += s * f64::from(sample[0]);
        }
        cos.hypot(sin) * 2.0 / (self.rate / 10) as f64
    }

    /// The emotion whose tone is heard at the second `at`, `None` in silence. Panics where several are.
    pub fn emotion_at(&self, at: f64) -> Option<Emotion> {
        let levels = Emotion::ALL.map(|emotion| self.tone_level(at, frequency(emotion)));
        let loud: Vec<usize> = (0..7).filter(|index| levels[*index] > 0.01).collect();
        match loud[..] {
            [] => None,
            [one] => Emotion::from_index(one),
            _ => panic!("several tones at {at} s: {levels:?}"),
        }
    }

    /// The number of messages with this name.
    pub fn count_messages(&self, message: &str) -> usize {
        self.messages.iter().filter(|structure| structure.name() == message).count()
    }
}
