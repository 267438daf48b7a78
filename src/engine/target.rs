//! What is asked for: apps, groups of apps, application filters, user actions, authentication contexts, baseline scopes.
//!
//! Sources: Microsoft Learn, Conditional Access: Target resources; Filter for applications; resource exclusions and
//! the enforcement of low-privilege scopes (2026).

use std::collections::{BTreeMap, BTreeSet};

use super::truth::Truth;
use super::unknown_words::is_word;
use super::{Model, attribute_filter};
use crate::tenant::SignIn;
use crate::tenant::policy::{Applications, Control, FilterMode, Operator, Policy, PolicyState};
use crate::tenant::sign_in::{Identity, Target};
use crate::tenant::snapshot::BaselineScopes;
use crate::tenant::well_known::{
    APP_AZURE_DEVOPS, APP_AZURE_MANAGEMENT, APP_EXCHANGE_ONLINE, APP_INTUNE_ENROLLMENT, APP_SHAREPOINT_ONLINE,
    APP_TEAMS, APP_TOKEN_EXCHANGE, APP_WINDOWS_AZURE_AD, REGISTER_SECURITY_INFO,
};

/// Groups of apps that policies can name, and the members that are published.
const GROUPS: [(&str, &[&str]); 3] = [
    ("Office365", &[APP_EXCHANGE_ONLINE, APP_SHAREPOINT_ONLINE, APP_TEAMS]),
    ("MicrosoftAdminPortals", &["c44b4083-3bb0-49c1-b47d-974e53cbdf3c"]),
    (APP_AZURE_MANAGEMENT, AZURE_MANAGEMENT),
];

/// What the Azure management API takes in besides itself; unlike the others, this list is published as complete: Azure
/// portal, Azure Data Lake, Application Insights API, Log Analytics API. The page gives names alone; the last three ids stand
/// under these names in several public repositories, and no page of Microsoft's was found that states them.
const AZURE_MANAGEMENT: &[&str] = &[
    "c44b4083-3bb0-49c1-b47d-974e53cbdf3c",
    "e9f49c6b-5ce5-44c8-925d-015017e9f7ad",
    "f5c26e74-f226-4ae8-85f0-b4af0080ac9e",
    "ca7f3f0b-7d91-482c-8e09-c5d840d0eac5",
];

/// The app in which people remediate their own risk; nothing reaches it.
const RISK_REMEDIATION_APP: &str = "93625bc8-bfe2-437a-97e0-3d0060024faa";

/// Whether Microsoft spares this request from the policy: risk remediation from every policy, the enrolment of devices
/// from a compliant device asked of all resources, agents from the exchange of their tokens.
///
/// Sources: Microsoft Learn, Conditional Access: Target resources; Require device compliance; agent identities.
pub(super) fn spared(policy: &Policy, sign_in: &SignIn) -> bool {
    let Target::Apps(ids) = &sign_in.target else { return false };
    let only = |app: &str| !ids.is_empty() && ids.iter().all(|id| id == app);
    let apps = &policy.conditions.applications;
    only(RISK_REMEDIATION_APP)
        || (only(APP_INTUNE_ENROLLMENT) && !apps.include.contains(APP_INTUNE_ENROLLMENT) && asks_compliance(policy))
        || (only(APP_TOKEN_EXCHANGE) && matches!(sign_in.identity, Identity::Agent(_)))
}

/// Whether Microsoft spares requests for this app from some policies.
pub(super) fn is_apart(id: &str) -> bool {
    [RISK_REMEDIATION_APP, APP_INTUNE_ENROLLMENT, APP_TOKEN_EXCHANGE].contains(&id)
}

/// Whether a policy tells only those apps from all others that it names, but for apps that are set [apart](is_apart).
pub(super) fn is_by_name(model: &Model, policy: &Policy) -> bool {
    let condition = &policy.conditions.applications;
    let mut names = condition.include.union(&condition.exclude);
    policy.undecided.is_empty() && condition.filter.is_none() && !names.any(|name| may_be_group(model, name))
}

/// Whether a policy that is On takes in all resources, and the enrolment of devices is spared from it all the same.
pub(super) fn spares_enrolment(policy: &Policy) -> bool {
    let apps = &policy.conditions.applications;
    let named = apps.include.contains(APP_INTUNE_ENROLLMENT) || apps.exclude.contains(APP_INTUNE_ENROLLMENT);
    policy.state == PolicyState::Enabled && apps.all && !named && asks_compliance(policy)
}

/// A compliant device is all that the policy asks for, or one of the ways to meet it.
fn asks_compliance(policy: &Policy) -> bool {
    let grant = policy.grant.as_ref();
    grant.is_some_and(|grant| grant.operator == Operator::Or && grant.controls.contains(&Control::CompliantDevice))
}

/// Microsoft Graph.
const MICROSOFT_GRAPH: &str = "00000003-0000-0000-c000-000000000000";
/// Scopes that sign a person in and read only their own profile.
const OPEN_ID: [&str; 4] = ["email", "offline_access", "openid", "profile"];
/// Baseline scopes of any client, besides [`OPEN_ID`].
const BASELINE: [&str; 2] = ["user.read", "people.read"];
/// Baseline scopes of confidential clients, besides those.
const BASELINE_CONFIDENTIAL: [&str; 5] =
    ["user.read.all", "user.readbasic.all", "people.read.all", "groupmember.read.all", "member.read.hidden"];

/// Whether the target condition is met; apps, user actions and contexts are alternatives.
pub(super) fn met(model: &Model, condition: &Applications, sign_in: &SignIn) -> Truth {
    match &sign_in.target {
        Target::Unstated if takes_every_app(condition) => Truth::Yes,
        Target::Unstated => Truth::Maybe,
        Target::UserAction(urn) => {
            (condition.user_actions.contains(urn) || (condition.all && urn == REGISTER_SECURITY_INFO)).into()
        }
        Target::Context(id) => condition.contexts.contains(id).into(),
        Target::Apps(ids) => {
            let of_apps = || {
                let met = |id: &str| app_met(model, condition, id);
                Truth::any(resources(ids, sign_in).map(met)).or(unlogged(condition, sign_in))
            };
            match if leaks(condition) { asks_baseline_only(sign_in) } else { Truth::No } {
                Truth::No => of_apps(),
                Truth::Yes => baseline(model, condition),
                Truth::Maybe => {
                    let (one, other) = (of_apps(), baseline(model, condition));
                    if one == other { one } else { Truth::Maybe }
                }
            }
        }
    }
}

/// Microsoft's services that own data behind Microsoft Graph, by how the names of its scopes begin.
const OWNERS: [(&str, &[&str]); 3] = [
    (APP_EXCHANGE_ONLINE, &["mail.", "mailboxsettings.", "calendars.", "contacts."]),
    (APP_SHAREPOINT_ONLINE, &["files.", "sites."]),
    (APP_TEAMS, &["chat.", "channel.", "channelmessage.", "team."]),
];

/// What policies are asked about: in place of Microsoft Graph, which no policy can name, the services whose scopes are asked
/// for. Risk remediation is reached by none.
///
/// Source: Microsoft Learn, Conditional Access: Target resources (service dependencies).
fn resources<'a>(ids: &'a [String], sign_in: &SignIn) -> impl Iterator<Item = &'a str> {
    let scopes = sign_in.scopes.as_deref().unwrap_or_default();
    let names = scopes.iter().filter_map(|scope| directory_scope(scope));
    let owner = |name: String| {
        OWNERS.iter().find(|(_, begins)| begins.iter().any(|begin| name.starts_with(begin))).map(|(app, _)| *app)
    };
    let owners: Vec<Option<&str>> = names.filter(|name| !OPEN_ID.contains(&name.as_str())).map(owner).collect();
    let asked = !owners.is_empty() && owners.iter().all(Option::is_some);
    let graph = ids.iter().any(|id| id == MICROSOFT_GRAPH);
    let own = ids.iter().map(String::as_str).filter(move |id| !(asked && *id == MICROSOFT_GRAPH));
    own.filter(|id| *id != RISK_REMEDIATION_APP).chain(owners.into_iter().flatten().filter(move |_| graph))
}

/// A log doesn't say whether a user action or a context of the condition was asked for.
fn unlogged(condition: &Applications, sign_in: &SignIn) -> Truth {
    if sign_in.logged && is_about_requests(condition) { Truth::Maybe } else { Truth::No }
}

/// Whether a condition is about user actions or authentication contexts.
pub(super) fn is_about_requests(condition: &Applications) -> bool {
    !condition.user_actions.is_empty() || !condition.contexts.is_empty()
}

fn takes_every_app(condition: &Applications) -> bool {
    condition.all && !excludes(condition)
}

fn excludes(condition: &Applications) -> bool {
    !condition.exclude.is_empty() || condition.filter.as_ref().is_some_and(|filter| filter.mode == FilterMode::Exclude)
}

/// Whether baseline scopes could slip past: `All` with an exclusion.
pub(super) fn leaks(condition: &Applications) -> bool {
    condition.all && excludes(condition)
}

/// Requests for baseline scopes only, against `All` with an exclusion.
fn baseline(model: &Model, condition: &Applications) -> Truth {
    match &model.snapshot.settings.baseline_scopes {
        BaselineScopes::Legacy => Truth::No,
        BaselineScopes::Enforced => app_met(model, condition, APP_WINDOWS_AZURE_AD),
        BaselineScopes::CustomTarget(app) => app_met(model, condition, app),
        BaselineScopes::Unknown => app_met(model, condition, APP_WINDOWS_AZURE_AD).and(Truth::Maybe),
    }
}

/// Only baseline scopes are asked for; a confidential client that signs people in to itself asks for itself. Where it isn't
/// known which client it is, it may be any.
fn asks_baseline_only(sign_in: &SignIn) -> Truth {
    let Some(scopes) = sign_in.scopes.as_ref().filter(|scopes| !scopes.is_empty()) else { return Truth::No };
    // A scope of another resource than the two directories is none, whatever its name.
    let Some(names) = scopes.iter().map(|scope| directory_scope(scope)).collect::<Option<Vec<_>>>() else {
        return Truth::No;
    };
    let open_id = |name: &String| OPEN_ID.contains(&name.as_str());
    let asks = |confidential: bool, itself: bool| {
        let own = confidential && itself && names.iter().all(open_id);
        let baseline = |name: &String| {
            open_id(name)
                || BASELINE.contains(&name.as_str())
                || (confidential && BASELINE_CONFIDENTIAL.contains(&name.as_str()))
        };
        !own && names.iter().all(baseline)
    };
    let either = |known: Option<bool>| match known {
        Some(known) => vec![known],
        None if sign_in.open.client => vec![false, true],
        None => vec![false],
    };
    let itself = either(sign_in.client_app_id.as_ref().map(|client| asks_itself(sign_in, client)));
    let kinds = either(sign_in.confidential_client).into_iter();
    let mut answers = kinds.flat_map(|kind| itself.iter().map(move |itself| (kind, *itself)));
    let first = answers.next().is_some_and(|(kind, itself)| asks(kind, itself));
    if answers.all(|(kind, itself)| asks(kind, itself) == first) { first.into() } else { Truth::Maybe }
}

/// The name of a scope of Microsoft Graph or Azure AD Graph, or of one that names no resource.
fn directory_scope(scope: &str) -> Option<String> {
    let scope = scope.to_lowercase();
    match scope.rsplit_once('/') {
        None => Some(scope),
        Some((resource, name)) => {
            let host = resource.trim_start_matches("https://").trim_end_matches('/');
            ["graph.microsoft.com", "graph.windows.net", MICROSOFT_GRAPH, APP_WINDOWS_AZURE_AD]
                .contains(&host)
                .then(|| name.to_owned())
        }
    }
}

fn asks_itself(sign_in: &SignIn, client: &str) -> bool {
    matches!(&sign_in.target, Target::Apps(ids) if ids.iter().all(|id| id == client))
}

/// One resource: included by any kind, excluded by none.
pub(super) fn app_met(model: &Model, condition: &Applications, id: &str) -> Truth {
    let filter = condition.filter.as_ref().filter(|filter| filter.mode == FilterMode::Include);
    let filtered = filter.map_or(Truth::No, |filter| attribute_filter::app_matches(model, &filter.rule, id));
    let included = Truth::from(condition.all).or(listed(model, &condition.include, id)).or(filtered);
    included.and(excluded(model, condition, id).negate())
}

/// Whether one resource is taken out.
fn excluded(model: &Model, condition: &Applications, id: &str) -> Truth {
    let filter = condition.filter.as_ref().filter(|filter| filter.mode == FilterMode::Exclude);
    let filtered = filter.map_or(Truth::No, |filter| attribute_filter::app_matches(model, &filter.rule, id));
    listed(model, &condition.exclude, id).or(filtered)
}

/// Whether no known exclusion takes out all that is asked for; exclusions are of apps alone.
pub(super) fn unless_excluded(model: &Model, condition: &Applications, sign_in: &SignIn) -> Truth {
    let Target::Apps(ids) = &sign_in.target else { return Truth::Yes };
    Truth::any(resources(ids, sign_in).map(|id| excluded(model, condition, id).negate()))
}

/// Whether a condition possibly includes an app, whatever it excludes; filters aside.
pub(super) fn included(model: &Model, condition: &Applications, id: &str) -> bool {
    condition.all || listed(model, &condition.include, id) != Truth::No
}

impl Model {
    /// Ids of the apps that a policy surely takes in; an empty one stands for any app that nothing names.
    #[must_use]
    pub fn apps_of(&self, policy: &Policy) -> BTreeSet<String> {
        let known = self.targets();
        let all = known.iter().map(|id| &**id).chain([""]);
        let taken_in = |id: &&str| app_met(self, &policy.conditions.applications, id) == Truth::Yes;
        all.filter(taken_in).map(str::to_owned).collect()
    }

    /// Whether a policy surely takes in no app at all: it includes none, or excludes all again that it includes. Of a
    /// group of apps whose members nobody can list, something is left unless the group itself is excluded.
    #[must_use]
    pub fn takes_in_no_app(&self, policy: &Policy) -> bool {
        let condition = &policy.conditions.applications;
        let left = |name: &&String| *name != "None" && !condition.exclude.contains(*name);
        let include: BTreeSet<String> = condition.include.iter().filter(left).cloned().collect();
        let listed = |name: &String| name.contains('-') || self.snapshot.settings.app_groups.contains_key(name);
        if !include.iter().all(listed) {
            return false;
        }
        let condition = Applications { include, ..condition.clone() };
        let known = self.targets();
        let mut all = known.iter().map(|id| &**id).chain([""]);
        all.all(|id| app_met(self, &condition, id) == Truth::No)
    }
}

/// Ids of the apps that people can sign in to, as far as the tenant and these policies know them.
pub(super) fn known<'a>(model: &'a Model, policies: impl Iterator<Item = &'a Policy>) -> BTreeSet<&'a str> {
    let resources = model.snapshot.directory.service_principals.iter();
    let mut ids: BTreeSet<&str> =
        resources.filter(|one| one.enabled && one.kind != "ManagedIdentity").map(|one| one.app_id.as_str()).collect();
    for policy in policies {
        let named = policy.conditions.applications.include.union(&policy.conditions.applications.exclude);
        ids.extend(named.flat_map(|name| members(model, name)));
    }
    ids.remove(RISK_REMEDIATION_APP);
    ids
}

/// Whether an app is named, by its id or through a group of apps.
pub(super) fn listed(model: &Model, names: &BTreeSet<String>, id: &str) -> Truth {
    if names.contains(id) {
        return Truth::Yes;
    }
    Truth::any(names.iter().filter(|name| may_be_group(model, name)).map(|name| in_group(model, name, id)))
}

/// Whether a name may stand for several apps. Of the ids only that of the Azure management API does, and those that the tenant
/// lists as groups.
fn may_be_group(model: &Model, name: &str) -> bool {
    // Ids have one in the same place: they are looked at by the million.
    let is_id = name.as_bytes().get(8) == Some(&b'-') || name.contains('-');
    !is_id || name == APP_AZURE_MANAGEMENT || model.snapshot.settings.app_groups.contains_key(name)
}

/// Whether an app is in a group of apps. Microsoft publishes no complete list of members, so without the tenant's own
/// list only the published ones are sure, and only the tenant's own apps are surely not in.
fn in_group(model: &Model, group: &str, id: &str) -> Truth {
    let groups = &model.snapshot.settings.app_groups;
    if groups.contains_key(group) {
        return is_member(groups, group, id, &mut BTreeSet::new()).into();
    }
    if let Some((_, published)) = GROUPS.iter().find(|(name, _)| *name == group) {
        if published.contains(&id) {
            return Truth::Yes;
        }
        return if group == APP_AZURE_MANAGEMENT { Truth::No } else { maybe_microsoft(model, id) };
    }
    if group == "AllAgentIdResources" {
        return match model.app(id) {
            Some(principal) => (principal.kind == "ServiceIdentity").into(),
            None => maybe_microsoft(model, id),
        };
    }
    // A word that isn't known may stand for any app.
    if is_unknown_word(group) { Truth::Maybe } else { Truth::No }
}

fn is_unknown_word(name: &str) -> bool {
    is_word(name) && !["None", "AllAgentIdResources"].contains(&name)
}

/// Whether an app is in a group as the tenant lists it, groups within groups too.
fn is_member<'a>(
    groups: &'a BTreeMap<String, BTreeSet<String>>,
    group: &'a str,
    id: &str,
    seen: &mut BTreeSet<&'a str>,
) -> bool {
    let Some(members) = groups.get(group).filter(|_| seen.insert(group)) else { return false };
    members.iter().any(|member| member.eq_ignore_ascii_case(id) || is_member(groups, member, id, seen))
}

/// Microsoft's apps that are in no group: what administrators call, enrolment, and the directories.
const IN_NO_GROUP: [&str; 5] =
    [APP_AZURE_MANAGEMENT, APP_AZURE_DEVOPS, APP_INTUNE_ENROLLMENT, APP_WINDOWS_AZURE_AD, MICROSOFT_GRAPH];

/// Whether an app may be a member that Microsoft didn't publish. There are always apps that nothing names and that are none
/// of Microsoft's: for these any other app stands.
fn maybe_microsoft(model: &Model, id: &str) -> Truth {
    let own = model.app(id).is_some_and(|principal| principal.single_tenant);
    if id.is_empty() || own || IN_NO_GROUP.contains(&id) { Truth::No } else { Truth::Maybe }
}

/// App ids that a name in a policy stands for, as far as they are known.
pub(super) fn members<'a>(model: &'a Model, name: &'a str) -> Vec<&'a str> {
    let own = name.contains('-').then_some(name);
    let listed = model.snapshot.settings.app_groups.get(name).into_iter().flatten().map(String::as_str);
    let unlisted = !model.snapshot.settings.app_groups.contains_key(name);
    let published = GROUPS.iter().filter(|(group, _)| unlisted && *group == name).flat_map(|(_, members)| *members);
    own.into_iter().chain(listed).chain(published.copied()).collect()
}

/// What isn't known of the apps that a condition takes in, as people read it.
pub(super) fn open(model: &Model, condition: &Applications) -> Vec<String> {
    let named = condition.include.union(&condition.exclude);
    let unlisted = |name: &&String| {
        let published = *name == APP_AZURE_MANAGEMENT || model.snapshot.settings.app_groups.contains_key(*name);
        (is_unknown_word(name) || GROUPS.iter().any(|(group, _)| group == name)) && !published
    };
    let mut all: Vec<String> = named.filter(unlisted).map(|name| format!("which apps belong to {name}")).collect();
    if condition.filter.is_some() && !attribute_filter::readable(model) {
        all.push("custom security attributes of apps".into());
    }
    if leaks(condition) && model.snapshot.settings.baseline_scopes == BaselineScopes::Unknown {
        all.push("the tenant's setting for baseline scopes".into());
    }
    all
}

/// What isn't known about the target, as people read it.
pub(super) fn unknown(model: &Model, condition: &Applications, sign_in: &SignIn) -> String {
    if sign_in.target == Target::Unstated {
        return "the target resource".into();
    }
    if unlogged(condition, sign_in) == Truth::Maybe {
        return "whether a user action or an authentication context was asked for".into();
    }
    let baseline = if leaks(condition) { asks_baseline_only(sign_in) } else { Truth::No };
    if baseline == Truth::Maybe {
        return "which client it is, and whether a confidential one".into();
    }
    if baseline == Truth::Yes {
        return "the tenant's setting for baseline scopes".into();
    }
    if condition.filter.is_some() && !attribute_filter::readable(model) {
        return "custom security attributes of apps".into();
    }
    let is_group = |name: &&String| is_unknown_word(name) || GROUPS.iter().any(|(group, _)| group == name);
    let groups = condition.include.union(&condition.exclude).filter(is_group);
    let names: Vec<&str> = groups.map(String::as_str).collect();
    if names.is_empty() {
        "the application filter".into()
    } else {
        format!("which apps belong to {}", names.join(", "))
    }
}
