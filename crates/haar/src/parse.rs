//! From OpenCV's XML to a cascade.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;

use roxmltree::{Document, Node as Element, ParsingOptions};

use crate::cascade::{Cascade, Feature, Node, Stage, Tree, WeightedRect};
use crate::error::CascadeError;

/// OpenCV's largest cascade has 2.7 MB; what is larger than this is refused before it is read into a tree.
const MAX_BYTES: u64 = 16 << 20;
const MAX_XML_NODES: u32 = 2_000_000;
/// Attributes and namespaces cost the XML library time that grows with their square and more. Cascades have a few.
const MAX_EQUALS_SIGNS: usize = 500;

impl Cascade {
    /// Reads the text of a cascade file (`opencv_storage/cascade`, stage type BOOST, feature type HAAR).
    ///
    /// Whatever the text, it costs no more memory than a small multiple of its length, which may be 16 MiB, and time in
    /// proportion. An error names the line and the element, or the number of the stage or feature, that is wrong.
    pub fn parse(xml: &str) -> Result<Self, CascadeError> {
        if xml.len() as u64 > MAX_BYTES {
            return Err(too_large());
        }
        if xml.bytes().filter(|&byte| byte == b'=').nth(MAX_EQUALS_SIGNS).is_some() {
            return Err(CascadeError::Invalid(format!("more than {MAX_EQUALS_SIGNS} attributes")));
        }
        // Document types, and with them entities that stand for others, are refused by default.
        let options = ParsingOptions { nodes_limit: MAX_XML_NODES, ..ParsingOptions::default() };
        let document = Document::parse_with_options(xml, options)?;
        let storage = document.root_element();
        if storage.tag_name().name() != "opencv_storage" {
            return invalid(storage, "the root is not <opencv_storage>");
        }
        // OpenCV takes the first element, whatever its name.
        let Some(root) = storage.children().find(Element::is_element) else {
            return invalid(storage, "it is empty");
        };
        if root.attribute("type_id") == Some("opencv-haar-classifier")
            || (child(root, "size").is_some() && child(root, "stageType").is_none())
        {
            return Err(CascadeError::OldFormat);
        }
        match text(root, "stageType")? {
            "BOOST" => (),
            other => return invalid(root, format!("the stage type is {}, not BOOST", cut(other))),
        }
        match text(root, "featureType")? {
            "HAAR" => (),
            other => return Err(CascadeError::Features(other.into())),
        }
        let categories: i32 =
            match child(root, "featureParams").and_then(|params| child(params, "maxCatCount")) {
                Some(count) => single(count)?,
                None => 0,
            };
        if categories > 0 {
            return Err(CascadeError::Features("categorical".into()));
        }
        let features = items(root, "features")?.map(feature).collect::<Result<_, _>>()?;
        let stages = items(root, "stages")?.map(stage).collect::<Result<_, _>>()?;
        Self::new(single(need(root, "width")?)?, single(need(root, "height")?)?, features, stages)
    }

    /// Reads a cascade file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, CascadeError> {
        Self::parse(&Self::read(path)?)
    }

    /// The text of a cascade file, for [`Self::parse`]; of more than that takes, only so much as shows it.
    pub fn read(path: impl AsRef<Path>) -> Result<String, CascadeError> {
        let path = path.as_ref();
        read(path).map_err(|source| CascadeError::Read { path: path.into(), source })
    }
}

/// The text of a file; a pipe or a device, which might never end, is refused.
fn read(path: &Path) -> io::Result<String> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut text = String::new();
    // One byte more than is parsed, so that parsing sees that it is too much.
    File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    Ok(text)
}

fn too_large() -> CascadeError {
    CascadeError::Invalid(format!("more than {} MiB of text", MAX_BYTES >> 20))
}

/// What is wrong, and where.
fn invalid<T>(element: Element, what: impl Display) -> Result<T, CascadeError> {
    let line = element.document().text_pos_at(element.range().start).row;
    Err(CascadeError::Invalid(format!("line {line}, <{}>: {what}", cut(element.tag_name().name()))))
}

fn stage(element: Element) -> Result<Stage, CascadeError> {
    Ok(Stage {
        threshold: single(need(element, "stageThreshold")?)?,
        trees: items(element, "weakClassifiers")?.map(tree).collect::<Result<_, _>>()?,
    })
}

fn tree(element: Element) -> Result<Tree, CascadeError> {
    let (internal, leaves) = (need(element, "internalNodes")?, need(element, "leafValues")?);
    let numbers = words(internal);
    if !numbers.len().is_multiple_of(4) {
        return invalid(internal, format!("{} numbers are not four a node", numbers.len()));
    }
    let nodes = numbers
        .chunks_exact(4)
        .map(|node| {
            Ok(Node {
                left: number(internal, node[0])?,
                right: number(internal, node[1])?,
                feature: number(internal, node[2])?,
                threshold: real(internal, node[3])?,
            })
        })
        .collect::<Result<_, CascadeError>>()?;
    let leaves = words(leaves).into_iter().map(|leaf| real(leaves, leaf)).collect::<Result<_, _>>()?;
    Ok(Tree { nodes, leaves })
}

fn feature(element: Element) -> Result<Feature, CascadeError> {
    let mut feature = Feature::default();
    let mut rects = 0;
    for (index, rect) in items(element, "rects")?.enumerate() {
        let words = words(rect);
        let (Some(slot), &[x, y, w, h, weight]) = (feature.rects.get_mut(index), &words[..]) else {
            return invalid(rect, "a feature is not up to three rectangles of five numbers");
        };
        *slot = WeightedRect {
            x: number(rect, x)?,
            y: number(rect, y)?,
            w: number(rect, w)?,
            h: number(rect, h)?,
            weight: real(rect, weight)?,
        };
        rects += 1;
    }
    if rects == 0 {
        return invalid(element, "a feature has no rectangles");
    }
    if let Some(tilted) = child(element, "tilted") {
        feature.tilted = single::<i32>(tilted)? != 0;
    }
    Ok(feature)
}

fn child<'a, 'i>(element: Element<'a, 'i>, name: &str) -> Option<Element<'a, 'i>> {
    element.children().find(|child| child.tag_name().name() == name)
}

fn need<'a, 'i>(element: Element<'a, 'i>, name: &str) -> Result<Element<'a, 'i>, CascadeError> {
    match child(element, name) {
        Some(child) => Ok(child),
        None => invalid(element, format!("<{name}> is missing in it")),
    }
}

fn text<'a>(element: Element<'a, '_>, name: &str) -> Result<&'a str, CascadeError> {
    Ok(need(element, name)?.text().unwrap_or_default().trim())
}

/// The entries of a sequence.
fn items<'a, 'i>(
    element: Element<'a, 'i>,
    name: &str,
) -> Result<impl Iterator<Item = Element<'a, 'i>>, CascadeError> {
    Ok(need(element, name)?.children().filter(Element::is_element))
}

/// The words between an element's tags, comments left out.
fn words<'a>(element: Element<'a, '_>) -> Vec<&'a str> {
    let texts = element.children().filter(Element::is_text).filter_map(|text| text.text());
    texts.flat_map(str::split_ascii_whitespace).collect()
}

fn single<T: Single>(element: Element) -> Result<T, CascadeError> {
    T::from_word(element, element.text().unwrap_or_default().trim())
}

/// What stands alone in an element.
trait Single: Sized {
    fn from_word(element: Element, word: &str) -> Result<Self, CascadeError>;
}

impl Single for i32 {
    fn from_word(element: Element, word: &str) -> Result<Self, CascadeError> {
        number(element, word)
    }
}

impl Single for f32 {
    fn from_word(element: Element, word: &str) -> Result<Self, CascadeError> {
        real(element, word)
    }
}

fn number<T: FromStr>(element: Element, word: &str) -> Result<T, CascadeError> {
    word.parse().or_else(|_| invalid(element, format!("'{}' is not a whole number in range", cut(word))))
}

/// By way of double precision, as OpenCV reads it.
fn real(element: Element, word: &str) -> Result<f32, CascadeError> {
    match word.parse::<f64>() {
        Ok(value) if (value as f32).is_finite() => Ok(value as f32),
        _ => invalid(element, format!("'{}' is not a finite number", cut(word))),
    }
}

/// As much of a word as fits into one line of an error.
fn cut(word: &str) -> &str {
    word.char_indices().nth(40).map_or(word, |(end, _)| &word[..end])
}
