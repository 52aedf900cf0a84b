//! Zeroed, aligned memory for weights and caches.
//!
//! Hot weights are read once per token, so their speed is that of the bus, and on 4 KiB pages a good part of it goes to
//! address translation (8 against 13 GB/s on the machine this was written on). From 2 MiB on, Linux is therefore asked for huge
//! pages. Running out of memory is an error here, not an abort: sizes come from model files.

use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use thiserror::Error;

/// Size and alignment of a huge page, in bytes.
pub const HUGE_PAGE_BYTES: usize = 2 << 20;
/// Alignment of smaller buffers, in bytes: a cache line, and the widest vector register.
pub const LINE_BYTES: usize = 64;

/// An owned byte buffer, zeroed at first, aligned to a huge page (from 2 MiB on, on Linux) or to a cache line.
pub struct AlignedBytes {
    start: NonNull<u8>,
    len: usize,
    storage: Storage,
}

enum Storage {
    /// Nothing was allocated.
    Empty,
    /// From the global allocator.
    Heap(std::alloc::Layout),
    /// An anonymous mapping of this many bytes beginning at `start`.
    Mapped(usize),
}

/// The system did not give the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("cannot allocate a buffer: {bytes} bytes asked for")]
pub struct AllocError {
    /// The size asked for.
    pub bytes: usize,
}

// SAFETY: the buffer owns its memory exclusively, as a Vec does.
unsafe impl Send for AlignedBytes {}
// SAFETY: shared access only reads.
unsafe impl Sync for AlignedBytes {}

impl AlignedBytes {
    /// A buffer of `len` zero bytes.
    ///
    /// # Errors
    /// If the system refuses, or `len` is more than the address space.
    pub fn zeroed(len: usize) -> Result<AlignedBytes, AllocError> {
        if len == 0 {
            return Ok(AlignedBytes {
                start: NonNull::<Line>::dangling().cast(),
                len,
                storage: Storage::Empty,
            });
        }
        if len >= HUGE_PAGE_BYTES
            && let Some((start, mapped)) = mapping::zeroed(len)
        {
            return Ok(AlignedBytes {
                start,
                len,
                storage: Storage::Mapped(mapped),
            });
        }
        let refused = AllocError { bytes: len };
        let layout = std::alloc::Layout::from_size_align(len, LINE_BYTES).map_err(|_| refused)?;
        // SAFETY: `len` is not zero.
        let start = NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) }).ok_or(refused)?;
        Ok(AlignedBytes {
            start,
            len,
            storage: Storage::Heap(layout),
        })
    }

    /// A copy of `bytes`.
    ///
    /// # Errors
    /// As [`AlignedBytes::zeroed`].
    pub fn copied(bytes: &[u8]) -> Result<AlignedBytes, AllocError> {
        let mut buffer = AlignedBytes::zeroed(bytes.len())?;
        buffer.copy_from_slice(bytes);
        Ok(buffer)
    }

    /// The buffer as f32 values; up to three bytes at the end are left out.
    pub fn as_f32(&self) -> &[f32] {
        self.view()
    }

    /// The buffer as f32 values, writable.
    pub fn as_f32_mut(&mut self) -> &mut [f32] {
        self.view_mut()
    }

    /// The buffer as u16 values (bf16 or f16 bits); an odd byte at the end is left out.
    pub fn as_u16(&self) -> &[u16] {
        self.view()
    }

    /// The buffer as u16 values, writable.
    pub fn as_u16_mut(&mut self) -> &mut [u16] {
        self.view_mut()
    }

    /// The buffer as i8 values.
    pub fn as_i8(&self) -> &[i8] {
        self.view()
    }

    /// The buffer as i8 values, writable.
    pub fn as_i8_mut(&mut self) -> &mut [i8] {
        self.view_mut()
    }

    fn view<T: AnyBits>(&self) -> &[T] {
        const { assert!(align_of::<T>() <= LINE_BYTES) };
        // SAFETY: `start` is aligned to at least LINE_BYTES, the length is rounded down to whole values inside the buffer, all
        // bytes are initialised and every bit pattern is a `T` (AnyBits).
        unsafe {
            std::slice::from_raw_parts(self.start.cast::<T>().as_ptr(), self.len / size_of::<T>())
        }
    }

    fn view_mut<T: AnyBits>(&mut self) -> &mut [T] {
        const { assert!(align_of::<T>() <= LINE_BYTES) };
        // SAFETY: as in `view`; `&mut self` makes the access exclusive.
        unsafe {
            std::slice::from_raw_parts_mut(
                self.start.cast::<T>().as_ptr(),
                self.len / size_of::<T>(),
            )
        }
    }
}

#[repr(align(64))]
struct Line;

/// Plain numbers: every bit pattern is a value, no padding.
trait AnyBits: Copy {}
impl AnyBits for f32 {}
impl AnyBits for u16 {}
impl AnyBits for i8 {}

impl Deref for AlignedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: `start` points to `len` initialised bytes that live as long as `self` (dangling but aligned when len is 0).
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl DerefMut for AlignedBytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `deref`; `&mut self` makes the access exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl std::fmt::Debug for AlignedBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AlignedBytes({} bytes)", self.len)
    }
}

impl Drop for AlignedBytes {
    fn drop(&mut self) {
        match self.storage {
            Storage::Empty => {}
            // SAFETY: `start` came from `alloc_zeroed` with this layout and is freed once.
            Storage::Heap(layout) => unsafe { std::alloc::dealloc(self.start.as_ptr(), layout) },
            // SAFETY: `start` and the length are those `mapping::zeroed` returned; nothing borrows them any more.
            Storage::Mapped(bytes) => unsafe { mapping::free(self.start, bytes) },
        }
    }
}

/// Anonymous mappings on 64-bit Linux, whose system interface is declared here rather than through a crate of its own.
/// Miri knows no giving back of a part of a mapping.
#[cfg(all(
    not(miri),
    target_os = "linux",
    target_pointer_width = "64",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod mapping {
    use std::ffi::{c_int, c_void};
    use std::ptr::NonNull;

    use super::HUGE_PAGE_BYTES;

    // Values of the x86-64 and AArch64 Linux ABI (`asm-generic/mman.h`).
    const PROT_READ_WRITE: c_int = 1 | 2;
    const MAP_PRIVATE_ANONYMOUS: c_int = 0x02 | 0x20;
    const MADV_HUGEPAGE: c_int = 14;

    unsafe extern "C" {
        fn mmap(
            address: *mut c_void,
            len: usize,
            protection: c_int,
            flags: c_int,
            file: c_int,
            offset: i64,
        ) -> *mut c_void;
        fn munmap(address: *mut c_void, len: usize) -> c_int;
        fn madvise(address: *mut c_void, len: usize, advice: c_int) -> c_int;
    }

    /// At least `len` zero bytes aligned to a huge page, with the mapped length; `None` if the system refuses.
    pub fn zeroed(len: usize) -> Option<(NonNull<u8>, usize)> {
        let bytes = len.checked_next_multiple_of(HUGE_PAGE_BYTES)?;
        let reserved = bytes.checked_add(HUGE_PAGE_BYTES)?;
        // SAFETY: a fresh private mapping at an address of the system's choice touches no existing memory.
        let address = unsafe {
            mmap(
                std::ptr::null_mut(),
                reserved,
                PROT_READ_WRITE,
                MAP_PRIVATE_ANONYMOUS,
                -1,
                0,
            )
        };
        if address.addr() == usize::MAX {
            return None;
        }
        let head = address.addr().next_multiple_of(HUGE_PAGE_BYTES) - address.addr();
        let tail = HUGE_PAGE_BYTES - head;
        let start = address.wrapping_byte_add(head);
        // SAFETY: head and tail are parts of the mapping above, in whole pages, and nobody else has their addresses. A refusal
        // of either call costs address space or speed, nothing else, so the results are not looked at.
        unsafe {
            if head > 0 {
                munmap(address, head);
            }
            if tail > 0 {
                munmap(start.wrapping_byte_add(bytes), tail);
            }
            madvise(start, bytes, MADV_HUGEPAGE);
        }
        NonNull::new(start.cast()).map(|start| (start, bytes))
    }

    /// Gives a mapping back.
    ///
    /// # Safety
    /// `start` and `bytes` come from one call of [`zeroed`], and nothing uses the memory any more.
    pub unsafe fn free(start: NonNull<u8>, bytes: usize) {
        // SAFETY: by the contract of this function.
        unsafe { munmap(start.as_ptr().cast(), bytes) };
    }
}

#[cfg(not(all(
    not(miri),
    target_os = "linux",
    target_pointer_width = "64",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
mod mapping {
    use std::ptr::NonNull;

    pub fn zeroed(_len: usize) -> Option<(NonNull<u8>, usize)> {
        None
    }

    pub unsafe fn free(_start: NonNull<u8>, _bytes: usize) {
        unreachable!("no mapping is made on this system");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_zero_and_aligned_whatever_their_size() {
        for len in [
            0,
            1,
            63,
            64,
            4097,
            HUGE_PAGE_BYTES - 1,
            HUGE_PAGE_BYTES,
            HUGE_PAGE_BYTES + 5,
        ] {
            // Miri takes minutes a megabyte, and makes no mapping anyway.
            if cfg!(miri) && len >= HUGE_PAGE_BYTES - 1 {
                continue;
            }
            let mut buffer = AlignedBytes::zeroed(len).unwrap();
            assert_eq!(buffer.len(), len);
            assert_eq!(buffer.as_ptr().addr() % LINE_BYTES, 0);
            assert!(buffer.iter().all(|&byte| byte == 0));
            buffer.fill(7);
            assert!(buffer.iter().all(|&byte| byte == 7));
            assert_eq!(buffer.as_f32().len(), len / 4);
        }
    }

    #[test]
    fn more_than_the_address_space_is_an_error() {
        for bytes in [usize::MAX, usize::MAX / 2 + 2, isize::MAX as usize - 1] {
            assert_eq!(
                AlignedBytes::zeroed(bytes).unwrap_err(),
                AllocError { bytes }
            );
        }
    }
}
