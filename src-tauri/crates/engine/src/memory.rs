//! Memory of this process and of this machine.

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// The most memory this process held at once; on systems that keep no such mark, what it holds now.
pub(crate) fn peak_rss_bytes() -> Option<u64> {
    high_water_mark().or_else(resident_bytes)
}

/// `VmHWM` of Linux.
fn high_water_mark() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

fn resident_bytes() -> Option<u64> {
    let own = Pid::from_u32(std::process::id());
    let mut system = System::new().ok()?;
    let kind = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), true, kind);
    system.process(own).map(|process| process.memory())
}
