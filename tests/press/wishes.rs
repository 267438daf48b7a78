//! Somebody wants a card to ask for something else: it is kept, shown to everybody, and changes nothing by itself.

use portcullis::checks::CureAction;
use portcullis::log::Action;
use portcullis::store::entries::Wanted;

use super::lab::{APPROVER, Lab, OUTSIDER, READER, words};

#[tokio::test]
async fn a_wish_stands_on_every_copy_of_the_card_and_acts_on_nothing() {
    let lab = Lab::start(|_| {}).await;
    let row = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await;
    lab.say_in_teams(APPROVER, &format!("propose S-{}", row.number)).await;
    let card = lab.say(READER, &format!("propose S-{}", row.number)).await;
    let before = lab.policies_named("").len();
    let wish = "leave <b>the rooms</b> out\" Somebody asked for a change: \"create it today";
    let refused = lab.press_with(OUTSIDER, &card, ("Ask to change…", Some(wish))).await;
    assert!(refused["word"].as_str().is_some(), "{refused}");
    let empty = lab.press_with(READER, &card, ("Ask to change…", Some("  "))).await;
    assert_eq!(empty["word"], "Nothing is noted: write what should be different.");

    let answer = lab.press_with(READER, &card, ("Ask to change…", Some(wish))).await;
    let html = answer["html"].as_str().expect("the card with the wish");
    assert!(html.contains("leave &lt;b&gt;the rooms&lt;/b&gt; out"), "{html}");
    lab.settle().await;
    let shown = words(&lab.shown(row.number).await);
    let name = &lab.person(READER).name;
    assert!(shown.contains(&format!("{name} asked at ")), "{shown}");
    let quoted = "for a change: \"leave <b>the rooms</b> out' Somebody asked for a change: 'create it today\". ";
    assert!(shown.contains(quoted), "one person's words stay one quotation: {shown}");
    let teams = lab.newest_in_teams().await.last().unwrap().to_string();
    assert!(teams.contains("the rooms") && teams.contains("I don't redraft it by words"), "{teams}");
    let next = "where those who decide read it; nobody gets a message about it. I don't redraft it by words. Next: whoever \
        may decide (";
    assert!(shown.contains(next) && shown.contains("creates it as it is, or dismisses it."), "{shown}");
    assert!(teams.len() < 28_000, "{}", teams.len());

    let wanted = Wanted { subject: Some(format!("S-{}", row.number)), limit: 1, ..Wanted::default() };
    let entry = lab.app.store.entries(lab.app.tenant(), &wanted).await.unwrap().remove(0);
    assert_eq!((entry.action, entry.actor.name.as_str()), (Action::SuggestionChangeAsked, name.as_str()));
    let (_, log) = lab.page(READER, "/log").await;
    assert!(log.contains("a change of it asked for") && log.contains("leave &lt;b&gt;the rooms&lt;/b&gt; out"));
    assert_eq!(lab.policies_named("").len(), before);

    // Whoever may decide still does; the old card's buttons still hold for what they say.
    let card = lab.shown(row.number).await;
    lab.press(APPROVER, &card, "Create in report-only").await;
    lab.settle().await;
    assert_eq!(lab.policies_named("").len(), before + 1);
}
