//! A model's description of itself: labels, input size and normalisation in its metadata, checked against its
//! graph.

use mood_schema::Emotion;
use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};

/// How to prepare a network's input and to read its output.
pub(crate) struct Description {
    /// Name of the model; "unnamed" where it has none.
    pub(crate) name: String,
    /// Side of the square input, pixels.
    pub(crate) side: usize,
    /// The emotion of each output, in the order of the outputs.
    emotions: Vec<Emotion>,
    /// Subtracted from each grey value (0-255).
    mean: f32,
    /// Divides the difference; above 0.
    std: f32,
    /// Whether the input's shape is (n, h, w, 1), as in Keras, and not (n, 1, h, w). With one channel, the data
    /// are the same.
    channels_last: bool,
}

impl Description {
    /// Reads the description from the metadata and checks the graph. The error says what was expected and what
    /// was found, for use in [`ClassifierError::Description`](crate::ClassifierError::Description).
    pub(crate) fn read(session: &Session) -> Result<Self, String> {
        let metadata = session.metadata().map_err(|error| error.to_string())?;
        let text = |key: &str| metadata.custom(key).ok_or(format!("its metadata has no '{key}'"));
        let number = |key: &str| -> Result<f32, String> {
            let text = text(key)?;
            text.trim()
                .parse()
                .map_err(|_| format!("'{key}' in its metadata should be a number, and is '{text}'"))
        };

        let emotions = parse_labels(&text("labels")?)?;
        let side = number("input_side")?;
        if !(8.0..=1024.0).contains(&side) || side.fract() != 0.0 {
            return Err(format!(
                "'input_side' should be a whole number of pixels from 8 to 1024, and is {side}"
            ));
        }
        let (mean, std) = (number("input_mean")?, number("input_std")?);
        if !mean.is_finite() || !std.is_finite() || std <= 0.0 {
            return Err(format!(
                "'input_mean' should be a finite number and 'input_std' one above 0, and they are {mean} and {std}"
            ));
        }
        let channels_last = is_channels_last(session.inputs(), side as i64)?;
        check_outputs(session.outputs())?;
        let name = metadata.name().filter(|name| !name.is_empty()).unwrap_or_else(|| "unnamed".into());
        Ok(Self { name, side: side as usize, emotions, mean, std, channels_last })
    }

    /// The number of values in a row of the output.
    pub(crate) fn class_count(&self) -> usize {
        self.emotions.len()
    }

    /// The shape of the input for `count` faces.
    pub(crate) fn input_shape(&self, count: usize) -> [usize; 4] {
        if self.channels_last { [count, self.side, self.side, 1] } else { [count, 1, self.side, self.side] }
    }

    /// Converts a grey value (full range, 0-255) to an input value.
    pub(crate) fn normalise(&self, grey: u8) -> f32 {
        (f32::from(grey) - self.mean) / self.std
    }

    /// Converts a row of the output to a distribution in [`Emotion`]'s order that sums to 1. `None` for a row
    /// without a finite positive sum.
    pub(crate) fn to_distribution(&self, row: &[f32]) -> Option<[f64; 7]> {
        let mut probabilities = [0.0; 7];
        for (emotion, &value) in self.emotions.iter().zip(row) {
            probabilities[emotion.index()] = f64::from(value).max(0.0);
        }
        let sum: f64 = probabilities.iter().sum();
        (sum.is_finite() && sum > 0.0).then(|| probabilities.map(|probability| probability / sum))
    }
}

/// Parses the JSON list of labels, which must name each emotion once.
fn parse_labels(json: &str) -> Result<Vec<Emotion>, String> {
    let labels: Vec<String> = serde_json::from_str(json)
        .map_err(|_| format!("'labels' in its metadata should be a JSON list of names, and is '{json}'"))?;
    let emotions: Vec<Emotion> = labels
        .iter()
        .map(|label| label.parse().map_err(|error| format!("{error}")))
        .collect::<Result<_, _>>()?;
    if let Some(missing) = Emotion::ALL.into_iter().find(|emotion| !emotions.contains(emotion)) {
        return Err(format!("its labels lack '{missing}'"));
    }
    if emotions.len() != Emotion::ALL.len() {
        return Err(format!("it should have 7 labels, and has {}", emotions.len()));
    }
    Ok(emotions)
}

/// Whether a dimension of a shape is free or equal to `size`.
fn accepts(dimension: i64, size: i64) -> bool {
    dimension < 0 || dimension == size
}

/// Whether the input has its channel last; fails for an input of any other shape or type.
fn is_channels_last(inputs: &[Outlet], side: i64) -> Result<bool, String> {
    let expected = format!("Tensor<f32>(n, 1, {side}, {side}) or Tensor<f32>(n, {side}, {side}, 1)");
    let [input] = inputs else {
        return Err(format!("it should have one input, {expected}, and has {}", inputs.len()));
    };
    if let ValueType::Tensor { ty: TensorElementType::Float32, shape, .. } = input.dtype() {
        match shape[..] {
            [n, 1, h, w] if n < 0 && accepts(h, side) && accepts(w, side) => return Ok(false),
            [n, h, w, 1] if n < 0 && accepts(h, side) && accepts(w, side) => return Ok(true),
            _ => {}
        }
    }
    Err(format!("its input should be {expected}, n being free, and is {}", input.dtype()))
}

/// Fails unless there is one output, a row of seven values for each face.
fn check_outputs(outputs: &[Outlet]) -> Result<(), String> {
    let [output] = outputs else {
        return Err(format!("it should have one output, Tensor<f32>(n, 7), and has {}", outputs.len()));
    };
    if let ValueType::Tensor { ty: TensorElementType::Float32, shape, .. } = output.dtype()
        && matches!(shape[..], [n, classes] if n < 0 && accepts(classes, 7))
    {
        return Ok(());
    }
    Err(format!("its output should be Tensor<f32>(n, 7), n being free, and is {}", output.dtype()))
}
