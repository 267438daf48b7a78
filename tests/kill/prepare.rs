//! What the journey begins with: a tenant that was read, and a card for each point.

use portcullis::approval::{RestsOn, Terms};
use portcullis::bot::post::{Post, described, post};
use portcullis::bot::{analysis::Analysis, approval_card, approve::Case, basis, reconcile};
use portcullis::chat::{Conversation, Person};
use portcullis::checks::CureAction;
use portcullis::graph::{self, Quiet};
use portcullis::store::approvals::{Approval, NewApproval, Stored};
use portcullis::store::suggestions::Row;
use serde_json::json;

use super::{App, Arc, BTreeMap, CHAT, Point, State, Task, app, card_of, now};

/// Reads the tenant once, asks for as many approvals as there are points, each about a suggestion of its own, and posts
/// their cards.
pub(super) async fn prepare(task: &Task, points: u64) -> Vec<Point> {
    let app = app(task).await;
    let snapshot = graph::read_snapshot(app.graph.as_ref().unwrap(), &Quiet, None).await.unwrap();
    let snapshot = Arc::new(snapshot);
    let kept = app.store.save_snapshot(Arc::clone(&snapshot)).await.unwrap();
    let analysis = Arc::new(Analysis::of(snapshot, kept.hash, &BTreeMap::default(), now()));
    app.set_analysis(Arc::clone(&analysis));
    reconcile::reconcile(&app, &analysis).await.unwrap();
    let rows = app.store.suggestions(app.tenant()).await.unwrap();
    let draft = |row: &Row| matches!(reconcile::Body::of(row).unwrap().proposal.action, CureAction::Draft(_));
    let row = rows.iter().find(|row| draft(row)).expect("the demo's tenant has a finding that a policy cures");
    let to = chat(&app, task).await;
    let basis = basis::of(&analysis.snapshot().policies);
    let mut asked = Vec::new();
    // All of them ask for the same policy, so their cards say the same.
    let mut card = None;
    let mut says = None;
    for point in 0..points {
        let (id, marker) = (format!("{point:032x}"), format!("[k{point:07x}]"));
        let own = Row { fingerprint: format!("kill-{point}"), ..row.clone() };
        let kept = ask(&app, own, (&id, &marker, basis.clone())).await;
        let subject = Some(format!("S-{}", kept.suggestion));
        if card.is_none() {
            let case = Case::load(&app, kept).await.unwrap();
            card = Some(approval_card::compose_case(&app, &case).await.unwrap());
            says = approval_card::says(&app, &case, &analysis);
        }
        let first = Post { key: card_of(&id), to: &to, subject, version: 1 };
        post(&app, first, card.as_ref().unwrap()).await.unwrap();
        let card = app.store.message(&card_of(&id)).await.unwrap().unwrap().platform_id.unwrap();
        asked.push(Point { approval: id, marker, card, says: says.clone() });
    }
    app.store.close().await;
    asked
}

/// The approver's chat with the bot, which the bot knows.
async fn chat(app: &App, task: &Task) -> Conversation {
    let to = Conversation {
        platform: "teams".into(),
        id: CHAT.into(),
        tenant: task.tenant_id.clone(),
        personal: true,
        reference: json!({"serviceUrl": task.bot.connector, "bot": "28:bot", "thread": null}),
    };
    let approver = Person { id: task.approver.clone(), name: "Approver".into(), platform_id: "29:approver".into() };
    let mut tx = app.store.begin().await.unwrap();
    tx.meet(&described(&to, &approver).unwrap(), now()).await.unwrap();
    tx.commit().await.unwrap();
    to
}

/// Asks for an approval of a suggestion's draft.
async fn ask(app: &App, row: Row, (id, marker, rests_on): (&str, &str, Vec<RestsOn>)) -> Approval {
    let terms = Terms {
        asker: None,
        needed: 1,
        expires: now() + jiff::SignedDuration::from_hours(24),
        lag_bound: jiff::SignedDuration::from_secs(2),
        marker: marker.to_owned(),
        ticket: None,
        rests_on,
    };
    let state = State::new();
    let mut tx = app.store.begin().await.unwrap();
    let own = tx.suggest(&row).await.unwrap();
    let new = NewApproval {
        id: id.to_owned(),
        tenant: app.tenant().to_owned(),
        suggestion: own.number,
        conversation: String::new(),
        terms: serde_json::to_value(&terms).unwrap(),
        draft: serde_json::to_value(&reconcile::Body::of(&row).unwrap().proposal.action).unwrap(),
        state: Stored {
            name: state.name().into(),
            body: serde_json::to_value(&state).unwrap(),
            due: state.due(&terms),
            decided: 1,
        },
        at: now(),
    };
    let kept = tx.ask_approval(new).await.unwrap();
    tx.commit().await.unwrap();
    kept
}
