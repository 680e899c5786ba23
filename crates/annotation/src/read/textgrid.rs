//! Praat TextGrid, long and short text format (<https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html>). Both are the
//! same sequence of numbers, quoted texts and flags in angle brackets; all other text is commentary.

use super::time::seconds_to_ns;
use super::{FileError, Parsed};
use crate::Annotation;

/// Whether the text is a TextGrid.
pub(super) fn is_textgrid(content: &str) -> bool {
    content.lines().take(2).any(|line| line.contains("\"TextGrid\""))
        || content.starts_with("File type = \"ooTextFile")
}

/// A value in the file.
#[derive(Debug, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Flag(String),
}

/// Reads the interval tiers. Intervals without text are gaps; point tiers are left out.
pub(super) fn parse(text: &str) -> Result<Parsed, FileError> {
    let broken = || FileError::Content("it is a Praat file, but no complete TextGrid".into());
    let tokens = tokenize(text);
    let mut tokens = tokens.into_iter().skip_while(|token| *token != Token::Text("TextGrid".into())).skip(1);
    let mut next = || tokens.next();
    let (Some(Token::Number(_)), Some(Token::Number(_)), Some(Token::Flag(flag)), Some(Token::Number(tiers))) =
        (next(), next(), next(), next())
    else {
        return Err(broken());
    };
    let mut parsed = Parsed::new();
    if flag != "exists" {
        return Ok(parsed);
    }
    let (mut points, mut untimed) = (0, 0);
    for _ in 0..tiers as usize {
        let (
            Some(Token::Text(class)),
            Some(Token::Text(name)),
            Some(Token::Number(_)),
            Some(Token::Number(_)),
            Some(Token::Number(count)),
        ) = (next(), next(), next(), next(), next())
        else {
            return Err(broken());
        };
        for _ in 0..count as usize {
            let Some(Token::Number(start)) = next() else { return Err(broken()) };
            if class == "TextTier" {
                let Some(Token::Text(_)) = next() else { return Err(broken()) };
                points += 1;
                continue;
            }
            let (Some(Token::Number(end)), Some(Token::Text(label))) = (next(), next()) else {
                return Err(broken());
            };
            match (seconds_to_ns(start), seconds_to_ns(end)) {
                _ if label.trim().is_empty() => {}
                (Some(start), Some(end)) => {
                    parsed.add(&name, Annotation { start, end, label: label.trim().to_owned() });
                }
                _ => untimed += 1,
            }
        }
    }
    parsed.warn_of(points, "points have no duration and are left out");
    parsed.warn_of(untimed, "intervals begin or end before 0 and are left out");
    Ok(parsed)
}

/// The values of the file. A number counts only where it stands alone: `[1]` and `item1` are commentary.
fn tokenize(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            // A quote inside a text is doubled.
            let mut content = String::new();
            let mut characters = rest.char_indices().skip(1).peekable();
            let mut end = rest.len();
            while let Some((index, character)) = characters.next() {
                if character != '"' {
                    content.push(character);
                } else if characters.next_if(|(_, next)| *next == '"').is_some() {
                    content.push('"');
                } else {
                    end = index + 1;
                    break;
                }
            }
            tokens.push(Token::Text(content));
            rest = &rest[end..];
        } else if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
        } else if first == '!' {
            // The rest of the line is commentary.
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
        } else {
            let end = rest.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(rest.len());
            let word = &rest[..end];
            if let Some(flag) = word.strip_prefix('<').and_then(|word| word.strip_suffix('>')) {
                tokens.push(Token::Flag(flag.to_owned()));
            } else if let Ok(number) = word.parse() {
                tokens.push(Token::Number(number));
            }
            rest = &rest[end..];
        }
    }
    tokens
}
