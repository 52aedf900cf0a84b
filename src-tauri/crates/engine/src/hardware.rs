//! What `doctor` finds: probed here, judged here, told as plain data. What is absent is a fact, not an error.

use crate::api::{
    CpuReport, DoctorModel, DoctorReport, FolderReport, MemoryReport, ModelState, SystemReport,
};
use crate::catalogue::BUILTIN;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::folders::Home;
use r3mes_kernels::Isa;
use std::path::Path;
use sysinfo::System;

impl Engine {
    /// Looks at the machine, the folders and the model.
    pub fn doctor(&self) -> DoctorReport {
        let settings = self.settings();
        let mut system = System::new().ok();
        let (cpu, isa_problem) = cpu(system.as_mut(), settings.threads);
        let facts = self.probe().look();
        let folders = folders(&settings.home);
        let (model, model_problem) = self.doctor_model();
        let mut problems: Vec<String> =
            [isa_problem, model_problem].into_iter().flatten().collect();
        if !folders.writable {
            problems.push(format!(
                "the data folder `{}` cannot be written",
                folders.home.display()
            ));
        }
        DoctorReport {
            version: env!("CARGO_PKG_VERSION").into(),
            system: SystemReport {
                name: System::long_os_version().unwrap_or_else(|_| std::env::consts::OS.into()),
                architecture: std::env::consts::ARCH.into(),
            },
            cpu,
            memory: facts.ram,
            gpu: facts.gpu,
            backend: "cpu".into(),
            folders,
            model,
            problems,
        }
    }

    /// Main memory as it is now.
    pub fn memory(&self) -> MemoryReport {
        self.probe().look().ram
    }

    fn doctor_model(&self) -> (DoctorModel, Option<String>) {
        let settings = self.settings();
        let name = settings.model.clone().unwrap_or_else(|| BUILTIN.into());
        let found = self.models().info(&name, None);
        let (state, problem) = match found {
            Ok(report) => match &report.entry.state {
                ModelState::Ready => (report.entry.state, None),
                ModelState::Broken { reason } => {
                    let problem = format!("model `{name}` cannot be used: {reason}");
                    (report.entry.state, Some(problem))
                }
            },
            Err(error) => {
                let reason = error.report();
                (
                    ModelState::Broken {
                        reason: reason.clone(),
                    },
                    Some(reason),
                )
            }
        };
        let model = DoctorModel {
            name,
            state,
            reason: settings.model_origin.into(),
        };
        (model, problem)
    }
}

fn cpu(system: Option<&mut System>, threads: usize) -> (CpuReport, Option<String>) {
    let logical_cores = std::thread::available_parallelism().map_or(1, usize::from);
    let name = system.and_then(|system| {
        system.refresh_cpu_all();
        let name = system.cpus().first()?.brand().trim().to_owned();
        (!name.is_empty()).then_some(name)
    });
    let names = |set: &[Isa]| set.iter().map(ToString::to_string).collect::<Vec<_>>();
    let available = Isa::available();
    let rejected = Isa::rejected();
    let forced = std::env::var("R3MES_ISA")
        .ok()
        .filter(|value| !value.is_empty());
    let (isa, isa_reason, problem) = match (Isa::select(), forced) {
        (Ok(isa), Some(_)) => (isa.to_string(), "forced by R3MES_ISA".to_owned(), None),
        (Ok(isa), None) if rejected.is_empty() => (
            isa.to_string(),
            "the best this processor has; its self-test passed".into(),
            None,
        ),
        (Ok(isa), None) => {
            let reason = format!(
                "the best whose self-test passed; failed: {}",
                names(rejected).join(", ")
            );
            (isa.to_string(), reason, None)
        }
        (Err(error), _) => {
            let reason = EngineError::from(error).report();
            ("none".into(), reason.clone(), Some(reason))
        }
    };
    let report = CpuReport {
        name: name.unwrap_or_else(|| "unknown".into()),
        physical_cores: System::physical_core_count().unwrap_or(logical_cores),
        logical_cores,
        threads,
        isa,
        isa_reason,
        isa_available: names(&available),
        isa_rejected: names(rejected),
    };
    (report, problem)
}

fn folders(home: &Home) -> FolderReport {
    FolderReport {
        home: home.path.clone(),
        home_reason: home.reason.into(),
        models: home.models(),
        free_bytes: existing(&home.path).and_then(|path| fs4::available_space(path).ok()),
        writable: is_writable(&home.path),
    }
}

/// The folder itself, or the nearest one above it that exists.
fn existing(path: &Path) -> Option<&Path> {
    path.ancestors().find(|path| path.is_dir())
}

/// Whether a file can be made there; nothing is left behind, not even the folder.
fn is_writable(path: &Path) -> bool {
    existing(path).is_some_and(|folder| tempfile::tempfile_in(folder).is_ok())
}
