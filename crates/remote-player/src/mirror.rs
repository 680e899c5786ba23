//! What another player is told, so that it plays what a session chooses, and what its user has done there.

use std::time::Duration;

use crate::{Playback, Report};

/// A track that is chosen while less than this is left of the one before follows it, and does not cut it off.
const NATURAL_END: Duration = Duration::from_secs(8);
/// A song that stops with more than this left was stopped by somebody.
const CUT_OFF: Duration = Duration::from_secs(2);
/// How many looks a session may take to follow its user, which takes as long as its music fades out.
const FOLLOWING_LOOKS: u32 = 50;
/// How many looks a player may be stopped before a track that it was to begin counts as one that it cannot play.
const STARTING_LOOKS: u32 = 30;
/// How many looks a player may stay paused that was told to play, before that is its user's doing.
const PAUSED_LOOKS: u32 = 10;
/// How many of our own songs are remembered: the one that plays, the one that follows, and one that was just replaced.
const REMEMBERED_SONGS: usize = 3;

/// What the session wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Whether it plays.
    pub playback: Playback,
    /// The track that it has chosen; `None` for silence.
    pub uri: Option<String>,
}

/// What the other player is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Play a track: at once, or with `queue` when the present one ends.
    Play {
        /// Which one.
        uri: String,
        /// Whether it waits for the end of the present one.
        queue: bool,
    },
    /// Halt, go on or stop.
    SetPlayback(Playback),
}

/// What a user did at the other player.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserAction {
    /// Paused it.
    Paused,
    /// Let it go on.
    Resumed,
    /// Ended the song before its time, so that another one is wanted.
    Skipped,
    /// Began to play another song, with this title, which plays to its end.
    Chose(String),
}

/// What became of a track that the player was told to play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackStart {
    /// It plays: two looks have seen it, and its position moves where the player tells one.
    Begun,
    /// The player has stopped by itself, and plays nothing.
    Failed,
}

/// What follows from one look at the other player.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What to tell the player, in this order.
    pub steps: Vec<Step>,
    /// What its user did, to be told to the session.
    pub user: Option<UserAction>,
    /// What became of the latest track, told once.
    pub start: Option<TrackStart>,
}

/// Compares what a session wants with what the other player does, several times a second. What a user does at the other player
/// wins: a pause pauses the session, and a song chosen there plays to its end.
#[derive(Debug, Default)]
pub struct Mirror {
    /// The track that was last asked for.
    asked: Option<String>,
    /// What identifies the songs that we had it play, the latest last.
    own_songs: Vec<String>,
    /// The latest wish about playback that was passed on.
    wished: Option<Playback>,
    /// The playback that we have caused last; another one is the user's doing.
    caused: Option<Playback>,
    /// The latest report.
    seen: Option<Report>,
    /// Whether a song that a user has chosen plays.
    by_hand: bool,
    /// What the session will wish for once it has heard of what the user did, and how many looks it may take for that.
    awaited: Option<(Playback, u32)>,
    /// For how many looks the player has been silent since the latest track was to begin; `None` once that is settled.
    silent_looks: Option<u32>,
    /// How many of these looks saw it paused.
    paused_looks: u32,
}

impl Mirror {
    /// Looks at the wish and at a report.
    pub fn look(&mut self, wish: &Wish, report: &Report) -> Outcome {
        let start = self.notice_start(wish, report);
        let user = self.notice_user(wish, report);
        let mut steps = Vec::new();
        if user.is_none() {
            self.pass_on_playback(wish, report, &mut steps);
            self.pass_on_track(wish, report, &mut steps);
        }
        self.seen = Some(report.clone());
        Outcome { steps, user, start }
    }

    /// A step was carried out; `song` is what identifies the song of [`Step::Play`].
    pub fn confirm(&mut self, step: &Step, song: Option<String>) {
        match step {
            Step::Play { queue, .. } => {
                self.own_songs.extend(song);
                if self.own_songs.len() > REMEMBERED_SONGS {
                    self.own_songs.remove(0);
                }
                self.silent_looks = Some(0);
                self.paused_looks = 0;
                if !queue {
                    self.caused = Some(Playback::Playing);
                    self.by_hand = false;
                }
            }
            Step::SetPlayback(playback) => {
                self.caused = Some(*playback);
                if *playback == Playback::Stopped {
                    self.silent_looks = None;
                }
            }
        }
    }

    /// The player was gone, so that nothing is known of it.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    fn is_own(&self, report: &Report) -> bool {
        report.song.as_ref().is_some_and(|song| self.own_songs.contains(song))
    }

    fn notice_start(&mut self, wish: &Wish, report: &Report) -> Option<TrackStart> {
        let looks = self.silent_looks?;
        if report.playback == Playback::Playing {
            let is_latest = report.song.is_some() && report.song.as_ref() == self.own_songs.last();
            let sounds = self.seen.as_ref().is_some_and(|seen| {
                (seen.playback, &seen.song) == (report.playback, &report.song)
                    && (report.remaining.is_none() || report.remaining != seen.remaining)
            });
            if is_latest && sounds {
                self.silent_looks = None;
                return Some(TrackStart::Begun);
            }
        } else if wish.playback == Playback::Playing {
            self.silent_looks = Some(looks + 1);
            if report.playback == Playback::Paused {
                self.paused_looks += 1;
                // So quickly that it was never seen playing.
                if self.paused_looks == PAUSED_LOOKS
                    && let Some(seen) = &mut self.seen
                {
                    (seen.playback, self.caused) = (Playback::Playing, Some(Playback::Playing));
                }
                return None;
            }
            // Nobody has stopped it.
            self.caused = Some(Playback::Stopped);
            if report.error.is_some() || looks >= STARTING_LOOKS {
                self.silent_looks = None;
                return Some(TrackStart::Failed);
            }
        }
        None
    }

    fn notice_user(&mut self, wish: &Wish, report: &Report) -> Option<UserAction> {
        use Playback::{Paused, Playing, Stopped};
        let seen = self.seen.take()?;
        let is_new_song = report.song != seen.song;
        if report.playback == Playing && report.song.is_some() && !self.is_own(report) {
            // Also the song that played before we came.
            if !self.by_hand && (is_new_song || seen.playback != Playing) && !self.own_songs.is_empty() {
                self.by_hand = true;
                self.caused = Some(Playing);
                return Some(UserAction::Chose(report.title.clone()));
            }
        } else if self.by_hand && report.playback != Paused {
            // It has come to its end, and what the session wants is played again.
            self.by_hand = false;
            self.asked = None;
            self.caused = Some(report.playback);
            return None;
        }
        if report.playback == seen.playback || self.caused == Some(report.playback) {
            return None;
        }
        self.caused = Some(report.playback);
        match (report.playback, wish.playback) {
            (Paused, Playing) => {
                // It had begun, however short a time ago.
                self.silent_looks = None;
                self.awaited = Some((Paused, FOLLOWING_LOOKS));
                Some(UserAction::Paused)
            }
            (Playing, Paused) => {
                self.awaited = Some((Playing, FOLLOWING_LOOKS));
                Some(UserAction::Resumed)
            }
            (Stopped, Playing) if seen.remaining.is_none_or(|remaining| remaining > CUT_OFF) => {
                Some(UserAction::Skipped)
            }
            _ => None,
        }
    }

    fn pass_on_playback(&mut self, wish: &Wish, report: &Report, steps: &mut Vec<Step>) {
        use Playback::{Paused, Playing, Stopped};
        if let Some((awaited, looks)) = self.awaited.take() {
            if awaited == wish.playback {
                self.wished = Some(awaited);
            } else if looks > 0 {
                self.awaited = Some((awaited, looks - 1));
                return;
            } else {
                // It has followed and changed again between two looks: its wish counts.
                self.wished = Some(awaited);
            }
        }
        if self.wished == Some(wish.playback) {
            return;
        }
        let is_first = self.wished.replace(wish.playback).is_none();
        match (wish.playback, report.playback) {
            (Paused, Playing) | (Stopped, Playing | Paused) if !is_first => {
                steps.push(Step::SetPlayback(wish.playback));
            }
            (Playing, Paused) if !is_first => steps.push(Step::SetPlayback(Playing)),
            // A stopped player has forgotten where it was.
            (Playing, Stopped) => self.asked = None,
            _ => {}
        }
    }

    fn pass_on_track(&mut self, wish: &Wish, report: &Report, steps: &mut Vec<Step>) {
        if wish.playback != Playback::Playing || self.by_hand || self.asked == wish.uri {
            return;
        }
        match &wish.uri {
            Some(uri) => {
                let is_ending = report.remaining.is_some_and(|remaining| remaining < NATURAL_END);
                let queue = self.is_own(report) && report.playback == Playback::Playing && is_ending;
                steps.push(Step::Play { uri: uri.clone(), queue });
            }
            None if report.playback == Playback::Playing => steps.push(Step::SetPlayback(Playback::Stopped)),
            None => {}
        }
        self.asked.clone_from(&wish.uri);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Playback::{Paused, Playing, Stopped};

    /// A player that does what it is told, and whose user can do something else.
    #[derive(Default)]
    struct Model {
        mirror: Mirror,
        report: Report,
        /// What it was told, in words.
        steps: Vec<String>,
        /// What became of its tracks.
        starts: Vec<TrackStart>,
    }

    impl Model {
        fn look(&mut self, playback: Playback, uri: &str) -> Option<UserAction> {
            let wish = Wish { playback, uri: Some(uri.to_string()).filter(|uri| !uri.is_empty()) };
            if self.report.playback == Playing
                && let Some(remaining) = &mut self.report.remaining
            {
                *remaining -= Duration::from_millis(100);
            }
            let outcome = self.mirror.look(&wish, &self.report);
            self.starts.extend(outcome.start);
            for step in outcome.steps {
                let mut song = None;
                match &step {
                    Step::Play { uri, queue } => {
                        self.steps.push(format!("{} {uri}", if *queue { "queue" } else { "play" }));
                        song = Some(format!("song-{uri}"));
                        if !queue {
                            self.report = Report {
                                playback: Playing,
                                song: song.clone(),
                                title: uri.clone(),
                                remaining: Some(Duration::from_secs(100)),
                                error: None,
                            };
                        }
                    }
                    Step::SetPlayback(playback) => {
                        self.steps.push(format!("{playback:?}"));
                        self.report.playback = *playback;
                    }
                }
                self.mirror.confirm(&step, song);
            }
            outcome.user
        }

        fn take_steps(&mut self) -> Vec<String> {
            std::mem::take(&mut self.steps)
        }
    }

    #[test]
    fn a_change_of_mood_cuts_in_and_the_end_of_a_track_does_not() {
        let mut model = Model::default();
        assert_eq!((model.look(Playing, "a"), model.take_steps()), (None, vec!["play a".to_string()]));
        assert_eq!((model.look(Playing, "a"), model.take_steps()), (None, vec![]));
        model.look(Playing, "b");
        assert_eq!(model.take_steps(), ["play b"]);
        model.report.remaining = Some(Duration::from_secs(4));
        model.look(Playing, "c");
        assert_eq!(model.take_steps(), ["queue c"]);
        model.report.song = Some("song-c".into());
        assert_eq!((model.look(Playing, "c"), model.take_steps()), (None, vec![]));
        model.look(Playing, "");
        assert_eq!(model.take_steps(), ["Stopped"]);
        model.look(Playing, "a");
        assert_eq!(model.take_steps(), ["play a"], "after silence");
    }

    #[test]
    fn pauses_go_both_ways_and_are_not_taken_for_the_other_sides() {
        let mut model = Model::default();
        model.look(Playing, "a");
        model.take_steps();
        assert_eq!((model.look(Paused, "a"), model.take_steps()), (None, vec!["Paused".to_string()]));
        assert_eq!(model.look(Paused, "a"), None);
        // The user lets it go on there.
        model.report.playback = Playing;
        assert_eq!(model.look(Paused, "a"), Some(UserAction::Resumed));
        assert_eq!((model.look(Paused, "a"), model.take_steps()), (None, vec![]), "it follows in a moment");
        assert_eq!((model.look(Playing, "a"), model.take_steps()), (None, vec![]));
        model.report.playback = Paused;
        assert_eq!(model.look(Playing, "a"), Some(UserAction::Paused));
        assert_eq!((model.look(Playing, "a"), model.take_steps()), (None, vec![]), "its music fades out");
        assert_eq!((model.look(Paused, "a"), model.take_steps()), (None, vec![]));
        assert_eq!((model.look(Playing, "a"), model.take_steps()), (None, vec!["Playing".to_string()]));
    }

    #[test]
    fn a_song_chosen_by_hand_plays_to_its_end() {
        let mut model = Model::default();
        model.look(Playing, "a");
        model.look(Playing, "a");
        model.take_steps();
        model.report.song = Some("hers".into());
        model.report.title = "Hers".into();
        assert_eq!(model.look(Playing, "a"), Some(UserAction::Chose("Hers".into())));
        assert_eq!(
            (model.look(Playing, "b"), model.take_steps()),
            (None, vec![]),
            "the mood has changed meanwhile"
        );
        model.report.playback = Paused;
        assert_eq!(model.look(Playing, "b"), Some(UserAction::Paused));
        model.report.playback = Playing;
        assert_eq!(model.look(Paused, "b"), Some(UserAction::Resumed));
        model.report = Report::default();
        assert_eq!((model.look(Playing, "b"), model.take_steps()), (None, vec!["play b".to_string()]));
    }

    #[test]
    fn a_song_that_is_ended_before_its_time_is_a_skip_and_one_that_ends_is_not() {
        let mut model = Model::default();
        // It is told to, and seen to play.
        for _ in 0..3 {
            model.look(Playing, "a");
        }
        model.report = Report::default();
        assert_eq!(model.look(Playing, "a"), Some(UserAction::Skipped));
        model.take_steps();
        model.look(Playing, "b");
        assert_eq!(model.take_steps(), ["play b"]);
        model.report.remaining = Some(Duration::from_secs(1));
        model.look(Playing, "b");
        model.report = Report::default();
        assert_eq!((model.look(Playing, "b"), model.take_steps()), (None, vec![]));
        model.look(Playing, "c");
        assert_eq!(model.take_steps(), ["play c"]);
    }

    #[test]
    fn a_track_that_the_player_cannot_play_is_no_skip() {
        for error in [None, Some("no such file".to_string())] {
            let mut model = Model::default();
            model.look(Playing, "a");
            assert_eq!((model.look(Playing, "a"), model.look(Playing, "a")), (None, None));
            assert_eq!(std::mem::take(&mut model.starts), [TrackStart::Begun]);
            model.look(Playing, "b");
            model.take_steps();
            let looks = if error.is_some() { 1 } else { 31 };
            model.report = Report { error: error.clone(), ..Report::default() };
            for _ in 0..looks {
                assert!(model.starts.is_empty());
                assert_eq!(model.look(Playing, "b"), None);
            }
            assert_eq!(model.starts, [TrackStart::Failed]);
            assert_eq!(
                (model.look(Playing, "b"), model.take_steps()),
                (None, vec![]),
                "it is not tried again"
            );
            model.look(Playing, "c");
            assert_eq!(model.take_steps(), ["play c"]);
        }
        // Nor is silence that the session wants.
        let mut model = Model::default();
        model.look(Playing, "a");
        for _ in 0..40 {
            model.look(Playing, "");
        }
        assert_eq!((model.take_steps().len(), model.starts), (2, vec![]));
    }

    #[test]
    fn a_pause_right_at_the_start_of_a_track_is_noticed() {
        for is_slow in [false, true] {
            let mut model =
                Model { report: Report { playback: Paused, ..Report::default() }, ..Model::default() };
            model.look(Playing, "a");
            assert_eq!(model.take_steps(), ["play a"]);
            // Also of one that takes its time to open the track.
            model.report.playback = Stopped;
            for _ in 0..if is_slow { 15 } else { 0 } {
                assert_eq!(model.look(Playing, "a"), None);
            }
            model.report.playback = Paused;
            let actions: Vec<_> = (0..20).filter_map(|_| model.look(Playing, "a")).collect();
            assert_eq!((actions, model.starts), (vec![UserAction::Paused], vec![]));
        }
    }

    #[test]
    fn a_session_that_pauses_and_goes_on_between_two_looks_is_followed() {
        let mut model = Model::default();
        (0..3).for_each(|_| assert_eq!(model.look(Playing, "a"), None));
        model.take_steps();
        model.report.playback = Paused;
        assert_eq!(model.look(Playing, "a"), Some(UserAction::Paused));
        let actions: Vec<_> = (0..60).filter_map(|_| model.look(Playing, "a")).collect();
        assert_eq!((actions, model.take_steps()), (vec![], vec!["Playing".to_string()]));
    }

    #[test]
    fn a_pause_in_the_first_moment_of_a_track_is_one_pause() {
        let mut model = Model::default();
        model.look(Playing, "a");
        model.look(Playing, "a");
        model.take_steps();
        model.report.playback = Paused;
        // The session fades out, pauses, and is told to go on; the player takes a moment for that.
        let looks = [[Playing; 9], [Paused; 9]].concat();
        let actions: Vec<_> = looks.into_iter().filter_map(|wish| model.look(wish, "a")).collect();
        assert_eq!((actions, model.take_steps()), (vec![UserAction::Paused], vec![]));
        assert_eq!((model.look(Playing, "a"), model.take_steps()), (None, vec!["Playing".to_string()]));
        model.report.playback = Paused;
        assert!((0..5).all(|_| model.look(Playing, "a").is_none()));
    }

    #[test]
    fn what_plays_before_the_session_begins_is_replaced_and_a_player_that_returns_plays_on() {
        let report = Report { playback: Playing, song: Some("old".into()), ..Report::default() };
        let mut model = Model { report, ..Model::default() };
        assert_eq!((model.look(Playing, ""), model.take_steps()), (None, vec![]), "nothing is chosen yet");
        model.look(Playing, "a");
        assert_eq!(model.take_steps(), ["play a"]);
        model.mirror.forget();
        model.report = Report::default();
        assert_eq!((model.look(Playing, "a"), model.take_steps()), (None, vec!["play a".to_string()]));
        assert_eq!((model.look(Stopped, "a"), model.take_steps()), (None, vec!["Stopped".to_string()]));
    }
}
