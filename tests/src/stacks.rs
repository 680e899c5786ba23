//! What the threads of a process that hangs are doing, for the message of the failing test.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a debugger may take for one process.
const DEBUGGER_TIMEOUT: Duration = Duration::from_secs(30);
/// Most lines of one process: the innermost calls of some dozen threads.
const MAX_LINES: usize = 400;

/// The processes of a process group, by `/proc`.
fn group_members(group: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| {
        // The name, the second field, may hold blanks and parentheses; the group is the third field after it.
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        fields.split_ascii_whitespace().nth(2).and_then(|field| field.parse().ok()) == Some(group)
    })
    .collect()
}

/// The stacks of all threads of all processes of a process group. A debugger gives the calls (gdb, or eu-stack of
/// elfutils); without one, `/proc` names the threads and what they wait for in the kernel.
pub fn describe_group(group: u32) -> String {
    let describe = |id: u32| {
        let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
        format!("--- threads of {} ({id})\n{}", name.trim(), describe_process(id))
    };
    group_members(group).into_iter().map(describe).collect::<Vec<_>>().join("\n")
}

fn describe_process(id: u32) -> String {
    let mut gdb = Command::new("gdb");
    gdb.args(["-p", &id.to_string(), "-batch", "-nx", "-ex", "thread apply all backtrace 30"]);
    gdb.env("DEBUGINFOD_URLS", "");
    let mut eu_stack = Command::new("eu-stack");
    eu_stack.args(["-p", &id.to_string()]);
    [gdb, eu_stack].into_iter().find_map(run_debugger).unwrap_or_else(|| {
        format!("{}install gdb or elfutils for the calls of each thread", describe_waits(id))
    })
}

/// The output of a debugger; `None` where it is not installed, may not attach, or does not end.
fn run_debugger(mut command: Command) -> Option<String> {
    let output = tempfile::NamedTempFile::new().ok()?;
    command.stdin(Stdio::null()).stdout(output.reopen().ok()?).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let deadline = Instant::now() + DEBUGGER_TIMEOUT;
    while child.try_wait().ok()?.is_none() {
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    let bytes = fs::read(output.path()).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("[New LWP")).collect();
    // Both debuggers number the calls of a stack.
    lines.iter().any(|line| line.starts_with('#')).then(|| lines[..lines.len().min(MAX_LINES)].join("\n"))
}

/// The threads of a process: name, state, and the kernel function in which each waits.
fn describe_waits(id: u32) -> String {
    let mut text = String::new();
    let threads = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    for thread in threads {
        let field = |name: &str| fs::read_to_string(Path::new(&thread.path()).join(name)).unwrap_or_default();
        let state = field("status").lines().find(|line| line.starts_with("State:")).unwrap_or("").to_owned();
        text += &format!("{}: {state} {} {}\n", field("comm").trim(), field("wchan"), field("stack").trim());
    }
    text
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;

    use super::*;

    #[test]
    fn a_waiting_process_is_described_with_and_without_a_debugger() {
        let mut child = Command::new("sleep").arg("60").process_group(0).spawn().unwrap();
        let text = describe_group(child.id());
        let waits = describe_waits(child.id());
        let members = group_members(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(text.contains(&format!("threads of sleep ({})", child.id())), "{text}");
        assert!(text.contains("nanosleep") || text.contains("State:"), "{text}");
        assert!(waits.contains("sleep: State:"), "{waits}");
        assert_eq!(members, [child.id()]);
    }
}
