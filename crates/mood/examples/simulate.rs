//! Compares how well the policy and simpler methods follow a mood despite the classifier's errors, see
//! `mood::simulation`.
//!
//! `cargo run --release -p mood --example simulate -- [COUNTS]`
//!
//! COUNTS is the confusion matrix of another classifier: a text with 49 numbers, such as the value of the key
//! `confusion` that `gst-mood evaluate --json` writes. Default: the built-in model's.

use mood::simulation::{Argmax, MajorityVote, MoodEstimator, MovingAverage, Outcome, Scenario, simulate};
use mood::{ConfusionMatrix, Policy, PolicySettings};

/// One second in nanoseconds.
const SECOND: u64 = 1_000_000_000;
/// Number of simulations of each method.
const SEEDS: u64 = 16;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let confusion = match std::env::args().nth(1) {
        Some(text) => parse_counts(&text)?,
        None => ConfusionMatrix::default(),
    };
    let scenario = Scenario { confusion, ..Scenario::default() };
    let policy = move || -> Box<dyn MoodEstimator> {
        Box::new(Policy::with_confusion_matrix(PolicySettings::default(), confusion))
    };
    println!("| method | switches per true change | right, % of time | median delay, s |");
    println!("|---|---|---|---|");
    print_row(&scenario, "this crate's policy", &policy);
    print_row(&scenario, "argmax", &|| Box::new(Argmax));
    print_row(&scenario, "mode of 10 frames", &|| Box::new(MajorityVote::over_frames(10)));
    print_row(&scenario, "majority over 10 s", &|| Box::new(MajorityVote::over_time(10 * SECOND)));
    print_row(&scenario, "mean of 5 s, hysteresis, dwell", &|| Box::new(MovingAverage::default()));
    for duration in [SECOND / 2, SECOND, 2 * SECOND] {
        let scenario = Scenario { label_duration: (duration, duration), ..scenario };
        let name = format!("the policy, errors of {} s", duration as f64 / SECOND as f64);
        print_row(&scenario, &name, &policy);
    }
    Ok(())
}

/// Prints mean and range over the seeds.
fn print_row(scenario: &Scenario, name: &str, make: &dyn Fn() -> Box<dyn MoodEstimator>) {
    let outcomes: Vec<_> = (1..=SEEDS).map(|seed| simulate(scenario, seed, make().as_mut())).collect();
    let column = |digits: usize, value: &dyn Fn(&Outcome) -> f64| {
        let mut values: Vec<f64> = outcomes.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        format!("{mean:.digits$} ({:.digits$}-{:.digits$})", values[0], values[values.len() - 1])
    };
    println!(
        "| {name} | {} | {} | {} |",
        column(2, &Outcome::switches_per_change),
        column(1, &|outcome| 100.0 * outcome.accuracy),
        column(1, &|outcome| outcome.median_delay),
    );
}

/// Reads a confusion matrix from a text with 49 numbers, row by row.
fn parse_counts(text: &str) -> Result<ConfusionMatrix, Box<dyn std::error::Error>> {
    let numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty());
    let numbers = numbers.map(str::parse).collect::<Result<Vec<u32>, _>>()?;
    if numbers.len() != 49 {
        return Err(format!("a confusion matrix has 49 numbers, not {}", numbers.len()).into());
    }
    let mut counts = [[0; 7]; 7];
    counts.iter_mut().flatten().zip(numbers).for_each(|(count, number)| *count = number);
    Ok(ConfusionMatrix::from_counts(&counts)?)
}
