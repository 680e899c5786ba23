//! A client's resting face in live sessions: what the classifier begins with, and what it has learnt at the end.

use gst::prelude::*;
use mini_xception::Model;
use mini_xception::resting_face::RestingProfile;

use crate::clients::Client;
use crate::consent::is_blank;
use crate::error::CommandError;
use crate::files::{path_to_str, utc_now};

/// Passes a client's resting face to a classifier and keeps what that learns.
pub struct ClientFace {
    client: Client,
    /// An `emotionclassify` with the built-in model.
    classifier: gst::Element,
    /// Tells this session apart from others where it is not recorded.
    session: String,
}

impl ClientFace {
    /// For the client called `name`, who must have consented; `None` for the empty name, which stands for everybody.
    pub fn open(name: &str, classifier: gst::Element) -> Result<Option<Self>, CommandError> {
        if is_blank(name) {
            return Ok(None);
        }
        let session = format!("live-{}", utc_now().replace(':', ""));
        Ok(Some(Self { client: Client::open(name)?, classifier, session }))
    }

    /// Makes the classifier begin with what is known of the client; to be called before it starts.
    pub fn load(&self) -> Result<(), CommandError> {
        let model = Model::BuiltIn.sha256().map_err(|error| CommandError::Failed(error.to_string()))?;
        let path = self.client.write_known_resting_face(&model)?;
        let path = path.as_deref().map(path_to_str).transpose()?;
        self.classifier.set_property("baseline-location", path);
        Ok(())
    }

    /// Adds what the classifier has learnt since it started to what is known of the client; to be called before it stops.
    /// `session` tells sessions apart; `None` for one that is not recorded.
    pub fn save(&self, session: Option<String>) -> Result<(), CommandError> {
        let learnt = self.classifier.property::<Option<String>>("resting-face").unwrap_or_default();
        if learnt.is_empty() {
            return Ok(());
        }
        let profile = RestingProfile::from_json(learnt.as_bytes())
            .map_err(|error| CommandError::Failed(format!("the resting face that was learnt: {error}")))?;
        let session = session.as_deref().unwrap_or(&self.session);
        self.client.add_resting_face(session, &profile)
    }
}
