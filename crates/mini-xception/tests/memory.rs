//! Hours of frames leave the memory as it was. A test of its own, so that nobody else's memory counts.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![cfg(target_os = "linux")]

use mini_xception::{Classifier, Model, Provider, Runtime};

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn many_runs_take_no_more_memory_than_few() {
    let runtime = Runtime::load(None, &[]).unwrap();
    let mut classifier = Classifier::load(&runtime, &Model::BuiltIn, Provider::Cpu).unwrap();
    let face: Vec<u8> = (0..48 * 48).map(|i| (i * 31 % 251) as u8).collect();
    let mut run = |times| {
        for _ in 0..times {
            classifier.classify(&face).unwrap();
        }
        resident_kib()
    };
    let few = run(500);
    let many = run(10_000);
    // 100 bytes a run would be 1,000 KiB.
    assert!(many < few + 700, "from {few} to {many} KiB");
}
