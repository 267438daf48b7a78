//! A colleague lets somebody out through a group: the audit log is polled, the tenant read, and both chats are told before,
//! after, by whom, and how many.

use reqwest::Method;
use serde_json::{Value, json};

use super::lab::{APPROVER, Lab, changes, items, labels, words};

const GROUP: &str = "CA-Excl-MFA-Rollout";

/// Object id of the group and how many accounts it holds, as the newest reading has it.
fn group(lab: &Lab) -> (String, u64) {
    let analysis = lab.app.analysis().unwrap();
    let mut groups = analysis.snapshot().directory.groups.values();
    let group = groups.find(|group| group.display_name == GROUP).unwrap();
    (group.id.clone(), group.transitive.as_ref().unwrap().len())
}

/// Somebody who is not in the group, by object id and name.
fn somebody(lab: &Lab) -> (String, String) {
    let tenant = lab.service.state().tenant();
    let at = portcullis::demo::people::People::cast_index("Moreau");
    (tenant.people.id(at), "Alice Moreau".to_owned())
}

/// Has the summary posted to an approver, in the web chat.
async fn subscribed() -> Lab {
    let lab = Lab::start(|_| {}).await;
    let offer = lab.say(APPROVER, "post the summary every day at 8").await;
    let label = *labels(&offer).first().expect("a button that keeps the time");
    lab.press(APPROVER, &offer, label).await;
    lab.poll().await;
    lab
}

async fn change_members(lab: &Lab, method: Method) {
    let ((group, _), (user, _)) = (group(lab), somebody(lab));
    let body = json!({"by": "Piotr Nowak", "userIds": [user]});
    lab.colleague(method, &format!("groups/{group}/members"), body).await;
}

#[tokio::test]
async fn an_exclusion_group_that_grows_is_said_before_and_after_by_whom_and_how_many() {
    let lab = subscribed().await;
    let (_, before) = group(&lab);
    change_members(&lab, Method::POST).await;
    lab.poll().await;
    let card: Value = lab.newest_of(APPROVER).await;
    assert_eq!(card["title"], "A change lets people out", "{card}");
    let (told, name) = (words(&card), somebody(&lab).1);
    assert!(told.contains("1 person, of ") && told.contains(&name), "whom and how many: {told}");
    let by = items(&card).into_iter().find(|item| item.contains("Piotr Nowak")).expect("by whom");
    assert!(
        by.contains("Add member to group") && by.contains(&name) && by.contains(&format!("(group {GROUP})")),
        "{by}"
    );
    let expected = ("Accounts in it".to_owned(), before.to_string(), (before + 1).to_string());
    assert_eq!(changes(&card), [expected], "{card}");
    assert!(card.to_string().contains(&format!("\"text\":\"{GROUP}\"")), "which group changed: {card}");

    change_members(&lab, Method::DELETE).await;
    let posted = lab.newest_of(APPROVER).await;
    lab.poll().await;
    assert_eq!(lab.newest_of(APPROVER).await, posted, "whoever has to do it again is let out of nothing");
    let asked = lab.say(APPROVER, &format!("who was added to {GROUP} since yesterday?")).await;
    assert!(items(&asked).iter().any(|item| item.contains("Piotr Nowak") && item.contains(&name)), "{asked}");
}
