//! `.r3mes-expert`: an expert as one file. A zip archive of known files, the first of which says what the others are.
//!
//! - The manifest names every file with its size and hash; a pack with anything else in it is refused.
//! - Nothing from a pack names a place: files have one of seven names and go to one folder.
//! - Sizes are counted while inflating, against the manifest, so an archive cannot grow beyond what it says.
//! - The same expert gives the same bytes: fixed order, no times, nothing compressed.

mod manifest;
mod read;
mod write;

pub(super) use read::unpack;
pub(super) use write::write;

/// The ending of a pack's name.
pub(crate) const ENDING: &str = "r3mes-expert";
