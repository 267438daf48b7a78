//! Identities that aren't people: workload identities, agents, and the user accounts of agents.
//!
//! Sources: Microsoft Learn, Conditional Access for workload identities; Conditional Access for agent identities.

use std::collections::BTreeSet;

use super::truth::Truth;
use super::who::{Membership, Who};
use super::{Model, attribute_filter, unknown_words};
use crate::tenant::directory::AccountKind;
use crate::tenant::policy::{ClientApplications, FilterMode, UserSide};
use crate::tenant::sign_in::Identity;
use crate::tenant::well_known::ALL_AGENT_USERS;
use crate::tenant::{Kind, Policy, SignIn};

/// How policies name every service principal of the tenant's own.
const OWN_PRINCIPALS: &str = "ServicePrincipalsInMyTenant";

impl Model {
    pub(super) fn is_agent_user(&self, (sign_in, who): (&SignIn, &Who<'_>)) -> Truth {
        match who.membership {
            _ if sign_in.agent_user => Truth::Yes,
            Membership::At(position) => {
                let user = self.snapshot.directory.user_at(position);
                user.is_some_and(|user| user.account == AccountKind::Agent).into()
            }
            Membership::Unknown if who.id.is_some() => Truth::Maybe,
            _ => Truth::No,
        }
    }

    /// A workload identity: only single-tenant service principals of this tenant can be reached, never managed
    /// identities (Microsoft Learn, Conditional Access for workload identities).
    pub(super) fn workload(&self, condition: &ClientApplications, id: &str) -> Truth {
        let by_id = self.snapshot.directory.service_principal(id);
        // The beta documentation of the request speaks of the app id.
        let principal = by_id.or_else(|| self.app(id));
        let id = principal.map_or(id, |principal| principal.id.as_str());
        let reachable = match principal {
            // An export may lack whose accounts an app is for.
            Some(found) if !found.single_tenant && !self.snapshot.has(Kind::ServicePrincipals) => Truth::Maybe,
            Some(found) => {
                (found.single_tenant && !["ManagedIdentity", "ServiceIdentity"].contains(&found.kind.as_str())).into()
            }
            None if self.snapshot.has(Kind::ServicePrincipals) => Truth::No,
            None => Truth::Maybe,
        };
        let filtered = |mode| match &condition.filter {
            Some(filter) if filter.mode == mode => {
                principal.map_or(Truth::Maybe, |one| attribute_filter::principal_matches(&filter.rule, one))
            }
            _ => Truth::No,
        };
        let all = condition.include.contains(OWN_PRINCIPALS);
        let included = self.names(&condition.include, id).or(all.into()).or(filtered(FilterMode::Include));
        let excluded = self.names(&condition.exclude, id).or(filtered(FilterMode::Exclude));
        reachable.and(included).and(excluded.negate())
    }

    /// Whether a service principal is among these; a word that isn't known may stand for any.
    fn names(&self, ids: &BTreeSet<String>, id: &str) -> Truth {
        let open = if self.unknown_principals(ids).next().is_some() { Truth::Maybe } else { Truth::No };
        Truth::from(ids.contains(id)).or(open)
    }

    /// Words among the ids of service principals that aren't known.
    fn unknown_principals<'a>(&'a self, ids: &'a BTreeSet<String>) -> impl Iterator<Item = &'a str> {
        let known = |word: &str| {
            [OWN_PRINCIPALS, "None"].contains(&word) || self.snapshot.directory.service_principal(word).is_some()
        };
        ids.iter().map(String::as_str).filter(move |word| unknown_words::is_word(word) && !known(word))
    }

    /// An agent identity, by its id or through the filter over its custom security attributes.
    pub(super) fn agent(&self, condition: &ClientApplications, id: &str) -> Truth {
        let filtered = |mode| match &condition.agent_filter {
            Some(filter) if filter.mode == mode => self.principal_tagged(id, &filter.rule),
            _ => Truth::No,
        };
        let named = condition.include_agents.contains(id) || condition.include_agents.contains("All");
        let included = Truth::from(named).or(filtered(FilterMode::Include));
        let excluded = Truth::from(condition.exclude_agents.contains(id)).or(filtered(FilterMode::Exclude));
        included.and(excluded.negate())
    }

    /// Whether a rule takes in the service principal with this object id; nobody knows of one that wasn't read.
    fn principal_tagged(&self, id: &str, rule: &str) -> Truth {
        let found = self.snapshot.directory.service_principal(id);
        found.map_or(Truth::Maybe, |one| attribute_filter::principal_matches(rule, one))
    }

    /// Whether no exclusion that is known takes out an identity that isn't a person.
    pub(super) fn machine_unless_excluded(&self, policy: &Policy, identity: &Identity) -> Truth {
        let mut machines = policy.conditions.client_applications.clone().unwrap_or_default();
        machines.include.insert(OWN_PRINCIPALS.to_owned());
        machines.include_agents.insert("All".to_owned());
        match identity {
            Identity::ServicePrincipal(id) => self.workload(&machines, id),
            Identity::Agent(id) => self.agent(&machines, id),
            Identity::Unstated | Identity::User { .. } => Truth::Yes,
        }
    }

    /// What leaves it open whether a policy reaches a workload identity, as people read it.
    pub(super) fn workload_unknowns(&self, policy: &Policy) -> Vec<String> {
        let machines = policy.conditions.client_applications.as_ref();
        let sides = machines.into_iter().flat_map(|machines| [&machines.include, &machines.exclude]);
        let words = sides.flat_map(|ids| self.unknown_principals(ids));
        let named: Vec<String> = words.map(|word| format!("whom {word} takes in")).collect();
        if named.is_empty() { vec!["the service principal".to_owned()] } else { named }
    }
}

/// Whether a policy reaches the user account of an agent, with the filter for agents, whose values Graph doesn't give with users: what it decides is open, as is what an
/// unknown part does.
pub(super) fn as_agent_user(policy: &Policy, id: Option<&str>) -> Truth {
    let filter = policy.conditions.agents.as_ref().and_then(|agents| agents.filter.as_ref());
    let reached = Truth::from(reaches_agent_user(policy, id));
    let reached = match filter.map(|filter| filter.mode) {
        _ if unknown_words::within(policy, "agents") => Truth::Maybe,
        None => reached,
        Some(FilterMode::Include) => reached.or(Truth::Maybe),
        Some(FilterMode::Exclude) => reached.and(Truth::Maybe),
    };
    if unknown_words::within(policy, "users") { reached.and(Truth::Maybe) } else { reached }
}

/// What leaves it open whether a policy reaches somebody as an agent's user account.
pub(super) fn agent_unknowns(policy: &Policy, who: &Who<'_>, agent: Truth) -> impl Iterator<Item = &'static str> {
    let reached = if agent == Truth::No { Truth::No } else { as_agent_user(policy, who.id) };
    let whether = (agent == Truth::Maybe && reached != Truth::No).then_some("whether the user is an agent's account");
    let tagged = (reached == Truth::Maybe).then_some("the custom security attributes of the agent's account");
    whether.into_iter().chain(tagged)
}

/// The scopes of a policy that reach the user accounts of agents. "All users" doesn't (Microsoft Learn, Conditional
/// Access for agent identities: such an account is targeted with a scope of its own).
pub(super) fn reaches_agent_user(policy: &Policy, id: Option<&str>) -> bool {
    let conditions = &policy.conditions;
    let hit = |users: &UserSide, agents: Option<&BTreeSet<String>>| {
        let listed = |agents: &BTreeSet<String>| agents.contains("All") || id.is_some_and(|id| agents.contains(id));
        users.users.contains(ALL_AGENT_USERS) || agents.is_some_and(listed)
    };
    let agents = conditions.agents.as_ref();
    let included = hit(&conditions.users.include, agents.map(|agents| &agents.include));
    let named = id.is_some_and(|id| conditions.users.exclude.users.contains(id));
    included && !named && !hit(&conditions.users.exclude, agents.map(|agents| &agents.exclude))
}
