//! The audio formats of the source pad, and the bytes of samples.

use playout::AudioFormat;

/// How a sample value is written, little-endian.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SampleEncoding {
    /// 32-bit float, full scale at 1.0.
    #[default]
    F32,
    /// 16-bit signed integer; values beyond full scale are clipped.
    S16,
}

/// The format of the source pad: interleaved, one or two channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutputFormat {
    /// Rate and channels.
    pub audio: AudioFormat,
    /// How values are written.
    pub encoding: SampleEncoding,
}

/// The caps that the source pad can produce.
pub(crate) fn template_caps() -> gst::Caps {
    gst::Caps::builder("audio/x-raw")
        .field("format", gst::List::new(["F32LE", "S16LE"]))
        .field("layout", "interleaved")
        .field("rate", gst::IntRange::new(8_000, 192_000))
        .field("channels", gst::IntRange::new(1, 2))
        .build()
}

/// The caps that decks decode to: always float.
pub(crate) fn deck_caps(format: AudioFormat) -> gst::Caps {
    gst::Caps::builder("audio/x-raw")
        .field("format", "F32LE")
        .field("layout", "interleaved")
        .field("rate", format.rate as i32)
        .field("channels", format.channels as i32)
        .build()
}

impl OutputFormat {
    /// The best of the formats that downstream accepts, with its fixed caps: stereo rather than mono, then
    /// float rather than integer, then the rate nearest to 48 kHz. `None` where it accepts none.
    pub fn choose(caps: &gst::Caps) -> Option<(Self, gst::Caps)> {
        // Encoders list their numbers of channels one by one, and not the best first.
        let choices = caps.iter().filter_map(|structure| Self::fixate(structure.to_owned()));
        choices.min_by_key(|(format, _)| {
            let audio = format.audio;
            (audio.channels != 2, format.encoding != SampleEncoding::F32, audio.rate.abs_diff(48_000))
        })
    }

    /// The best format within one structure of caps.
    fn fixate(mut structure: gst::Structure) -> Option<(Self, gst::Caps)> {
        structure.fixate_field_str("format", "F32LE");
        structure.fixate_field_nearest_int("rate", 48_000);
        structure.fixate_field_nearest_int("channels", 2);
        let mut caps = gst::Caps::builder_full().structure(structure).build();
        caps.fixate();
        let structure = caps.structure(0)?;
        let is_integer = structure.get::<&str>("format").ok()? == "S16LE";
        let audio = AudioFormat {
            rate: structure.get::<i32>("rate").ok()?.try_into().ok()?,
            channels: structure.get::<i32>("channels").ok()?.try_into().ok()?,
        };
        let encoding = if is_integer { SampleEncoding::S16 } else { SampleEncoding::F32 };
        Some((Self { audio, encoding }, caps))
    }
}

impl SampleEncoding {
    /// The bytes of samples.
    pub fn encode(self, samples: &[f32]) -> Vec<u8> {
        match self {
            Self::F32 => samples.iter().flat_map(|value| value.to_le_bytes()).collect(),
            // The cast saturates.
            Self::S16 => {
                let to_integer = |value: f32| (value * 32_768.0).round() as i16;
                samples.iter().flat_map(|value| to_integer(*value).to_le_bytes()).collect()
            }
        }
    }
}

/// The values in the bytes of a deck's buffer. Those that are not finite become 0.
pub(crate) fn decode(bytes: &[u8]) -> impl Iterator<Item = f32> {
    let finite_or_zero = |value: f32| if value.is_finite() { value } else { 0.0 };
    bytes.chunks_exact(4).map(move |b| finite_or_zero(f32::from_le_bytes([b[0], b[1], b[2], b[3]])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(downstream: &str) -> Option<OutputFormat> {
        gst::init().unwrap();
        let caps = template_caps().intersect(&downstream.parse::<gst::Caps>().unwrap());
        OutputFormat::choose(&caps).map(|(format, caps)| {
            assert!(caps.is_fixed());
            format
        })
    }

    fn format(encoding: SampleEncoding, rate: u32, channels: u32) -> OutputFormat {
        OutputFormat { audio: AudioFormat { rate, channels }, encoding }
    }

    #[test]
    fn float_stereo_at_48_khz_is_preferred() {
        use SampleEncoding::{F32, S16};
        assert_eq!(choose("ANY"), Some(format(F32, 48_000, 2)));
        assert_eq!(choose("audio/x-raw,rate=44100"), Some(format(F32, 44_100, 2)));
        let limited = "audio/x-raw,format=S16LE,rate=[8000,22050],channels=1";
        assert_eq!(choose(limited), Some(format(S16, 22_050, 1)));
        let listed = "audio/x-raw,channels=1;audio/x-raw,channels=2";
        assert_eq!(choose(listed), Some(format(F32, 48_000, 2)));
        assert_eq!(choose("audio/x-raw,format=S24LE"), None);
        assert_eq!(choose("video/x-raw"), None);
    }

    #[test]
    fn samples_survive_encoding_and_saturate() {
        let samples = [0.0, 0.5, -1.0, 1.5];
        assert_eq!(decode(&SampleEncoding::F32.encode(&samples)).collect::<Vec<_>>(), samples);
        let bytes = SampleEncoding::S16.encode(&samples);
        let integers: Vec<i16> = bytes.chunks(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
        assert_eq!(integers, [0, 16_384, -32_768, 32_767]);
        assert_eq!(decode(&f32::NAN.to_le_bytes()).collect::<Vec<_>>(), [0.0]);
    }
}
