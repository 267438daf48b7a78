//! A role that changes hands is read within one look at the audit log, as a policy is.

use portcullis::tenant::Assignment;
use reqwest::Method;
use serde_json::json;

use super::lab::{ADMINISTRATOR, Lab, OUTSIDER, items};

const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
const REPORTS_READER: &str = "4a5d8f65-41da-4de4-8968-e035b65339cf";

impl Lab {
    /// How the outsider holds a role by the newest reading.
    fn held(&self, role: &str) -> Vec<Assignment> {
        let analysis = self.app.analysis().unwrap();
        let (id, all) = (&self.person(OUTSIDER).id, &analysis.snapshot().directory.role_assignments);
        let held = all.iter().filter(|held| held.principal_id == *id && held.role_id == role);
        held.map(|held| held.assignment).collect()
    }

    async fn role(&self, method: Method, role: &str, hold: &str) {
        let body = json!({"by": "Piotr Nowak", "userId": self.person(OUTSIDER).id, "hold": hold});
        self.colleague(method, &format!("roles/{role}/members"), body).await;
        self.poll().await;
    }
}

#[tokio::test]
async fn a_role_that_changes_hands_is_read_within_one_look() {
    let lab = Lab::start(|_| {}).await;
    assert_eq!(lab.held(GLOBAL_ADMINISTRATOR), []);
    lab.role(Method::POST, GLOBAL_ADMINISTRATOR, "eligible").await;
    assert_eq!(lab.held(GLOBAL_ADMINISTRATOR), [Assignment::Eligible]);
    lab.role(Method::POST, GLOBAL_ADMINISTRATOR, "activated").await;
    assert!(lab.held(GLOBAL_ADMINISTRATOR).contains(&Assignment::Active), "activated");
    lab.role(Method::DELETE, GLOBAL_ADMINISTRATOR, "activated").await;
    assert_eq!(lab.held(GLOBAL_ADMINISTRATOR), [Assignment::Eligible], "the activation is over");
    lab.role(Method::DELETE, GLOBAL_ADMINISTRATOR, "eligible").await;
    assert_eq!(lab.held(GLOBAL_ADMINISTRATOR), []);
    lab.role(Method::POST, GLOBAL_ADMINISTRATOR, "active").await;
    assert_eq!(lab.held(GLOBAL_ADMINISTRATOR), [Assignment::Active]);

    // Whoever asks is told who got which role, by whom.
    let said = items(&lab.say(ADMINISTRATOR, "what changed today?").await);
    let line = "Piotr Nowak: Add member to role, Lena Fischer (role Global Administrator)";
    assert!(said.iter().any(|item| item.contains(line)), "{said:?}");
}

/// No policy names it and it makes no administrator: nothing is read again for it, and the next scan sees it.
#[tokio::test]
async fn a_role_that_nothing_goes_by_starts_no_scan() {
    let lab = Lab::start(|_| {}).await;
    let read_at = lab.app.analysis().unwrap().snapshot().read_at;
    lab.role(Method::POST, REPORTS_READER, "active").await;
    assert_eq!(lab.app.analysis().unwrap().snapshot().read_at, read_at);
    assert_eq!(lab.held(REPORTS_READER), []);
    lab.scan().await;
    assert_eq!(lab.held(REPORTS_READER), [Assignment::Active]);
}
