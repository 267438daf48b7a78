//! What is kept of a card and what Teams shows of it: a version that Teams didn't take is shown later, and a chat that
//! takes nothing holds up no other.

use std::sync::Arc;

use axum::http::Method;
use jiff::SignedDuration;
use portcullis::app::App;
use portcullis::bot::compose::Composed;
use portcullis::bot::post::{Post, conversation_id, described, post, update_all};
use portcullis::bot::{hear, work};
use portcullis::chat::{Card, Conversation, Incoming, Person, Received};
use portcullis::clock::Clock;
use portcullis::config::{Config, Loopback};
use portcullis::jobs::{Pace, Worker};
use portcullis::store::Store;
use portcullis::store::messages::{Message, Update};
use serde_json::json;

use super::lab::{APP, Draft, Service, TENANT, clock, message};

struct Bot {
    service: Service,
    clock: Clock,
    app: Arc<App>,
}

impl Bot {
    async fn start() -> Self {
        let (service, clock) = (Service::start().await, clock());
        let at = Loopback {
            graph: &service.base,
            login: &service.base,
            tenant_id: TENANT,
            client_id: APP,
            client_secret: "secret",
            store: "sqlite::memory:",
        };
        let store = Store::in_memory().await.unwrap();
        let app = App::new(Config::loopback(at).unwrap(), clock.clone(), store).unwrap();
        let app = Arc::new(app.with_platform(Arc::new(service.teams(&clock))));
        Self { service, clock, app }
    }

    /// A card about S-1 in a conversation, in its first version.
    async fn posted(&self, id: &str) -> Conversation {
        let reference = json!({"serviceUrl": self.service.base, "bot": "28:bot", "thread": null});
        let to =
            Conversation { platform: "teams".into(), id: id.into(), tenant: TENANT.into(), personal: false, reference };
        let mut tx = self.app.store.begin().await.unwrap();
        tx.meet(&described(&to, &Person::default()).unwrap(), self.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        let first = Post { key: format!("card:{id}"), to: &to, subject: Some("S-1".into()), version: 1 };
        post(&self.app, first, &card("waits")).await.unwrap();
        to
    }

    fn refuses_next(&self) {
        self.service.with(|seen| seen.answers.push_back((403, None, "MessageWritesBlocked")));
    }

    async fn message(&self, id: &str) -> Message {
        self.app.store.message(&format!("card:{id}")).await.unwrap().unwrap()
    }

    /// What Teams took of a conversation's card since it was posted, one after the other, refused ones too.
    fn updates(&self, id: &str) -> Vec<String> {
        self.service.with(|seen| {
            let of = |(method, path, ..): &&(Method, String, _, _)| *method == Method::PUT && path.contains(id);
            let summary = |(.., body): &(_, _, _, serde_json::Value)| body["summary"].as_str().unwrap().to_owned();
            seen.requests.iter().filter(of).map(summary).collect()
        })
    }

    async fn work(&self) {
        let handlers = Arc::new(work::handlers(&self.app));
        let (store, clock) = (self.app.store.clone(), self.clock.clone());
        Worker { store, clock, handlers, pace: Pace::default() }.until_idle().await.unwrap();
    }
}

fn card(words: &str) -> Composed {
    Composed { card: Card { summary: words.to_owned(), ..Card::default() }, evidence: Vec::new() }
}

#[tokio::test]
async fn a_version_that_teams_did_not_take_is_shown_later() {
    let bot = Bot::start().await;
    bot.posted("19:a").await;
    bot.refuses_next();
    update_all(&bot.app, "S-1", 2, &card("created")).await.unwrap();
    let message = bot.message("19:a").await;
    assert_eq!((message.said.version, message.shown), (2, 1), "kept, and not shown");
    bot.work().await;
    assert_eq!(bot.updates("19:a"), ["created"], "not at once");
    bot.clock.set(bot.clock.now() + SignedDuration::from_secs(3));
    bot.work().await;
    assert_eq!(bot.updates("19:a"), ["created", "created"]);
    assert_eq!(bot.message("19:a").await.shown, 2);
}

#[tokio::test]
async fn a_version_that_was_kept_when_the_process_died_is_shown_by_whoever_takes_it_up() {
    let bot = Bot::start().await;
    let to = bot.posted("19:a").await;
    let body = serde_json::to_value(card("created").card).unwrap();
    let id = conversation_id(&to);
    let mut tx = bot.app.store.begin().await.unwrap();
    let kept = Update { id: "card:19:a", conversation: &id, body: &body, version: 2, at: bot.clock.now() };
    tx.update_message(&kept).await.unwrap();
    tx.commit().await.unwrap();
    for _ in 0..2 {
        update_all(&bot.app, "S-1", 2, &card("created")).await.unwrap();
    }
    assert_eq!(bot.updates("19:a"), ["created"], "once");
}

#[tokio::test]
async fn a_chat_that_takes_nothing_holds_up_no_other() {
    let bot = Bot::start().await;
    bot.posted("19:a").await;
    bot.posted("19:b").await;
    bot.refuses_next();
    update_all(&bot.app, "S-1", 2, &card("created")).await.unwrap();
    assert_eq!((bot.updates("19:a").len(), bot.updates("19:b")), (1, vec!["created".to_owned()]));
    assert_eq!((bot.message("19:a").await.shown, bot.message("19:b").await.shown), (1, 2));
}

#[tokio::test]
async fn a_card_that_could_not_be_posted_is_posted_in_its_newest_version() {
    let bot = Bot::start().await;
    let to = bot.posted("19:a").await;
    bot.refuses_next();
    let again = || Post { key: "again".into(), to: &to, subject: Some("S-1".into()), version: 1 };
    post(&bot.app, again(), &card("waits")).await.unwrap_err();
    update_all(&bot.app, "S-1", 2, &card("created")).await.unwrap();
    post(&bot.app, again(), &card("waits")).await.unwrap();
    let last = bot.service.with(|seen| seen.requests.last().cloned()).unwrap();
    assert_eq!((last.0, last.3["summary"].as_str()), (Method::POST, Some("created")));
}

async fn heard(bot: &Bot, activity: serde_json::Value) -> Incoming {
    let teams = bot.service.teams(&bot.clock);
    match Draft::of(activity).sent_to(&teams).await.unwrap() {
        Received::Incoming(incoming) => *incoming,
        Received::Answer(answer) => panic!("answered {answer:?}"),
    }
}

#[tokio::test]
async fn a_conversation_that_the_bot_was_removed_from_is_forgotten() {
    let bot = Bot::start().await;
    let mut activity = message("");
    activity["type"] = json!("installationUpdate");
    activity["action"] = json!("add");
    let installed = heard(&bot, activity.clone()).await;
    let id = conversation_id(&installed.conversation);
    hear::hear(&bot.app, &installed).await.unwrap();
    assert!(bot.app.store.conversation(&id).await.unwrap().is_some());
    activity["action"] = json!("remove");
    hear::hear(&bot.app, &heard(&bot, activity).await).await.unwrap();
    assert!(bot.app.store.conversation(&id).await.unwrap().is_none());
}
