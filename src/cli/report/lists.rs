//! The lists of a report: who isn't made to meet what, all exclusions, all policies; each a CSV file.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::bot::analysis::Analysis;
use crate::bot::describe;
use crate::bot::sheet::csv_line;
use crate::checks::accounts::Accounts;
use crate::checks::cause_words::{CauseWords, app_name};
use crate::checks::gaps::Gaps;
use crate::checks::{Verdict, rows};
use crate::cli::uncovered;
use crate::engine::{Model, Requirement, Scope};
use crate::facts::{Style, Wording, WordingError};
use crate::tenant::policy::{ClientAppType, TransferMethod};
use crate::tenant::{Assignment, Policy, Snapshot};

/// One CSV file: its name, and its lines with the headings first.
pub(super) struct File {
    pub(super) name: String,
    pub(super) lines: Vec<Vec<String>>,
}

impl File {
    /// The file's text. Excel takes a file without the mark for one in an encoding of old.
    pub(super) fn text(&self) -> String {
        const MARK: &str = "\u{FEFF}";
        std::iter::once(MARK.to_owned()).chain(self.lines.iter().map(|cells| csv_line(cells))).collect()
    }
}

/// A requirement that people should meet everywhere.
pub(super) struct List {
    file: &'static str,
    /// What it is, as a heading.
    pub(super) title: &'static str,
    requirement: Requirement,
    scope: fn() -> Scope,
}

static LISTS: &[List] = &[
    List { file: "without-mfa.csv", title: "MFA", requirement: Requirement::Mfa, scope: Scope::default },
    List {
        file: "without-managed-device.csv",
        title: "Managed device",
        requirement: Requirement::ManagedDevice,
        scope: Scope::default,
    },
    List {
        file: "legacy-authentication-open.csv",
        title: "Legacy authentication blocked",
        requirement: Requirement::Block,
        scope: legacy,
    },
    List {
        file: "device-code-flow-open.csv",
        title: "Device code flow blocked",
        requirement: Requirement::Block,
        scope: device_code,
    },
];

fn legacy() -> Scope {
    let client_apps = BTreeSet::from([ClientAppType::ExchangeActiveSync, ClientAppType::Other]);
    Scope { client_apps, ..Scope::default() }
}

fn device_code() -> Scope {
    Scope { flows: BTreeSet::from([TransferMethod::DeviceCodeFlow]), ..Scope::default() }
}

/// A list with what coverage says of it.
pub(super) struct Open {
    pub(super) list: &'static List,
    pub(super) gaps: Gaps,
    /// Everybody with a gap, split.
    pub(super) uncovered: Accounts,
}

/// All lists, judged.
pub(super) fn read(analysis: &Analysis, now: Timestamp) -> Vec<Open> {
    let judge = |list: &'static List| {
        let scope = (list.scope)();
        let coverage = analysis.model.coverage(&list.requirement, &scope);
        let uncovered = Accounts::of(&coverage.uncovered, &analysis.model, now);
        Open { list, gaps: Gaps::of((&coverage, &scope), &analysis.model, now), uncovered }
    };
    LISTS.iter().map(judge).collect()
}

/// Every account of a list, with its cause; complete, however long.
pub(super) fn accounts(open: &Open, analysis: &Analysis, wording: &Wording) -> Result<File, WordingError> {
    let snapshot = analysis.snapshot();
    let words = CauseWords::new(snapshot, &analysis.hash);
    let mut lines = vec![["Name", "User principal name", "Object id", "Why"].map(str::to_owned).to_vec()];
    for group in open.gaps.groups.iter().chain(&open.gaps.machines) {
        let why = wording.of(&words.group(group), Style::Short)?;
        let users = group.users.iter().filter_map(|index| snapshot.directory.user_at(index));
        lines.extend(users.map(|user| {
            vec![user.display_name.to_string(), user.user_principal_name.to_string(), user.id.to_string(), why.clone()]
        }));
    }
    Ok(File { name: open.list.file.to_owned(), lines })
}

/// For each check that fails over coverage, every account that isn't covered, of whatever kind; complete, however long.
pub(super) fn failing(analysis: &Analysis, now: Timestamp) -> Vec<File> {
    let failed = analysis.findings.iter().filter(|finding| finding.verdict == Verdict::Fail);
    failed.map(|finding| uncovered_by(analysis, finding.check, now)).collect()
}

fn uncovered_by(analysis: &Analysis, check: &str, now: Timestamp) -> File {
    let headings = ["Name", "User principal name", "Object id", "Kind", "Unused for 90 days", "Not made to meet"];
    let mut lines = vec![headings.map(str::to_owned).to_vec()];
    for (requirement, _, coverage) in uncovered::asked(analysis, check, now) {
        let split = Accounts::of(&coverage.uncovered, &analysis.model, now);
        let kinds = [
            ("person", &split.people),
            ("guest", &split.guests),
            ("service account", &split.service),
            ("room or equipment", &split.rooms),
            ("emergency access", &split.emergency),
        ];
        for (kind, at) in kinds.into_iter().flat_map(|(kind, users)| users.iter().map(move |at| (kind, at))) {
            let Some(user) = analysis.snapshot().directory.user_at(at) else { continue };
            let unused = if split.unused.contains(at) { "yes" } else { "" };
            lines.push(vec![
                user.display_name.to_string(),
                user.user_principal_name.to_string(),
                user.id.to_string(),
                kind.to_owned(),
                unused.to_owned(),
                requirement.words(),
            ]);
        }
    }
    File { name: format!("check-{check}.csv"), lines }
}

/// Every policy in the portal's words.
pub(super) fn policies(snapshot: &Snapshot) -> File {
    let mut lines = vec![["Name", "State", "Object id", "Content"].map(str::to_owned).to_vec()];
    lines.extend(snapshot.policies.iter().map(|policy| {
        let content: Vec<String> =
            describe::policy(policy, snapshot).into_iter().map(|(label, words)| format!("{label}: {words}")).collect();
        vec![
            policy.display_name.clone(),
            rows::state_word(policy.state).to_owned(),
            policy.id.clone(),
            content.join(" | "),
        ]
    }));
    File { name: "policies.csv".to_owned(), lines }
}

/// Everything that any policy leaves out: one line an excluded object.
pub(super) fn exclusions(model: &Model) -> File {
    let snapshot = &model.snapshot;
    let mut lines = vec![["Policy", "State", "Excluded", "Name", "Accounts"].map(str::to_owned).to_vec()];
    for policy in &snapshot.policies {
        let state = rows::state_word(policy.state);
        lines.extend(excluded(policy, model).into_iter().map(|(kind, name, accounts)| {
            vec![policy.display_name.clone(), state.to_owned(), kind.to_owned(), name, accounts]
        }));
    }
    File { name: "exclusions.csv".to_owned(), lines }
}

/// What one policy leaves out: kind, name, and how many accounts where that can be counted.
fn excluded(policy: &Policy, model: &Model) -> Vec<(&'static str, String, String)> {
    let snapshot = &model.snapshot;
    let directory = &snapshot.directory;
    let out = &policy.conditions.users.exclude;
    let user = |id: &String| directory.user(id).map_or_else(|| id.clone(), |user| user.display_name.to_string());
    let mut found: Vec<(&'static str, String, String)> =
        out.users.iter().map(|id| ("User", user(id), "1".to_owned())).collect();
    found.extend(out.groups.iter().map(|id| match directory.groups.get(id) {
        Some(group) => {
            let members = group.transitive.as_ref().map(|members| members.len().to_string());
            ("Group", group.display_name.clone(), members.unwrap_or_else(|| "not read".to_owned()))
        }
        None => ("Group", id.clone(), "not read".to_owned()),
    }));
    found.extend(out.roles.iter().map(|id| {
        let holders = model.role_holders(id, Assignment::Active).map(|holders| holders.len().to_string());
        ("Role", describe::role_name(id, snapshot), holders.unwrap_or_else(|| "not read".to_owned()))
    }));
    found.extend(out.guests.iter().map(|guests| ("Guests", describe::guests(guests), String::new())));
    let apps = policy.conditions.applications.exclude.iter();
    found.extend(apps.map(|id| ("Target resource", app_name(snapshot, id), String::new())));
    let principal = |kind, id: &String| (kind, describe::principal(id, snapshot), String::new());
    if let Some(clients) = &policy.conditions.client_applications {
        found.extend(clients.exclude.iter().map(|id| principal("Workload identity", id)));
        found.extend(clients.exclude_agents.iter().map(|id| principal("Agent identity", id)));
    }
    let agents = policy.conditions.agents.iter().flat_map(|agents| &agents.exclude);
    found.extend(agents.map(|id| ("User of an agent", user(id), "1".to_owned())));
    found
}
