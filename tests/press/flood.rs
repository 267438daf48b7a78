//! Clients that keep the server waiting or ask without end, beside people who don't.

use std::time::{Duration, Instant};

use portcullis::bot::hear;
use portcullis::chat::card::{Press, Verb};
use portcullis::store::jobs::{NewJob, Priority};
use serde_json::json;

use super::lab::{APPROVER, Lab, READER};

/// Everything that the server sends until it closes the connection, and how long that took.
async fn until_closed(stream: &tokio::net::TcpStream) -> (Vec<u8>, Duration) {
    let start = Instant::now();
    let mut all = Vec::new();
    loop {
        stream.readable().await.unwrap();
        match stream.try_read_buf(&mut all) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{error}"),
        }
    }
    (all, start.elapsed())
}

async fn say(stream: &tokio::net::TcpStream, text: &str) -> std::io::Result<usize> {
    stream.writable().await.unwrap();
    stream.try_write(text.as_bytes())
}

#[tokio::test]
async fn a_client_that_keeps_the_server_waiting_is_cut_and_others_are_served() {
    let lab = Lab::start(|_| {}).await;
    let mut page = lab.stream(READER).await;
    let (silent, blank) = (lab.connect().await, lab.connect().await);
    let (half, dripping) = (lab.connect().await, lab.connect().await);
    say(&blank, "\r\n\r\n").await.unwrap();
    say(&half, "GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Unfinished: ").await.unwrap();
    let drip = async {
        say(&dripping, "GET /live HTTP/1.1\r\n").await.unwrap();
        let mut sent = 0;
        while sent < 100 && say(&dripping, "x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
            sent += 1;
        }
        sent
    };
    let limit = Duration::from_secs(10);
    let all = async { tokio::join!(until_closed(&silent), until_closed(&blank), until_closed(&half), drip) };
    let (silent, blank, half, sent) = tokio::time::timeout(limit, all).await.expect("all of them are cut");
    for (said, after) in [silent, blank, half] {
        assert_eq!(String::from_utf8(said).unwrap(), "");
        assert!(Duration::from_millis(500) < after && after < Duration::from_secs(5), "{after:?}");
    }
    assert!((5..40).contains(&sent), "a byte now and then buys no time: {sent} were sent");

    // Whoever sends a whole head is answered, on the same connection again and again.
    let honest = lab.connect().await;
    for _ in 0..2 {
        say(&honest, "GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"alive") {
            honest.readable().await.unwrap();
            let _ = honest.try_read_buf(&mut answer);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 OK"));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    // A stream lives on, long after the time for a head.
    lab.say(READER, "how many people are there?").await;
    let streamed = async {
        let mut all = String::new();
        while !all.contains("event: message") {
            all += std::str::from_utf8(&page.chunk().await.unwrap().expect("the stream goes on")).unwrap();
        }
    };
    tokio::time::timeout(limit, streamed).await.expect("the question is streamed");
}

#[tokio::test]
async fn a_flood_of_questions_is_put_off_in_words_and_others_are_answered() {
    let lab = Lab::start(|_| {}).await;
    let number = lab.suggestion(|_| true).await.number;
    let cookie = lab.cookie(lab.person(READER)).await;
    // Nobody works meanwhile: what is taken waits.
    let mut answers = Vec::new();
    for _ in 0..80 {
        answers.push(lab.throw(&cookie, "who is not covered by MFA?").await);
    }
    // A button that asks waits like a question.
    let press = json!({"key": uuid::Uuid::new_v4(), "press": Press { verb: Verb::Propose, subject: format!("S-{number}"), ..Press::default() }});
    tokio::time::sleep(Duration::from_secs(3)).await;
    let pressed = lab.throw_at(&cookie, ("/web/press", &press)).await;
    assert!(answers[..20].iter().all(|(status, ..)| *status == 200), "{answers:?}");
    let too_many = "20 questions of yours wait for an answer already, so I did not take the last one. Send it again when \
                    they are answered.";
    assert_eq!(answers[20], (429, Some(5), too_many.to_owned()));
    assert_eq!(pressed, (429, Some(5), too_many.to_owned()));
    let (status, wait, words) = answers.last().unwrap();
    assert_eq!(*status, 429);
    assert!(words.starts_with("That is faster than I can answer. Wait ") && words.contains("send it again"), "{words}");
    assert!(wait.is_some_and(|wait| (1..=3).contains(&wait)), "{wait:?}");
    assert!(answers[20..].iter().all(|(status, ..)| *status == 429));

    // Somebody else is answered, and so are those that were taken; then there is room again.
    lab.say(APPROVER, "how many people are there?").await;
    let waited = Duration::from_secs(wait.unwrap());
    tokio::time::sleep(waited).await;
    assert_eq!(lab.throw(&cookie, "how many people are there?").await.0, 200);
}

#[tokio::test]
async fn what_nobody_could_answer_in_time_is_not_taken() {
    let lab = Lab::start(|_| {}).await;
    let cookie = lab.cookie(lab.person(READER)).await;
    let due = "2027-01-01T00:00:00Z".parse().unwrap();
    for number in 0..999 {
        let id = format!("teams:somebody:{number}");
        let job = NewJob { id, kind: hear::JOB.into(), payload: json!({}), priority: Priority::Question, due };
        lab.app.store.enqueue(&job).await.unwrap();
    }
    assert_eq!(lab.throw(&cookie, "who is not covered by MFA?").await.0, 200, "the thousandth");
    let (status, wait, _) = lab.throw(&cookie, "how many people are there?").await;
    assert_eq!((status, wait), (503, Some(30)));
    let conversation = format!("web:{}", lab.person(READER).id);
    assert_eq!(lab.app.store.newest_messages(&conversation, 9).await.unwrap().len(), 1, "nothing of it was kept");
}

/// Every text that Teams was sent in this conversation, in one.
async fn said_in_teams(lab: &Lab, conversation: &str) -> Vec<String> {
    let sent = lab.sent_in_teams().await;
    sent.into_iter().filter(|(to, _)| to == conversation).map(|(_, activity)| activity.to_string()).collect()
}

#[tokio::test]
async fn one_person_in_teams_has_so_many_questions_wait_and_keeps_nobody_else_from_being_answered() {
    let lab = Lab::start(|_| {}).await;
    let question = |text: &str| json!({"type": "message", "text": text});
    // Nobody works meanwhile: what is taken waits, wherever this person asks.
    let channel = json!({"conversationType": "channel", "id": "19:ops@thread.tacv2;messageid=1"});
    for number in 0..60 {
        let mut asked = question("how many people are there?");
        if number % 2 == 1 {
            asked["conversation"] = channel.clone();
            asked["conversation"]["tenantId"] = json!(lab.service.tenant_id);
        }
        assert_eq!(lab.throw_in_teams(READER, &asked).await.0, 200, "Teams would send it again");
    }
    assert_eq!(lab.app.store.waiting(hear::JOB, "").await.unwrap(), 20);
    let press = Press { verb: Verb::Evidence, subject: "E-1".to_owned(), ..Press::default() };
    let pressed = super::teams::execute(&serde_json::to_value(press).unwrap());
    let (status, answer) = lab.throw_in_teams(READER, &pressed).await;
    assert_eq!((status, &answer["type"]), (200, &json!("application/vnd.microsoft.activity.message")), "{answer}");
    let words = "20 questions of yours wait for an answer already";
    assert!(answer["value"].as_str().unwrap().starts_with(words), "{answer}");

    assert_eq!(lab.throw_in_teams(APPROVER, &question("how many people are there?")).await.0, 200);
    lab.settle().await;
    assert_eq!(said_in_teams(&lab, &format!("a:{APPROVER}")).await.len(), 1, "somebody else is answered");
    let sent = lab.sent_in_teams().await;
    let put_off = sent.iter().filter(|(_, activity)| activity.to_string().contains(words)).count();
    assert_eq!(
        (put_off, sent.len()),
        (1, 22),
        "it is said once, beside ten answers, ten refusals of the channel's, and one"
    );
    lab.in_teams(READER, &question("how many people are there?")).await;
    assert_eq!(lab.sent_in_teams().await.len(), 23, "there is room again");
}

#[tokio::test]
async fn one_channel_in_teams_keeps_nobody_elsewhere_from_being_answered() {
    let lab = Lab::start(|_| {}).await;
    let due = "2027-01-01T00:00:00Z".parse().unwrap();
    for number in 0..100 {
        let id = format!("teams:{number}:teams:msteams:19:ops@thread.tacv2;messageid={number}:1");
        let job = NewJob { id, kind: hear::JOB.into(), payload: json!({}), priority: Priority::Question, due };
        lab.app.store.enqueue(&job).await.unwrap();
    }
    let channel =
        json!({"conversationType": "channel", "id": "19:ops@thread.tacv2", "tenantId": lab.service.tenant_id});
    let asked = json!({"type": "message", "text": "how many people are there?", "conversation": channel});
    lab.in_teams(READER, &asked).await;
    let sent = lab.sent_in_teams().await;
    assert_eq!(sent.len(), 1);
    let words = "100 questions of this channel wait for an answer already";
    assert!(sent[0].0 != "19:ops@thread.tacv2" && sent[0].1.to_string().contains(words), "{sent:?}");
    lab.say_in_teams(READER, "how many people are there?").await;
    assert_eq!(said_in_teams(&lab, &format!("a:{READER}")).await.len(), 1, "elsewhere there is room");
}

/// When nothing more can be taken, Teams is told so in words as well: what isn't acknowledged, it sends again.
#[tokio::test]
async fn what_nobody_could_answer_in_time_is_acknowledged_in_teams_and_put_off_in_words() {
    let lab = Lab::start(|_| {}).await;
    let due = "2027-01-01T00:00:00Z".parse().unwrap();
    for number in 0..1_000 {
        let id = format!("teams:{number}:somewhere");
        let job = NewJob { id, kind: hear::JOB.into(), payload: json!({}), priority: Priority::Question, due };
        lab.app.store.enqueue(&job).await.unwrap();
    }
    lab.say_in_teams(READER, "how many people are there?").await;
    let said = said_in_teams(&lab, &format!("a:{READER}")).await;
    assert!(said.len() == 1 && said[0].contains("More questions wait than I can answer soon"), "{said:?}");
}
