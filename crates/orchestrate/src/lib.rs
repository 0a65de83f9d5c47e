//! orchestrate
