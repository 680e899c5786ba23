//! Pushes frames of any format, size, stride, offset, alignment, pixel aspect ratio and interlacing through the detector, the
//! classifier and the pixelation of the overlay. Buffers that do not hold what caps and video metadata say are refused; nothing
//! reads or writes beside a plane.

#![no_main]

use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use mood_schema::{Face, FaceSource, Frame, Rect};

fuzz_target!(|data: &[u8]| {
    fuzz::init_gstreamer();
    let mut data = Unstructured::new(data);
    let _ = run(&mut data);
});

fn run(data: &mut Unstructured) -> Result<()> {
    let element = *data.choose(&["haarfacedetect", "emotionclassify", "emotionoverlay", "emotionoverlay"])?;
    let formats = fuzz::formats(element);
    let format = formats[data.int_in_range(0..=formats.len() - 1)?];
    // Large frames never have all of their bytes.
    let is_huge = data.ratio(1, 32)?;
    let max = if is_huge { [32_767, 32_767] } else { [70, 50] };
    let (width, height) = (data.int_in_range(1..=max[0])?, data.int_in_range(1..=max[1])?);
    let Ok(info) = gst_video::VideoInfo::builder(format, width, height).build() else { return Ok(()) };
    // Rows and planes are padded, so that neither stride nor offset is that of the caps.
    let planes = info.n_planes() as usize;
    let (mut offsets, mut strides, mut size) = (Vec::new(), Vec::new(), data.int_in_range(0..=9_usize)?);
    let is_hostile = data.ratio(1, 4)?;
    for plane in 0..planes {
        let stride = info.stride()[plane] + data.int_in_range(0..=33)?;
        // A plane has at most the rows of the frame, and none starts after the next one in the caps.
        offsets.push(size);
        strides.push(stride);
        size += stride as usize * height as usize + data.int_in_range(0..=7_usize)?;
        if is_hostile {
            offsets[plane] = hostile(data, offsets[plane] as i64)? as usize;
            strides[plane] = hostile(data, strides[plane].into())? as i32;
        }
    }
    let is_padded: bool = data.arbitrary()?;
    if !is_padded {
        size = info.size();
    }
    if is_huge {
        size = data.int_in_range(0..=9999)?;
    } else if data.ratio(1, 8)? {
        size = data.int_in_range(0..=size)?;
    }
    let fill: u8 = data.arbitrary()?;
    let mut buffer = gst::Buffer::from_mut_slice(vec![fill; size]);
    let fields = buffer.make_mut();
    fields.set_pts(gst::ClockTime::ZERO);
    if is_padded {
        let [meta_width, meta_height] = match data.int_in_range(0..=15)? {
            0 => [data.int_in_range(0..=u32::MAX)?, data.int_in_range(0..=u32::MAX)?],
            _ => [width, height],
        };
        let format = if data.ratio(1, 16)? { *data.choose(&formats)? } else { format };
        let count = if data.ratio(1, 16)? { data.int_in_range(0..=planes)? } else { planes };
        let flags = gst_video::VideoFrameFlags::empty();
        let (offsets, strides) = (&offsets[..count], &strides[..count]);
        let _ =
            gst_video::VideoMeta::add_full(fields, flags, format, meta_width, meta_height, offsets, strides);
    }
    let side =
        |data: &mut Unstructured| -> Result<f64> { Ok(f64::from(data.arbitrary::<u8>()?) / 160.0 - 0.3) };
    let bbox = Rect { x: side(data)?, y: side(data)?, w: side(data)?, h: side(data)? };
    let face = Face {
        id: 1,
        bbox,
        classification: None,
        quality: 0.5,
        roll: 0.0,
        source: FaceSource::Detected,
        resembles: None,
        quality_limit: None,
    };
    let _ = mood_meta::frame::write(fields, &Frame { faces: vec![face], shot: 0 });
    let side = |data: &mut Unstructured| data.int_in_range(0..=80);
    let region = (side(data)?, side(data)?, side(data)?, side(data)?);
    gst_video::VideoRegionOfInterestMeta::add(fields, "face", region);
    let description = match element {
        "emotionoverlay" => "emotionoverlay blur-faces=true",
        // Metadata of another detector, which gets a witness.
        "emotionclassify" => "emotionclassify",
        _ => "haarfacedetect min-size=8",
    };
    let aspect = match data.int_in_range(0..=7)? {
        0 => (data.int_in_range(1..=i32::MAX)?, data.int_in_range(1..=i32::MAX)?),
        1 => (data.int_in_range(1..=20)?, data.int_in_range(1..=20)?),
        _ => (1, 1),
    };
    let rate = *data.choose(&["25/1", "0/1", "2147483647/1", "1/2147483647"])?;
    let interlacing = *data.choose(&["progressive", "interleaved", "mixed"])?;
    let caps = format!(
        "video/x-raw,format={format},width={width},height={height},framerate={rate},interlace-mode={interlacing},\
         pixel-aspect-ratio={}/{}",
        aspect.0, aspect.1
    );
    fuzz::push(description, &caps, buffer);
    Ok(())
}

/// A stride or an offset that is wrong by a little or by all that fits.
fn hostile(data: &mut Unstructured, number: i64) -> Result<i64> {
    Ok(match data.int_in_range(0..=3)? {
        0 => number,
        1 => number + data.int_in_range(-40..=40)?,
        2 => -number,
        _ => *data.choose(&[0, 1, i64::from(i32::MAX), i64::from(i32::MIN), i64::MAX, -1, 1 << 30])?,
    })
}
