//! What the error codes of sign-ins mean, as far as Conditional Access is concerned.
//!
//! Source: Microsoft Learn, Microsoft Entra authentication and authorization error codes; restated.

/// A code, what it means, and what gets the person in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Code {
    /// The number of `AADSTS…`.
    pub(super) number: i64,
    /// What it means, to complete "because".
    pub(super) meaning: &'static str,
    /// What the person can do; empty when it is not up to them.
    pub(super) remedy: &'static str,
    /// It comes from Conditional Access.
    pub(super) ours: bool,
}

const fn code(number: i64, meaning: &'static str, remedy: &'static str) -> Code {
    Code { number, meaning, remedy, ours: true }
}

const fn other(number: i64, meaning: &'static str, remedy: &'static str) -> Code {
    Code { number, meaning, remedy, ours: false }
}

/// The codes that are asked about.
const CODES: &[Code] = &[
    code(
        53000,
        "the device is not compliant",
        "bring the device up to its compliance policy, then \"Check status\" in Company Portal",
    ),
    code(53001, "the device is not Microsoft Entra hybrid joined", "sign in from a hybrid joined device"),
    code(53002, "the app is not an approved client app", "use an approved client app, such as Outlook"),
    code(53003, "a policy blocks access", "nothing on their side: the policy's conditions or scope decide"),
    code(
        53004,
        "MFA has to be registered first, and registering was not allowed from there",
        "register MFA from a place where it is allowed",
    ),
    code(53009, "the app needs an app protection policy (Intune)", "use an app that Intune protects"),
    code(530_032, "a security policy of the tenant blocks access", "nothing on their side"),
    code(
        530_036,
        "a policy blocks this authentication flow",
        "sign in without device code flow or authentication transfer",
    ),
    code(50005, "the platform is not supported by a device policy", "sign in from a supported platform"),
    code(50074, "MFA was required and not done", "complete MFA"),
    code(50076, "MFA was required, by a policy or because of a new place", "complete MFA"),
    code(50079, "MFA has to be registered first", "register a method at aka.ms/mfasetup"),
    code(
        50097,
        "the device has to authenticate",
        "sign in with the device's work account, in an app that can show the device",
    ),
    code(50129, "the device is not joined to the workplace", "register or join the device"),
    code(
        50158,
        "something outside Entra has to be passed (custom control, terms of use or another provider)",
        "complete that step; software that signs in by itself can't",
    ),
    code(50131, "a condition of a policy was not met, such as device state or risk", "see the policy's conditions"),
    other(50126, "the user name or password was wrong", "try again, or reset the password"),
    other(
        50053,
        "the account is locked after too many attempts, or the address is blocked",
        "wait, or have the attempts looked at",
    ),
    other(50055, "the password has expired", "change the password"),
    other(50057, "the account is disabled", "have the account enabled"),
    other(50034, "there is no such account here", "check the user name"),
    other(50105, "the person is not assigned to the app", "have the app assigned"),
    other(50140, "the person was asked whether to stay signed in", "answer the question; it is not an error"),
    other(50173, "the session was revoked, such as by a password change", "sign in again"),
    other(70043, "the session ended by sign-in frequency", "sign in again"),
    other(70044, "the session ended by sign-in frequency", "sign in again"),
    other(700_016, "the app is not known in this tenant", "check the app's id and tenant"),
];

/// The entry of a code.
pub(super) fn of(number: i64) -> Option<&'static Code> {
    CODES.iter().find(|code| code.number == number)
}

/// The number in `AADSTS53003`, `aadsts 53003` or `53003`.
pub(super) fn number(text: &str) -> Option<i64> {
    text.chars().filter(char::is_ascii_digit).collect::<String>().parse().ok()
}
