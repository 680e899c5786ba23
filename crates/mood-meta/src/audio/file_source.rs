//! A source of a local file without its large tags.

use std::sync::{Arc, Mutex};

use gst::prelude::*;
use media_container::FileView;

use crate::lock;

/// Bytes that are read at once where the demuxer does not say how many it wants.
const BLOCK_SIZE: usize = 64 << 10;

/// A file and the position in it of the next byte.
struct Reader {
    view: FileView,
    position: u64,
}

impl Reader {
    /// The next bytes, at most `length`; none at the end.
    fn read(&mut self, length: usize) -> std::io::Result<Vec<u8>> {
        let rest = usize::try_from(self.view.len().saturating_sub(self.position)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length.min(rest)];
        let read = self.view.read_at(self.position, &mut bytes)?;
        bytes.truncate(read);
        self.position += read as u64;
        Ok(bytes)
    }
}

/// Makes a source that demuxers can read at any position.
pub(super) fn make(view: FileView) -> gst::Element {
    let source = gst_app::AppSrc::builder().format(gst::Format::Bytes).build();
    source.set_stream_type(gst_app::AppStreamType::RandomAccess);
    source.set_size(i64::try_from(view.len()).unwrap_or(i64::MAX));
    let reader = Arc::new(Mutex::new(Reader { view, position: 0 }));
    let callbacks = gst_app::AppSrcCallbacks::builder()
        .seek_data({
            let reader = Arc::clone(&reader);
            move |_, position| {
                lock(&reader).position = position;
                true
            }
        })
        .need_data(move |source, length| {
            // A demuxer that pulls gets what it asked for.
            let length = if length == u32::MAX { BLOCK_SIZE } else { length as usize };
            let bytes = lock(&reader).read(length);
            // Both fail where the source is stopping.
            let _ = match bytes {
                Ok(bytes) if !bytes.is_empty() => source.push_buffer(gst::Buffer::from_mut_slice(bytes)),
                Ok(_) => source.end_of_stream(),
                Err(error) => {
                    gst::element_error!(source, gst::ResourceError::Read, ["{error}"]);
                    source.end_of_stream()
                }
            };
        });
    source.set_callbacks(callbacks.build());
    source.upcast()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::audio::add_audio_decoder;

    /// A quarter of a second at 8 kHz, whose samples count up.
    const SAMPLES: u32 = 2000;

    /// A WAV file behind an ID3v2 tag with a picture of a few megabytes, as a downloaded track has it.
    fn track_with_cover() -> Vec<u8> {
        let picture = [&b"\0image/jpeg\0\x03\0\xFF\xD8\xFF\xE0"[..], &vec![7; 5 << 20]].concat();
        let length = picture.len() as u32;
        let digits = [21, 14, 7, 0].map(|shift| ((length + 10) >> shift & 0x7F) as u8);
        let tag = [&b"ID3\x03\0\0"[..], &digits, b"APIC", &length.to_be_bytes(), b"\0\0", &picture];
        let samples: Vec<u8> = (0..SAMPLES as i16).flat_map(i16::to_le_bytes).collect();
        let size = samples.len() as u32;
        // PCM, mono, 8 kHz, 16,000 bytes a second, two a sample.
        let format = [0x0001_0001, 8000, 16_000, 0x0010_0002_u32].map(u32::to_le_bytes).concat();
        let wave = [
            b"RIFF",
            &(size + 36).to_le_bytes()[..],
            b"WAVEfmt ",
            &16_u32.to_le_bytes(),
            &format,
            b"data",
            &size.to_le_bytes(),
            &samples,
        ];
        [tag.concat(), wave.concat()].concat()
    }

    #[test]
    fn a_large_cover_is_not_read_and_the_track_plays_from_any_position() {
        gst::init().unwrap();
        let path = std::env::temp_dir().join(format!("track-with-cover-{}.wav", std::process::id()));
        fs::write(&path, track_with_cover()).unwrap();
        let pipeline = gst::Pipeline::new();
        let uri = glib::filename_to_uri(&path, None).unwrap();
        let convert = add_audio_decoder(&pipeline, &uri, false).unwrap();
        let caps = gst::Caps::builder("audio/x-raw").field("format", "S16LE").build();
        let sink = gst_app::AppSink::builder().caps(&caps).sync(false).build();
        pipeline.add(&sink).unwrap();
        convert.link(&sink).unwrap();
        let has_cover = Arc::new(Mutex::new(false));
        let seen = Arc::clone(&has_cover);
        sink.static_pad("sink").unwrap().add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
            if let Some(gst::EventView::Tag(tag)) = info.event().map(|event| event.view()) {
                *lock(&seen) |= tag.tag().get::<gst::tags::Image>().is_some();
            }
            gst::PadProbeReturn::Ok
        });
        let read = || {
            let mut samples = Vec::new();
            while let Ok(sample) = sink.pull_sample() {
                let map = sample.buffer().unwrap().map_readable().unwrap();
                samples.extend(map.chunks_exact(2).map(|bytes| i16::from_le_bytes([bytes[0], bytes[1]])));
            }
            samples
        };
        pipeline.set_state(gst::State::Playing).unwrap();
        let whole = read();
        let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE;
        pipeline.seek_simple(flags, gst::ClockTime::from_mseconds(125)).unwrap();
        let half = read();
        pipeline.set_state(gst::State::Null).unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(whole, (0..SAMPLES as i16).collect::<Vec<_>>());
        assert_eq!(half, whole[whole.len() / 2..]);
        assert!(!*lock(&has_cover), "the cover was read");
    }
}
