//! Meanings of mood words: a point in the plane of valence and arousal, and the emotion that a word names,
//! if any.
//!
//! The points of the seven emotions are those of [`Affect::from_emotion`]. The other words are placed by
//! hand, to one decimal, in the same plane (arousal relative to a neutral face), so that their order agrees
//! with the norms of Warriner, Kuperman and Brysbaert (2013, doi:10.3758/s13428-012-0314-x) and with
//! Russell's circumplex (1980, doi:10.1037/h0077714). They are the words that listeners and tagging programs
//! commonly use for music.

use mood_schema::{Affect, Emotion};

/// The meaning of a mood word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meaning {
    /// The point in the plane, each coordinate -1 to 1.
    pub affect: Affect,
    /// The emotion that the word names; `None` for a word that only has a point.
    pub emotion: Option<Emotion>,
}

/// Synonyms of the emotions' names.
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

/// Words that name no emotion, with valence and arousal.
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

/// Looks up a single word, in upper or lower case; `None` for an unknown word.
///
/// ```
/// let calm = music_library::vocabulary::look_up("Calm").unwrap();
/// assert!(calm.affect.valence > 0.0 && calm.affect.arousal < 0.0);
/// ```
pub fn look_up(word: &str) -> Option<Meaning> {
    let word = word.to_lowercase();
    let synonym = SYNONYMS.iter().find(|(synonym, _)| *synonym == word).map(|(_, emotion)| *emotion);
    if let Some(emotion) = synonym.or_else(|| word.parse().ok()) {
        return Some(Meaning { affect: Affect::from_emotion(emotion), emotion: Some(emotion) });
    }
    let (_, valence, arousal) = WORDS.iter().find(|(known, ..)| *known == word)?;
    Some(Meaning { affect: Affect { valence: *valence, arousal: *arousal }, emotion: None })
}

/// Finds the known words in the text of a tag, such as `Happy/Energetic` or `laid-back; calm`. A phrase with
/// a negation (`not happy`) has no meaning.
pub fn find_meanings(text: &str) -> Vec<Meaning> {
    let phrases = text.split([',', ';', '/', '|', '&', '+', '\n', '\0']);
    phrases.flat_map(find_in_phrase).collect()
}

/// Finds the known words in a phrase without separators.
fn find_in_phrase(text: &str) -> Vec<Meaning> {
    let words: Vec<&str> = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).collect();
    if words
        .iter()
        .any(|word| ["not", "no", "non"].iter().any(|negation| word.eq_ignore_ascii_case(negation)))
    {
        return Vec::new();
    }
    words.into_iter().filter_map(look_up).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_listed_once_and_lies_in_the_plane() {
        assert!(WORDS.iter().all(|(_, valence, arousal)| valence.abs() <= 1.0 && arousal.abs() <= 1.0));
        let mut words: Vec<&str> =
            WORDS.iter().map(|(word, ..)| *word).chain(SYNONYMS.iter().map(|s| s.0)).collect();
        words.sort_unstable();
        let count = words.len();
        words.dedup();
        assert_eq!(words.len(), count);
    }

    #[test]
    fn emotions_have_the_points_of_faces() {
        for emotion in Emotion::ALL {
            let meaning = look_up(emotion.as_str()).unwrap();
            assert_eq!((meaning.affect, meaning.emotion), (Affect::from_emotion(emotion), Some(emotion)));
        }
    }

    #[test]
    fn words_are_found_in_tags() {
        let emotions =
            |text| find_meanings(text).iter().filter_map(|meaning| meaning.emotion).collect::<Vec<_>>();
        assert_eq!(emotions("Happy/Energetic"), [Emotion::Happy]);
        assert_eq!(find_meanings("Happy/Energetic").len(), 2);
        assert_eq!(emotions("mood_sad"), [Emotion::Sad]);
        assert_eq!(find_meanings("Not happy; calm").len(), 1);
        assert!(find_meanings("").is_empty() && find_meanings("xyzzy").is_empty());
    }
}
