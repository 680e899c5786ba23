//! Audio files with reproducible noise that has the same spectrum and level in every format and at every
//! rate.

use std::path::{Path, PathBuf};

use gst::prelude::*;

/// A file to make.
pub struct NoiseFile<'a> {
    /// Its name, whose extension is the format of the file.
    pub name: &'a str,
    /// Sample format: `S16LE`, `S24LE`, `S32LE` or `F32LE`.
    pub format: &'a str,
    /// Sample rate, Hz.
    pub rate: u32,
    /// Number of channels.
    pub channels: usize,
    /// Duration of the noise, seconds.
    pub seconds: f64,
    /// Duration of the silence before and after the noise, seconds.
    pub silence: (f64, f64),
    /// Noise of different seeds is uncorrelated.
    pub seed: u64,
    /// The content of the `.mood` file beside it.
    pub mood: &'a str,
}

impl Default for NoiseFile<'_> {
    fn default() -> Self {
        Self {
            name: "noise.wav",
            format: "S16LE",
            rate: 48_000,
            channels: 2,
            seconds: 10.0,
            silence: (0.0, 0.0),
            seed: 1,
            mood: "happy",
        }
    }
}

impl NoiseFile<'_> {
    /// Writes the file and its `.mood` file. Returns the path of the audio file.
    pub fn make(&self, folder: &Path) -> PathBuf {
        let samples_in = |seconds: f64| (seconds * f64::from(self.rate)) as usize;
        let mut samples = vec![0.0; samples_in(self.silence.0) * self.channels];
        samples.extend(noise(self.seed, self.rate, self.channels, samples_in(self.seconds)));
        samples.extend(vec![0.0; samples_in(self.silence.1) * self.channels]);
        let path = folder.join(self.name);
        write_audio(&path, self.format, self.rate, self.channels, &samples);
        std::fs::write(folder.join(format!("{}.mood", self.name)), self.mood).unwrap();
        path
    }
}

/// Nearly Gaussian noise below about 2 kHz, which every codec keeps. Its channels are uncorrelated.
fn noise(seed: u64, rate: u32, channels: usize, length: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    // Four one-pole low-pass filters in series. The level compensates for the sample rate.
    let step = 1.0 - (-std::f32::consts::TAU * 2_000.0 / rate as f32).exp();
    let level = 0.12 * (rate as f32 / 48_000.0).sqrt();
    let mut poles = vec![[0.0f32; 4]; channels];
    let sample = |index: usize| {
        let poles = &mut poles[index % channels];
        let mut value = level * (uniform() + uniform() + uniform()) * 4.0;
        for pole in poles.iter_mut() {
            *pole += (value - *pole) * step;
            value = *pole;
        }
        value
    };
    (0..length * channels).map(sample).collect()
}

/// Writes interleaved samples to a file, whose extension gives the encoding.
pub fn write_audio(path: &Path, format: &str, rate: u32, channels: usize, samples: &[f32]) {
    let encoder = match path.extension().unwrap().to_str().unwrap() {
        "flac" => "flacenc",
        "ogg" => "vorbisenc quality=0.8 ! oggmux",
        "mp3" => "lamemp3enc target=bitrate bitrate=256 cbr=true ! id3v2mux",
        "m4a" => "avenc_aac bitrate=256000 ! mp4mux",
        _ => "wavenc",
    };
    let mask = if channels == 6 { ",channel-mask=(bitmask)0x3f" } else { "" };
    // The first conversion gives encoders that take floats the precision of integers, too.
    let pipeline = gst::parse::launch(&format!(
        "appsrc name=in format=time \
         caps=audio/x-raw,format=F32LE,layout=interleaved,rate={rate},channels={channels}{mask} \
         ! audioconvert dithering=none ! audio/x-raw,format={format} ! audioconvert \
         ! {encoder} ! filesink name=out",
    ));
    let pipeline = pipeline.unwrap().downcast::<gst::Pipeline>().unwrap();
    pipeline.by_name("out").unwrap().set_property("location", path.to_str().unwrap());
    let source = pipeline.by_name("in").unwrap().downcast::<gst_app::AppSrc>().unwrap();
    source.set_max_bytes(0);
    pipeline.set_state(gst::State::Playing).unwrap();
    let time = |sample: usize| gst::ClockTime::from_nseconds(sample as u64 * 1_000_000_000 / u64::from(rate));
    for (index, block) in samples.chunks(4_096 * channels).enumerate() {
        let bytes: Vec<u8> = block.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let mut buffer = gst::Buffer::from_mut_slice(bytes);
        let (begin, end) = (index * 4_096, index * 4_096 + block.len() / channels);
        let writable = buffer.get_mut().unwrap();
        writable.set_pts(time(begin));
        writable.set_duration(time(end) - time(begin));
        source.push_buffer(buffer).unwrap();
    }
    source.end_of_stream().unwrap();
    let end = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(30), &end);
    pipeline.set_state(gst::State::Null).unwrap();
    let message = message.expect("a file in time");
    assert_eq!(message.type_(), gst::MessageType::Eos, "{message:?}");
}
