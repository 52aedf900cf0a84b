//! How many bytes adapters may take of which memory, and why that many.

use crate::api::{GpuDevice, Tier};
use crate::probe::MemoryFacts;

/// Adapters may take one part in this many of what is available with the model in memory. The rest is for the
/// conversation's keys and values, documents and other programs.
const RAM_PARTS: u64 = 4;
/// On a device nothing else but the model competes for memory.
const VRAM_PARTS: u64 = 2;
/// When the system does not tell its memory: room for a handful of adapters.
const UNKNOWN_RAM_BYTES: u64 = 512_000_000;

/// Bytes adapters may use, by tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryBudget {
    /// Of the graphics processor; nothing when none computes.
    pub vram: Option<TierBudget>,
    /// Why that is there, or is not.
    pub vram_reason: String,
    /// Of main memory.
    pub ram: TierBudget,
}

/// Bytes adapters may use of one tier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TierBudget {
    /// For all adapters together.
    pub bytes: u64,
    /// Of those, taken by adapters that cannot be evicted now: in use or pinned.
    pub fixed_bytes: u64,
    /// The whole memory of that kind; decides how many experts may help at once.
    pub total_bytes: u64,
    /// Where the number comes from.
    pub reason: String,
}

impl MemoryBudget {
    /// The memory that experts compute from.
    pub fn ready_tier(&self) -> Tier {
        match self.vram {
            Some(_) => Tier::Vram,
            None => Tier::Ram,
        }
    }

    /// Its budget.
    pub fn ready(&self) -> &TierBudget {
        self.vram.as_ref().unwrap_or(&self.ram)
    }
}

impl TierBudget {
    /// What is free or can be made so.
    pub fn free_bytes(&self) -> u64 {
        self.bytes.saturating_sub(self.fixed_bytes)
    }
}

/// What a person set by hand; it wins over what is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ManualBudget {
    /// For adapters in the memory of the graphics processor.
    pub vram_bytes: Option<u64>,
    /// For adapters in main memory.
    pub ram_bytes: Option<u64>,
}

/// What is in memory, or will be, beside what the probe sees as available.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Adapters in main memory: the system counts them as taken, the budget does not.
    pub ram_bytes: u64,
    /// Adapters in the memory of the graphics processor.
    pub vram_bytes: u64,
    /// A model that is not in memory yet and will be when a question is asked.
    pub model_bytes: u64,
}

/// The budget of a machine with these facts.
///
/// Main memory: a quarter of what is available once the model is in memory, adapters themselves counting as available.
/// Video memory: half of what is free on the largest device, the same way, if this build computes on it.
pub fn budget(facts: &MemoryFacts, held: Held, manual: ManualBudget) -> MemoryBudget {
    let (vram, vram_reason) = match device(facts) {
        Ok(device) => {
            let vram = vram(device, held, manual);
            let reason = vram.reason.clone();
            (Some(vram), reason)
        }
        Err(reason) => (None, reason),
    };
    MemoryBudget {
        vram,
        vram_reason,
        ram: ram(facts, held, manual),
    }
}

/// The device that computes, or why none does.
fn device(facts: &MemoryFacts) -> Result<&GpuDevice, String> {
    let largest = facts.gpu.devices.iter().max_by_key(|gpu| gpu.total_bytes);
    match largest {
        Some(device) if facts.gpu.used => Ok(device),
        Some(device) => Err(format!(
            "{} with {} B found, but {}: experts compute from main memory",
            device.name, device.total_bytes, facts.gpu.reason
        )),
        None => Err(facts.gpu.reason.clone()),
    }
}

fn vram(device: &GpuDevice, held: Held, manual: ManualBudget) -> TierBudget {
    let (bytes, reason) = match manual.vram_bytes {
        Some(bytes) => (
            bytes,
            "set by hand (`experts.vram_budget_bytes`)".to_owned(),
        ),
        None => {
            let free = device.free_bytes.saturating_add(held.vram_bytes);
            let reason = format!("half of {free} B free on {}", device.name);
            (free / VRAM_PARTS, reason)
        }
    };
    TierBudget {
        bytes,
        fixed_bytes: 0,
        total_bytes: device.total_bytes,
        reason,
    }
}

fn ram(facts: &MemoryFacts, held: Held, manual: ManualBudget) -> TierBudget {
    let memory = facts.ram;
    let (bytes, reason) = match manual.ram_bytes {
        Some(bytes) => (bytes, "set by hand (`experts.ram_budget_bytes`)".to_owned()),
        None if memory.total_bytes == 0 => (
            UNKNOWN_RAM_BYTES,
            "the system does not tell its memory".to_owned(),
        ),
        None => {
            let available = memory.available_bytes.saturating_add(held.ram_bytes);
            let after = available
                .min(memory.total_bytes)
                .saturating_sub(held.model_bytes);
            let reason = format!("a quarter of {after} B available with the model in memory");
            (after / RAM_PARTS, reason)
        }
    };
    TierBudget {
        bytes,
        fixed_bytes: 0,
        total_bytes: memory.total_bytes,
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::{Held, ManualBudget, budget};
    use crate::api::{GpuDevice, GpuReport, MemoryReport};
    use crate::probe::MemoryFacts;

    const GB: u64 = 1_000_000_000;

    fn facts(available_bytes: u64, gpu: Option<(u64, u64, bool)>) -> MemoryFacts {
        let device = |(total_bytes, free_bytes, _)| GpuDevice {
            name: "Test GPU".into(),
            total_bytes,
            free_bytes,
            driver: "1".into(),
        };
        MemoryFacts {
            ram: MemoryReport {
                total_bytes: 16 * GB,
                available_bytes,
            },
            gpu: GpuReport {
                devices: gpu.map(device).into_iter().collect(),
                used: gpu.is_some_and(|(_, _, used)| used),
                reason: match gpu {
                    None => "no NVIDIA driver found; the processor computes everything".into(),
                    Some(_) => "this version computes on the processor only".into(),
                },
            },
        }
    }

    #[test]
    fn main_memory_gives_a_quarter_of_what_is_available_with_the_model_there() {
        let held = Held {
            ram_bytes: GB,
            model_bytes: 2 * GB,
            ..Held::default()
        };
        let found = budget(&facts(9 * GB, None), held, ManualBudget::default());
        assert_eq!(found.ram.bytes, 2 * GB);
        assert_eq!(
            found.ram.reason,
            "a quarter of 8000000000 B available with the model in memory"
        );
        let none = Held {
            model_bytes: u64::MAX,
            ..held
        };
        assert_eq!(
            budget(&facts(GB, None), none, ManualBudget::default())
                .ram
                .bytes,
            0
        );
    }

    #[test]
    fn video_memory_is_there_only_when_it_computes() {
        let of = |gpu| {
            budget(
                &facts(9 * GB, gpu),
                Held::default(),
                ManualBudget::default(),
            )
        };
        assert_eq!(of(None).vram, None);
        let unused = of(Some((24 * GB, 20 * GB, false)));
        assert_eq!(unused.vram, None);
        assert_eq!(
            unused.vram_reason,
            "Test GPU with 24000000000 B found, but this version computes on the processor only: experts compute from main memory"
        );
        let used = of(Some((24 * GB, 20 * GB, true)))
            .vram
            .expect("it computes");
        assert_eq!((used.bytes, used.total_bytes), (10 * GB, 24 * GB));
    }

    #[test]
    fn what_a_person_sets_wins_but_makes_no_device() {
        let manual = ManualBudget {
            vram_bytes: Some(1),
            ram_bytes: Some(2),
        };
        let found = budget(&facts(9 * GB, None), Held::default(), manual);
        assert_eq!((found.vram, found.ram.bytes), (None, 2));
        assert!(found.ram.reason.starts_with("set by hand"));
        let found = budget(
            &facts(9 * GB, Some((8 * GB, 8 * GB, true))),
            Held::default(),
            manual,
        );
        assert_eq!(found.vram.map(|vram| vram.bytes), Some(1));
    }
}
