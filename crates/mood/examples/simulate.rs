//! How well the policy follows a mood through measured errors, beside simpler ways: the table of `mood::simulation`.
//!
//! `cargo run --release -p mood --example simulate -- [COUNTS]`: another classifier's confusion matrix, as a text of 49
//! numbers in any brackets, such as the key `confusion` of what `gst-mood evaluate --json` writes.

use mood::simulation::{Argmax, Commonest, Follower, Scenario, Smoothed, simulate};
use mood::{Confusion, Policy, Settings};

const SECOND: u64 = 1_000_000_000;
const SEEDS: u64 = 16;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let confusion = match std::env::args().nth(1) {
        Some(text) => read(&text)?,
        None => Confusion::default(),
    };
    let scenario = Scenario { confusion, ..Scenario::default() };
    let policy =
        move || Box::new(Policy::with_confusion(Settings::default(), confusion)) as Box<dyn Follower>;
    println!("| follower | switches per true change | right, % of time | median delay, s |");
    println!("|---|---|---|---|");
    row(&scenario, "this crate's policy", &policy);
    row(&scenario, "argmax", &|| Box::new(Argmax));
    row(&scenario, "mode of 10 frames", &|| Box::new(Commonest::of_frames(10)));
    row(&scenario, "majority over 10 s", &|| Box::new(Commonest::of_time(10 * SECOND)));
    row(&scenario, "mean of 5 s, hysteresis, dwell", &|| Box::new(Smoothed::default()));
    for spell in [SECOND / 2, SECOND, 2 * SECOND] {
        let scenario = Scenario { spell: (spell, spell), ..scenario };
        let name = format!("the policy, all spells {} s", spell as f64 / SECOND as f64);
        row(&scenario, &name, &policy);
    }
    Ok(())
}

fn row(scenario: &Scenario, name: &str, make: &dyn Fn() -> Box<dyn Follower>) {
    let outcomes: Vec<_> = (1..=SEEDS).map(|seed| simulate(scenario, seed, make().as_mut())).collect();
    let column = |digits: usize, of: &dyn Fn(usize) -> f64| {
        let mut values: Vec<f64> = (0..outcomes.len()).map(of).collect();
        values.sort_by(f64::total_cmp);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        format!("{mean:.digits$} ({:.digits$}-{:.digits$})", values[0], values[values.len() - 1])
    };
    println!(
        "| {name} | {} | {} | {} |",
        column(2, &|index| outcomes[index].switches_per_change()),
        column(1, &|index| 100.0 * outcomes[index].right),
        column(1, &|index| outcomes[index].delay),
    );
}

fn read(text: &str) -> Result<Confusion, Box<dyn std::error::Error>> {
    let numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty());
    let numbers = numbers.map(str::parse).collect::<Result<Vec<u32>, _>>()?;
    if numbers.len() != 49 {
        return Err(format!("a confusion matrix has 49 numbers, not {}", numbers.len()).into());
    }
    let mut counts = [[0; 7]; 7];
    counts.iter_mut().flatten().zip(numbers).for_each(|(count, number)| *count = number);
    Ok(Confusion::from_counts(&counts)?)
}
