//! Photographs: searched for faces, and tabulated together.

use std::fs;
use std::path::{Path, PathBuf};

use gst::prelude::*;
use image::{RgbImage, imageops};
use media_container::jpeg;
use session::{Warning, WarningKind};

use super::graph::{ANALYSIS, GraphConfig, configure_analysis};
use super::image_file::decode_upright;
use super::small_faces::SmallFaceSample;
use super::table::lock_table;
use crate::error::CommandError;
use crate::files::{remove_if_present, write_atomically};
use crate::folder::{FACES, SUMMARY, read_summary};
use crate::pipeline::{self, set_path};
use crate::progress::Progress;

/// The table over all photos, in the folder of the results.
const TABLE: &str = "photographs.csv";

/// The columns of [`TABLE`] before those of a photo's own table.
const FIRST_COLUMNS: [&str; 2] = ["folder", "file"];

/// The largest side of an image that is analysed, pixels. A larger one, such as a panorama, is made smaller: GStreamer takes no
/// sides of more than 32,767, and an encoded one no more than 65,535.
const MAX_SIDE: u32 = 16_384;

/// Detects and classifies the faces of a photo. Writes their lines to the file `timeline`, and the photo with
/// the faces drawn to the file `annotated`, a JPEG. Returns what there is to say about the photo, and the smaller faces that
/// it has.
pub fn process_photo(
    config: &GraphConfig,
    timeline: &Path,
    annotated: &Path,
    progress: &Progress,
) -> Result<(Vec<Warning>, SmallFaceSample), CommandError> {
    let output =
        " ! emotionoverlay name=overlay ! videoconvert ! jpegenc quality=92 ! filesink name=annotated";
    let description = format!("appsrc name=source format=time ! videoconvert ! {ANALYSIS}{output}");
    let pipeline = pipeline::parse(&description)?;
    let Photo { image, warnings } = Photo::decode(config.input)?;
    push_image(&pipeline, &image)?;
    let small_faces = configure_analysis(&pipeline, config, timeline)?;
    // The only frame must be searched completely.
    pipeline::element(&pipeline, "detector")?.set_property("scan-interval", 0u64);
    pipeline::element(&pipeline, "overlay")?.set_property("blur-faces", config.options.blur_faces);
    set_path(&pipeline, "annotated", "location", annotated)?;
    pipeline::run(&pipeline, progress).map(|()| (warnings, small_faces))
}

/// What to do with a photo that nothing here decodes.
pub fn unsupported_error() -> CommandError {
    CommandError::Failed(
        "it is a photograph in a format that cannot be decoded here (HEIC, AVIF, JPEG XL or a camera's raw data): convert it to \
         JPEG, for example with heif-convert (package libheif-examples) or darktable-cli, and process that"
            .into(),
    )
}

/// A decoded photo.
pub struct Photo {
    /// As the camera was held, no larger than can be analysed.
    pub image: RgbImage,
    /// What there is to say about it.
    pub warnings: Vec<Warning>,
}

impl Photo {
    /// Decodes a photo.
    pub fn decode(path: &Path) -> Result<Self, CommandError> {
        let is_truncated = jpeg::examine(path) == Some(jpeg::Content::TruncatedPhoto);
        let image = decode_upright(path).map_err(|error| match error {
            CommandError::Failed(text) if is_truncated => CommandError::Failed(format!(
                "it ends in the middle, and the part before cannot be shown: {text}"
            )),
            error => error,
        })?;
        let mut warnings = Vec::new();
        if is_truncated {
            let text = "it ends in the middle: its lower part is blurred or missing, and so may be faces";
            warnings.push(Warning::new(WarningKind::Truncated, text));
        }
        let (width, height) = image.dimensions();
        let largest = width.max(height);
        if largest <= MAX_SIDE {
            return Ok(Self { image, warnings });
        }
        let scale = |side: u32| {
            u32::try_from(u64::from(side) * u64::from(MAX_SIDE) / u64::from(largest))
                .unwrap_or(MAX_SIDE)
                .max(1)
        };
        let scaled = imageops::thumbnail(&image, scale(width), scale(height));
        let text = format!(
            "it was made smaller, from {width}x{height} to {}x{} pixels: small faces may be missing; cut it into parts to find \
             them",
            scaled.width(),
            scaled.height()
        );
        warnings.push(Warning::new(WarningKind::Scaled, text));
        Ok(Self { image: scaled, warnings })
    }
}

/// Gives the pipeline's `appsrc` called `source` the image as its only frame, followed by the end of the stream.
pub fn push_image(pipeline: &gst::Pipeline, image: &RgbImage) -> Result<(), CommandError> {
    let failed = |what: &dyn std::fmt::Display| CommandError::Failed(format!("it cannot be shown: {what}"));
    let (width, height) = image.dimensions();
    let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::Rgb, width, height).build();
    let info = info.map_err(|error| failed(&error))?;
    // GStreamer pads rows to a multiple of four bytes.
    let row_bytes = 3 * width as usize;
    let stride = usize::try_from(info.stride()[0]).unwrap_or(row_bytes);
    let mut bytes = vec![0; info.size()];
    for (to, from) in bytes.chunks_mut(stride.max(1)).zip(image.chunks_exact(row_bytes.max(1))) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    }
    let mut buffer = gst::Buffer::from_mut_slice(bytes);
    if let Some(buffer) = buffer.get_mut() {
        buffer.set_pts(gst::ClockTime::ZERO);
    }
    let source = pipeline::element(pipeline, "source")?;
    let source = source.downcast::<gst_app::AppSrc>().map_err(|_| failed(&"no source"))?;
    source.set_caps(Some(&info.to_caps().map_err(|error| failed(&error))?));
    source.push_buffer(buffer).map_err(|error| failed(&error))?;
    source.end_of_stream().map(|_| ()).map_err(|error| failed(&error))
}

/// Writes one table over the faces of all finished photos in the folder `output`, of this run and of earlier
/// ones. A photo without a face has one row, in which only the first columns and `success`, which is 0, are
/// filled. The table is removed if there are no photos.
pub fn write_table(output: &Path) -> Result<(), CommandError> {
    let _lock = lock_table(output)?;
    let entries = fs::read_dir(output).map_err(|error| CommandError::io(output, &error))?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    folders.retain(|folder| folder.join(FACES).is_file() && folder.join(SUMMARY).is_file());
    folders.sort();
    let table = output.join(TABLE);
    let read = folders.iter().map(|folder| (folder, PhotoResult::load(folder)));
    // Of one that another run processes again, that run writes the table.
    let read = read.filter(|(folder, read)| read.is_ok() || folder.join(SUMMARY).exists());
    let photos: Vec<PhotoResult> = read.map(|(_, read)| read).collect::<Result<_, _>>()?;
    let Some(first) = photos.first() else { return remove_if_present(&table) };
    write_atomically(&table, |file| {
        let mut writer = csv::Writer::from_writer(file);
        writer.write_record(FIRST_COLUMNS.into_iter().chain(&first.columns))?;
        for photo in &photos {
            for row in photo.rows() {
                let origin = [photo.folder.as_str(), photo.file.as_str()];
                writer.write_record(origin.into_iter().chain(row.iter()))?;
            }
        }
        writer.flush()
    })
}

/// The results of a photo, read back from their folder.
struct PhotoResult {
    /// Name of the folder.
    folder: String,
    /// Path of the photo; empty if the results do not name it.
    file: String,
    /// The columns of the photo's own table.
    columns: csv::StringRecord,
    /// The rows of that table, one for each face.
    faces: Vec<csv::StringRecord>,
}

impl PhotoResult {
    /// Reads the table and the summary in `folder`.
    fn load(folder: &Path) -> Result<Self, CommandError> {
        let table = folder.join(FACES);
        let broken = |error: csv::Error| {
            CommandError::Failed(format!("{}: {error}; remove it and run process again", table.display()))
        };
        let source = read_summary(&folder.join(SUMMARY))?.source;
        let file = source.and_then(|uri| url::Url::parse(&uri).ok()?.to_file_path().ok());
        let mut reader = csv::Reader::from_path(&table).map_err(broken)?;
        Ok(Self {
            folder: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            file: file.unwrap_or_default().display().to_string(),
            columns: reader.headers().map_err(broken)?.clone(),
            faces: reader.records().collect::<Result<_, _>>().map_err(broken)?,
        })
    }

    /// The photo's rows: one for each face, or a single one with `success` 0.
    fn rows(&self) -> Vec<csv::StringRecord> {
        if !self.faces.is_empty() {
            return self.faces.clone();
        }
        vec![self.columns.iter().map(|column| if column == "success" { "0" } else { "" }).collect()]
    }
}
