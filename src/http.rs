//! Routes, layers, health and metrics.
