//! "Is the log intact?": the hash chain of the activity log, checked from its first entry to its last.

use crate::bot::answer::{Answer, ask};
use crate::facts::{Evidence, Fact, Term};

use super::bot_activity::row;
use super::{Answering, Asked};

/// Checks the whole chain now.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        let verified = asked.app.store.verify_log(asked.app.tenant()).await?;
        let head = asked.app.store.entry(asked.app.tenant(), verified.head.seq).await?;
        let evidence = Evidence::of(head.iter().map(row));
        let key = if verified.first_break.is_some() { "log.broken" } else { "log.intact" };
        let why = verified.first_break.map(|broken| broken.to_string()).unwrap_or_default();
        let short: String = verified.head.hash.chars().take(16).collect();
        let fact = Fact::new(key, evidence)
            .with("entries", verified.entries)
            .with("seq", u64::try_from(verified.head.seq).unwrap_or_default())
            .with("hash", Term::Word(short))
            .with("why", Term::Word(why));
        let limit = super::meant::said("log.limit");
        Ok(Answer::sentences(vec![fact.must_show(), limit])
            .action(ask("What did you do?", "what did you do this week?")))
    })
}
