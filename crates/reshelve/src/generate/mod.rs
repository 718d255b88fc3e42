//! Synthetic legacy data, seeded and deterministic.
