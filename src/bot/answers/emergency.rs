//! The emergency access accounts: kept out of everything, or caught by what.

use roaring::RoaringBitmap;

use crate::bot::answer::{Answer, Part};
use crate::checks::accounts::emergency_access;
use crate::checks::rows;
use crate::facts::{Fact, Term};
use crate::tenant::policy::PolicyState;
use crate::tenant::{PastSignIn, Policy, Snapshot, how_many};

use super::{Asked, named, scope};

/// Whether a text in small letters speaks of them.
pub(super) fn are_meant(text: &str) -> bool {
    ["emergency", "break-glass", "breakglass", "break glass"].iter().any(|words| text.contains(words))
}

/// The past sign-ins of these accounts, newest first.
fn theirs<'a>(snapshot: &'a Snapshot, accounts: &RoaringBitmap) -> impl Iterator<Item = &'a PastSignIn> {
    let of_theirs =
        |row: &&PastSignIn| snapshot.directory.user_index(&row.user_id).is_some_and(|index| accounts.contains(index));
    snapshot.sign_ins.iter().rev().filter(of_theirs)
}

/// When one of them last signed in, by the log or the directory.
pub(super) fn last_seen(asked: Asked<'_>) -> Fact {
    let snapshot = asked.analysis.snapshot();
    let accounts = emergency_access(snapshot);
    let users = || accounts.iter().filter_map(|index| snapshot.directory.user_at(index));
    let logged = theirs(snapshot, &accounts).map(|row| row.at);
    let last = users().filter_map(|user| user.last_sign_in).chain(logged).max();
    let names = users().map(|user| user.display_name.to_string()).collect();
    Fact::new("exclusions.emergency_last", asked.analysis.evidence(rows::users(&accounts, snapshot, None)))
        .with("names", Term::Names(names))
        .with("last", last.map_or_else(|| Term::Word(String::new()), Term::Time))
        .must_show()
}

/// The emergency access accounts: which policies, or whether this one, would catch them, and whether they signed in.
pub(super) fn told(asked: Asked<'_>, one: Option<&Policy>) -> Answer {
    let (model, snapshot) = (&asked.analysis.model, asked.analysis.snapshot());
    let accounts = emergency_access(snapshot);
    if accounts.is_empty() {
        return named::missing("exclusions.no_emergency").part(Part::Limits(vec![asked.read_at()]));
    }
    let meant = |policy: &&Policy| match one {
        Some(one) => policy.id == one.id,
        None => policy.state != PolicyState::Disabled,
    };
    let live = snapshot.policies.iter().filter(meant);
    let mut caught = RoaringBitmap::new();
    let mut items = Vec::new();
    for policy in live.clone() {
        let reached = model.users_of(&policy.id).1 & &accounts;
        if reached.is_empty() {
            continue;
        }
        let names = reached
            .iter()
            .filter_map(|index| snapshot.directory.user_at(index))
            .map(|user| user.display_name.to_string());
        let evidence = [rows::policy(policy)].into_iter().chain(rows::users(&reached, snapshot, None));
        let fact = Fact::new("exclusions.catches", asked.analysis.evidence(evidence))
            .with("policy", Term::Name(policy.display_name.clone()))
            .with("state", Term::Word(rows::state_word(policy.state).to_owned()))
            .with("asks", Term::Name(scope::asks(policy, snapshot)))
            .with("when", Term::Name(scope::conditions(policy, snapshot)))
            .with("names", Term::Names(names.collect()));
        items.push((fact, Vec::new()));
        if one.is_some() || policy.state == PolicyState::Enabled {
            caught |= reached;
        }
    }
    let evidence = rows::users(&accounts, snapshot, None).chain(live.clone().map(rows::policy));
    let names =
        accounts.iter().filter_map(|index| snapshot.directory.user_at(index)).map(|user| user.display_name.to_string());
    let key = if one.is_some() { "exclusions.emergency_one" } else { "exclusions.emergency" };
    let total = Fact::new(key, asked.analysis.evidence(evidence))
        .with("policy", Term::Name(one.map(|policy| policy.display_name.clone()).unwrap_or_default()))
        .with("state", Term::Word(one.map_or("", |policy| rows::state_word(policy.state)).to_owned()))
        .with("later", Term::Word(one.filter(|one| one.state != PolicyState::Enabled).map_or("", |_| "yes").to_owned()))
        .with("out", accounts.len() - caught.len())
        .with("caught", caught.len())
        .with("of", accounts.len())
        .with("names", Term::Names(names.collect()))
        .with("policies", live.filter(|policy| policy.state == PolicyState::Enabled).count())
        .must_show();
    let found = || theirs(snapshot, &accounts);
    let sign_ins = found().map(|row| rows::sign_in(row, snapshot));
    let used = Fact::new("exclusions.emergency_used", asked.analysis.evidence(sign_ins).within(snapshot.window))
        .with("count", how_many(found()))
        .must_show();
    Answer::sentences(vec![total, used])
        .part(Part::List { ordered: false, items })
        .part(Part::Limits(vec![asked.read_at()]))
}
