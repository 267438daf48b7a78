//! The emergency access accounts are ready: enough of them, in the cloud, strong, in force, tested, and not in use.

use jiff::Timestamp;

use crate::facts::{Evidence, Fact, Row, Term};
use crate::suggestions::lint::is_nobodys;
use crate::tenant::well_known::GLOBAL_ADMINISTRATOR;
use crate::tenant::{Assignment, Kind, Snapshot, User};

use super::accounts::{UNNAMED, days_between, emergency_access};
use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, Severity, Threshold, Verdict, hand_over, rows};

/// The emergency access accounts are ready: enough of them, in the cloud, strong, in force, tested, and not in use.
#[derive(Debug)]
pub(super) struct EmergencyAccessAccounts;

static ABOUT: About = About {
    id: "emergency-access-accounts",
    title: "Emergency access accounts ready",
    severity: Severity::High,
    rationale: "An emergency access account that is disabled, bound to the premises, without a passkey or never tried fails in the hour that it is for. One that signs in on an ordinary day is an alarm.",
    references: &["prowler:entra_break_glass_account_fido2_security_key_registered"],
    see_also: &["ZT 21835", "MT.1005"],
    licence: "P1",
    thresholds: &[ACCOUNTS, TESTED, USED],
    cure: CureKind::Edit,
};

const ACCOUNTS: Threshold = Threshold { name: "accounts", default: 2.0, meaning: "accounts that there should be" };
const TESTED: Threshold = Threshold { name: "tested-days", default: 90.0, meaning: "days since the last test at most" };
const USED: Threshold = Threshold { name: "used-days", default: 7.0, meaning: "days for which a sign-in is reported" };

/// Registered methods that an attacker can't phish; a certificate is registered nowhere that can be read.
const PASSKEYS: [&str; 3] = ["fido2", "passkey", "windowshello"];

/// What is wrong with an account: what, and what should be.
type Fault = (&'static str, String, &'static str);

impl Check for EmergencyAccessAccounts {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        if snapshot.settings.emergency_access.is_empty() {
            let mut finding = listing::open(context, ABOUT.id, "emergency_access_accounts.unnamed", Verdict::Review);
            finding.not_checked.push(UNNAMED.to_owned());
            return finding;
        }
        if !snapshot.has(Kind::Users) {
            let mut finding = listing::open(context, ABOUT.id, "emergency_access_accounts.review", Verdict::Review);
            finding.not_checked.push("the accounts themselves (users.json would settle it)".to_owned());
            return finding;
        }
        let accounts: Vec<&User> =
            emergency_access(snapshot).iter().filter_map(|index| snapshot.directory.user_at(index)).collect();
        let mut listed: Vec<Listed> = accounts.iter().filter_map(|account| listed(account, context)).collect();
        #[expect(clippy::cast_precision_loss, reason = "accounts are few")]
        let few = (accounts.len() as f64) < context.threshold(ABOUT.id, &ACCOUNTS);
        listed.extend(few.then(|| too_few(accounts.len(), context)));
        let configured = snapshot.settings.emergency_access.iter();
        listed.extend(configured.filter(|id| is_nobodys(snapshot, id)).map(|id| nobodys(id, context)));
        let mut finding = listing::finding(context, (ABOUT.id, "emergency_access_accounts"), listed);
        finding.not_checked = not_checked(snapshot);
        finding
    }
}

fn not_checked(snapshot: &Snapshot) -> Vec<String> {
    let unread = [
        (Kind::RoleAssignments, "whether they are Global Administrators (roleAssignments.json would settle it)"),
        (Kind::UserRegistrationDetails, "whether they have a passkey (userRegistrationDetails.json would settle it)"),
    ];
    let unread = unread.into_iter().filter(|(kind, _)| !snapshot.has(*kind)).map(|(_, what)| what.to_owned());
    let always = [Some("certificates, and where keys and passwords are kept"), snapshot.missing_sign_ins()];
    unread.chain(always.into_iter().flatten().map(str::to_owned)).collect()
}

fn listed(account: &User, context: &Context<'_>) -> Option<Listed> {
    let snapshot = &context.model.snapshot;
    let faults: Vec<Fault> = [standing(account, snapshot), proof(account, snapshot), use_of(account, context)]
        .into_iter()
        .flatten()
        .collect();
    if faults.is_empty() {
        return None;
    }
    let name = account.display_name.as_str().to_owned();
    let own: Vec<_> =
        snapshot.sign_ins.iter().rev().filter(|row| row.user_id.as_str() == account.id.as_str()).collect();
    let user = snapshot.directory.user_index(&account.id).into_iter().collect();
    let user = rows::users(&user, snapshot, None).collect::<Vec<Row>>();
    let evidence = context.evidence(user.into_iter().chain(own.into_iter().map(|row| rows::sign_in(row, snapshot))));
    let words: Vec<&str> = faults.iter().map(|(_, found, _)| found.as_str()).collect();
    let fact = Fact::new("emergency_access_accounts.account", evidence)
        .with("account", Term::Name(name.clone()))
        .with("faults", Term::Word(words.join("; ")));
    let portal = format!("Entra admin center > Users > {name}");
    let mut action = hand_over::change_of(("User", &account.id, &name), ("", "", ""), portal);
    action.changes = faults.iter().map(|(what, found, wanted)| (label(what), found.clone(), label(wanted))).collect();
    Some(Listed { fact, cure: listing::hand_over(&account.id, format!("Make {name} ready"), action) })
}

fn label(text: &str) -> String {
    text.to_owned()
}

/// Enabled, of this cloud, a Global Administrator all the time.
fn standing(account: &User, snapshot: &Snapshot) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    if !account.enabled {
        faults.push(("Account", "is disabled".to_owned(), "enabled"));
    }
    if account.synced {
        faults.push(("Source", "is synchronised from on premises".to_owned(), "a cloud-only account"));
    }
    if account.guest.is_some() {
        faults.push(("User type", "is a guest".to_owned(), "a member of this tenant"));
    }
    let directory = &snapshot.directory;
    let index = directory.user_index(&account.id);
    let holds = |principal: &String| {
        let group = directory.groups.get(principal).and_then(|group| group.transitive.as_ref());
        *principal == *account.id || index.is_some_and(|index| group.is_some_and(|members| members.contains(index)))
    };
    let permanent = directory.role_assignments.iter().any(|held| {
        held.role_id == GLOBAL_ADMINISTRATOR && held.assignment == Assignment::Active && holds(&held.principal_id)
    });
    if snapshot.has(Kind::RoleAssignments) && !permanent {
        faults.push((
            "Assigned roles",
            "isn't an active Global Administrator".to_owned(),
            "Global Administrator, active and permanent",
        ));
    }
    faults
}

/// A method that can't be phished.
fn proof(account: &User, snapshot: &Snapshot) -> Vec<Fault> {
    if !snapshot.has(Kind::UserRegistrationDetails) {
        return Vec::new();
    }
    let registered = snapshot.directory.registrations.get(account.id.as_str());
    let methods = registered.map(|registration| &*registration.methods).unwrap_or_default();
    let strong = methods.iter().any(|method| {
        let method = method.to_ascii_lowercase();
        PASSKEYS.iter().any(|passkey| method.starts_with(passkey))
    });
    let found = "has no passkey (FIDO2) registered".to_owned();
    if strong { Vec::new() } else { vec![("Authentication methods", found, "a passkey (FIDO2), or a certificate")] }
}

/// Tried lately, but not in these days.
fn use_of(account: &User, context: &Context<'_>) -> Vec<Fault> {
    let snapshot = &context.model.snapshot;
    let rows =
        snapshot.sign_ins.iter().filter(|row| row.user_id.as_str() == account.id.as_str() && row.error_code == 0);
    let last: Option<Timestamp> = rows.map(|row| row.at).max().max(account.last_sign_in);
    let Some(days) = last.map(|at| days_between(at, context.now)) else {
        return vec![("Last test", "has never signed in, as far as is known".to_owned(), "a test, written down")];
    };
    #[expect(clippy::cast_precision_loss, reason = "days are few")]
    let since = days as f64;
    let ago = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
    if since < context.threshold(ABOUT.id, &USED) {
        return vec![("Last sign-in", format!("signed in {ago} ago"), "known to be a test, or looked into")];
    }
    let overdue = since > context.threshold(ABOUT.id, &TESTED);
    if overdue { vec![("Last test", format!("was last used {ago} ago"), "a test, written down")] } else { Vec::new() }
}

/// An id that was configured, and that no account or group has (any more).
fn nobodys(id: &str, context: &Context<'_>) -> Listed {
    let fact = Fact::new("emergency_access_accounts.nobodys", context.stamp(Evidence::default()));
    Listed { fact: fact.with("id", Term::Name(id.to_owned())), cure: None }
}

fn too_few(count: usize, context: &Context<'_>) -> Listed {
    let tenant = context.model.snapshot.tenant_name.as_str();
    let before = if count == 1 { "1 account".to_owned() } else { format!("{count} accounts") };
    let portal = "Entra admin center > Users > New user".to_owned();
    let change = ("Emergency access accounts", before.as_str(), "two, kept apart");
    let action = hand_over::change_of(("Tenant", "", tenant), change, portal);
    Listed {
        fact: Fact::new("emergency_access_accounts.few", context.stamp(Evidence::default())).with("count", count),
        cure: listing::hand_over("", "Add an emergency access account".to_owned(), action),
    }
}
