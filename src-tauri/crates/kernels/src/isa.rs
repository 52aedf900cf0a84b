//! Which instruction set the kernels use: found at run time, checked once, forced by `R3MES_ISA`.
//!
//! A shipped binary is built for the baseline of its architecture; everything above it is detected here. Before an instruction
//! set is selected it multiplies a small matrix and must agree with the scalar definition, so a kernel that miscomputes on some
//! machine is passed over, not trusted.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use thiserror::Error;

use crate::ternary::passes_self_test;

/// Name of the environment variable that forces an instruction set.
pub const ISA_VARIABLE: &str = "R3MES_ISA";

/// An instruction set that has kernels of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Isa {
    /// Portable Rust; the definition of every kernel.
    Scalar,
    /// x86-64 with AVX2, FMA and F16C.
    Avx2,
    /// `Avx2` plus the 256-bit `vpdpbusd` of AVX-VNNI.
    AvxVnni,
    /// `Avx2` plus AVX-512 F, BW, VL, VNNI and VBMI.
    Avx512Vnni,
    /// AArch64 Advanced SIMD.
    Neon,
    /// `Neon` plus the `sdot` instruction.
    NeonDotprod,
}

impl Isa {
    /// Every instruction set, best first.
    pub const ALL: [Isa; 6] = [
        Isa::Avx512Vnni,
        Isa::AvxVnni,
        Isa::Avx2,
        Isa::NeonDotprod,
        Isa::Neon,
        Isa::Scalar,
    ];

    /// Whether this machine can run it. Cheap: the standard library caches the detection.
    pub fn is_available(self) -> bool {
        match self {
            Isa::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => has_avx2(),
            #[cfg(target_arch = "x86_64")]
            Isa::AvxVnni => has_avx2() && is_x86_feature_detected!("avxvnni"),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Vnni => {
                has_avx2()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512vnni")
                    && is_x86_feature_detected!("avx512vbmi")
            }
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            Isa::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            Isa::NeonDotprod => {
                std::arch::is_aarch64_feature_detected!("neon")
                    && std::arch::is_aarch64_feature_detected!("dotprod")
            }
            _ => false,
        }
    }

    /// The instruction sets this machine can run, best first; the last is always `Scalar`.
    pub fn available() -> Vec<Isa> {
        Isa::ALL
            .into_iter()
            .filter(|isa| isa.is_available())
            .collect()
    }

    /// The instruction set of this process: `R3MES_ISA` if set, otherwise the best that passes the self-test.
    ///
    /// # Errors
    /// If `R3MES_ISA` names an unknown or unavailable instruction set, or one that fails the self-test.
    pub fn select() -> Result<Isa, IsaError> {
        selection().chosen.clone()
    }

    /// The instruction sets that this machine claims to have but that disagreed with the scalar definition.
    pub fn rejected() -> &'static [Isa] {
        &selection().rejected
    }
}

struct Selection {
    chosen: Result<Isa, IsaError>,
    rejected: Vec<Isa>,
}

fn selection() -> &'static Selection {
    static SELECTION: OnceLock<Selection> = OnceLock::new();
    SELECTION.get_or_init(|| {
        let forced = std::env::var_os(ISA_VARIABLE).filter(|value| !value.is_empty());
        let forced = forced.map(|value| value.to_string_lossy().into_owned());
        choose(forced.as_deref(), &Isa::available(), passes_self_test)
    })
}

/// The decision without the probing: what was asked for, what exists, and a test each must pass.
fn choose(forced: Option<&str>, available: &[Isa], passes: impl Fn(Isa) -> bool) -> Selection {
    let mut rejected = Vec::new();
    if let Some(name) = forced {
        let chosen = name.parse().and_then(|isa: Isa| {
            if !available.contains(&isa) {
                let available = available.to_vec();
                Err(IsaError::Unavailable { isa, available })
            } else if !passes(isa) {
                rejected.push(isa);
                Err(IsaError::Miscomputes { isa })
            } else {
                Ok(isa)
            }
        });
        return Selection { chosen, rejected };
    }
    for &isa in available {
        if isa == Isa::Scalar || passes(isa) {
            return Selection {
                chosen: Ok(isa),
                rejected,
            };
        }
        rejected.push(isa);
    }
    Selection {
        chosen: Ok(Isa::Scalar),
        rejected,
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c")
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Isa::Scalar => "scalar",
            Isa::Avx2 => "avx2",
            Isa::AvxVnni => "avx-vnni",
            Isa::Avx512Vnni => "avx512-vnni",
            Isa::Neon => "neon",
            Isa::NeonDotprod => "neon-dotprod",
        })
    }
}

impl FromStr for Isa {
    type Err = IsaError;

    fn from_str(name: &str) -> Result<Isa, IsaError> {
        Isa::ALL
            .into_iter()
            .find(|isa| isa.to_string() == name)
            .ok_or_else(|| IsaError::Unknown {
                name: name.to_owned(),
            })
    }
}

/// Why no instruction set could be selected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IsaError {
    /// The name is none of ours.
    #[error("`{ISA_VARIABLE}` names an unknown instruction set: `{name}`, expected one of {}", names(&Isa::ALL))]
    Unknown {
        /// What was given.
        name: String,
    },
    /// The machine lacks it.
    #[error(
        "`{ISA_VARIABLE}` asks for `{isa}`, this machine has: {}",
        names(available)
    )]
    Unavailable {
        /// What was asked for.
        isa: Isa,
        /// What there is.
        available: Vec<Isa>,
    },
    /// The machine has it, but its kernels gave other numbers than the scalar definition.
    #[error(
        "instruction set `{isa}` fails the self-test: its products differ from the scalar definition"
    )]
    Miscomputes {
        /// The one that was forced.
        isa: Isa,
    },
}

fn names(sets: &[Isa]) -> String {
    let names: Vec<String> = sets.iter().map(|isa| format!("`{isa}`")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for isa in Isa::ALL {
            assert_eq!(isa.to_string().parse(), Ok(isa));
        }
        assert_eq!(
            "sse9".parse::<Isa>().unwrap_err().to_string(),
            "`R3MES_ISA` names an unknown instruction set: `sse9`, expected one of `avx512-vnni`, `avx-vnni`, `avx2`, \
             `neon-dotprod`, `neon`, `scalar`"
        );
    }

    #[test]
    fn the_best_set_that_computes_rightly_is_chosen_and_the_others_are_named() {
        let available = [Isa::Avx512Vnni, Isa::Avx2, Isa::Scalar];
        let selection = choose(None, &available, |isa| isa != Isa::Avx512Vnni);
        assert_eq!(selection.chosen, Ok(Isa::Avx2));
        assert_eq!(selection.rejected, [Isa::Avx512Vnni]);
        assert_eq!(choose(None, &available, |_| false).chosen, Ok(Isa::Scalar));
    }

    #[test]
    fn a_forced_set_must_exist_and_pass() {
        let available = [Isa::Avx2, Isa::Scalar];
        assert_eq!(
            choose(Some("scalar"), &available, |_| true).chosen,
            Ok(Isa::Scalar)
        );
        assert_eq!(
            choose(Some("neon"), &available, |_| true)
                .chosen
                .unwrap_err()
                .to_string(),
            "`R3MES_ISA` asks for `neon`, this machine has: `avx2`, `scalar`"
        );
        assert_eq!(
            choose(Some("avx2"), &available, |_| false).chosen,
            Err(IsaError::Miscomputes { isa: Isa::Avx2 })
        );
    }

    #[test]
    #[cfg_attr(
        miri,
        ignore = "the self-test multiplies for the better part of an hour in an interpreter"
    )]
    fn this_machine_rejects_nothing() {
        assert_eq!(Isa::rejected(), []);
        assert_eq!(Isa::available().last(), Some(&Isa::Scalar));
    }
}
