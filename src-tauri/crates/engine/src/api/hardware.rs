//! What this machine is, and what of it is used.

use serde::Serialize;
use std::path::PathBuf;

/// What `doctor` tells.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct DoctorReport {
    /// Version of this program.
    pub version: String,
    /// The system.
    pub system: SystemReport,
    /// The processor and the instruction set the kernels use.
    pub cpu: CpuReport,
    /// Main memory.
    pub memory: MemoryReport,
    /// Graphics processors, and why they are or are not used.
    pub gpu: GpuReport,
    /// What computes: always `cpu` in this version.
    pub backend: String,
    /// Where things are.
    pub folders: FolderReport,
    /// The model that answers when none is named.
    pub model: DoctorModel,
    /// Everything that stands in the way of an answer; empty when all is well.
    pub problems: Vec<String>,
}

/// The operating system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct SystemReport {
    /// Its name and version.
    pub name: String,
    /// `x86_64`, `aarch64`, …
    pub architecture: String,
}

/// The processor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct CpuReport {
    /// As the maker names it.
    pub name: String,
    /// Cores, not counting hardware threads.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub physical_cores: usize,
    /// Hardware threads this process may use.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub logical_cores: usize,
    /// Threads the model uses.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub threads: usize,
    /// Instruction set in use.
    pub isa: String,
    /// Why that one.
    pub isa_reason: String,
    /// Everything this processor could run, best first.
    pub isa_available: Vec<String>,
    /// Instruction sets whose self-test failed here.
    pub isa_rejected: Vec<String>,
}

/// Main memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct MemoryReport {
    /// Installed, or granted to this container.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub total_bytes: u64,
    /// What a new program could take.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub available_bytes: u64,
}

/// Graphics processors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct GpuReport {
    /// Those found.
    pub devices: Vec<GpuDevice>,
    /// Whether one is used.
    pub used: bool,
    /// Why, or why not.
    pub reason: String,
}

/// One graphics processor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct GpuDevice {
    /// As the maker names it.
    pub name: String,
    /// Its memory.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub total_bytes: u64,
    /// What is free of it.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub free_bytes: u64,
    /// Version of the driver.
    pub driver: String,
}

/// Where things are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct FolderReport {
    /// The data folder.
    pub home: PathBuf,
    /// Why that one.
    pub home_reason: String,
    /// Installed models.
    pub models: PathBuf,
    /// Free space there; absent when the system does not tell.
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub free_bytes: Option<u64>,
    /// Whether the data folder can be written.
    pub writable: bool,
}

/// The model that answers when none is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct DoctorModel {
    /// Its name.
    pub name: String,
    /// Whether it can be used.
    #[serde(flatten)]
    pub state: super::ModelState,
    /// Why that one.
    pub reason: String,
}
