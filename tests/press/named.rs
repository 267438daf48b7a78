//! What a sentence names is what it is about, whatever card is open: a "that" which begins a clause is no card.

use super::lab::{Lab, READER, items, words};

/// The card or question that answers `text` right after the card of S-`open` was looked at.
async fn after(lab: &Lab, open: i64, text: &str) -> (Option<String>, String) {
    let card = lab.say(READER, &format!("open S-{open}")).await;
    assert_eq!(subject(&card), Some(format!("S-{open}")), "{}", words(&card));
    let said = lab.say(READER, text).await;
    (subject(&said), words(&said))
}

fn subject(card: &serde_json::Value) -> Option<String> {
    let subtitle = card["subtitle"].as_str()?;
    let number = subtitle.split(' ').next()?;
    number.starts_with("S-").then(|| number.to_owned())
}

#[tokio::test]
async fn what_is_named_beats_the_card_that_is_open() {
    let lab = Lab::start(|_| ()).await;
    let rows = lab.app.store.suggestions(lab.app.tenant()).await.unwrap();
    let of = |check: &str| rows.iter().find(|row| row.check_id == check).expect("a suggestion of this check").number;
    let open = of("app-protection-mobile");
    let device_code = of("device-code-flow");
    let (card, said) = after(&lab, open, "create a policy that blocks device code flow").await;
    assert_eq!(card, Some(format!("S-{device_code}")), "{said}");
    for text in [
        "create a policy that blocks legacy authentication",
        "create a policy that requires MFA for guests",
        "draft a rule for the admins",
        "propose the one about legacy authentication",
        "create a policy that blocks sign-ins from Russia",
        "dismiss the suggestion about legacy authentication",
        "snooze the one for guests",
    ] {
        let (card, said) = after(&lab, open, text).await;
        assert_ne!(card, Some(format!("S-{open}")), "{text}: {said}");
        assert!(!said.contains("app protection policy on iOS"), "{text}: {said}");
    }
}

#[tokio::test]
async fn what_names_nothing_is_about_the_card_that_is_open() {
    let lab = Lab::start(|_| ()).await;
    let rows = lab.app.store.suggestions(lab.app.tenant()).await.unwrap();
    let open = rows.iter().find(|row| row.check_id == "device-code-flow").expect("a draft").number;
    for text in ["create it", "propose that one", "create this policy in report-only", "create the device code one"] {
        let (card, said) = after(&lab, open, text).await;
        assert_eq!(card, Some(format!("S-{open}")), "{text}: {said}");
    }
    let (_, said) = after(&lab, open, "dismiss it, the guests need it").await;
    assert!(said.contains(&format!("S-{open}")), "{said}");
}

#[tokio::test]
async fn where_an_edit_is_the_better_cure_its_card_is_offered() {
    let lab = Lab::start(|_| ()).await;
    for text in ["create a policy that requires MFA for guests", "create a policy for guests"] {
        let card = lab.say(READER, text).await;
        assert!(
            words(&card).starts_with("An edit that a person makes; I don't change it."),
            "{text}: {}",
            words(&card)
        );
        assert_eq!(card["title"], "Take 2 excluded apps into CA400 – Require MFA – Guests", "{text}");
    }
}

#[tokio::test]
async fn whoever_names_none_is_offered_them_as_they_are_listed() {
    let lab = Lab::start(|_| ()).await;
    let numbers = |card: &serde_json::Value| -> Vec<String> {
        let first = items(card).into_iter().take(3);
        first.map(|item| item.split(' ').next().unwrap().to_owned()).collect()
    };
    let listed = numbers(&lab.say(READER, "show suggestions").await);
    let offered = numbers(&lab.say(READER, "why should I do that?").await);
    assert_eq!((listed.len(), &offered), (3, &listed));
    assert_ne!(listed, ["S-1", "S-2", "S-3"], "the test needs another order than that of their numbers");
}
