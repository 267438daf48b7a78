//! The apps that open the inner network: Private Access itself, Quick Access, and what is published by itself.

use std::collections::BTreeSet;

use crate::tenant::directory::PrivateAccess;
use crate::tenant::well_known::APP_PRIVATE_ACCESS;
use crate::tenant::{Kind, ServicePrincipal, Snapshot};

use super::{Context, Finding, Verdict, listing};

/// Ids of all of them.
pub(super) fn all(snapshot: &Snapshot) -> BTreeSet<String> {
    let opens = |app: &&ServicePrincipal| {
        app.app_id == APP_PRIVATE_ACCESS || app.private_access.unwrap_or_default() != PrivateAccess::Nothing
    };
    snapshot.directory.service_principals.iter().filter(opens).map(|app| app.app_id.clone()).collect()
}

/// Quick Access, where there is one.
pub(super) fn quick_access(snapshot: &Snapshot) -> Option<&ServicePrincipal> {
    let apps = &snapshot.directory.service_principals;
    apps.iter().find(|app| app.private_access == Some(PrivateAccess::QuickAccess))
}

/// What would say which apps are published, where their tags were not read.
pub(super) fn untold(snapshot: &Snapshot) -> Option<String> {
    let untagged = snapshot.directory.service_principals.iter().any(|app| app.private_access.is_none());
    let what = "the separate apps that were published through Private Access (servicePrincipals.json with tags would settle it)";
    untagged.then(|| what.to_owned())
}

/// The finding where nothing is judged: apps were not read, or none of them opens the inner network.
pub(super) fn nothing(context: &Context<'_>, check: &'static str) -> Option<Finding> {
    let snapshot = &context.model.snapshot;
    if !snapshot.has(Kind::ServicePrincipals) {
        let what = "whether Private Access is used (servicePrincipals.json would settle it)";
        return Some(listing::unread(context, (check, "private_access"), what));
    }
    let none = || listing::open(context, check, "private_access.nowhere", Verdict::NotApplicable);
    all(snapshot).is_empty().then(none)
}
