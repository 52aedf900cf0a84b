//! Where adapters are: on disk, in main memory, in the memory of a graphics processor; and how they move between the three.
//!
//! bytes are reserved → the adapter becomes resident → a question leases it. Each of the three is a value that gives back
//! in `Drop`: a reservation its bytes, a resident its reservation, a [`Lease`] its claim to stay.
//!
//! - The bytes reserved in a tier never exceed its budget, whatever happens at once.
//! - A leased adapter is never evicted, a pinned one neither. Otherwise the one that was used longest ago goes first, one
//!   tier down before it goes for good.
//! - A resident belongs to one version: the content of its files and the model it was made resident for. A file that changed
//!   is another version; leases of the old one keep it until they end.
//! - One adapter moves at a time. What moves for an answer goes before what moves for a guess.
//!
//! This module knows neither files nor models: it moves what an [`Adapters`] gives it.

mod adapters;
mod bring;
mod cache;
mod counts;
mod ledger;
mod movement;
mod predict;
mod preload;
mod report;
mod resident;
#[cfg(test)]
mod tests;

pub(crate) use adapters::{Adapters, Measured, Version};
pub(crate) use cache::Cache;
pub(crate) use ledger::Tiered;
pub(crate) use movement::Quiet;
pub(crate) use predict::next;
pub(crate) use preload::Preloader;
pub(crate) use resident::{Lease, Place};
#[cfg(test)]
pub(crate) use tests::Dice;
