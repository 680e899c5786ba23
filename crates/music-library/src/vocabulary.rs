//! What mood words mean: a point of the plane of valence and arousal, and the emotion they name, if one.
//!
//! The seven emotions lie where [`Affect::from_emotion`] puts them. The other words are placed by hand, to a tenth, in the
//! same plane (arousal counted from a neutral face), so that they agree in order with the norms of Warriner, Kuperman and
//! Brysbaert 2013 (doi:10.3758/s13428-012-0314-x) and with Russell's circumplex (1980, doi:10.1037/h0077714). Words are
//! those that listeners and tagging programs commonly use for music.

use mood_schema::{Affect, Emotion};

/// What a word means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meaning {
    /// Where it lies.
    pub affect: Affect,
    /// The emotion it is another word for.
    pub emotion: Option<Emotion>,
}

/// Other words for the emotions.
const SYNONYMS: &[(&str, Emotion)] = &[
    ("anger", Emotion::Angry),
    ("furious", Emotion::Angry),
    ("mad", Emotion::Angry),
    ("rage", Emotion::Angry),
    ("disgusted", Emotion::Disgust),
    ("disgusting", Emotion::Disgust),
    ("afraid", Emotion::Fear),
    ("fearful", Emotion::Fear),
    ("frightened", Emotion::Fear),
    ("scary", Emotion::Fear),
    ("scared", Emotion::Fear),
    ("cheerful", Emotion::Happy),
    ("happiness", Emotion::Happy),
    ("joy", Emotion::Happy),
    ("joyful", Emotion::Happy),
    ("joyous", Emotion::Happy),
    ("depressed", Emotion::Sad),
    ("mournful", Emotion::Sad),
    ("sadness", Emotion::Sad),
    ("sorrow", Emotion::Sad),
    ("sorrowful", Emotion::Sad),
    ("surprised", Emotion::Surprise),
    ("surprising", Emotion::Surprise),
];

/// Words that name no emotion: valence, arousal.
const WORDS: &[(&str, f64, f64)] = &[
    ("aggressive", -0.4, 0.8),
    ("agitated", -0.4, 0.7),
    ("ambient", 0.2, -0.4),
    ("amusing", 0.7, 0.5),
    ("anxious", -0.5, 0.6),
    ("atmospheric", 0.2, -0.1),
    ("bitter", -0.4, 0.2),
    ("bittersweet", 0.0, 0.0),
    ("bleak", -0.6, -0.1),
    ("bright", 0.6, 0.4),
    ("brooding", -0.4, 0.1),
    ("calm", 0.5, -0.4),
    ("calming", 0.5, -0.4),
    ("carefree", 0.7, 0.2),
    ("celebratory", 0.8, 0.7),
    ("chill", 0.4, -0.2),
    ("chilled", 0.4, -0.2),
    ("chillout", 0.4, -0.2),
    ("confident", 0.6, 0.4),
    ("contemplative", 0.2, -0.2),
    ("content", 0.6, -0.1),
    ("cool", 0.5, 0.1),
    ("cosy", 0.6, -0.2),
    ("cozy", 0.6, -0.2),
    ("danceable", 0.6, 0.7),
    ("dark", -0.4, 0.2),
    ("defiant", -0.2, 0.6),
    ("delicate", 0.4, -0.2),
    ("desperate", -0.6, 0.4),
    ("determined", 0.4, 0.5),
    ("dramatic", 0.0, 0.6),
    ("dreamy", 0.5, -0.2),
    ("driving", 0.3, 0.7),
    ("eerie", -0.3, 0.4),
    ("elegant", 0.6, 0.0),
    ("energetic", 0.6, 0.8),
    ("energizing", 0.6, 0.8),
    ("epic", 0.4, 0.7),
    ("ethereal", 0.4, -0.1),
    ("euphoric", 0.8, 0.8),
    ("excited", 0.7, 0.9),
    ("exciting", 0.7, 0.9),
    ("exuberant", 0.8, 0.8),
    ("fast", 0.3, 0.7),
    ("fun", 0.8, 0.6),
    ("funny", 0.7, 0.5),
    ("gentle", 0.5, -0.3),
    ("gloomy", -0.6, 0.0),
    ("groovy", 0.6, 0.5),
    ("haunting", -0.2, 0.2),
    ("heavy", -0.2, 0.5),
    ("hopeful", 0.6, 0.2),
    ("hostile", -0.6, 0.7),
    ("humorous", 0.7, 0.5),
    ("hypnotic", 0.2, 0.0),
    ("inspiring", 0.7, 0.4),
    ("intense", 0.0, 0.7),
    ("intimate", 0.5, 0.1),
    ("introspective", 0.1, -0.2),
    ("lively", 0.7, 0.7),
    ("lonely", -0.6, 0.0),
    ("longing", -0.2, 0.2),
    ("love", 0.8, 0.4),
    ("majestic", 0.5, 0.4),
    ("meditative", 0.4, -0.5),
    ("melancholic", -0.5, -0.1),
    ("melancholy", -0.5, -0.1),
    ("mellow", 0.4, -0.3),
    ("menacing", -0.6, 0.5),
    ("mysterious", 0.0, 0.3),
    ("nervous", -0.4, 0.6),
    ("nostalgic", 0.2, 0.0),
    ("ominous", -0.5, 0.4),
    ("optimistic", 0.7, 0.3),
    ("party", 0.7, 0.8),
    ("passionate", 0.5, 0.6),
    ("peaceful", 0.6, -0.4),
    ("pensive", 0.0, -0.1),
    ("pessimistic", -0.5, 0.1),
    ("playful", 0.7, 0.5),
    ("pleasant", 0.7, 0.0),
    ("powerful", 0.4, 0.7),
    ("quiet", 0.3, -0.5),
    ("quirky", 0.4, 0.4),
    ("reflective", 0.2, -0.2),
    ("relaxed", 0.5, -0.4),
    ("relaxing", 0.5, -0.4),
    ("restless", -0.2, 0.6),
    ("romantic", 0.7, 0.3),
    ("sentimental", 0.2, 0.0),
    ("serene", 0.6, -0.4),
    ("serious", -0.1, 0.1),
    ("sinister", -0.6, 0.5),
    ("sleepy", 0.2, -0.6),
    ("slow", 0.0, -0.4),
    ("smooth", 0.5, -0.2),
    ("soft", 0.5, -0.3),
    ("solemn", -0.2, -0.1),
    ("sombre", -0.5, -0.1),
    ("somber", -0.5, -0.1),
    ("soothing", 0.6, -0.4),
    ("spooky", -0.3, 0.5),
    ("stressed", -0.6, 0.6),
    ("suspenseful", -0.2, 0.6),
    ("sweet", 0.7, 0.1),
    ("tender", 0.5, -0.1),
    ("tense", -0.4, 0.6),
    ("thoughtful", 0.3, -0.1),
    ("threatening", -0.6, 0.6),
    ("tragic", -0.8, 0.3),
    ("tranquil", 0.5, -0.5),
    ("triumphant", 0.8, 0.7),
    ("upbeat", 0.7, 0.6),
    ("uplifting", 0.7, 0.5),
    ("violent", -0.7, 0.8),
    ("warm", 0.6, 0.0),
    ("wild", 0.3, 0.8),
    ("wistful", 0.0, -0.1),
    ("worried", -0.5, 0.5),
    ("yearning", -0.1, 0.2),
];

/// The meaning of a single word, in any case; `None` where it is not known.
///
/// ```
/// let calm = music_library::vocabulary::meaning("Calm").unwrap();
/// assert!(calm.affect.valence > 0.0 && calm.affect.arousal < 0.0);
/// ```
pub fn meaning(word: &str) -> Option<Meaning> {
    let word = word.to_lowercase();
    let synonym = SYNONYMS.iter().find(|(synonym, _)| *synonym == word).map(|(_, emotion)| *emotion);
    if let Some(emotion) = synonym.or_else(|| word.parse().ok()) {
        return Some(Meaning { affect: Affect::from_emotion(emotion), emotion: Some(emotion) });
    }
    let (_, valence, arousal) = WORDS.iter().find(|(known, ..)| *known == word)?;
    Some(Meaning { affect: Affect { valence: *valence, arousal: *arousal }, emotion: None })
}

/// The meanings of the known words in a tag's text, such as `Happy/Energetic` or `laid-back; calm`. What is negated
/// (`not happy`) says nothing.
pub fn meanings(text: &str) -> Vec<Meaning> {
    let phrases = text.split([',', ';', '/', '|', '&', '+', '\n', '\0']);
    phrases.flat_map(phrase).collect()
}

fn phrase(text: &str) -> Vec<Meaning> {
    let words: Vec<&str> = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).collect();
    if words
        .iter()
        .any(|word| ["not", "no", "non"].iter().any(|negation| word.eq_ignore_ascii_case(negation)))
    {
        return Vec::new();
    }
    words.into_iter().filter_map(meaning).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_listed_once_in_its_place_and_in_the_plane() {
        assert!(WORDS.iter().all(|(_, valence, arousal)| valence.abs() <= 1.0 && arousal.abs() <= 1.0));
        let mut words: Vec<&str> =
            WORDS.iter().map(|(word, ..)| *word).chain(SYNONYMS.iter().map(|s| s.0)).collect();
        words.sort_unstable();
        let count = words.len();
        words.dedup();
        assert_eq!(words.len(), count);
    }

    #[test]
    fn emotions_lie_where_faces_do() {
        for emotion in Emotion::ALL {
            let meaning = meaning(emotion.as_str()).unwrap();
            assert_eq!((meaning.affect, meaning.emotion), (Affect::from_emotion(emotion), Some(emotion)));
        }
    }

    #[test]
    fn tags_as_people_write_them() {
        let emotions = |text| meanings(text).iter().filter_map(|meaning| meaning.emotion).collect::<Vec<_>>();
        assert_eq!(emotions("Happy/Energetic"), [Emotion::Happy]);
        assert_eq!(meanings("Happy/Energetic").len(), 2);
        assert_eq!(emotions("mood_sad"), [Emotion::Sad]);
        assert_eq!(meanings("Not happy; calm").len(), 1);
        assert!(meanings("").is_empty() && meanings("xyzzy").is_empty());
    }
}
