//! Whether the magnitudes of a weight-decomposed adapter belong to this base weight.
//!
//! PEFT takes the norms of whatever weight it wraps: the masters, or ternary values without their scale, give magnitudes that are too
//! long or too short by nearly the same factor in every row. Such an adapter would be applied wrongly without any sign of it, so the
//! gains are looked at as a whole: a training changes rows apart, another base changes them together.

use super::error::AdapterError;

/// Gains around which an adapter of this base lies.
const USUAL: std::ops::RangeInclusive<f32> = 0.8..=1.25;
/// Rows that agree on a factor: the middle half of them lies within this fraction of the median.
const AGREEMENT: f32 = 0.12;
/// How exactly an untrained adapter must leave the base as it is.
const IDENTITY: f32 = 2e-3;
/// Rows from which agreement is no accident.
const ENOUGH_ROWS: usize = 64;

/// Gathers the gains of an adapter.
#[derive(Default)]
pub(super) struct Gains {
    all: Vec<f32>,
    /// Gains of linears whose `B` is zero.
    untrained: Vec<f32>,
}

impl Gains {
    pub(super) fn add(&mut self, gains: &[f32], untrained: bool) {
        self.all.extend(gains);
        if untrained {
            self.untrained.extend(gains);
        }
    }

    /// Refuses an adapter of another base.
    ///
    /// # Errors
    /// If nearly all rows are off by one factor, or an untrained linear is not the identity.
    pub(super) fn check(mut self, adapter: &str) -> Result<(), AdapterError> {
        let wrong = |found: String| {
            AdapterError::Whole {
            adapter: adapter.to_owned(),
            found,
            expected: "magnitudes of this model's ternary × scale weights; it was trained on another base, for instance its master \
                       weights, and needs rebasing"
                .to_owned(),
        }
        };
        if let [low, median, high] = quartiles(&mut self.untrained)
            && [low, median, high]
                .iter()
                .any(|gain| (gain - 1.0).abs() > IDENTITY)
            && (high - low) <= AGREEMENT * median
        {
            return Err(wrong(format!(
                "magnitudes {median:.4} times those of the weights where nothing was trained"
            )));
        }
        let [low, median, high] = quartiles(&mut self.all);
        let together = self.all.len() >= ENOUGH_ROWS && (high - low) <= AGREEMENT * median;
        match together && !USUAL.contains(&median) {
            true => Err(wrong(format!(
                "magnitudes about {median:.3} times those of the weights in nearly every row"
            ))),
            false => Ok(()),
        }
    }
}

/// The quarter, the half and the three quarters of the sorted values; ones where there are none.
fn quartiles(values: &mut [f32]) -> [f32; 3] {
    if values.is_empty() {
        return [1.0; 3];
    }
    values.sort_unstable_by(f32::total_cmp);
    let last = values.len() - 1;
    [last / 4, last / 2, last - last / 4].map(|index| values[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(gains: impl Iterator<Item = f32>, untrained: bool) -> Result<(), AdapterError> {
        let mut all = Gains::default();
        all.add(&gains.collect::<Vec<_>>(), untrained);
        all.check("some")
    }

    #[test]
    fn rows_that_training_changed_apart_are_accepted() {
        assert!(check((0..200).map(|i| 0.9 + i as f32 * 1e-3), false).is_ok());
        assert!(check((0..200).map(|i| 0.1 + i as f32 * 1e-2), false).is_ok());
    }

    #[test]
    fn rows_that_are_off_together_are_refused() {
        let error = check((0..200).map(|i| 1.5 + i as f32 * 5e-4), false).unwrap_err();
        assert!(error.to_string().contains("about 1.549 times"), "{error}");
        assert!(check((0..200).map(|_| 0.02), false).is_err());
    }

    #[test]
    fn an_untrained_adapter_must_be_the_identity() {
        assert!(check((0..10).map(|_| 1.000_1), true).is_ok());
        assert!(check((0..10).map(|_| 1.05), true).is_err());
    }
}
