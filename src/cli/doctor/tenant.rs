//! The steps that ask Microsoft: tokens, every permission, licences, and what the identity for writing may do.

use std::collections::BTreeSet;

use crate::config::WriteMode;
use crate::graph::endpoints::{HIDDEN_PERMISSION, POLICIES, WRITE_PERMISSION};
use crate::graph::needs::{LogTable, NEEDS, Need, TABLES, WORKSPACE_ROLE};
use crate::graph::{Client, GraphError, Writer};
use crate::tenant::well_known::{PLAN_P1, PLAN_P2};

use super::{Outcome, Patient, Step};

/// Tries everything that is asked of Microsoft Graph.
pub(super) async fn examine(patient: &mut Patient<'_>, client: &Client) -> anyhow::Result<()> {
    let carried = match client.permissions().await {
        Ok(carried) => carried,
        Err(error) => return without_token(patient, &error),
    };
    // A token that was pasted in is there, and may be good for nothing.
    if let Some(first) = NEEDS.first()
        && let Err(error @ (GraphError::Unauthorised { .. } | GraphError::Token { .. })) = client.try_need(first).await
    {
        return without_token(patient, &error);
    }
    let says = patient.words("token", &[])?;
    patient.note(Step::new("Token", Outcome::Fine, says));
    for need in NEEDS {
        let tried = client.try_need(need).await;
        let step = judged(patient, need, (tried, carried.as_ref()))?;
        patient.note(step);
    }
    hidden(patient, carried.as_ref())?;
    workspace(patient, client).await?;
    licences(patient, client).await?;
    writing(patient, client, carried.as_ref()).await
}

/// Graph answers a question for hidden members with an empty list, so only the token tells whether they are shown.
fn hidden(patient: &mut Patient<'_>, carried: Option<&BTreeSet<String>>) -> anyhow::Result<()> {
    let Some(carried) = carried else { return Ok(()) };
    let step = |outcome, says| Step::new("Members of hidden groups", outcome, says).permission(HIDDEN_PERMISSION);
    let step = if carried.contains(HIDDEN_PERMISSION) {
        step(Outcome::Fine, patient.words("read", &[])?)
    } else {
        let without = "who is in a group whose membership is hidden";
        let terms = [("permission", HIDDEN_PERMISSION), ("without", without)];
        step(Outcome::Noted, patient.words("missing", &terms)?).todo(grant(patient, HIDDEN_PERMISSION)?)
    };
    patient.note(step);
    Ok(())
}

fn without_token(patient: &mut Patient<'_>, error: &GraphError) -> anyhow::Result<()> {
    let says = patient.words("token_failed", &[("why", &error.to_string())])?;
    let todo = patient.words("token_todo", &[])?;
    patient.note(Step::new("Token", Outcome::Failed, says).todo(todo));
    let workspace = patient.config.graph.log_analytics.as_ref().map(|_| WORKSPACE);
    for name in NEEDS.iter().map(|need| need.what).chain(workspace).chain(["Licence", "Writing"]) {
        let says = patient.words("not_tried", &[])?;
        patient.note(Step::new(name, Outcome::NotTried, says));
    }
    Ok(())
}

/// A refusal of a token that carries the permission has another cause, mostly a licence.
fn judged(
    patient: &Patient<'_>,
    need: &Need,
    (tried, carried): (Result<(), GraphError>, Option<&BTreeSet<String>>),
) -> anyhow::Result<Step> {
    let permission = need.ask.permission;
    let terms = [("permission", permission), ("without", need.without)];
    let step = |outcome, says| Step::new(need.what, outcome, says).permission(permission);
    let has = carried.is_some_and(|carried| carried.contains(permission));
    Ok(match tried {
        Ok(()) => step(Outcome::Fine, patient.words("read", &[])?),
        Err(GraphError::Forbidden { said, .. }) if has => {
            let outcome = if need.is_optional { Outcome::Noted } else { Outcome::Failed };
            let says = patient.words("refused", &[("permission", permission), ("why", &said.message)])?;
            step(outcome, says).todo(patient.words("refused_todo", &terms)?)
        }
        Err(error @ GraphError::Unlicensed { .. }) => {
            let outcome = if need.is_optional { Outcome::Noted } else { Outcome::Failed };
            step(outcome, error.to_string()).todo(patient.words("unlicensed_todo", &terms)?)
        }
        Err(GraphError::Forbidden { .. }) => {
            step(Outcome::Failed, patient.words("missing", &terms)?).todo(grant(patient, permission)?)
        }
        Err(error) => {
            // What this tenant can't be asked at all, such as Intune's settings where there is no Intune, nobody can mend.
            let is_odd = need.is_optional && error.is_refusal();
            let says = patient.words("unreadable", &[("why", &error.to_string())])?;
            step(if is_odd { Outcome::Noted } else { Outcome::Failed }, says)
                .todo(patient.words("unreadable_todo", &terms)?)
        }
    })
}

/// How an administrator grants a permission to the identity that reads.
fn grant(patient: &Patient<'_>, permission: &str) -> anyhow::Result<String> {
    let graph = &patient.config.graph;
    let Some(client_id) = graph.credential.client_id() else {
        return patient.words("missing_todo_managed", &[("permission", permission)]);
    };
    patient.words("missing_todo", &[("permission", permission), ("link", &consent(patient, client_id))])
}

/// The page on which an administrator consents to all permissions of an app.
fn consent(patient: &Patient<'_>, client_id: &str) -> String {
    let login = patient.config.graph.login_base.as_str().trim_end_matches('/');
    format!("{login}/{}/adminconsent?client_id={client_id}", patient.config.tenant.id)
}

/// The name of the step that asks the workspace.
const WORKSPACE: &str = "Log Analytics";

/// The workspace that holds the sign-in log: it has a token and a role of its own.
async fn workspace(patient: &mut Patient<'_>, client: &Client) -> anyhow::Result<()> {
    let Some(tried) = client.try_workspace().await else { return Ok(()) };
    let step = |outcome, says| Step::new(WORKSPACE, outcome, says).permission(WORKSPACE_ROLE);
    let step = match tried {
        Ok(empty) if empty.is_empty() => step(Outcome::Fine, patient.words("workspace", &[])?),
        Ok(empty) => {
            // Without either there is nothing; one of them may be left out to save its costs.
            let outcome = if empty.len() == TABLES.len() { Outcome::Failed } else { Outcome::Noted };
            let all = |part: fn(&LogTable) -> &'static str| empty.iter().map(part).collect::<Vec<_>>().join(" and ");
            let terms = [("what", all(|table| table.what)), ("tables", all(|table| table.name))];
            let says =
                patient.words("workspace_part", &terms.each_ref().map(|(name, words)| (*name, words.as_str())))?;
            let categories = all(|table| table.category);
            step(outcome, says).todo(patient.words("workspace_part_todo", &[("categories", &categories)])?)
        }
        Err(error) => {
            let says = patient.words("workspace_failed", &[("why", &error.to_string())])?;
            step(Outcome::Failed, says).todo(patient.words("workspace_todo", &[("permission", WORKSPACE_ROLE)])?)
        }
    };
    patient.note(step);
    Ok(())
}

async fn licences(patient: &mut Patient<'_>, client: &Client) -> anyhow::Result<()> {
    // That licences can't be read was said above.
    let Ok(plans) = client.service_plans().await else { return Ok(()) };
    let step = |outcome, says| Step::new("Licence", outcome, says);
    let step = match (plans.contains_key(PLAN_P1), plans.contains_key(PLAN_P2)) {
        (_, true) => step(Outcome::Fine, patient.words("licence", &[("level", "P2")])?),
        (true, false) => step(Outcome::Noted, patient.words("licence_p1_only", &[])?),
        (false, false) => {
            step(Outcome::Failed, patient.words("licence_none", &[])?).todo(patient.words("licence_todo", &[])?)
        }
    };
    patient.note(step);
    Ok(())
}

async fn writing(patient: &mut Patient<'_>, client: &Client, reader: Option<&BTreeSet<String>>) -> anyhow::Result<()> {
    let terms = [("permission", WRITE_PERMISSION)];
    let step = |outcome, says| Step::new("Writing", outcome, says).permission(WRITE_PERMISSION);
    let config = patient.config;
    let step = match (config.write.mode, Writer::new(config, client)?) {
        (WriteMode::App, Some(writer)) => match writer.permissions().await {
            Err(error) => {
                let says = patient.words("write_token_failed", &[("why", &error.to_string())])?;
                step(Outcome::Failed, says).todo(patient.words("token_todo", &[])?)
            }
            Ok(None) => step(Outcome::Noted, patient.words("write_unread", &[])?),
            Ok(Some(carried)) => writer_may(patient, &carried)?,
        },
        _ => match reader {
            None => step(Outcome::Noted, patient.words("hand_over_unread", &[])?),
            Some(carried) if carried.contains(WRITE_PERMISSION) => {
                step(Outcome::Noted, patient.words("too_much", &terms)?).todo(patient.words("too_much_todo", &terms)?)
            }
            Some(_) => step(Outcome::Fine, patient.words("hand_over", &[])?),
        },
    };
    patient.note(step);
    Ok(())
}

/// Whether the identity that writes carries both permissions that creating a policy takes.
fn writer_may(patient: &Patient<'_>, carried: &BTreeSet<String>) -> anyhow::Result<Step> {
    let needed = [WRITE_PERMISSION, POLICIES.permission];
    let missing: Vec<&'static str> = needed.into_iter().filter(|permission| !carried.contains(*permission)).collect();
    let both = needed.join(" and ");
    let terms = [("permission", both.as_str())];
    let step = |outcome, says| Step::new("Writing", outcome, says);
    if let Some(first) = missing.first() {
        let missing = missing.join(" and ");
        let says = patient.words("may_not_write", &[("permission", &missing)])?;
        let todo = grant_to_writer(patient, &missing)?;
        return Ok(step(Outcome::Failed, says).permission(first).todo(todo));
    }
    if patient.config.write.credential.is_none() {
        let says = patient.words("may_write_as_reader", &terms)?;
        let todo = patient.words("may_write_as_reader_todo", &[])?;
        return Ok(step(Outcome::Noted, says).permission(WRITE_PERMISSION).todo(todo));
    }
    Ok(step(Outcome::Fine, patient.words("may_write", &terms)?).permission(WRITE_PERMISSION))
}

fn grant_to_writer(patient: &Patient<'_>, permission: &str) -> anyhow::Result<String> {
    let own = patient.config.write.credential.as_ref().unwrap_or(&patient.config.graph.credential);
    let permission = ("permission", permission);
    match own.client_id() {
        Some(client_id) => patient.words("missing_todo", &[permission, ("link", &consent(patient, client_id))]),
        None => patient.words("missing_todo_managed", &[permission]),
    }
}
