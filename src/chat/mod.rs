//! The only modules that know a chat product.
