//! Memory does not grow with the number of runs. The test has a process of its own, because it measures the
//! process.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![cfg(target_os = "linux")]

use mini_xception::{Classifier, Model, Provider, Runtime};

/// The resident memory of this process, KiB.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn memory_does_not_grow_with_the_number_of_runs() {
    let runtime = Runtime::load(None, &[]).unwrap();
    let mut classifier = Classifier::load(&runtime, &Model::BuiltIn, Provider::Cpu).unwrap();
    let face: Vec<u8> = (0..48 * 48).map(|i| (i * 31 % 251) as u8).collect();
    let mut memory_after = |runs| {
        for _ in 0..runs {
            classifier.classify(&face).unwrap();
        }
        resident_kib()
    };
    let early = memory_after(500);
    let late = memory_after(10_000);
    // A leak of 100 bytes a run would add 1,000 KiB.
    assert!(late < early + 700, "from {early} to {late} KiB");
}
