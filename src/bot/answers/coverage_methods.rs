//! "Who doesn't have MFA registered?": people without a method that could do it, whether a policy asks for it or not.

use roaring::RoaringBitmap;

use crate::bot::answer::{Answer, Part, ask, column};
use crate::checks::accounts::Accounts;
use crate::checks::rows;
use crate::facts::{Fact, Term};
use crate::tenant::{Kind, User};

use super::{Asked, coverage_mfa, named, unread};

/// How many people the table names.
const SHOWN: usize = 10;

/// Whether a question is about methods that people have registered, and not about policies.
pub(super) fn is_meant(text: &str) -> bool {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    has(&["mfa", "factor", "method", "authenticator"]) && has(&["regist", "enrol", "set up", "no method", "a method"])
        || (is_strong(text) && text.contains("method"))
}

/// Whether phishing-resistant methods are meant, and not just any.
fn is_strong(text: &str) -> bool {
    ["phishing", "passkey", "fido"].iter().any(|word| text.contains(word))
}

/// Registered methods that are bound to the site, by Microsoft's names. Certificates are registered nowhere.
const STRONG: &[&str] = &[
    "fido2SecurityKey",
    "passKeyDeviceBound",
    "passKeyDeviceBoundAuthenticator",
    "passKeyDeviceBoundWindowsHello",
    "passKeySynced",
    "windowsHelloForBusiness",
    "macOsSecureEnclaveKey",
];

/// Of administrators, or of everybody, those without a phishing-resistant method.
fn strong(asked: Asked<'_>) -> Answer {
    let (model, snapshot) = (&asked.analysis.model, asked.analysis.snapshot());
    let admins = asked.text.to_lowercase().contains("admin");
    let people = Accounts::of(&model.default_users(), model, snapshot.read_at).people;
    let roles = || named::class(asked, "admins").map(|class| class.users).unwrap_or_default();
    let (who, all) = if admins { ("administrators", people & roles()) } else { ("enabled people", people) };
    let directory = &snapshot.directory;
    let has = |index: &u32| {
        let registered = directory.user_at(*index).and_then(|user| directory.registrations.get(&user.id));
        registered.is_some_and(|one| one.methods.iter().any(|method| STRONG.contains(&method.as_str())))
    };
    let without: RoaringBitmap = all.iter().filter(|index| !has(index)).collect();
    let total = Fact::new("coverage.methods_strong", asked.analysis.evidence(rows::users(&without, snapshot, None)))
        .with("count", without.len())
        .with("of", all.len())
        .with("who", Term::Word(who.to_owned()))
        .must_show();
    let users = without.iter().filter_map(|index| directory.user_at(index));
    let line = |user: &User| {
        let registered = directory.registrations.get(&user.id).map(|one| one.methods.iter().map(ToString::to_string));
        let methods =
            registered.map(|methods| methods.collect::<Vec<_>>().join(", ")).filter(|words| !words.is_empty());
        vec![user.display_name.to_string(), methods.unwrap_or_else(|| "none".to_owned())]
    };
    let columns = ["Person", "Registered methods"].map(column).to_vec();
    let limits = ["certificates, which are registered nowhere".to_owned()];
    Answer::sentences(vec![total])
        .table("without-phishing-resistant-method", columns, users.map(line).collect(), SHOWN)
        .part(Part::Limits(asked.not_checked(&limits).into_iter().chain([asked.read_at()]).collect()))
        .action(ask("What policies ask of them", "which admins are not covered by phishing-resistant MFA?"))
}

/// Everybody without a method, and how many of them a policy makes use MFA already.
pub(super) fn told(asked: Asked<'_>) -> Answer {
    if let Some(back) = unread::back(asked, &[Kind::Users]) {
        return *back;
    }
    let (model, snapshot) = (&asked.analysis.model, asked.analysis.snapshot());
    if !snapshot.has(Kind::UserRegistrationDetails) {
        let unread = Fact::new("coverage.methods_unread", asked.analysis.evidence([])).must_show();
        return Answer::sentences(vec![unread]).part(Part::Limits(vec![asked.read_at()]));
    }
    if is_strong(&asked.text.to_lowercase()) {
        return unread::back(asked, &[Kind::RoleAssignments]).map_or_else(|| strong(asked), |back| *back);
    }
    let people = Accounts::of(&model.default_users(), model, snapshot.read_at).people;
    let without = &people - coverage_mfa::capable(asked, &people);
    let required = &without - coverage_mfa::gaps(asked).accounts.people;
    let total = Fact::new("coverage.methods", asked.analysis.evidence(rows::users(&without, snapshot, None)))
        .with("count", without.len())
        .with("of", people.len())
        .with("required", required.len())
        .must_show();
    let mut users: Vec<(bool, &User)> = without
        .iter()
        .filter_map(|index| Some((!required.contains(index), snapshot.directory.user_at(index)?)))
        .collect();
    users.sort_by_key(|(spared, user)| (*spared, user.display_name.clone()));
    let zone = &asked.app.config.schedule.zone;
    let line = |(spared, user): &(bool, &User)| {
        let last = user.last_sign_in.map(|at| at.to_zoned(zone.clone()).strftime("%-d %b %Y").to_string());
        let department = user.department.clone().unwrap_or_default().to_string();
        let asked_for = if *spared { "no" } else { "yes" }.to_owned();
        vec![user.display_name.to_string(), department, asked_for, last.unwrap_or_else(|| "not known".to_owned())]
    };
    let columns = ["Person", "Department", "A policy requires MFA", "Last sign-in"].map(column).to_vec();
    let limits = ["guests, who use the methods of their home tenant".to_owned()];
    Answer::sentences(vec![total])
        .table("without-method", columns, users.iter().map(line).collect(), SHOWN)
        .part(Part::Limits(asked.not_checked(&limits).into_iter().chain([asked.read_at()]).collect()))
        .action(ask("Who is not covered by MFA?", "who is not covered by MFA?"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::bot::answers::testing::{nordwerk, said};
    use crate::bot::intent::Intent;

    const WHO: &str = "who doesnt have mfa registered";

    #[tokio::test]
    async fn people_without_a_method_are_named() {
        insta::assert_snapshot!(said(&nordwerk(), Intent::CoverageGaps, WHO).await, @r"
        2 of 4 enabled people have no method registered that could do MFA. [1]
        | Person | Department | A policy requires MFA | Last sign-in
        | Bob Keller |  | no | not known
        | Dana Admin |  | no | not known
        Not checked: guests, who use the methods of their home tenant. Read Tue 24 Nov 08:00.
        (CSV (2)) (Who is not covered by MFA?)
        [1] 2 of 4 without a registered method · 2 accounts
        ");
        let mut tenant = nordwerk();
        tenant["userRegistrationDetails"][2]["isMfaCapable"] = json!(true);
        let words = said(&tenant, Intent::CoverageGaps, WHO).await;
        assert!(!words.contains("Bob Keller"), "{words}");
    }

    #[tokio::test]
    async fn admins_without_a_phishing_resistant_method() {
        let text = "which admins have no phishing resistant method?";
        let words = said(&nordwerk(), Intent::CoverageGaps, text).await;
        assert!(words.starts_with("1 of 1 administrators have no phishing-resistant method"), "{words}");
        assert!(words.contains("| Dana Admin | none"), "{words}");
        let mut tenant = nordwerk();
        let key = json!({"id": "u-dana", "isMfaCapable": true, "methodsRegistered": ["fido2SecurityKey"]});
        tenant["userRegistrationDetails"].as_array_mut().unwrap().push(key);
        let words = said(&tenant, Intent::CoverageGaps, text).await;
        assert!(words.starts_with("Each of 1 administrators has"), "{words}");
    }
}
