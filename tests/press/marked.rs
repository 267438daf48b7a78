//! The name under which the bot creates a policy: what is approved says of the mark that is added.

use portcullis::checks::CureAction;
use portcullis::config::WriteMode;

use super::lab::{APPROVER, Lab, READER, code, rows};

#[tokio::test]
async fn the_card_and_its_texts_tell_the_mark_that_the_name_gets() {
    let lab = Lab::start(|_| {}).await;
    let number = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await.number;
    let card = lab.say(READER, &format!("propose S-{number}")).await;
    let (_, words) = rows(&card).into_iter().find(|(label, _)| label == "Name").expect("a row with the name");
    let (name, mark) = words.split_once(", plus the mark ").expect("the mark");
    let mark = mark.split_once(" by which I find it again").expect("what it is for").0;
    for form in ["PowerShell", "Ticket"] {
        assert!(
            code(&card, form).contains(&format!("By hand: without the mark {mark}.")),
            "{form}: {}",
            code(&card, form)
        );
    }
    assert!(!code(&card, "JSON").contains(mark), "a person's has none");
    lab.press(APPROVER, &card, "Create in report-only").await;
    lab.settle().await;
    assert_eq!(lab.policies_named(mark)[0]["displayName"], format!("{name} {mark}"));
}

#[tokio::test]
async fn where_a_person_creates_it_there_is_no_mark() {
    let lab = Lab::start(|config| config.write.mode = WriteMode::HandOver).await;
    let number = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await.number;
    let card = lab.say(READER, &format!("propose S-{number}")).await;
    assert!(rows(&card).iter().all(|(label, _)| label != "Name"));
    assert!(!card.to_string().contains("the mark ["), "{card}");
}
