//! BitNet models.
