//! Teams as seen from outside: tokens of a test authority, activities as the service sends them, posts to a fake service.
//!
//! (`cfg(test)` tells the lints that helpers are tests too.)

#[cfg(test)]
mod activities;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod lab;
#[cfg(test)]
mod posting;
#[cfg(test)]
mod shown;
#[cfg(test)]
mod tokens;
