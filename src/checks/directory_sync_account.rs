//! No policy stops directory synchronisation.

use std::collections::BTreeSet;

use roaring::RoaringBitmap;
use serde_json::json;

use crate::engine::{Requirement, Scope, Truth};
use crate::facts::{Fact, Term};
use crate::tenant::policy::{ClientAppType, Control, Platform};
use crate::tenant::well_known::SYNCHRONISING;
use crate::tenant::{Kind, Policy, Snapshot};

use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, HandOver, Severity, Verdict, drafts, hand_over, policies, rows};

/// No policy stops directory synchronisation.
#[derive(Debug)]
pub(super) struct DirectorySyncAccount;

static ABOUT: About = About {
    id: "directory-sync-account",
    title: "Directory synchronization account excluded",
    severity: Severity::High,
    rationale: "The account of Microsoft Entra Connect can do neither MFA nor device checks. A policy that reaches it stops synchronisation, and with it leavers and password changes.",
    references: &["MT.1020", "prowler:entra_conditional_access_policy_directory_sync_account_excluded"],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

impl Check for DirectorySyncAccount {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        if !snapshot.has(Kind::RoleAssignments) || !snapshot.has(Kind::Users) {
            let mut finding = listing::open(context, ABOUT.id, "directory_sync_account.review", Verdict::Review);
            finding.not_checked.push(
                "who synchronises the directory (users.json and roleAssignments.json would settle it)".to_owned(),
            );
            return finding;
        }
        let accounts = accounts(snapshot);
        if accounts.is_empty() {
            return listing::open(context, ABOUT.id, "directory_sync_account.nobody", Verdict::NotApplicable);
        }
        let reaching = policies::on(snapshot).filter(|policy| reaches(policy, &accounts, context));
        let judged: Vec<(&Policy, Truth)> =
            reaching.map(|policy| (policy, everywhere(policy, &accounts, context))).collect();
        let stopping = judged.iter().filter(|(_, stops)| *stops == Truth::Yes);
        let listed = stopping.map(|(policy, _)| listed(policy, &accounts, context)).collect();
        let mut finding = listing::finding(context, (ABOUT.id, "directory_sync_account"), listed);
        if judged.iter().any(|(_, stops)| *stops == Truth::No) {
            let what =
                "where the server stands that synchronises the directory: some policies hold from some places only";
            finding.not_checked.push(what.to_owned());
        }
        if judged.iter().any(|(_, stops)| *stops == Truth::Maybe) {
            // Trusted places are those of the list and those of per-user MFA, which no list holds.
            let file = if snapshot.has(Kind::NamedLocations) {
                "mfaTrustedIps in settings.json"
            } else {
                "namedLocations.json"
            };
            finding.not_checked.push(format!("where some policies hold ({file} would settle it)"));
            if finding.verdict == Verdict::Pass {
                finding = Finding {
                    not_checked: finding.not_checked,
                    ..listing::open(context, ABOUT.id, "directory_sync_account.places", Verdict::Review)
                };
            }
        }
        finding
    }
}

/// Enabled users that hold one of the two roles; a service principal that synchronises is subject to no such policy.
fn accounts(snapshot: &Snapshot) -> RoaringBitmap {
    let directory = &snapshot.directory;
    let held = directory.role_assignments.iter().filter(|held| SYNCHRONISING.contains(&held.role_id.as_str()));
    let users = held.filter_map(|held| directory.user_index(&held.principal_id));
    users.filter(|index| directory.user_at(*index).is_some_and(|user| user.enabled)).collect()
}

/// Whether a policy bears on the everyday sign-ins of these accounts, without being made for them.
fn reaches(policy: &Policy, accounts: &RoaringBitmap, context: &Context<'_>) -> bool {
    let include = &policy.conditions.users.include;
    let directory = &context.model.snapshot.directory;
    let named = accounts
        .iter()
        .filter_map(|index| directory.user_at(index))
        .any(|user| include.users.contains(user.id.as_str()));
    let meant = named || SYNCHRONISING.iter().any(|role| include.roles.contains(*role));
    // These accounts run on Windows Server.
    let windows = policy.conditions.platforms.as_ref().is_none_or(|sides| {
        let listed = |set: &BTreeSet<Platform>| set.contains(&Platform::Windows) || set.contains(&Platform::All);
        listed(&sides.include) && !listed(&sides.exclude)
    });
    // And they are no browser.
    let types = &policy.conditions.client_app_types;
    let native = [ClientAppType::All, ClientAppType::MobileAppsAndDesktopClients];
    let native = types.is_empty() || native.iter().any(|native| types.contains(native));
    let (sure, _) = context.model.users_of(&policy.id);
    policies::is_everyday(policy) && windows && native && !meant && !sure.is_disjoint(accounts)
}

/// Whether a policy holds wherever they sign in from. A block or a demand from some places only is how these accounts
/// are guarded; a condition that leaves no place out guards nothing.
fn everywhere(policy: &Policy, accounts: &RoaringBitmap, context: &Context<'_>) -> Truth {
    let Some(locations) = &policy.conditions.locations else { return Truth::Yes };
    let mut bare = drafts::for_everyone(&Snapshot::default(), "", &[Control::Block]);
    bare.conditions.locations = Some(locations.clone());
    let scope = Scope { users: Some(accounts.clone()), ..Scope::default() };
    let coverage = context.model.with_draft_alone(&bare).coverage(&Requirement::Block, &scope);
    match (coverage.uncovered.is_empty(), coverage.undecided.is_empty()) {
        (false, _) => Truth::No,
        (true, false) => Truth::Maybe,
        (true, true) => Truth::Yes,
    }
}

fn listed(policy: &Policy, accounts: &RoaringBitmap, context: &Context<'_>) -> Listed {
    let users = rows::users(accounts, &context.model.snapshot, None);
    let evidence = context.evidence(std::iter::once(rows::policy(policy)).chain(users));
    Listed {
        fact: Fact::new("directory_sync_account.policy", evidence)
            .with("policy", Term::Name(policy.display_name.clone())),
        cure: listing::hand_over(
            &policy.id,
            format!("Exclude directory synchronization accounts from {}", policy.display_name),
            exclude(policy),
        ),
    }
}

fn exclude(policy: &Policy) -> HandOver {
    let mut after = policy.clone();
    after.conditions.users.exclude.roles.extend(SYNCHRONISING.map(str::to_owned));
    let body = crate::tenant::write_policy(&after);
    let change = (
        "Users > Exclude > Directory roles".to_owned(),
        "not among them".to_owned(),
        "Directory Synchronization Accounts, On Premises Directory Sync Account".to_owned(),
    );
    hand_over::edit_policy(policy, vec![change], &json!({"conditions": body.get("conditions")}))
}
