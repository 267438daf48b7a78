//! Accounts that software signs in with are kept to known places.

use roaring::RoaringBitmap;

use crate::engine::{Requirement, Scope};
use crate::facts::Fact;
use crate::tenant::directory::AccountKind;
use crate::tenant::location::Place;
use crate::tenant::policy::{Control, Sides, UserSide};
use crate::tenant::{Kind, Policy, Snapshot};

use super::accounts::emergency_access;
use super::{About, Check, Context, CureKind, Finding, Severity, Verdict, drafts, listing, rows};

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
        let snapshot = &context.model.snapshot;
        if !snapshot.has(Kind::Users) {
            let mut finding = listing::open(context, ABOUT.id, "service_accounts.review", Verdict::Review);
            finding.not_checked.push("which accounts software signs in with (users.json would settle it)".to_owned());
            return finding;
        }
        let accounts = accounts(snapshot);
        if accounts.is_empty() {
            return listing::open(context, ABOUT.id, "service_accounts.nobody", Verdict::NotApplicable);
        }
        let scope = Scope { users: Some(accounts.clone()), untrusted_locations: true, ..Scope::default() };
        let coverage = context.model.coverage(&Requirement::Block, &scope);
        let verdict = match (coverage.uncovered.is_empty(), coverage.undecided.is_empty()) {
            (false, _) => Verdict::Fail,
            (true, false) => Verdict::Review,
            (true, true) => Verdict::Pass,
        };
        let key = match verdict {
            Verdict::Fail => "service_accounts.fail",
            Verdict::Review => "service_accounts.review",
            _ => "service_accounts.pass",
        };
        let rows = rows::users(&coverage.uncovered, snapshot, None);
        let headline = Fact::new(key, context.evidence(rows))
            .with("accounts", coverage.uncovered.len())
            .with("of", accounts.len())
            .must_show();
        let offered = draft(snapshot, &coverage.uncovered)
            .filter(|_| verdict == Verdict::Fail)
            .and_then(|draft| drafts::offer(context, "Block service accounts outside trusted locations", draft));
        let mut not_checked: Vec<String> = coverage.unresolved.iter().cloned().collect();
        not_checked.push("service accounts that look like people in the directory".to_owned());
        Finding { check: ABOUT.id, verdict, facts: vec![headline], not_checked, cures: offered.into_iter().collect() }
    }
}

/// Enabled accounts that software signs in with; those for emergencies are not among them.
fn accounts(snapshot: &Snapshot) -> RoaringBitmap {
    let users = snapshot.directory.users.iter().zip(0u32..);
    let accounts = users.filter(|(user, _)| user.enabled && user.account == AccountKind::Service);
    accounts.map(|(_, index)| index).collect::<RoaringBitmap>() - emergency_access(snapshot)
}

/// Blocked outside trusted locations; none where no location is trusted, since that would block them everywhere.
fn draft(snapshot: &Snapshot, users: &RoaringBitmap) -> Option<Policy> {
    let trusted = |place: &Place| matches!(place, Place::Ip { trusted: true, ranges } if !ranges.is_empty());
    let anywhere = snapshot.locations.values().any(|location| trusted(&location.place))
        || snapshot.settings.mfa_trusted().next().is_some();
    if !anywhere {
        return None;
    }
    let ids = users.iter().filter_map(|index| snapshot.directory.user_at(index)).map(|user| user.id.to_string());
    let mut draft = drafts::for_everyone(snapshot, "Block outside trusted locations", &[Control::Block]);
    draft.display_name = drafts::name(snapshot, "Block outside trusted locations", "Service accounts");
    draft.conditions.users.include = UserSide { users: ids.collect(), ..UserSide::default() };
    draft.conditions.locations =
        Some(Sides { include: ["All".to_owned()].into(), exclude: ["AllTrusted".to_owned()].into() });
    Some(draft)
}
