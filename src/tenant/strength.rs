//! Authentication strengths, as sets of allowed combinations of methods.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::well_known::{STRENGTH_MFA, STRENGTH_PASSWORDLESS, STRENGTH_PHISHING_RESISTANT};

/// An `authenticationStrengthPolicy`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Strength {
    /// Object id; the built-in ones are constants in [`super::well_known`].
    pub id: String,
    /// Its name; untrusted text for custom strengths.
    pub display_name: String,
    /// Each a comma-joined list of methods in alphabetical order, such as `password,sms`.
    pub allowed_combinations: BTreeSet<String>,
    /// Whether it satisfies the MFA control (`requirementsSatisfied` is `mfa`).
    pub satisfies_mfa: bool,
}

/// A combination with its methods in alphabetical order, so that equal combinations are equal text.
#[must_use]
pub fn canonical_combination(text: &str) -> String {
    let mut methods = text.split(',').map(str::trim).filter(|method| !method.is_empty()).collect::<Vec<_>>();
    methods.sort_unstable();
    methods.join(",")
}

/// The three strengths that every tenant has (Microsoft Learn, Authentication strengths).
#[must_use]
pub fn built_in() -> Vec<Strength> {
    let known = [
        (STRENGTH_MFA, "Multifactor authentication", [PHISHING_RESISTANT, PASSWORDLESS, OTHER_MFA].concat()),
        (STRENGTH_PASSWORDLESS, "Passwordless MFA", [PHISHING_RESISTANT, PASSWORDLESS].concat()),
        (STRENGTH_PHISHING_RESISTANT, "Phishing-resistant MFA", PHISHING_RESISTANT.to_vec()),
    ];
    known
        .into_iter()
        .map(|(id, name, combinations)| Strength {
            id: id.to_owned(),
            display_name: name.to_owned(),
            allowed_combinations: combinations.into_iter().map(canonical_combination).collect(),
            satisfies_mfa: true,
        })
        .collect()
}

/// Whether every method of a combination is known here.
#[must_use]
pub fn is_known(combination: &str) -> bool {
    const OTHERS: [&str; 4] = ["password", "email", "qrCodePin", "x509CertificateSingleFactor"];
    let known = [PHISHING_RESISTANT, PASSWORDLESS, OTHER_MFA].concat();
    let is_known =
        |method| OTHERS.contains(&method) || known.iter().any(|known| known.split(',').any(|one| one == method));
    combination.split(',').all(is_known)
}

/// Combinations that resist phishing.
pub const PHISHING_RESISTANT: &[&str] = &["windowsHelloForBusiness", "fido2", "x509CertificateMultiFactor"];

/// What passwordless MFA allows besides.
const PASSWORDLESS: &[&str] = &["deviceBasedPush"];

/// What MFA allows besides.
const OTHER_MFA: &[&str] = &[
    "temporaryAccessPassOneTime",
    "temporaryAccessPassMultiUse",
    "password,microsoftAuthenticatorPush",
    "password,softwareOath",
    "password,hardwareOath",
    "password,x509CertificateSingleFactor",
    "password,x509CertificateMultiFactor",
    "password,sms",
    "password,voice",
    "federatedMultiFactor",
    "microsoftAuthenticatorPush,federatedSingleFactor",
    "softwareOath,federatedSingleFactor",
    "hardwareOath,federatedSingleFactor",
    "sms,federatedSingleFactor",
    "voice,federatedSingleFactor",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_of_the_future_is_not_known() {
        for known in ["password,sms", "fido2", "qrCodePin", "federatedSingleFactor", "email,password"] {
            assert!(is_known(known), "{known}");
        }
        assert!(!is_known("unknownFutureValue") && !is_known("password,unknownFutureValue"));
    }

    #[test]
    fn each_built_in_strength_lies_within_the_weaker_one() {
        let strengths = built_in();
        let sizes = strengths.iter().map(|strength| strength.allowed_combinations.len()).collect::<Vec<_>>();
        assert_eq!(sizes, [19, 4, 3]);
        for pair in strengths.windows(2) {
            assert!(pair[1].allowed_combinations.is_subset(&pair[0].allowed_combinations));
        }
    }
}
