//! The configuration: TOML and environment, validated; the only reader of the environment.
