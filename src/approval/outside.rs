//! What happens to an approval from outside: the policies it rests on, and what people change in the tenant.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Click;

/// A policy that was On when a card was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestsOn {
    /// Object id.
    pub id: String,
    /// Its name then; untrusted text.
    pub name: String,
    /// Short hash of its meaning then.
    pub version: String,
}

/// A record of the tenant's audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRef {
    /// Id in the log.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Activity, such as `Update conditional access policy`.
    pub activity: String,
    /// Who did it; untrusted text.
    pub by: String,
    /// To what; untrusted text.
    pub target: String,
}

/// A change that isn't as the card describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// Where the tenant's audit log tells it.
    pub record: AuditRef,
    /// Object id of what was changed or created.
    pub object: String,
    /// Each field that differs: label in the portal's words, as described, as done; untrusted text.
    pub differs: Vec<(String, String, String)>,
}

/// What a person wants to be different about what a card asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Who wants it, and when the click came: of one person's, the one that came last stands.
    pub click: Click,
    /// In their words; untrusted text.
    pub text: String,
}

/// Why a policy of the bot's own was not taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Who changed it, where the tenant's audit log says so by now.
    pub record: Option<AuditRef>,
    /// Each field that differs: label in the portal's words, as the bot made it, as it is; untrusted text.
    pub differs: Vec<(String, String, String)>,
}
