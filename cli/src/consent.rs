//! Consent: nothing that identifies a person is stored without a note that they agreed to it.

use serde::{Deserialize, Serialize};

use crate::error::CommandError;

/// A therapy client who has consented to being stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentedClient {
    /// The client's name, not blank.
    pub name: String,
    /// The consent note: who agreed, when, and where the signed form is. Not blank.
    #[serde(rename = "consent")]
    pub note: String,
}

impl ConsentedClient {
    /// Combines a client's name with the consent note. `None` if no client is named. Fails if one is named
    /// without a note.
    pub fn try_new(name: Option<String>, note: Option<String>) -> Result<Option<Self>, CommandError> {
        match (name.filter(|name| !is_blank(name)), note.filter(|note| !is_blank(note))) {
            (None, _) => Ok(None),
            (Some(name), Some(note)) => Ok(Some(Self { name, note })),
            (Some(_), None) => Err(CommandError::Failed(
                "a client's history needs a consent note: --consent NOTE, or consent = \"...\" in the notes"
                    .into(),
            )),
        }
    }
}

/// Whether a name or a note has nothing but white space; such a one counts as none.
pub fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}
