//! What Microsoft Graph, the portal or plain sense would refuse in a draft, before it is sent anywhere.
//!
//! The rules are numbered; each message says in an administrator's words what is wrong and what would be right. A rule
//! that needs something of the tenant that wasn't read (its groups, its licences) says nothing.

mod body;
mod conditions;
mod controls;
mod emergency;
mod session;
mod target;
mod tenant;
mod users;

use crate::tenant::policy::{ClientAppType, Conditions, Control, FilterMode, Operator, Policy, Users};
use crate::tenant::version::canonical_conditions;
use crate::tenant::{Kind, Snapshot};

pub use body::lint_body;
pub use emergency::{is_nobodys, reaches_emergency_access};

/// Something to mend in a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// Number of the rule, 1 to 45.
    pub rule: u8,
    /// Whether it keeps the draft from being created.
    pub level: Level,
    /// What is wrong, as an administrator reads it.
    pub message: String,
}

/// How much an objection weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Stands on the card.
    Warning,
    /// The draft is not offered.
    Error,
}

/// All objections to a draft, errors first.
#[must_use]
pub fn lint(policy: &Policy, snapshot: &Snapshot) -> Vec<Objection> {
    let mut case = Case { policy, snapshot, found: Vec::new() };
    let families: [fn(&mut Case<'_>); 7] = [
        users::check,
        target::check,
        controls::check,
        session::check,
        conditions::check,
        tenant::check,
        emergency::check,
    ];
    for check in families {
        check(&mut case);
    }
    case.found.sort_by_key(|objection| (std::cmp::Reverse(objection.level), objection.rule));
    case.found
}

/// Whether a draft may be offered: it has no errors.
#[must_use]
pub fn is_acceptable(policy: &Policy, snapshot: &Snapshot) -> bool {
    lint(policy, snapshot).iter().all(|objection| objection.level == Level::Warning)
}

/// A draft under examination, and what was found so far.
struct Case<'a> {
    policy: &'a Policy,
    snapshot: &'a Snapshot,
    found: Vec<Objection>,
}

impl<'a> Case<'a> {
    fn error(&mut self, rule: u8, wrong: bool, message: impl Into<String>) {
        self.object(rule, Level::Error, wrong, message);
    }

    fn warn(&mut self, rule: u8, wrong: bool, message: impl Into<String>) {
        self.object(rule, Level::Warning, wrong, message);
    }

    fn object(&mut self, rule: u8, level: Level, wrong: bool, message: impl Into<String>) {
        if wrong {
            self.found.push(Objection { rule, level, message: message.into() });
        }
    }

    fn conditions(&self) -> &'a Conditions {
        &self.policy.conditions
    }

    fn users(&self) -> &'a Users {
        &self.policy.conditions.users
    }

    /// Whether the target is these apps alone, and no user action. Which ones a filter for apps picks, nobody can say.
    fn only_apps(&self, able: impl Fn(&str) -> bool) -> bool {
        let apps = &self.conditions().applications;
        let picks = apps.filter.as_ref().is_some_and(|filter| filter.mode == FilterMode::Include);
        !apps.all && !picks && !apps.include.is_empty() && apps.include.iter().all(|app| able(app))
    }

    fn controls(&self) -> impl Iterator<Item = &'a Control> + use<'a> {
        self.policy.grant.iter().flat_map(|grant| &grant.controls)
    }

    fn has(&self, control: &Control) -> bool {
        self.controls().any(|found| found == control)
    }

    fn has_strength(&self) -> bool {
        self.controls().any(|found| matches!(found, Control::Strength(_)))
    }

    /// Nobody gets past without one of these: they stand alone, or every control is asked for.
    fn demands_one_of(&self, wanted: &[Control]) -> bool {
        let Some(grant) = &self.policy.grant else { return false };
        let all = grant.controls.iter().all(|control| wanted.contains(control));
        let any = grant.controls.iter().any(|control| wanted.contains(control));
        any && (all || grant.operator == Operator::And)
    }

    /// About workload identities or agents rather than people.
    fn is_workload(&self) -> bool {
        self.conditions().client_applications.is_some()
    }

    /// Reaches people at all.
    fn is_about_people(&self) -> bool {
        let include = &self.users().include;
        let named = include.users.iter().any(|user| user != "None");
        include.all || named || !include.groups.is_empty() || !include.roles.is_empty() || include.guests.is_some()
    }

    fn excludes_nobody(&self) -> bool {
        let exclude = &self.users().exclude;
        exclude.users.is_empty() && exclude.groups.is_empty() && exclude.roles.is_empty() && exclude.guests.is_none()
    }

    /// Every kind of client, without further conditions.
    fn is_unconditional(&self) -> bool {
        self.any_client() && has_no_more(self.conditions())
    }

    /// Whatever its conditions look like, every sign-in meets them: any location and any platform narrow nothing, and all
    /// kinds of client one by one are all.
    fn is_always_met(&self) -> bool {
        let conditions = canonical_conditions(self.conditions());
        let types = &conditions.client_app_types;
        let any = types.contains(&ClientAppType::All) || EVERY_CLIENT.iter().all(|kind| types.contains(kind));
        any && has_no_more(&conditions)
    }

    fn any_client(&self) -> bool {
        let types = &self.conditions().client_app_types;
        types.is_empty() || types.contains(&ClientAppType::All)
    }

    /// Takes in Exchange ActiveSync, on all platforms or on those that are supported.
    fn takes_active_sync(&self) -> bool {
        ACTIVE_SYNC.iter().any(|kind| self.conditions().client_app_types.contains(kind))
    }

    fn was_read(&self, kind: Kind) -> bool {
        self.snapshot.has(kind)
    }
}

/// The two names of Exchange ActiveSync.
const ACTIVE_SYNC: [ClientAppType; 2] = [ClientAppType::ExchangeActiveSync, ClientAppType::EasSupported];

/// All kinds of client, one by one.
const EVERY_CLIENT: [ClientAppType; 4] = [
    ClientAppType::Browser,
    ClientAppType::MobileAppsAndDesktopClients,
    ClientAppType::ExchangeActiveSync,
    ClientAppType::Other,
];

/// No conditions but those on people, targets and clients.
fn has_no_more(conditions: &Conditions) -> bool {
    conditions.platforms.is_none()
        && conditions.locations.is_none()
        && conditions.device_filter.is_none()
        && conditions.sign_in_risk.is_empty()
        && conditions.user_risk.is_empty()
        && conditions.insider_risk.is_empty()
        && conditions.agent_risk.is_empty()
        && conditions.flows.is_empty()
}

#[cfg(test)]
mod testing {
    use serde_json::{Value, json};

    use super::*;
    use crate::tenant::read_policy;

    /// A draft that every rule accepts, changed by setting members at JSON pointers.
    pub(super) fn draft(changes: &[(&str, Value)]) -> Policy {
        let mut body = json!({
            "displayName": "CA211 Block device code flow", "state": "enabledForReportingButNotEnforced",
            "conditions": {
                "clientAppTypes": ["all"], "users": {"includeUsers": ["All"], "excludeGroups": ["break-glass"]},
                "applications": {"includeApplications": ["All"]}
            },
            "grantControls": {"operator": "OR", "builtInControls": ["mfa"]}, "sessionControls": null
        });
        for (pointer, value) in changes {
            set(&mut body, pointer, value.clone());
        }
        read_policy(&body).unwrap()
    }

    fn set(body: &mut Value, pointer: &str, value: Value) {
        let mut place = body;
        for name in pointer.trim_start_matches('/').split('/') {
            if !place.is_object() {
                *place = json!({});
            }
            place = &mut place[name];
        }
        *place = value;
    }

    /// A tenant in which the acceptable draft is acceptable.
    pub(super) fn tenant() -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.settings.emergency_access.insert("break-glass".to_owned());
        snapshot
    }

    /// The numbers of the rules that object, each once.
    pub(super) fn rules(policy: &Policy, snapshot: &Snapshot) -> Vec<u8> {
        let mut rules = lint(policy, snapshot).iter().map(|objection| objection.rule).collect::<Vec<_>>();
        rules.sort_unstable();
        rules.dedup();
        rules
    }

    /// Asserts that `rule` objects to the changed draft.
    pub(super) fn objects(rule: u8, changes: &[(&str, Value)]) {
        let found = rules(&draft(changes), &tenant());
        assert!(found.contains(&rule), "rule {rule} is silent about {changes:?}, heard {found:?}");
    }

    /// Asserts that no rule objects with an error.
    pub(super) fn accepts(changes: &[(&str, Value)]) {
        let policy = draft(changes);
        assert!(is_acceptable(&policy, &tenant()), "{:?}", lint(&policy, &tenant()));
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{draft, tenant};
    use super::*;

    #[test]
    fn a_good_draft_is_met_with_silence() {
        assert_eq!(lint(&draft(&[]), &tenant()), []);
    }

    #[test]
    fn errors_come_first() {
        let policy = draft(&[
            ("/displayName", "".into()),
            ("/grantControls/customAuthenticationFactors", ["x"].as_slice().into()),
        ]);
        let levels = lint(&policy, &tenant()).into_iter().map(|objection| (objection.rule, objection.level));
        assert_eq!(levels.collect::<Vec<_>>(), [(1, Level::Error), (42, Level::Warning)]);
    }
}
