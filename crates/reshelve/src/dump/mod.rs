//! Readers of every form in which the legacy collection can arrive, told apart by content.
