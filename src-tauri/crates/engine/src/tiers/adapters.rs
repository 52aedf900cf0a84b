//! What the tiers move, and who moves it: the seam between this module and files, models and devices.

use crate::error::EngineError;

/// Which adapter this is, exactly: two that are equal compute the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// Content of its files: `sha256:…`.
    pub generation: String,
    /// The model in memory it was made resident for; counted up with each model.
    pub model: u64,
}

/// An adapter on disk, with what it will take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    /// Which it is now.
    pub version: Version,
    /// Bytes it takes in memory.
    pub bytes: u64,
}

/// Brings adapters from disk to memory and from memory to a device and back.
pub(crate) trait Adapters: Send + Sync + 'static {
    /// An adapter in main memory.
    type Host: Send + Sync;
    /// An adapter in the memory of a device.
    type Device: Send + Sync;

    /// What is on disk now. Called for every lease, so it is cheap while nothing changed.
    ///
    /// # Errors
    /// If there is no such adapter, or it cannot be used.
    fn measure(&self, id: &str) -> Result<Measured, EngineError>;

    /// Reads an adapter. Gives nothing when `keep_going` said no, or when the files are no longer the version that was measured.
    ///
    /// # Errors
    /// If it cannot be used.
    fn load(
        &self,
        id: &str,
        version: &Version,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Self::Host>, EngineError>;

    /// Copies an adapter to the device.
    ///
    /// # Errors
    /// If the device refuses.
    fn upload(&self, host: &Self::Host) -> Result<Self::Device, EngineError>;

    /// Copies an adapter back from the device.
    ///
    /// # Errors
    /// If the device refuses.
    fn download(&self, device: &Self::Device) -> Result<Self::Host, EngineError>;
}
