//! The steps beside the tenant: the database, the chat product, the language model.

use secrecy::ExposeSecret as _;

use crate::cli::{runtime, serve};
use crate::config::{self, ModelMode};
use crate::explain::Unplanned;
use crate::facts::{Evidence, Fact};
use crate::store::Store;

use super::{Outcome, Patient, Step};

/// Opens the database, if there is one already, without changing it.
pub(super) async fn database(patient: &mut Patient<'_>) -> anyhow::Result<()> {
    let url = patient.config.store_url.expose_secret();
    let step = |outcome, says| Step::new("Database", outcome, says);
    let step = if let Err(error) = Store::try_out(url) {
        let says = patient.words("database_failed", &[("why", &format!("{error:#}"))])?;
        step(Outcome::Failed, says).todo(patient.words("database_todo", &[])?)
    } else if Store::is_new(url) {
        step(Outcome::Fine, patient.words("database_new", &[])?)
    } else {
        let pending = async { Store::open(url).await?.pending_migrations().await };
        match pending.await {
            Ok(0) => step(Outcome::Fine, patient.words("database", &[])?),
            Ok(pending) => step(Outcome::Noted, patient.words("database_old", &[("pending", &pending.to_string())])?),
            // The lock of SQLite, which says so itself.
            Err(error) if error.to_string().starts_with("another process") => {
                step(Outcome::Noted, patient.words("database_busy", &[])?)
            }
            Err(error) => {
                let says = patient.words("database_failed", &[("why", &format!("{error:#}"))])?;
                step(Outcome::Failed, says).todo(patient.words("database_todo", &[])?)
            }
        }
    };
    patient.note(step);
    Ok(())
}

/// Signs in as the bot.
pub(super) async fn chat(patient: &mut Patient<'_>) -> anyhow::Result<()> {
    let step = |outcome, says| Step::new("Chat", outcome, says);
    let step = match &patient.config.teams {
        None => step(Outcome::Noted, patient.words("chat_none", &[])?),
        Some(teams) => match sign_in(teams, patient).await {
            Ok(()) => step(Outcome::Fine, patient.words("chat", &[])?),
            Err(error) => {
                let says = patient.words("chat_failed", &[("why", &format!("{error:#}"))])?;
                let kind = teams.credential.kind();
                step(Outcome::Failed, says).todo(patient.words(&format!("chat_todo_{kind}"), &[])?)
            }
        },
    };
    patient.note(step);
    Ok(())
}

async fn sign_in(teams: &config::Teams, patient: &Patient<'_>) -> anyhow::Result<()> {
    serve::platform(teams, patient.config, patient.clock)?.sign_in().await
}

/// Asks the model to order two sentences of our own.
pub(super) async fn model(patient: &mut Patient<'_>) -> anyhow::Result<()> {
    let step = |outcome, says| Step::new("Language model", outcome, says);
    let configured = patient.config.model.as_ref().is_some_and(|model| model.mode != ModelMode::Off);
    let explainer = runtime::explainer(patient.config, patient.clock)?.filter(|_| configured);
    let step = match explainer {
        None => step(Outcome::Fine, patient.words("model_none", &[])?),
        Some(explainer) => {
            let facts = ["doctor.token", "doctor.read"].map(|key| Fact::new(key, Evidence::default()));
            match explainer.plan("help", &facts, patient.wording).await {
                Ok(_) => step(Outcome::Fine, patient.words("model", &[])?),
                Err(Unplanned::Refused(why)) => {
                    step(Outcome::Noted, patient.words("model_odd", &[("why", &why.to_string())])?)
                }
                Err(error) => {
                    let says = patient.words("model_failed", &[("why", &error.to_string())])?;
                    step(Outcome::Failed, says).todo(patient.words("model_todo", &[])?)
                }
            }
        }
    };
    patient.note(step);
    Ok(())
}
