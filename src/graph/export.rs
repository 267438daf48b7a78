//! Writes a tenant as Graph returns it, kind by kind: what a reading reads, and nothing that is interpreted.
//!
//! Each kind is whole or not there, as in a reading. Members are asked for of the groups that matter (`read`).

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::client::{Ask, Client};
use super::endpoints::{
    ACTIVE_ROLES, CONTEXTS, CROSS_TENANT_DEFAULT, DEVICES, ELIGIBLE_ROLES, GROUPS, LICENCES, MEMBERS_PERMISSION,
    MEMBERS_UNITS, NAMED_LOCATIONS, PARTNERS, POLICIES, REGISTRATIONS, RISKY_USERS, ROLES, SECURITY_DEFAULTS,
    SERVICE_PRINCIPALS, STRENGTHS, TERMS_OF_USE, USERS, members_path, owners_path,
};
use super::error::GraphError;
use super::pacing::Limit;
use super::pages::Watch;
use super::read::{Progress, ask, audits_since, day_of, sign_ins_since};
use crate::tenant::read::read_group;
use crate::tenant::{Group, Kind};

/// Where the objects of one kind after the other go.
pub trait Sink: Send + Sync {
    /// Begins a file of this name, without an ending; what was added since the last [`Sink::keep`] is thrown away.
    fn begin(&self, file: &'static str, kind: Kind) -> io::Result<()>;

    /// Adds an object.
    fn add(&self, object: &Value) -> io::Result<()>;

    /// Keeps what was added since the beginning: it is whole.
    fn keep(&self) -> io::Result<()>;
}

/// How the export of one file went.
#[derive(Debug)]
pub struct Exported {
    /// The file's name without its ending.
    pub file: &'static str,
    /// How many objects it holds, or why there is no such file.
    pub outcome: Result<usize, GraphError>,
}

/// Why an export ended early.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The policies can't be read, or it was cancelled.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The file system says no.
    #[error("can't write the export: {0}")]
    File(#[from] io::Error),
}

/// Kinds that are written as they come.
const PLAIN: &[(&str, Kind, &[Ask<'static>])] = &[
    ("namedLocations", Kind::NamedLocations, NAMED_LOCATIONS),
    ("authenticationStrengthPolicies", Kind::AuthenticationStrengthPolicies, STRENGTHS),
    ("authenticationContextClassReferences", Kind::AuthenticationContextClassReferences, CONTEXTS),
    ("termsOfUse", Kind::TermsOfUse, TERMS_OF_USE),
    ("riskyUsers", Kind::RiskyUsers, RISKY_USERS),
    ("users", Kind::Users, USERS),
    ("roleDefinitions", Kind::RoleDefinitions, ROLES),
    ("servicePrincipals", Kind::ServicePrincipals, SERVICE_PRINCIPALS),
    ("devices", Kind::Devices, DEVICES),
    ("subscribedSkus", Kind::SubscribedSkus, LICENCES),
    ("userRegistrationDetails", Kind::UserRegistrationDetails, REGISTRATIONS),
];

/// Writes everything to `sink`.
///
/// # Errors
/// When the policies can't be read, somebody cancels, or a file can't be written; other kinds are left out with the cause.
pub async fn export(client: &Client, sink: &dyn Sink, progress: &dyn Progress) -> Result<Vec<Exported>, ExportError> {
    let mut export = Export { client, sink, progress, done: Vec::new() };
    let mut named = client.tenant().settings.emergency_access.clone();
    let policies = export.collected("policies", Kind::Policies, &[POLICIES]).await?;
    match policies {
        Some(policies) => named.extend(groups_of(&policies)),
        None => return Err(export.why().into()),
    }
    for (file, kind, ways) in PLAIN {
        export.streamed(file, *kind, ways).await?;
    }
    named.extend(export.roles().await?);
    export.groups(named).await?;
    export.security_defaults().await?;
    export.cross_tenant().await?;
    export.logs().await?;
    Ok(export.done)
}

struct Export<'a> {
    client: &'a Client,
    sink: &'a dyn Sink,
    progress: &'a dyn Progress,
    done: Vec<Exported>,
}

impl Export<'_> {
    /// Streams a kind into its file, the best way that Graph allows.
    async fn streamed(&mut self, file: &'static str, kind: Kind, ways: &[Ask<'_>]) -> Result<(), ExportError> {
        let mut outcome = Err(GraphError::not_found(file));
        for way in ways {
            self.sink.begin(file, kind)?;
            let failure = Mutex::new(None);
            let put = |object: &Value| {
                if let Err(error) = self.sink.add(object) {
                    *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                }
                Ok(())
            };
            let read = self.client.collect(*way, Watch { kind, progress: self.progress }, put).await;
            if let Some(error) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
                return Err(error.into());
            }
            outcome = read.map(|objects| objects.len());
            if !outcome.as_ref().is_err_and(GraphError::is_refusal) {
                break;
            }
        }
        self.finish(file, outcome)
    }

    /// The same for a kind that is needed further on.
    async fn collected(
        &mut self,
        file: &'static str,
        kind: Kind,
        ways: &[Ask<'_>],
    ) -> Result<Option<Vec<Value>>, ExportError> {
        let outcome = self.first_that_works(file, kind, ways).await;
        self.whole((file, kind), outcome)
    }

    /// All objects of a kind, by the first way that isn't refused.
    async fn first_that_works(
        &self,
        file: &'static str,
        kind: Kind,
        ways: &[Ask<'_>],
    ) -> Result<Vec<Value>, GraphError> {
        let mut outcome = Err(GraphError::not_found(file));
        for way in ways {
            outcome = self.raw(*way, kind).await;
            if !outcome.as_ref().is_err_and(GraphError::is_refusal) {
                break;
            }
        }
        outcome
    }

    /// Active and eligible role assignments; gives who holds them.
    async fn roles(&mut self) -> Result<BTreeSet<String>, ExportError> {
        const KIND: Kind = Kind::RoleAssignments;
        let (active, eligible) = ("roleAssignments", "roleEligibilityScheduleInstances");
        let read = both(
            self.first_that_works(active, KIND, ACTIVE_ROLES).await,
            self.first_that_works(eligible, KIND, ELIGIBLE_ROLES).await,
        );
        let mut holders = BTreeSet::new();
        for (file, outcome) in [(active, read.0), (eligible, read.1)] {
            let assignments = self.whole((file, KIND), outcome)?.unwrap_or_default();
            holders.extend(texts(&assignments, "principalId"));
        }
        Ok(holders)
    }

    /// Writes a file of objects that are all there.
    fn whole(
        &mut self,
        (file, kind): (&'static str, Kind),
        outcome: Result<Vec<Value>, GraphError>,
    ) -> Result<Option<Vec<Value>>, ExportError> {
        self.sink.begin(file, kind)?;
        let objects = match outcome {
            Ok(objects) => objects,
            Err(error) => return self.finish(file, Err(error)).map(|()| None),
        };
        objects.iter().try_for_each(|object| self.sink.add(object))?;
        self.finish(file, Ok(objects.len()))?;
        Ok(Some(objects))
    }

    fn finish(&mut self, file: &'static str, outcome: Result<usize, GraphError>) -> Result<(), ExportError> {
        match &outcome {
            Ok(_) => self.sink.keep()?,
            Err(GraphError::Cancelled) => return Err(GraphError::Cancelled.into()),
            Err(_) => {}
        }
        self.done.push(Exported { file, outcome });
        Ok(())
    }

    /// The cause of the newest failure.
    fn why(self) -> GraphError {
        self.done.into_iter().next_back().and_then(|last| last.outcome.err()).unwrap_or(GraphError::Cancelled)
    }

    async fn raw(&self, ask: Ask<'_>, kind: Kind) -> Result<Vec<Value>, GraphError> {
        self.client.collect(ask, Watch { kind, progress: self.progress }, |object| Ok(object.clone())).await
    }

    /// All groups by name, those that matter with `members`; left out as a whole when one list can't be read.
    async fn groups(&mut self, named: BTreeSet<String>) -> Result<(), ExportError> {
        let read = async {
            let mut groups = self.first_that_works("groups", Kind::Groups, GROUPS).await?;
            let known: BTreeSet<String> = texts(&groups, "id").collect();
            let named: BTreeSet<String> = named.intersection(&known).cloned().collect();
            let owners = self.owners(&named).await?;
            let read = groups.iter().filter_map(|group| read_group(group).ok()).map(|read| read.group);
            let read: Vec<Group> = read.collect();
            let closed = self.client.closed_groups(read.iter()).await?;
            let members = self.members((named, &closed)).await?;
            for group in groups.iter_mut().filter_map(Value::as_object_mut) {
                let id = group.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
                if let Some(members) = members.get(&id) {
                    group.insert("members".to_owned(), json!(members));
                }
                if let Some(owners) = owners.get(&id) {
                    group.insert("owners".to_owned(), json!(owners));
                }
            }
            Ok(groups)
        };
        let outcome = read.await;
        self.whole(("groups", Kind::Groups), outcome).map(|_| ())
    }

    /// Owners of these groups, all or none: without them nothing else is wrong. Only a cancelled export ends here.
    async fn owners(&self, groups: &BTreeSet<String>) -> Result<BTreeMap<String, Vec<String>>, GraphError> {
        let mut owners = BTreeMap::new();
        for group in groups {
            let path = owners_path(group);
            let ask =
                Ask { path: &path, limit: Limit::Directory, units: MEMBERS_UNITS, permission: MEMBERS_PERMISSION };
            match self.raw(ask, Kind::Groups).await {
                Ok(read) => _ = owners.insert(group.clone(), texts(&read, "id").collect()),
                Err(GraphError::Cancelled) => return Err(GraphError::Cancelled),
                Err(GraphError::NotFound { .. }) => {}
                Err(error) => {
                    tracing::warn!(%error, "owners of groups could not be read");
                    return Ok(BTreeMap::new());
                }
            }
        }
        Ok(owners)
    }

    /// Direct members of these groups and of every group below them; each is asked for once, so cycles end.
    async fn members(
        &self,
        (named, closed): (BTreeSet<String>, &BTreeSet<String>),
    ) -> Result<BTreeMap<String, Vec<String>>, GraphError> {
        let (mut lists, mut open) = (BTreeMap::new(), Vec::from_iter(named));
        while let Some(group) = open.pop() {
            if lists.contains_key(&group) || closed.contains(&group) {
                continue;
            }
            let path = members_path(&group);
            let ask =
                Ask { path: &path, limit: Limit::Directory, units: MEMBERS_UNITS, permission: MEMBERS_PERMISSION };
            let members = match self.raw(ask, Kind::Groups).await {
                Err(GraphError::NotFound { .. }) => continue,
                read => read?,
            };
            let is_group =
                |member: &&Value| member.get("@odata.type").and_then(Value::as_str) == Some("#microsoft.graph.group");
            let nested = members.iter().filter(is_group).filter_map(|member| member.get("id")?.as_str());
            open.extend(nested.map(str::to_owned));
            lists.insert(group, texts(&members, "id").collect());
        }
        Ok(lists)
    }

    async fn security_defaults(&mut self) -> Result<(), ExportError> {
        const FILE: &str = "identitySecurityDefaultsEnforcementPolicy";
        let outcome = self.client.get(SECURITY_DEFAULTS).await.map(|object| vec![object]);
        self.whole((FILE, Kind::IdentitySecurityDefaultsEnforcementPolicy), outcome).map(|_| ())
    }

    /// The default and the settings for single organisations, in one file.
    async fn cross_tenant(&mut self) -> Result<(), ExportError> {
        let read = async {
            let mut all = self.raw(PARTNERS, Kind::CrossTenantAccessPolicy).await?;
            all.push(self.client.get(CROSS_TENANT_DEFAULT).await?);
            Ok(all)
        };
        let outcome = read.await;
        self.whole(("crossTenantAccessPolicy", Kind::CrossTenantAccessPolicy), outcome).map(|_| ())
    }

    async fn logs(&mut self) -> Result<(), ExportError> {
        let (since, now) = self.client.log_window();
        self.sign_ins((since, now)).await?;
        let audits = audits_since(since);
        self.streamed("directoryAudits", Kind::DirectoryAudits, &[ask(&audits)]).await
    }

    /// From where a reading has them: from the workspace, counted by whole days, or from Graph.
    async fn sign_ins(&mut self, (since, now): (Timestamp, Timestamp)) -> Result<(), ExportError> {
        let file = ("signIns", Kind::SignIns);
        let Some(workspace) = self.client.workspace() else {
            let ways = sign_ins_since(since);
            return self.streamed(file.0, file.1, &ways.each_ref().map(|path| ask(path))).await;
        };
        let how = ((self.client.waits(), self.client.patience()), self.progress);
        let rows = workspace.sign_ins((day_of(since), now), |row| Ok(row.clone()), how).await;
        self.whole(file, rows).map(drop)
    }
}

/// What was read of a file.
type Outcome = Result<Vec<Value>, GraphError>;

/// One part of the assignments must not be taken for all of them: neither is kept without the other, as in a reading.
/// A tenant without the licence for eligible assignments has none of them.
fn both(active: Outcome, eligible: Outcome) -> (Outcome, Outcome) {
    let missing = active.as_ref().err().or(eligible.as_ref().err().filter(|error| !error.lacks_licence()));
    match missing.cloned() {
        Some(error) => (Err(error.clone()), Err(error)),
        None => (active, eligible),
    }
}

/// A member of each object, where it is text.
fn texts<'a>(objects: &'a [Value], member: &'a str) -> impl Iterator<Item = String> + 'a {
    objects.iter().filter_map(move |object| object.get(member)?.as_str()).map(str::to_owned)
}

/// The groups that policies name.
fn groups_of(policies: &[Value]) -> BTreeSet<String> {
    let sides = ["/conditions/users/includeGroups", "/conditions/users/excludeGroups"];
    let lists =
        policies.iter().flat_map(|policy| sides.into_iter().filter_map(|side| policy.pointer(side)?.as_array()));
    lists.flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
