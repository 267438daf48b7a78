//! Accounts that software signs in with are kept to known places.

use crate::engine::{Requirement, Scope};
use crate::tenant::directory::AccountKind;
use crate::tenant::location::Place;
use crate::tenant::policy::{Control, Sides, UserSide};
use crate::tenant::{Kind, Policy, Snapshot};

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts};

/// Accounts that software signs in with are kept to known places.
#[derive(Debug)]
pub(super) struct ServiceAccounts;

static ABOUT: About = About {
    id: "service-accounts",
    title: "Service accounts kept to known places",
    severity: Severity::Medium,
    rationale: "A user account that software signs in with can't do MFA, so its password is all there is. The software runs in few places: everywhere else the account should be blocked. A workload identity would be better still.",
    references: &[],
    see_also: &["ZT 21884"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for ServiceAccounts {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let model = context.model;
        let users = model.snapshot.directory.users.iter().zip(0u32..);
        let accounts = users.filter(|(user, _)| user.enabled && user.account == AccountKind::Service);
        let scope = Scope {
            users: Some(accounts.map(|(_, index)| index).collect()),
            untrusted_locations: true,
            ..Scope::default()
        };
        let missing = "which accounts software signs in with (users.json would settle it)";
        let mut finding = judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "service_accounts",
                requirement: Requirement::Block,
                scope: scope.clone(),
                missing: (!model.snapshot.has(Kind::Users)).then_some(missing),
                draft: draft(&model.snapshot, &scope).map(|draft| ("Block service accounts elsewhere", draft)),
            },
        );
        finding.not_checked.push("service accounts that look like people in the directory".to_owned());
        finding
    }
}

/// Blocked outside trusted locations; none where no location is trusted, since that would block them everywhere.
fn draft(snapshot: &Snapshot, scope: &Scope) -> Option<Policy> {
    let trusted = |place: &Place| matches!(place, Place::Ip { trusted: true, ranges } if !ranges.is_empty());
    let anywhere = snapshot.locations.values().any(|location| trusted(&location.place))
        || !snapshot.settings.mfa_trusted_ips.is_empty();
    let users = scope.users.as_ref().filter(|_| anywhere)?;
    let ids = users.iter().filter_map(|index| snapshot.directory.user_at(index)).map(|user| user.id.clone());
    let mut draft = drafts::for_everyone(snapshot, "Block outside trusted locations", &[Control::Block]);
    draft.display_name = drafts::name(snapshot, "Block outside trusted locations", "Service accounts");
    draft.conditions.users.include = UserSide { users: ids.collect(), ..UserSide::default() };
    draft.conditions.locations =
        Some(Sides { include: ["All".to_owned()].into(), exclude: ["AllTrusted".to_owned()].into() });
    Some(draft)
}
