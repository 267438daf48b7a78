//! What a check asked of coverage, and whom it found without: for machines and for lists.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::bot::analysis::Analysis;
use crate::checks::accounts::Accounts;
use crate::checks::{CHECKS, Context};
use crate::engine::coverage::{Entry, Other};
use crate::engine::{Cause, Gap, Reason, Scope};
use crate::tenant::{Directory, Word};

/// How many gaps, apps and accounts are listed unless all are wanted.
const SHOWN: usize = 50;

/// What a check asked of coverage under the tenant's own policies, in order: it is run once more and listened to.
pub(super) fn asked(analysis: &Analysis, check: &str, now: Timestamp) -> Vec<Entry> {
    let model = analysis.model.unasked();
    let context = Context { model: &model, hash: &analysis.hash, now, thresholds: &analysis.thresholds, rows: 0 };
    let run = CHECKS.iter().find(|one| one.about().id == check).map(|check| check.run(&context));
    if run.is_some() { model.questions_asked() } else { Vec::new() }
}

/// The questions of a check with their answers, as a machine reads them.
pub(super) fn machine(analysis: &Analysis, check: &str, (now, all): (Timestamp, bool)) -> Value {
    let questions = asked(analysis, check, now);
    Value::Array(questions.iter().map(|entry| question(analysis, entry, (now, all))).collect())
}

fn question(analysis: &Analysis, (requirement, scope, coverage): &Entry, (now, all): (Timestamp, bool)) -> Value {
    let directory = &analysis.snapshot().directory;
    let split = Accounts::of(&coverage.uncovered, &analysis.model, now);
    let most = if all { usize::MAX } else { SHOWN };
    let listed = coverage.uncovered.iter().filter_map(|at| directory.user_at(at)).take(most);
    let gaps = coverage.gaps();
    json!({
        "requirement": requirement.words(), "scope": told(scope), "lookedAt": coverage.looked_at.len(),
        "uncovered": {
            "total": coverage.uncovered.len(), "people": split.people.len(), "guests": split.guests.len(),
            "service": split.service.len(), "rooms": split.rooms.len(), "emergency": split.emergency.len(),
            "unused": split.unused.len(), "pending": split.pending.len(),
            "accounts": listed.map(|user| user.id.to_string()).collect::<Vec<_>>(),
        },
        "undecided": coverage.undecided.len(), "unresolved": coverage.unresolved, "actsAsBlock": coverage.acts_as_block,
        "gapsTotal": gaps.len(), "gaps": gaps.iter().take(most).map(|one| gap(directory, one, most)).collect::<Vec<_>>(),
    })
}

fn gap(directory: &Directory, gap: &Gap, most: usize) -> Value {
    let listed = gap.users.iter().filter_map(|at| directory.user_at(at)).take(most);
    let other = |other: &Other| match other {
        Other::AnyUser => "anyUser",
        Other::Guest(kind) => kind.word(),
    };
    json!({
        "users": gap.users.len(), "accounts": listed.map(|user| user.id.to_string()).collect::<Vec<_>>(),
        "others": gap.others.iter().map(other).collect::<Vec<_>>(), "sure": gap.sure,
        "apps": gap.apps.iter().take(most).collect::<Vec<_>>(), "appsTotal": gap.apps.len(), "anyApp": gap.any_app,
        "conditions": gap.conditions, "causes": gap.causes.iter().map(cause).collect::<Vec<_>>(),
    })
}

fn cause(cause: &Cause) -> Value {
    let (reason, of) = match &cause.reason {
        Reason::NoPolicy => ("noPolicy", Value::Null),
        Reason::ExcludedUser => ("excludedUser", Value::Null),
        Reason::ExcludedGroup(id) => ("excludedGroup", json!(id)),
        Reason::ExcludedRole(id) => ("excludedRole", json!(id)),
        Reason::ExcludedGuests => ("excludedGuests", Value::Null),
        Reason::UsersNotIncluded => ("usersNotIncluded", Value::Null),
        Reason::ExcludedApp => ("excludedApp", Value::Null),
        Reason::SparedApp => ("sparedApp", Value::Null),
        Reason::AppNotIncluded => ("appNotIncluded", Value::Null),
        Reason::NarrowerConditions(kinds) => ("narrowerConditions", json!(kinds)),
        Reason::WeakerControl(controls) => ("weakerControl", json!(controls)),
        Reason::ReportOnly => ("reportOnly", Value::Null),
        Reason::Off => ("off", Value::Null),
        Reason::Undecided(what) => ("undecided", json!(what)),
    };
    json!({"policyId": cause.policy_id, "reason": reason, "of": of})
}

/// Which sign-ins were looked at; what isn't narrowed is null, empty or false.
fn told(scope: &Scope) -> Value {
    json!({
        "users": scope.users.as_ref().map(roaring::RoaringBitmap::len), "guestTypes": scope.guest_types,
        "apps": scope.apps, "userAction": scope.user_action,
        "authenticationContext": scope.authentication_context, "contextOnResources": scope.context_on_resources,
        "clientApps": scope.client_apps,
        "platforms": scope.platforms, "flows": scope.flows, "signInRisk": scope.sign_in_risk,
        "userRisk": scope.user_risk, "insiderRisk": scope.insider_risk, "unmanagedDevices": scope.unmanaged_devices,
        "ordinaryDevice": scope.ordinary_device,
        "untrustedLocations": scope.untrusted_locations, "within": scope.within, "outside": scope.outside,
        "countries": scope.countries,
    })
}
