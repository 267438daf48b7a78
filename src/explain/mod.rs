//! The only module that talks to a language model.
