//! What the machine allows: threads and memory.

use std::fs;

/// Share of the free memory that is used unless `--max-memory` says otherwise.
const FREE_MEMORY_SHARE: f64 = 0.7;

/// Threads that the cgroup and the affinity mask of the process allow.
pub(super) fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// 70 % of what is free, in bytes: the smaller of the machine's and the cgroup's; `None` where neither can be told.
pub(super) fn default_memory_limit() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| available_bytes(&text));
    let cgroup = cgroup_free_bytes();
    let free = match (machine, cgroup) {
        (Some(machine), Some(cgroup)) => machine.min(cgroup),
        (one, other) => one.or(other)?,
    };
    Some((free as f64 * FREE_MEMORY_SHARE) as u64)
}

/// `MemAvailable` of `/proc/meminfo`, bytes.
fn available_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find(|line| line.starts_with("MemAvailable:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// What the cgroup (version 2) of the process leaves, bytes; `None` without a limit.
fn cgroup_free_bytes() -> Option<u64> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    let folder = format!("/sys/fs/cgroup{path}");
    let read = |name: &str| fs::read_to_string(format!("{folder}/{name}")).ok()?.trim().parse::<u64>().ok();
    Some(read("memory.max")?.saturating_sub(read("memory.current").unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_available_memory() {
        let text = "MemTotal:       24000000 kB\nMemAvailable:   20000000 kB\n";
        assert_eq!(available_bytes(text), Some(20_000_000 * 1024));
        assert_eq!(available_bytes("MemTotal: 1 kB\n"), None);
    }

    #[test]
    fn there_is_always_a_thread() {
        assert!(default_threads() >= 1);
    }
}
