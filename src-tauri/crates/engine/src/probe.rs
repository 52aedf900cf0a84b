//! What memory this machine has. The probe is a value: tests bring their own machine.

use crate::api::{GpuDevice, GpuReport, MemoryReport};
use nvml_wrapper::Nvml;
use std::fmt;
use std::sync::{Arc, OnceLock};
use sysinfo::System;

/// Memory as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryFacts {
    /// Main memory, or what a container grants of it. Zeros when the system does not tell.
    pub ram: MemoryReport,
    /// Graphics processors, and whether this build computes on one.
    pub gpu: GpuReport,
}

/// Looks at the memory of a machine. Clones look at the same one.
#[derive(Clone)]
pub struct MemoryProbe(Arc<dyn Fn() -> MemoryFacts + Send + Sync>);

impl MemoryProbe {
    /// The machine this program runs on: sysinfo for main memory, NVML for NVIDIA's devices. The driver is looked for at run
    /// time, once; that there is none is a fact, not an error.
    pub fn this_machine() -> MemoryProbe {
        let nvml = OnceLock::new();
        MemoryProbe::new(move || MemoryFacts {
            ram: ram(System::new().ok().as_mut()),
            gpu: gpu(nvml.get_or_init(|| Nvml::init().map_err(|error| error.to_string()))),
        })
    }

    /// A machine of one's own.
    pub fn new(look: impl Fn() -> MemoryFacts + Send + Sync + 'static) -> MemoryProbe {
        MemoryProbe(Arc::new(look))
    }

    /// A machine that never changes.
    pub fn fixed(facts: MemoryFacts) -> MemoryProbe {
        MemoryProbe::new(move || facts.clone())
    }

    /// Looks now.
    pub fn look(&self) -> MemoryFacts {
        (self.0)()
    }
}

impl fmt::Debug for MemoryProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryProbe")
    }
}

/// Main memory as it is now.
pub(crate) fn ram(system: Option<&mut System>) -> MemoryReport {
    let Some(system) = system else {
        return MemoryReport {
            total_bytes: 0,
            available_bytes: 0,
        };
    };
    system.refresh_memory();
    let (total, available) = (system.total_memory(), system.available_memory());
    // A container may be granted less than the machine has.
    match system.cgroup_limits() {
        Some(limits) if limits.total_memory < total => MemoryReport {
            total_bytes: limits.total_memory,
            available_bytes: limits.free_memory.min(available),
        },
        _ => MemoryReport {
            total_bytes: total,
            available_bytes: available,
        },
    }
}

fn gpu(nvml: &Result<Nvml, String>) -> GpuReport {
    let devices = match nvml {
        Ok(nvml) => devices(nvml),
        Err(error) => {
            return GpuReport {
                devices: Vec::new(),
                used: false,
                reason: format!(
                    "no NVIDIA driver found ({error}); the processor computes everything"
                ),
            };
        }
    };
    let reason = match devices.as_slice() {
        [] => "the NVIDIA driver lists no device; the processor computes everything",
        _ => "this version computes on the processor only",
    };
    GpuReport {
        devices,
        used: false,
        reason: reason.into(),
    }
}

/// Those devices that answer; one that does not is left out rather than taking the report down.
fn devices(nvml: &Nvml) -> Vec<GpuDevice> {
    let driver = nvml.sys_driver_version().unwrap_or_default();
    (0..nvml.device_count().unwrap_or(0))
        .filter_map(|index| {
            let device = nvml.device_by_index(index).ok()?;
            let memory = device.memory_info().ok()?;
            Some(GpuDevice {
                name: device.name().ok()?,
                total_bytes: memory.total,
                free_bytes: memory.free,
                driver: driver.clone(),
            })
        })
        .collect()
}
