//! Which people are looked at together.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use session::{PersonMap, Summary, Timeline};

/// A session in which persons 1 and 2 are there for `seconds`, and smile from second 5 to 9 and 6 to 8; person 3 is there alone
/// before.
fn timeline(seconds: u64) -> Timeline {
    let face = |id: u64, label: &str| {
        format!(
            r#"{{"id":{id},"box":[0.1,0.1,0.2,0.2],"quality":0.9,"label":"{label}","confidence":0.7,"probabilities":[0.05,0.05,0.05,0.7,0.05,0.05,0.05],"valence":0.1,"arousal":0.0}}"#
        )
    };
    let mut text = String::from("{\"type\":\"session\",\"schema\":1,\"generator\":\"t\"}\n");
    for frame in 0..(seconds + 4) * 10 {
        let second = frame / 10;
        let label = |smiles: std::ops::Range<u64>| if smiles.contains(&second) { "happy" } else { "neutral" };
        let faces = match second.checked_sub(seconds) {
            None => format!("{},{}", face(1, label(5..9)), face(2, label(6..8))),
            Some(_) => face(3, "happy"),
        };
        text += &format!(
            "{{\"type\":\"frame\",\"frame\":{frame},\"pts\":{},\"faces\":[{faces}]}}\n",
            frame * 100_000_000
        );
    }
    text += &format!("{{\"type\":\"end\",\"pts\":{}}}\n", (seconds + 4) * 1_000_000_000);
    Timeline::from_reader(text.as_bytes()).unwrap()
}

#[test]
fn named_people_are_looked_at_however_short_and_others_after_a_minute() {
    let short = timeline(30);
    assert_eq!(Summary::compute(&short, &PersonMap::default()).dyads, []);
    let mut map = PersonMap { subject: Some(2), ..PersonMap::default() };
    map.names.extend([(1, "Ada".to_owned()), (2, "Bo".to_owned())]);
    let dyads = Summary::compute(&short, &map).dyads;
    let [dyad] = &dyads[..] else { panic!("{dyads:?}") };
    assert_eq!((dyad.people, dyad.common), ([2, 1], 30_000_000_000));
    assert!(dyad.is_too_short() && dyad.valence.is_none());
    let smiles = &dyad.smiles;
    let [smile] = smiles.smiles[..] else { panic!("{smiles:?}") };
    assert_eq!((smile.start, smile.end, smile.first), (6_000_000_000, 8_000_000_000, Some(1)));
    // 2 and 4 of 30 s.
    assert_eq!((smiles.time, smiles.expected), (2_000_000_000, 266_666_667));
    let long = Summary::compute(&timeline(70), &PersonMap::default()).dyads;
    assert_eq!(long.len(), 1);
    assert_eq!(long[0].people, [1, 2]);
    // Faces that do not move say nothing, however long.
    let still = Summary::compute(&timeline(600), &map).dyads;
    assert!(!still[0].is_too_short() && still[0].valence.is_none());
}
