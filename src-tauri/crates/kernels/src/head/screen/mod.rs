//! The screening pass: exact integer sums of every panel's codes with the digits of the hidden vector.

use super::codes::{LINE_BYTES, LINE_COLS, PANEL_ROWS};
use super::digits::Digits;
use crate::isa::Isa;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod neon;

/// Sums of a panel's sixteen rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PanelSums {
    pub(super) high: [i32; PANEL_ROWS],
    pub(super) low: [i32; PANEL_ROWS],
}

/// `Σ code · digit` for the rows of a panel; the same integers on every ISA.
pub(super) fn panel_sums(isa: Isa, lines: &[[u8; LINE_BYTES]], digits: &Digits) -> PanelSums {
    assert_eq!(
        digits.high.len(),
        lines.len() * LINE_COLS,
        "digits of a panel"
    );
    assert_eq!(digits.low.len(), digits.high.len(), "digits of a panel");
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 | Isa::AvxVnni | Isa::Avx512Vnni if is_x86_feature_detected!("avx2") => {
            // SAFETY: avx2 was detected in the line above.
            unsafe { avx2::panel_sums(lines, &digits.high, &digits.low) }
        }
        #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
        Isa::Neon | Isa::NeonDotprod if std::arch::is_aarch64_feature_detected!("neon") => {
            // SAFETY: neon was detected in the line above.
            unsafe { neon::panel_sums(lines, &digits.high, &digits.low) }
        }
        _ => scalar(lines, &digits.high, &digits.low),
    }
}

/// The definition.
fn scalar(lines: &[[u8; LINE_BYTES]], high: &[i8], low: &[i8]) -> PanelSums {
    let mut sums = PanelSums {
        high: [0; PANEL_ROWS],
        low: [0; PANEL_ROWS],
    };
    for (index, line) in lines.iter().enumerate() {
        let (high, low) = (&high[index * LINE_COLS..], &low[index * LINE_COLS..]);
        for (at, byte) in line.iter().enumerate() {
            let (row, col) = (at / 4, at % 4);
            let (first, second) = (i32::from(byte & 15), i32::from(byte >> 4));
            sums.high[row] += first * i32::from(high[col]) + second * i32::from(high[col + 4]);
            sums.low[row] += first * i32::from(low[col]) + second * i32::from(low[col + 4]);
        }
    }
    sums
}
