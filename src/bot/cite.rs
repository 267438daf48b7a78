//! What an entry of the activity log rests on, kept in the transaction that appends it.

use crate::app::App;
use crate::facts::Fact;
use crate::store::Tx;
use crate::store::evidence::Evidence;

/// How many statements an entry cites.
const MOST: usize = 2;

/// Keeps the first statements that rest on rows; gives the ids by which the entry cites them. To be called before the entry
/// is appended, because the log stays locked from then on.
///
/// # Errors
/// When the store fails.
pub async fn keep(app: &App, tx: &mut Tx, facts: &[Fact]) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    for fact in facts.iter().filter(|fact| !fact.evidence.rows.is_empty()).take(MOST) {
        let body = serde_json::to_value(fact)?;
        ids.push(tx.keep(&Evidence { tenant: app.tenant(), body: &body, at: app.clock.now() }).await?);
    }
    Ok(ids)
}
