//! One output slice written by several threads at once, each its own part.

use std::marker::PhantomData;
use std::ops::Range;

/// A mutable slice whose parts are handed out to work items that never overlap.
pub(crate) struct DisjointMut<'a> {
    start: *mut f32,
    len: usize,
    slice: PhantomData<&'a mut [f32]>,
}

// SAFETY: the only access is `part`, whose callers promise that no two living parts overlap; f32 is `Send`.
unsafe impl Sync for DisjointMut<'_> {}

impl<'a> DisjointMut<'a> {
    pub(crate) fn new(slice: &'a mut [f32]) -> Self {
        Self {
            start: slice.as_mut_ptr(),
            len: slice.len(),
            slice: PhantomData,
        }
    }

    /// The part `range`; a range outside the slice panics.
    ///
    /// # Safety
    /// No two parts that live at the same time may overlap.
    #[expect(
        clippy::mut_from_ref,
        reason = "that is its purpose; overlap is the caller's promise"
    )]
    pub(crate) unsafe fn part(&self, range: Range<usize>) -> &mut [f32] {
        assert!(
            range.start <= range.end && range.end <= self.len,
            "part {range:?} of a slice of {}",
            self.len
        );
        // SAFETY: the range lies inside the borrowed slice (checked above) and overlaps no other part (the caller's promise).
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}
