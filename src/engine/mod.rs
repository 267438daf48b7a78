//! The exact analysis: pure, without clock, network, environment or hash order.
