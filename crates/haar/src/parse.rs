//! Parsing of OpenCV's cascade files.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;

use gray_image::PixelRect;
use roxmltree::{Document, Node as Element, ParsingOptions};

use crate::cascade::{Cascade, Feature, Node, Stage, Tree, WeightedRect};
use crate::error::CascadeError;

/// Longest text parsed. OpenCV's largest cascade has 2.7 MB.
const MAX_BYTES: u64 = 16 << 20;
/// Most XML nodes parsed; OpenCV's largest cascade has less than a tenth of them.
const MAX_XML_NODES: u32 = 2_000_000;
/// Most attributes parsed: the XML library takes quadratic time for attributes and namespaces. Cascades have
/// a few.
const MAX_EQUALS_SIGNS: usize = 500;

impl Cascade {
    /// Parses the text of a cascade file (`opencv_storage/cascade`, stage type BOOST, feature type HAAR).
    ///
    /// Memory and time are proportional to the length of the text, which may be up to 16 MiB, whatever it
    /// contains.
    ///
    /// # Errors
    /// [`CascadeError`]; it names the line and the element, or the number of the stage or feature, that is
    /// wrong.
    pub fn parse(xml: &str) -> Result<Self, CascadeError> {
        if xml.len() as u64 > MAX_BYTES {
            return Err(too_large());
        }
        if xml.bytes().filter(|&byte| byte == b'=').nth(MAX_EQUALS_SIGNS).is_some() {
            return Err(CascadeError::Invalid(format!("more than {MAX_EQUALS_SIGNS} attributes")));
        }
        // Document types, and with them entity expansion, are refused by default.
        let options = ParsingOptions { nodes_limit: MAX_XML_NODES, ..ParsingOptions::default() };
        let document = Document::parse_with_options(xml, options)?;
        let storage = document.root_element();
        if storage.tag_name().name() != "opencv_storage" {
            return invalid(storage, "the root is not <opencv_storage>");
        }
        // Like OpenCV, take the first element whatever its name.
        let Some(root) = storage.children().find(Element::is_element) else {
            return invalid(storage, "it is empty");
        };
        if root.attribute("type_id") == Some("opencv-haar-classifier")
            || (child(root, "size").is_some() && child(root, "stageType").is_none())
        {
            return Err(CascadeError::OldFormat);
        }
        match child_text(root, "stageType")? {
            "BOOST" => (),
            other => return invalid(root, format!("the stage type is {}, not BOOST", truncate(other))),
        }
        match child_text(root, "featureType")? {
            "HAAR" => (),
            other => return Err(CascadeError::UnsupportedFeatures(other.into())),
        }
        let categories: i32 =
            match child(root, "featureParams").and_then(|params| child(params, "maxCatCount")) {
                Some(count) => parse_text(count)?,
                None => 0,
            };
        if categories > 0 {
            return Err(CascadeError::UnsupportedFeatures("categorical".into()));
        }
        let features = entries(root, "features")?.map(parse_feature).collect::<Result<_, _>>()?;
        let stages = entries(root, "stages")?.map(parse_stage).collect::<Result<_, _>>()?;
        Self::new(
            parse_text(required_child(root, "width")?)?,
            parse_text(required_child(root, "height")?)?,
            features,
            stages,
        )
    }

    /// Reads and parses a cascade file.
    ///
    /// # Errors
    /// [`CascadeError`]; see [`read`](Self::read) and [`parse`](Self::parse).
    pub fn load(path: impl AsRef<Path>) -> Result<Self, CascadeError> {
        Self::parse(&Self::read(path)?)
    }

    /// Reads the text of a cascade file for [`parse`](Self::parse). Of a longer file than that accepts, only
    /// enough is read for it to be refused.
    ///
    /// # Errors
    /// [`CascadeError::Read`], also for a folder, a pipe or a device.
    pub fn read(path: impl AsRef<Path>) -> Result<String, CascadeError> {
        let path = path.as_ref();
        read_regular_file(path).map_err(|source| CascadeError::Read { path: path.into(), source })
    }
}

/// The text of a file. A pipe or a device is refused, since it might never end.
fn read_regular_file(path: &Path) -> io::Result<String> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut text = String::new();
    // One byte more than `parse` accepts, so that it refuses the text.
    File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    Ok(text)
}

/// The error for a text of more than [`MAX_BYTES`].
fn too_large() -> CascadeError {
    CascadeError::Invalid(format!("more than {} MiB of text", MAX_BYTES >> 20))
}

/// An error about an element, with its line.
fn invalid<T>(element: Element, problem: impl Display) -> Result<T, CascadeError> {
    let line = element.document().text_pos_at(element.range().start).row;
    Err(CascadeError::Invalid(format!("line {line}, <{}>: {problem}", truncate(element.tag_name().name()))))
}

/// Parses an entry of `<stages>`.
fn parse_stage(element: Element) -> Result<Stage, CascadeError> {
    Ok(Stage {
        threshold: parse_text(required_child(element, "stageThreshold")?)?,
        trees: entries(element, "weakClassifiers")?.map(parse_tree).collect::<Result<_, _>>()?,
    })
}

/// Parses an entry of `<weakClassifiers>`.
fn parse_tree(element: Element) -> Result<Tree, CascadeError> {
    let (internal, leaves) =
        (required_child(element, "internalNodes")?, required_child(element, "leafValues")?);
    let numbers = words(internal);
    if !numbers.len().is_multiple_of(4) {
        return invalid(internal, format!("{} numbers are not four a node", numbers.len()));
    }
    let nodes = numbers
        .chunks_exact(4)
        .map(|node| {
            Ok(Node {
                left: parse_integer(internal, node[0])?,
                right: parse_integer(internal, node[1])?,
                feature: parse_integer(internal, node[2])?,
                threshold: parse_real(internal, node[3])?,
            })
        })
        .collect::<Result<_, CascadeError>>()?;
    let leaves = words(leaves).into_iter().map(|leaf| parse_real(leaves, leaf)).collect::<Result<_, _>>()?;
    Ok(Tree { nodes, leaves })
}

/// Parses an entry of `<features>`.
fn parse_feature(element: Element) -> Result<Feature, CascadeError> {
    let mut feature = Feature::default();
    let mut rects = 0;
    for (index, rect) in entries(element, "rects")?.enumerate() {
        let words = words(rect);
        let (Some(slot), &[x, y, w, h, weight]) = (feature.rects.get_mut(index), &words[..]) else {
            return invalid(rect, "a feature is not up to three rectangles of five numbers");
        };
        let place = PixelRect {
            x: parse_integer(rect, x)?,
            y: parse_integer(rect, y)?,
            w: parse_integer(rect, w)?,
            h: parse_integer(rect, h)?,
        };
        *slot = WeightedRect { rect: place, weight: parse_real(rect, weight)? };
        rects += 1;
    }
    if rects == 0 {
        return invalid(element, "a feature has no rectangles");
    }
    if let Some(tilted) = child(element, "tilted") {
        feature.tilted = parse_text::<i32>(tilted)? != 0;
    }
    Ok(feature)
}

/// The first child element of this name.
fn child<'a, 'i>(element: Element<'a, 'i>, name: &str) -> Option<Element<'a, 'i>> {
    element.children().find(|child| child.tag_name().name() == name)
}

/// The first child element of this name, or an error.
fn required_child<'a, 'i>(element: Element<'a, 'i>, name: &str) -> Result<Element<'a, 'i>, CascadeError> {
    match child(element, name) {
        Some(child) => Ok(child),
        None => invalid(element, format!("<{name}> is missing in it")),
    }
}

/// The trimmed text of a required child element.
fn child_text<'a>(element: Element<'a, '_>, name: &str) -> Result<&'a str, CascadeError> {
    Ok(required_child(element, name)?.text().unwrap_or_default().trim())
}

/// The entries of a required child element that is a sequence.
fn entries<'a, 'i>(
    element: Element<'a, 'i>,
    name: &str,
) -> Result<impl Iterator<Item = Element<'a, 'i>>, CascadeError> {
    Ok(required_child(element, name)?.children().filter(Element::is_element))
}

/// The words between an element's tags, comments left out.
fn words<'a>(element: Element<'a, '_>) -> Vec<&'a str> {
    let texts = element.children().filter(Element::is_text).filter_map(|node| node.text());
    texts.flat_map(str::split_ascii_whitespace).collect()
}

/// Parses the whole text of an element.
fn parse_text<T: ParseWord>(element: Element) -> Result<T, CascadeError> {
    T::parse_word(element, element.text().unwrap_or_default().trim())
}

/// A type of number in a cascade file.
trait ParseWord: Sized {
    fn parse_word(element: Element, word: &str) -> Result<Self, CascadeError>;
}

impl ParseWord for i32 {
    fn parse_word(element: Element, word: &str) -> Result<Self, CascadeError> {
        parse_integer(element, word)
    }
}

impl ParseWord for f32 {
    fn parse_word(element: Element, word: &str) -> Result<Self, CascadeError> {
        parse_real(element, word)
    }
}

/// Parses an integer.
fn parse_integer<T: FromStr>(element: Element, word: &str) -> Result<T, CascadeError> {
    word.parse().or_else(|_| invalid(element, format!("'{}' is not a whole number in range", truncate(word))))
}

/// Parses a real number in double precision and rounds it, as OpenCV does.
fn parse_real(element: Element, word: &str) -> Result<f32, CascadeError> {
    match word.parse::<f64>() {
        Ok(value) if (value as f32).is_finite() => Ok(value as f32),
        _ => invalid(element, format!("'{}' is not a finite number", truncate(word))),
    }
}

/// The first 40 characters, to keep an error on one line.
fn truncate(word: &str) -> &str {
    word.char_indices().nth(40).map_or(word, |(end, _)| &word[..end])
}
