//! Reads a tenant folder: exported JSON as Graph returns it, in one file or many, into a snapshot.
//!
//! Nothing is half-read: the first object that isn't what it must be fails the whole reading, with its place named.

mod recognise;
mod refused;
mod settings;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

pub use self::settings::Thresholds;
use self::text::Content;
pub use self::text::decode;
use super::read::{
    ReadError, embedded_strength, node::Node, read_agreement, read_audit, read_context, read_device, read_group,
    read_inbound_trust, read_licences, read_named_location, read_policy, read_registration, read_risky_user, read_role,
    read_role_assignment, read_service_principal, read_sign_in, read_strength, read_user,
};
use super::{Assignment, Kind, Policy, Reading, Snapshot, SnapshotBuilder, Word};

/// What was read from where, and what was left aside.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Files that were read: their kind and how many objects each holds.
    pub files: Vec<(PathBuf, Kind, u64)>,
    /// Files that were not read, and why.
    pub unrecognised: Vec<(PathBuf, &'static str)>,
    /// The file of each policy, by its object id.
    pub policies: BTreeMap<String, PathBuf>,
    /// Thresholds of checks by `check-id.name`, as `settings.json` has them.
    pub thresholds: Thresholds,
}

/// Why a folder can't be read.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The file system says no.
    #[error("can't read {}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The bytes are no text.
    #[error("{}: expected text in UTF-8 or UTF-16, found other bytes; export it again as JSON", path.display())]
    Encoding {
        /// The file.
        path: PathBuf,
    },
    /// The text is no JSON.
    #[error("{}: expected JSON: {message}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong, and at which line and column.
        message: String,
    },
    /// The settings name something that there is not.
    #[error("{} {message}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// Where and what.
        message: String,
    },
    /// An object isn't what its kind has to be.
    #[error("{} {source}", path.display())]
    Object {
        /// The file.
        path: PathBuf,
        /// Pointer, expectation and finding.
        source: ReadError,
    },
    /// Two different policies have one id.
    #[error("{} and {} hold different policies with the id {id}; keep one of them", first.display(), second.display())]
    Twice {
        /// The id.
        id: String,
        /// The file read first.
        first: PathBuf,
        /// The file read after it.
        second: PathBuf,
    },
    /// There is no file of policies, not even an empty one.
    #[error("no Conditional Access policies in {}; expected a file such as policies.json, which may be empty: []{}", path.display(), told(left_out))]
    NoPolicies {
        /// Where was looked.
        path: PathBuf,
        /// Files that were there, each with why it was left out.
        left_out: Vec<(PathBuf, &'static str)>,
    },
}

/// Reads a file, or a folder with everything below it.
///
/// # Errors
/// See [`FolderError`]; each names the file and what was expected of it.
pub fn read(path: &Path) -> Result<(Snapshot, Report), FolderError> {
    let mut reader = Reader { top: path.to_owned(), ..Reader::default() };
    let mut files = Vec::new();
    list(path, &mut files)?;
    files.sort();
    let alone = path.is_file();
    for file in &files {
        match unreadable(file) {
            Some(why) => reader.report.unrecognised.push((file.clone(), why)),
            None => reader.file(file, alone)?,
        }
    }
    if !reader.counts.contains_key(&Kind::Policies) {
        return Err(FolderError::NoPolicies { path: path.to_owned(), left_out: reader.report.unrecognised });
    }
    Ok(reader.finish(path))
}

/// The files of a folder and of those in it; links to folders are not followed, so the search ends.
fn list(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), FolderError> {
    let failed = |source| FolderError::File { path: path.to_owned(), source };
    if !path.is_dir() {
        // A link that leads nowhere is there all the same.
        fs::symlink_metadata(path).map_err(failed)?;
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let linked_folder = entry.file_type().map_err(failed)?.is_symlink() && entry.path().is_dir();
        if !hidden && !linked_folder {
            list(&entry.path(), files)?;
        }
    }
    Ok(())
}

/// Why what stands in a folder is nothing to read: a link that leads nowhere or round in a circle, a pipe.
fn unreadable(path: &Path) -> Option<&'static str> {
    match fs::metadata(path) {
        Ok(data) if data.is_file() => None,
        Ok(_) => Some("it is no file"),
        Err(_) if path.is_symlink() => Some("the link leads nowhere"),
        Err(_) => None,
    }
}

#[derive(Default)]
struct Reader {
    /// What is read.
    top: PathBuf,
    builder: SnapshotBuilder,
    report: Report,
    counts: BTreeMap<Kind, u64>,
    policies: BTreeMap<String, (PathBuf, Policy)>,
    /// Whether a file holds active role assignments: eligible ones alone are a part of them.
    active_roles: bool,
    /// Whether a file says which assignments are eligible: Graph gives active ones in a list of their own, without a word.
    eligible_roles: bool,
    /// Whether an app doesn't say whose accounts it is for: then nobody knows which policies can reach it.
    audience_missing: bool,
    newest: Timestamp,
}

impl Reader {
    fn file(&mut self, path: &Path, alone: bool) -> Result<(), FolderError> {
        let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
        let lines = matches!(extension.as_str(), "jsonl" | "ndjson");
        if !lines && extension != "json" && !alone {
            self.report.unrecognised.push((path.to_owned(), "its name doesn't end in .json or .jsonl"));
            return Ok(());
        }
        let bytes = fs::read(path).map_err(|source| FolderError::File { path: path.to_owned(), source })?;
        let text = decode(&bytes).ok_or_else(|| FolderError::Encoding { path: path.to_owned() })?;
        if path.file_name() == Some(OsStr::new("settings.json")) {
            return self.settings(path, &text);
        }
        let content =
            text::parse(&text, lines).map_err(|message| FolderError::Json { path: path.to_owned(), message })?;
        if let Some(source) = refused::why(&content) {
            return Err(FolderError::Object { path: path.to_owned(), source });
        }
        let empty = content.objects.is_empty();
        let Some(kind) = recognise::kind_of(path, &content).or((alone && empty).then_some(Kind::Policies)) else {
            self.report.unrecognised.push((path.to_owned(), "neither its name nor its content says what it holds"));
            return Ok(());
        };
        self.note_time(path);
        self.content(path, kind, &content)
    }

    fn settings(&mut self, path: &Path, text: &str) -> Result<(), FolderError> {
        match settings::read(text) {
            Ok((settings, thresholds)) => {
                self.builder.snapshot.settings = settings;
                self.report.thresholds = thresholds;
            }
            // Further down, programs of all kinds keep files of that name.
            Err(_) if path.parent() != Some(&self.top) && path != self.top => {
                self.report.unrecognised.push((path.to_owned(), "it holds the settings of something else"));
            }
            Err(message) => return Err(FolderError::Settings { path: path.to_owned(), message }),
        }
        Ok(())
    }

    /// An export was read from the tenant when its newest file was written.
    fn note_time(&mut self, path: &Path) {
        let modified = fs::metadata(path).and_then(|data| data.modified()).ok();
        let written = modified.and_then(|time| Timestamp::try_from(time).ok()).unwrap_or_default();
        self.newest = self.newest.max(written);
    }

    fn content(&mut self, path: &Path, kind: Kind, content: &Content) -> Result<(), FolderError> {
        let eligible = kind == Kind::RoleAssignments && recognise::is_eligible(path, content);
        for (pointer, value) in &content.objects {
            let wrong = |error: ReadError| FolderError::Object { path: path.to_owned(), source: error.under(pointer) };
            match kind {
                Kind::Policies => self.policy(path, value, wrong)?,
                _ => self.object(kind, value, eligible).map_err(wrong)?,
            }
        }
        self.active_roles |= kind == Kind::RoleAssignments && !eligible;
        self.eligible_roles |= eligible;
        let count = u64::try_from(content.objects.len()).unwrap_or(u64::MAX);
        *self.counts.entry(kind).or_default() += count;
        self.report.files.push((path.to_owned(), kind, count));
        Ok(())
    }

    fn policy(
        &mut self,
        path: &Path,
        value: &Value,
        wrong: impl Fn(ReadError) -> FolderError,
    ) -> Result<(), FolderError> {
        let mut policy = read_policy(value).map_err(&wrong)?;
        if policy.id.is_empty() {
            policy.id = self.made_up_id(&policy.display_name);
        }
        // Sentences name policies: one without a name goes by its id.
        if policy.display_name.trim().is_empty() {
            policy.display_name.clone_from(&policy.id);
        }
        if let Some(strength) = embedded_strength(value).map_err(&wrong)? {
            self.builder.snapshot.strengths.entry(strength.id.clone()).or_insert(strength);
        }
        if let Some((first, known)) = self.policies.get(&policy.id) {
            let same = known.same_meaning(&policy);
            let twice = FolderError::Twice { id: policy.id, first: first.clone(), second: path.to_owned() };
            return if same { Ok(()) } else { Err(twice) };
        }
        self.policies.insert(policy.id.clone(), (path.to_owned(), policy.clone()));
        self.builder.policy(policy);
        Ok(())
    }

    /// Templates have no ids; their names make stable ones.
    fn made_up_id(&self, name: &str) -> String {
        let candidates =
            (0_u32..).map(|number| Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{name}#{number}").as_bytes()));
        candidates.map(|id| id.to_string()).find(|id| !self.policies.contains_key(id)).unwrap_or_default()
    }

    fn object(&mut self, kind: Kind, value: &Value, eligible: bool) -> Result<(), ReadError> {
        self.audience_missing |= kind == Kind::ServicePrincipals && lacks_audience(value);
        let builder = &mut self.builder;
        match kind {
            Kind::Users => builder.user(read_user(value)?),
            Kind::Groups => builder.group(read_group(value)?),
            Kind::RoleAssignments => {
                let mut read = read_role_assignment(value)?;
                self.eligible_roles |= value.get("assignment").is_some() || read.assignment == Assignment::Eligible;
                if eligible {
                    read.assignment = Assignment::Eligible;
                }
                builder.role_assignment(read);
            }
            Kind::RoleDefinitions => builder.role(read_role(value)?),
            Kind::ServicePrincipals => builder.service_principal(read_service_principal(value)?),
            Kind::NamedLocations => builder.location(read_named_location(value)?),
            Kind::AuthenticationStrengthPolicies => builder.strength(read_strength(value)?),
            Kind::AuthenticationContextClassReferences => builder.snapshot.contexts.extend(read_context(value)?),
            Kind::Devices => builder.device(read_device(value)?),
            Kind::UserRegistrationDetails => builder.registration(read_registration(value)?),
            Kind::RiskyUsers => builder.snapshot.directory.risky_users.extend(read_risky_user(value)?),
            Kind::SubscribedSkus => builder.licences(read_licences(value)?),
            Kind::SignIns => builder.sign_in(read_sign_in(value)?),
            Kind::DirectoryAudits => read_audit(value)?.into_iter().for_each(|record| builder.audit(record)),
            _ => return self.singleton(kind, value),
        }
        Ok(())
    }

    fn singleton(&mut self, kind: Kind, value: &Value) -> Result<(), ReadError> {
        let node = Node::root(value).object()?;
        let snapshot = &mut self.builder.snapshot;
        match kind {
            Kind::IdentitySecurityDefaultsEnforcementPolicy => {
                snapshot.security_defaults = node.member("isEnabled").flag()?;
            }
            Kind::TermsOfUse => snapshot.terms_of_use.extend([read_agreement(value)?]),
            Kind::CrossTenantAccessPolicy => snapshot.cross_tenant.add(read_inbound_trust(value)?),
            _ => {}
        }
        Ok(())
    }

    fn finish(mut self, path: &Path) -> (Snapshot, Report) {
        for (word, kind) in Kind::WORDS {
            let reading = match self.counts.get(kind) {
                Some(_) if *kind == Kind::RoleAssignments && !self.active_roles => {
                    Reading::Absent { reason: "the export holds eligible role assignments only".to_owned() }
                }
                Some(_) if *kind == Kind::ServicePrincipals && self.audience_missing => {
                    Reading::Absent { reason: "the export's apps lack signInAudience; export them again".to_owned() }
                }
                Some(count) => Reading::Complete { count: *count },
                None => Reading::Absent { reason: format!("no file {word}.json in the export") },
            };
            self.builder.reading(*kind, reading);
        }
        let mut snapshot = self.builder.build();
        let named =
            path.canonicalize().ok().and_then(|path| path.file_stem().map(|name| name.to_string_lossy().into_owned()));
        snapshot.tenant_name = named.unwrap_or_default();
        snapshot.read_at = self.newest;
        snapshot.eligible_unread = !self.eligible_roles;
        let times = snapshot.sign_ins.iter().map(|row| row.at).chain(snapshot.audits.iter().map(|row| row.at));
        let (first, last) = (times.clone().min(), times.max());
        snapshot.window = first.zip(last);
        self.report.policies = self.policies.into_iter().map(|(id, (file, _))| (id, file)).collect();
        (snapshot, self.report)
    }
}

/// The first files that were left out, as they end a message.
fn told(left_out: &[(PathBuf, &str)]) -> String {
    let each = left_out.iter().take(3).map(|(file, why)| format!("; left out {}: {why}", file.display()));
    let more = left_out.len().saturating_sub(3);
    each.chain((more > 0).then(|| format!("; and {more} more"))).collect()
}

/// An app that was exported without saying whose accounts it is for. Managed identities have no such thing.
fn lacks_audience(principal: &Value) -> bool {
    let node = Node::root(principal);
    let kind = node.member("servicePrincipalType").text().ok().flatten().unwrap_or("Application");
    kind.eq_ignore_ascii_case("Application") && !node.has("signInAudience") && !node.has("singleTenant")
}
