//! The one format that all decks decode to and that the source pad gives.

/// How a sample is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sample {
    F32,
    S16,
}

/// Interleaved, little endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    sample: Sample,
    pub rate: u32,
    pub channels: u32,
}

/// What the source pad can give.
pub fn template() -> gst::Caps {
    gst::Caps::builder("audio/x-raw")
        .field("format", gst::List::new(["F32LE", "S16LE"]))
        .field("layout", "interleaved")
        .field("rate", gst::IntRange::new(8_000, 192_000))
        .field("channels", gst::IntRange::new(1, 2))
        .build()
}

impl Format {
    /// The best of what downstream takes: stereo before mono, float before integer, then as near to 48 kHz as can be.
    pub fn best_of(caps: &gst::Caps) -> Option<(Self, gst::Caps)> {
        // Encoders list their channels one by one, and not the best first.
        let choices = caps.iter().filter_map(|structure| Self::fixate(structure.to_owned()));
        choices.min_by_key(|(format, _)| {
            (format.channels != 2, format.sample != Sample::F32, format.rate.abs_diff(48_000))
        })
    }

    fn fixate(mut structure: gst::Structure) -> Option<(Self, gst::Caps)> {
        structure.fixate_field_str("format", "F32LE");
        structure.fixate_field_nearest_int("rate", 48_000);
        structure.fixate_field_nearest_int("channels", 2);
        let mut caps = gst::Caps::builder_full().structure(structure).build();
        caps.fixate();
        let structure = caps.structure(0)?;
        let format = Self {
            sample: if structure.get::<&str>("format").ok()? == "S16LE" { Sample::S16 } else { Sample::F32 },
            rate: structure.get::<i32>("rate").ok()?.try_into().ok()?,
            channels: structure.get::<i32>("channels").ok()?.try_into().ok()?,
        };
        Some((format, caps))
    }

    /// What decks decode to: always float.
    pub fn deck_caps(&self) -> gst::Caps {
        gst::Caps::builder("audio/x-raw")
            .field("format", "F32LE")
            .field("layout", "interleaved")
            .field("rate", self.rate as i32)
            .field("channels", self.channels as i32)
            .build()
    }

    /// Samples a frame of audio.
    pub fn width(&self) -> usize {
        self.channels as usize
    }

    /// The bytes of mixed samples.
    pub fn encode(&self, samples: &[f32]) -> Vec<u8> {
        match self.sample {
            Sample::F32 => samples.iter().flat_map(|sample| sample.to_le_bytes()).collect(),
            // The cast saturates.
            Sample::S16 => {
                samples.iter().flat_map(|s| ((s * 32_768.0).round() as i16).to_le_bytes()).collect()
            }
        }
    }
}

/// The samples of a deck's buffer.
pub fn decode(bytes: &[u8]) -> impl Iterator<Item = f32> {
    let finite = |sample: f32| if sample.is_finite() { sample } else { 0.0 };
    bytes.chunks_exact(4).map(move |b| finite(f32::from_le_bytes([b[0], b[1], b[2], b[3]])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(text: &str) -> Option<Format> {
        gst::init().unwrap();
        let mut caps = template();
        caps = caps.intersect(&text.parse::<gst::Caps>().unwrap());
        Format::best_of(&caps).map(|(format, caps)| {
            assert!(caps.is_fixed());
            format
        })
    }

    #[test]
    fn downstream_decides_and_the_rest_is_float_stereo_48() {
        let any = Format { sample: Sample::F32, rate: 48_000, channels: 2 };
        assert_eq!(best("ANY"), Some(any));
        assert_eq!(best("audio/x-raw,rate=44100"), Some(Format { rate: 44_100, ..any }));
        let small = Format { sample: Sample::S16, rate: 22_050, channels: 1 };
        assert_eq!(best("audio/x-raw,format=S16LE,rate=[8000,22050],channels=1"), Some(small));
        assert_eq!(best("audio/x-raw,channels=1;audio/x-raw,channels=2"), Some(any));
        assert_eq!(best("audio/x-raw,format=S24LE"), None);
        assert_eq!(best("video/x-raw"), None);
    }

    #[test]
    fn samples_survive_and_saturate() {
        let float = best("ANY").unwrap();
        let samples = [0.0, 0.5, -1.0, 1.5];
        assert_eq!(decode(&float.encode(&samples)).collect::<Vec<_>>(), samples);
        let int = best("audio/x-raw,format=S16LE").unwrap();
        let ints: Vec<i16> =
            int.encode(&samples).chunks(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
        assert_eq!(ints, [0, 16_384, -32_768, 32_767]);
        assert_eq!(decode(&f32::NAN.to_le_bytes()).collect::<Vec<_>>(), [0.0]);
    }
}
