//! What a card hands to a person: the change as JSON, Graph request, PowerShell and Terraform, where to click, a text for
//! the ticket, and whom to ask. Written down here, never sent.

use serde_json::Value;

use crate::app::App;
use crate::chat::card::Action;
use crate::checks::edits::{enforces, is_refused};
use crate::checks::hand_over::{for_its_cloud, turn_on};
use crate::checks::{CureAction, HandOver};
use crate::config::Cloud;
use crate::suggestions::draft::{ReportOnlyPolicy, needs_beta};
use crate::suggestions::terraform;
use crate::tenant::policy::PolicyState;
use crate::tenant::write::export_policy;
use crate::tenant::{Policy, Snapshot};

use super::answer::Part;
use super::approve::Case;
use super::basis::moment;
use super::describe;
use super::handed::compare::edited_policy;

/// How many requests are written out one by one.
const LISTED: usize = 20;

/// The blocks to copy, in the order that people look for them. Where the bot itself would create the policy, its name gets
/// a mark that these forms, which are for people, don't have: they say so.
#[must_use]
pub fn blocks((app, case): (&App, &Case), snapshot: &Snapshot, mark: Option<&str>) -> Vec<Part> {
    let case = (app, case);
    let forms = match &case.1.action {
        CureAction::Draft(draft) => marked(of_draft(case, draft, snapshot), mark),
        CureAction::HandOver(change) => of_edit(case, change, snapshot),
    };
    let told = forms.into_iter().filter(|(_, text)| !text.is_empty()).map(|(language, text)| match language {
        "PowerShell" => (language, for_its_cloud(&text, snapshot)),
        _ => (language, text),
    });
    told.map(|(language, text)| Part::Code(language.to_owned(), text)).collect()
}

/// The forms with a word about the mark, where a form has room for words.
fn marked(forms: Vec<(&'static str, String)>, mark: Option<&str>) -> Vec<(&'static str, String)> {
    let Some(mark) = mark else { return forms };
    let words = format!("By hand: without the mark {mark}.");
    let one = |(form, text): (&'static str, String)| match form {
        "PowerShell" => (form, format!("# {words}\n{text}")),
        "Ticket" => (form, format!("{}\n{words}\n", text.trim_end())),
        _ => (form, text),
    };
    forms.into_iter().map(one).collect()
}

fn of_draft(case: (&App, &Case), draft: &Policy, snapshot: &Snapshot) -> Vec<(&'static str, String)> {
    let Ok(policy) = ReportOnlyPolicy::new(draft, &draft.display_name) else { return Vec::new() };
    let body = pretty(&policy.body());
    let path = if needs_beta(draft) { "/beta" } else { "/v1.0" }.to_owned() + "/identity/conditionalAccess/policies";
    let request = format!("POST {path}\nContent-Type: application/json\n\n{body}");
    let powershell = format!(
        "Connect-MgGraph -Scopes 'Policy.Read.All','Policy.ReadWrite.ConditionalAccess'\n\
         $body = @'\n{body}\n'@\n\
         Invoke-MgGraphRequest -Method POST -Uri '{path}' -Body $body \
         -ContentType 'application/json'"
    );
    vec![
        ("JSON", body),
        ("Graph request", request),
        ("PowerShell", powershell),
        ("Terraform", terraform_of(policy.policy())),
        ("Ticket", ticket_of_draft(case, policy.policy(), snapshot)),
    ]
}

fn of_edit(case: (&App, &Case), change: &HandOver, snapshot: &Snapshot) -> Vec<(&'static str, String)> {
    let after = snapshot.policy(&change.target_id).and_then(|policy| edited_policy(change, policy));
    let refused = |policy: &Policy| policy.state == PolicyState::Enabled && is_refused(policy, snapshot);
    // What the card says must be mended first, nobody should be able to paste.
    if enforces(change) && after.as_ref().is_some_and(refused) {
        return vec![("Ticket", ticket(case, change))];
    }
    vec![
        ("JSON", after.as_ref().map(|policy| pretty(&export_policy(policy))).unwrap_or_default()),
        ("Graph request", request(change)),
        ("PowerShell", change.powershell.clone()),
        ("Terraform", terraform_of_edit(change, after.as_ref())),
        ("Ticket", ticket(case, change)),
    ]
}

/// The requests that turn a policy On, where nothing about it must be mended first.
#[must_use]
pub fn to_turn_on(policy: &Policy, snapshot: &Snapshot) -> Vec<Part> {
    let change = turn_on(policy);
    if edited_policy(&change, policy).is_none_or(|after| is_refused(&after, snapshot)) {
        return Vec::new();
    }
    let powershell = for_its_cloud(&change.powershell, snapshot);
    let blocks = [("Graph request", request(&change)), ("PowerShell", powershell)];
    blocks.into_iter().map(|(language, text)| Part::Code(language.to_owned(), text)).collect()
}

/// The request that makes the change; several where people leave a group, because Graph takes them one by one.
fn request(change: &HandOver) -> String {
    if let Some((method, path, body)) = &change.request {
        let body = if body.is_null() {
            String::new()
        } else {
            format!("\nContent-Type: application/json\n\n{}", pretty(body))
        };
        return format!("{method} {path}{body}");
    }
    let one = |(group, member): &(String, String)| format!("DELETE /v1.0/groups/{group}/members/{member}/$ref");
    let mut lines: Vec<String> = change.memberships.iter().take(LISTED).map(one).collect();
    if change.memberships.len() > LISTED {
        lines.push(format!("and {} more in the same way", change.memberships.len() - LISTED));
    }
    lines.join("\n")
}

fn terraform_of(policy: &Policy) -> String {
    terraform::resource(policy).unwrap_or_else(|lacking| {
        format!(
            "# The azuread provider has no argument for {}:\n# make this change in the portal or with Graph.",
            lacking.join(", ")
        )
    })
}

/// The policy as it is after the edit, or where the change belongs in code.
fn terraform_of_edit(change: &HandOver, after: Option<&Policy>) -> String {
    let note = match change.target_kind.as_str() {
        _ if after.is_some() => return after.map(terraform_of).unwrap_or_default(),
        "Policy" => "Remove the azuread_conditional_access_policy resource of this policy.",
        "Group" if !change.members.is_empty() => {
            "Remove the azuread_group_member resources of these accounts, or take them out of `members` of the azuread_group."
        }
        "Group" => "Change the azuread_group resource of this group (`dynamic_membership`).",
        "Named location" => "Change the azuread_named_location resource of this location.",
        _ => "The azuread provider has no resource for this change: make it in the portal or with Graph.",
    };
    format!("# {note}")
}

fn ticket_of_draft(case: (&App, &Case), policy: &Policy, snapshot: &Snapshot) -> String {
    let mut text =
        format!("{}\n\nNew Conditional Access policy: {}\n", case.1.body.proposal.title, policy.display_name);
    for (label, words) in describe::policy(policy, snapshot) {
        text.push_str(&format!("{label}: {words}\n"));
    }
    text + &reference(case)
}

fn ticket(case: (&App, &Case), change: &HandOver) -> String {
    let mut text = format!("{}\n\nWhere: {}\n", case.1.body.proposal.title, change.portal);
    for (label, before, after) in &change.changes {
        text.push_str(&format!("{label}: {before} -> {after}\n"));
    }
    text + &reference(case)
}

fn reference((app, case): (&App, &Case)) -> String {
    let watched = " Portcullis watches the audit log and closes it when the change is seen.";
    let ticket = case.terms.ticket.as_ref().map(|ticket| format!(", {ticket}")).unwrap_or_default();
    format!("\nReference: S-{}{ticket}.{}", case.kept.suggestion, if app.config.offline { "" } else { watched })
}

/// A button that opens the object in the Entra admin center.
#[must_use]
pub fn link(app: &App, action: &CureAction) -> Option<Action> {
    let entra = app.config.graph.cloud.entra();
    let page = match action {
        CureAction::Draft(_) => "Microsoft_AAD_ConditionalAccess/ConditionalAccessBlade/~/Policies".to_owned(),
        CureAction::HandOver(change) => page(change)?,
    };
    Some(Action::Open { label: "Open in Entra".into(), url: format!("{entra}/#view/{page}") })
}

/// A policy in the Entra admin center.
#[must_use]
pub fn policy_page(cloud: Cloud, id: &str) -> Option<String> {
    let id: uuid::Uuid = id.parse().ok()?;
    Some(format!("{}/#view/Microsoft_AAD_ConditionalAccess/PolicyBlade/policyId/{id}", cloud.entra()))
}

/// The page of what is changed; only a well-formed id gets into an address.
fn page(change: &HandOver) -> Option<String> {
    let id = || change.target_id.parse::<uuid::Uuid>().ok();
    Some(match change.target_kind.as_str() {
        "Policy" => format!("Microsoft_AAD_ConditionalAccess/PolicyBlade/policyId/{}", id()?),
        "Named location" => "Microsoft_AAD_ConditionalAccess/ConditionalAccessBlade/~/NamedLocations".to_owned(),
        "Group" => format!("Microsoft_AAD_IAM/GroupDetailsMenuBlade/~/Members/groupId/{}", id()?),
        "User" => format!("Microsoft_AAD_UsersAndTenants/UserProfileMenuBlade/~/overview/userId/{}", id()?),
        _ => return None,
    })
}

/// Whom to ask: who owns the group, or who changed the object last; none where nobody knows.
pub async fn owner(app: &App, action: &CureAction, snapshot: &Snapshot) -> Option<String> {
    let CureAction::HandOver(change) = action else { return None };
    if change.target_kind == "Group" {
        let read = snapshot.directory.groups.get(&change.target_id).map(|group| names(&group.owners, snapshot));
        let owners = match read.filter(|owners| !owners.is_empty()) {
            Some(owners) => owners,
            None => app.graph.as_ref()?.owners_of(&change.target_id).await.ok()?,
        };
        return Some(if owners.is_empty() { "nobody".to_owned() } else { owners.join(", ") });
    }
    let last = snapshot.audits.iter().rev().find(|record| record.is_about(&change.target_id))?;
    Some(format!("not recorded; last changed by {} on {}", last.by, moment(app, last.at)))
}

fn names(ids: &[String], snapshot: &Snapshot) -> Vec<String> {
    ids.iter().filter_map(|id| Some(snapshot.directory.user(id)?.display_name.to_string())).collect()
}

fn pretty(body: &Value) -> String {
    serde_json::to_string_pretty(body).unwrap_or_default()
}
