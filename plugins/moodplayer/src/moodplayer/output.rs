//! What leaves the source pad: the mix in the format that downstream takes, which may change while it plays.
//!
//! Tracks are decoded and mixed in the format that was negotiated first, until the element goes to READY. Where
//! downstream asks for another one later, the mix is converted: the tracks that play go on on the very sample,
//! and nothing has to be opened again, for which live audio could not wait. The decisions do not change either.

use playout::{AudioFormat, FormatConverter, SampleClock, StartTime};

use super::format::OutputFormat;

/// The format of the output, and the way there from that of the mix.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    /// The format of the mix.
    mix: AudioFormat,
    format: OutputFormat,
    caps: gst::Caps,
    converter: FormatConverter,
}

impl Output {
    /// The mix as it is; `caps` are those of `format`.
    pub fn new(format: OutputFormat, caps: gst::Caps) -> Self {
        Self { mix: format.audio, format, caps, converter: FormatConverter::new(format.audio) }
    }

    /// The caps of the output.
    pub fn caps(&self) -> &gst::Caps {
        &self.caps
    }

    /// Changes the format from the next sample on; `caps` are those of `format`.
    pub fn set_format(&mut self, format: OutputFormat, caps: gst::Caps) {
        if format.audio != self.converter.output() {
            self.converter.set_output(format.audio);
        }
        (self.format, self.caps) = (format, caps);
    }

    /// Begins with sample 0 of the mix, because time has jumped.
    pub fn restart(&mut self) {
        self.converter.restart();
    }

    /// The next samples of the mix as a buffer, with the times that `clock` gives to them; `None` where a
    /// conversion needs more of them first. Without samples, what remains at the end.
    pub fn next_buffer(&mut self, clock: &SampleClock, samples: Option<&[f32]>) -> Option<gst::Buffer> {
        let (anchor, first) = self.converter.next_sample();
        let samples = match samples {
            Some(samples) => self.converter.convert(samples),
            None => self.converter.finish(),
        };
        let (_, end) = self.converter.next_sample();
        if end == first {
            return None;
        }
        let AudioFormat { rate, .. } = self.format.audio;
        let times = SampleClock::new(StartTime { pts: clock.pts(anchor), ..StartTime::default() }, rate);
        let mut buffer = gst::Buffer::from_mut_slice(self.format.encoding.encode(&samples));
        let writable = buffer.get_mut()?;
        let pts = gst::ClockTime::from_nseconds(times.pts(first));
        writable.set_pts(pts);
        writable.set_duration(gst::ClockTime::from_nseconds(times.pts(end)) - pts);
        let offset = u128::from(anchor) * u128::from(rate) / u128::from(self.mix.rate.max(1));
        let offset = u64::try_from(offset).unwrap_or_default();
        writable.set_offset(offset + first);
        writable.set_offset_end(offset + end);
        if samples.iter().all(|value| *value == 0.0) {
            writable.set_flags(gst::BufferFlags::GAP);
        }
        Some(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moodplayer::format::SampleEncoding;

    fn format(rate: u32, channels: u32, encoding: SampleEncoding) -> OutputFormat {
        OutputFormat { audio: AudioFormat { rate, channels }, encoding }
    }

    #[test]
    fn times_and_offsets_go_on_after_a_change_of_format() {
        gst::init().unwrap();
        let start = StartTime { pts: 5_000_000_000, ..StartTime::default() };
        let clock = SampleClock::new(start, 48_000);
        let mut output = Output::new(format(48_000, 2, SampleEncoding::F32), gst::Caps::new_any());
        let block = vec![0.25; 960];
        let first = output.next_buffer(&clock, Some(&block)).unwrap();
        assert_eq!((first.pts().unwrap().mseconds(), first.size(), first.offset_end()), (5_000, 3_840, 480));
        output.set_format(format(44_100, 1, SampleEncoding::S16), gst::Caps::new_empty());
        let second = output.next_buffer(&clock, Some(&block)).unwrap();
        assert_eq!((second.pts().unwrap().mseconds(), second.offset()), (5_010, 441));
        let third = output.next_buffer(&clock, Some(&block)).unwrap();
        assert_eq!(third.pts(), second.pts().zip(second.duration()).map(|(pts, duration)| pts + duration));
        let last = output.next_buffer(&clock, None).unwrap();
        assert_eq!(second.size() + third.size() + last.size(), 882 * 2);
        assert_eq!(output.next_buffer(&clock, None), None);
        output.restart();
        output.set_format(format(44_100, 1, SampleEncoding::F32), gst::Caps::new_empty());
        let silent = output.next_buffer(&clock, Some(&[0.0; 960])).unwrap();
        assert_eq!((silent.pts().unwrap().mseconds(), silent.offset()), (5_000, 0));
        assert!(
            silent.flags().contains(gst::BufferFlags::GAP) && !last.flags().contains(gst::BufferFlags::GAP)
        );
    }
}
