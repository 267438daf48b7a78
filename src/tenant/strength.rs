//! Authentication strengths, as sets of allowed combinations of methods.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// An `authenticationStrengthPolicy`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Strength {
    /// Object id; the built-in ones are constants in [`super::well_known`].
    pub id: String,
    /// Its name; untrusted text for custom strengths.
    pub display_name: String,
    /// Each a comma-joined list of methods, such as `password,sms`.
    pub allowed_combinations: BTreeSet<String>,
    /// Whether it satisfies the MFA control (`requirementsSatisfied` is `mfa`).
    pub satisfies_mfa: bool,
}
