//! From OpenCV's XML to a cascade.

use std::path::Path;
use std::str::FromStr;

use roxmltree::{Document, Node as Element, ParsingOptions};

use crate::cascade::{Cascade, Feature, Node, Stage, Tree, WeightedRect};
use crate::error::CascadeError;

/// No cascade in use comes near; what is larger is refused before it is read into a tree.
const MAX_BYTES: u64 = 64 << 20;
const MAX_XML_NODES: u32 = 4_000_000;

impl Cascade {
    /// Reads the text of a cascade file (`opencv_storage/cascade`, stage type BOOST, feature type HAAR).
    ///
    /// Whatever the text, it costs no more memory than a small multiple of its length, and errors say what is wrong.
    pub fn parse(xml: &str) -> Result<Self, CascadeError> {
        if xml.len() as u64 > MAX_BYTES {
            return Err(CascadeError::Invalid(format!("more than {} MiB of text", MAX_BYTES >> 20)));
        }
        let options = ParsingOptions { nodes_limit: MAX_XML_NODES, ..ParsingOptions::default() };
        let document = Document::parse_with_options(xml, options)?;
        let storage = document.root_element();
        if storage.tag_name().name() != "opencv_storage" {
            return invalid(format!("the root is <{}>, not <opencv_storage>", storage.tag_name().name()));
        }
        // OpenCV takes the first element, whatever its name.
        let Some(root) = storage.children().find(Element::is_element) else {
            return invalid("<opencv_storage> is empty".into());
        };
        if root.attribute("type_id") == Some("opencv-haar-classifier")
            || (child(root, "size").is_some() && child(root, "stageType").is_none())
        {
            return Err(CascadeError::OldFormat);
        }
        match text(root, "stageType")? {
            "BOOST" => (),
            other => return invalid(format!("the stage type is {other}, not BOOST")),
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
        let path = path.as_ref();
        let read = |source| CascadeError::Read { path: path.into(), source };
        if std::fs::metadata(path).map_err(read)?.len() > MAX_BYTES {
            return Err(CascadeError::Invalid(format!("more than {} MiB of text", MAX_BYTES >> 20)));
        }
        Self::parse(&std::fs::read_to_string(path).map_err(read)?)
    }
}

fn invalid<T>(what: String) -> Result<T, CascadeError> {
    Err(CascadeError::Invalid(what))
}

fn stage(element: Element) -> Result<Stage, CascadeError> {
    Ok(Stage {
        threshold: single(need(element, "stageThreshold")?)?,
        trees: items(element, "weakClassifiers")?.map(tree).collect::<Result<_, _>>()?,
    })
}

fn tree(element: Element) -> Result<Tree, CascadeError> {
    let internal: Vec<&str> = words(need(element, "internalNodes")?);
    if !internal.len().is_multiple_of(4) {
        return invalid(format!("<internalNodes> has {} numbers, not four a node", internal.len()));
    }
    let nodes = internal
        .chunks_exact(4)
        .map(|node| {
            Ok(Node {
                left: number(node[0])?,
                right: number(node[1])?,
                feature: number(node[2])?,
                threshold: real(node[3])?,
            })
        })
        .collect::<Result<_, CascadeError>>()?;
    let leaves = words(need(element, "leafValues")?).into_iter().map(real).collect::<Result<_, _>>()?;
    Ok(Tree { nodes, leaves })
}

fn feature(element: Element) -> Result<Feature, CascadeError> {
    let mut feature = Feature::default();
    let mut rects = 0;
    for (index, rect) in items(element, "rects")?.enumerate() {
        let words = words(rect);
        let (Some(slot), &[x, y, w, h, weight]) = (feature.rects.get_mut(index), &words[..]) else {
            return invalid("a feature is not up to three rectangles of five numbers".into());
        };
        *slot = WeightedRect {
            x: number(x)?,
            y: number(y)?,
            w: number(w)?,
            h: number(h)?,
            weight: real(weight)?,
        };
        rects += 1;
    }
    if rects == 0 {
        return invalid("a feature has no rectangles".into());
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
    child(element, name).ok_or_else(|| CascadeError::Invalid(format!("<{name}> is missing")))
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
    T::from_word(element.text().unwrap_or_default().trim())
}

/// What stands alone in an element.
trait Single: Sized {
    fn from_word(word: &str) -> Result<Self, CascadeError>;
}

impl Single for i32 {
    fn from_word(word: &str) -> Result<Self, CascadeError> {
        number(word)
    }
}

impl Single for f32 {
    fn from_word(word: &str) -> Result<Self, CascadeError> {
        real(word)
    }
}

fn number<T: FromStr>(word: &str) -> Result<T, CascadeError> {
    word.parse().or_else(|_| invalid(format!("'{word}' is not a whole number in range")))
}

/// By way of double precision, as OpenCV reads it.
fn real(word: &str) -> Result<f32, CascadeError> {
    match word.parse::<f64>() {
        Ok(value) if (value as f32).is_finite() => Ok(value as f32),
        _ => invalid(format!("'{word}' is not a number")),
    }
}
