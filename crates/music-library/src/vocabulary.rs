//! Meanings of mood words: a point in the plane of valence and arousal, and the emotion that a word names,
//! if any.
//!
//! The points of the seven emotions are those of [`Affect::from_emotion`]. The other words are placed by
//! hand, to one decimal, in the same plane (arousal relative to a neutral face), so that their order agrees
//! with the norms of Warriner, Kuperman and Brysbaert (2013, doi:10.3758/s13428-012-0314-x) and with
//! Russell's circumplex (1980, doi:10.1037/h0077714). They are the words that listeners and tagging programs
//! commonly use for music. German, French, Spanish and Italian words mean what their English translations mean.

mod translations;

use std::collections::HashMap;
use std::sync::LazyLock;

use mood_schema::{Affect, Emotion};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use translations::TRANSLATIONS;

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

/// Words that negate the phrase in which they stand, in all languages of the vocabulary.
const NEGATIONS: [&str; 12] =
    ["not", "no", "non", "without", "nicht", "kein", "keine", "ohne", "pas", "sans", "sin", "senza"];

/// Every known word in its [normal form](normalize), with its meaning.
static MEANINGS: LazyLock<HashMap<String, Meaning>> = LazyLock::new(|| {
    let from_emotion = |emotion| Meaning { affect: Affect::from_emotion(emotion), emotion: Some(emotion) };
    let emotions = Emotion::ALL.map(|emotion| (emotion.as_str(), emotion));
    let emotions = emotions.iter().chain(SYNONYMS).map(|(word, emotion)| (*word, from_emotion(*emotion)));
    let words = WORDS.iter().map(|(word, valence, arousal)| {
        (*word, Meaning { affect: Affect { valence: *valence, arousal: *arousal }, emotion: None })
    });
    let english: HashMap<&str, Meaning> = emotions.chain(words).collect();
    let translations = TRANSLATIONS.iter().filter_map(|(word, translations)| {
        let meaning = *english.get(word)?;
        Some(translations.split_whitespace().map(move |translation| (translation, meaning)))
    });
    let all = translations.flatten().chain(english.iter().map(|(word, meaning)| (*word, *meaning)));
    all.map(|(word, meaning)| (normalize(word), meaning)).collect()
});

/// A word in lower case, without accents.
fn normalize(word: &str) -> String {
    let letters = word.to_lowercase().nfd().filter(|letter| !is_combining_mark(*letter)).collect::<String>();
    letters.replace('ß', "ss")
}

/// Looks up a single word, in upper or lower case, with or without accents; `None` for an unknown word.
///
/// ```
/// let calm = music_library::vocabulary::look_up("Calm").unwrap();
/// assert!(calm.affect.valence > 0.0 && calm.affect.arousal < 0.0);
/// assert_eq!(music_library::vocabulary::look_up("ruhig"), Some(calm));
/// ```
pub fn look_up(word: &str) -> Option<Meaning> {
    MEANINGS.get(&normalize(word)).copied()
}

/// Finds the known words in the text of a tag, such as `Happy/Energetic` or `laid-back; calm`. A phrase with
/// a negation (`not happy`) has no meaning.
pub fn find_meanings(text: &str) -> Vec<Meaning> {
    split_phrases(text).flat_map(find_in_phrase).collect()
}

/// The phrases of the text of a tag in which there is no known word, or a negation: they have no effect.
pub fn find_unknown(text: &str) -> Vec<&str> {
    split_phrases(text).filter(|phrase| find_in_phrase(phrase).is_empty()).collect()
}

/// Splits the text of a tag into its phrases, without empty ones.
fn split_phrases(text: &str) -> impl Iterator<Item = &str> {
    let phrases = text.split([',', ';', '/', '|', '&', '+', '\n', '\0']);
    phrases.map(str::trim).filter(|phrase| !phrase.is_empty())
}

/// Finds the known words in a phrase without separators.
fn find_in_phrase(text: &str) -> Vec<Meaning> {
    let is_separator = |c: char| !c.is_alphabetic() && !is_combining_mark(c);
    let words: Vec<String> =
        text.split(is_separator).filter(|word| !word.is_empty()).map(normalize).collect();
    if words.iter().any(|word| NEGATIONS.contains(&word.as_str())) {
        return Vec::new();
    }
    words.iter().filter_map(|word| MEANINGS.get(word).copied()).collect()
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
    fn every_translation_is_listed_once_and_has_a_meaning() {
        let mut words: Vec<String> = Vec::new();
        for (word, translations) in TRANSLATIONS {
            let meaning = look_up(word).unwrap_or_else(|| panic!("{word}"));
            for translation in translations.split_whitespace() {
                assert_eq!(look_up(translation), Some(meaning), "{translation}");
                words.push(normalize(translation));
            }
        }
        words.extend(WORDS.iter().map(|(word, ..)| normalize(word)));
        words.extend(SYNONYMS.iter().map(|(word, _)| normalize(word)));
        words.sort_unstable();
        let duplicates: Vec<_> = words.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(duplicates.is_empty(), "{duplicates:?}");
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
        assert_eq!(
            emotions("Fröhlich / nicht traurig; tristesse, GLU\u{308}CKLICH"),
            [Emotion::Happy, Emotion::Sad, Emotion::Happy]
        );
    }

    #[test]
    fn phrases_without_a_known_word_are_named() {
        assert_eq!(find_unknown("calm; xyzzy, very dark/not happy;;"), ["xyzzy", "not happy"]);
        assert!(find_unknown("").is_empty());
    }
}
