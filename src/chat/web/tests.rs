//! The web chat: every sample as HTML, hostile text, sessions and their fences.

use axum::http::{Request, header};
use jiff::Timestamp;

use super::*;
use crate::chat::Person;
use crate::chat::card::Verb;
use crate::chat::samples::{HOSTILE, samples};
use crate::facts::{Evidence, Row};

const ORIGIN: &str = "http://127.0.0.1:8080";

fn web() -> WebChat {
    WebChat::new(Sessions::new(&[7; 32], vec![ORIGIN.to_owned()]), TimeZone::UTC).unwrap()
}

fn session() -> Session {
    let person = Person { id: "p-1".to_owned(), name: "Dana".to_owned(), platform_id: "p-1".to_owned() };
    Session { person, tenant: "t-1".to_owned(), conversation: "c-1".to_owned() }
}

fn at() -> Timestamp {
    "2026-11-24T08:31:00Z".parse().unwrap()
}

/// A request as our own page makes it; `change` breaks it.
fn request(path: &str, change: impl FnOnce(&mut axum::http::HeaderMap)) -> Parts {
    let cookie = web().sessions.cookie(&session()).unwrap();
    let mut request = Request::post(path)
        .header(header::HOST, "127.0.0.1:8080")
        .header(header::ORIGIN, ORIGIN)
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-portcullis", "1")
        .header(header::COOKIE, format!("theme=x; {}", cookie.split(';').next().unwrap()))
        .body(())
        .unwrap();
    change(request.headers_mut());
    request.into_parts().0
}

fn receive(parts: &Parts, body: &str) -> Result<Incoming, u16> {
    web().parse(parts, &Bytes::from(body.to_owned())).map_err(|rejected| rejected.status)
}

fn card(name: &str) -> String {
    let (_, card) = samples().into_iter().find(|(known, _)| *known == name).unwrap();
    web().render(&card).unwrap()["html"].as_str().unwrap().to_owned()
}

fn sample_page() -> PageView {
    let people = [("p-1", "Dana Whitfield", "administrator"), ("p-2", "Mary Okafor", "approver")];
    let person =
        |(id, name, role): (&str, &str, &str)| PersonView { id: id.into(), name: name.into(), role: role.into() };
    let said = |text: &str| Content::Said(text.to_owned());
    let message = |(number, (author, content)): (usize, (&str, Content))| MessageView {
        id: number.to_string(),
        author: author.to_owned(),
        at: at(),
        content,
    };
    let contents = samples().into_iter().flat_map(|(name, _)| {
        let question = match name {
            "not_covered" => Some(("Dana Whitfield", said("Who is not covered by MFA?"))),
            "why_blocked" => {
                Some(("Dana Whitfield", said("Why was Alice blocked yesterday?\nShe says it was her iPad.")))
            }
            "refusal" => Some((HOSTILE, said(HOSTILE))),
            _ => None,
        };
        question.into_iter().chain([("Portcullis", Content::Card(card(name)))])
    });
    PageView {
        frame: Frame {
            tenant: "Nordwerk".to_owned(),
            status: Some("last read 07:58".to_owned()),
            banner: Some("Made-up tenant: nothing leaves this machine.".to_owned()),
            people: people.map(person).into(),
            me: "p-2".to_owned(),
            demo: true,
        },
        messages: contents.enumerate().map(message).collect(),
        after: 41,
        starters: vec!["Who is not covered by MFA?".to_owned(), "What changed since yesterday?".to_owned()],
    }
}

#[test]
fn every_sample_renders_and_every_control_has_a_name() {
    for (name, _) in samples() {
        let html = card(name);
        for tag in ["<button", "<a "] {
            for control in html.split(tag).skip(1) {
                let inside = control.split_once('>').unwrap().1;
                assert!(!inside.trim_start().starts_with("</"), "{name}: a control without words: {control:.80}");
            }
        }
        assert!(html.contains("aria-label="), "{name}");
        assert!(!html.contains("style="), "{name}: the security policy forbids style attributes");
    }
}

#[test]
fn the_hostile_sample_holds_no_live_markup() {
    let page = web().pages.chat(&sample_page()).unwrap();
    let hostile = card("hostile");
    for html in [&page, &hostile] {
        assert!(!html.contains("<script>") && !html.contains("<at>") && !html.contains("javascript:"));
        assert!(!html.contains(" onclick="), "an attribute was broken out of");
        assert!(!html.contains("</code></pre>W"), "a code block was broken out of");
    }
    assert!(hostile.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(hostile.contains("{{handlebars}}"), "templates aren't read in data");
    let copied = hostile.split("<code>").nth(1).unwrap();
    assert!(copied.contains('\u{202E}') && hostile.matches('\u{202E}').count() == 1, "kept only where it is copied");
}

#[test]
fn an_approval_reads_as_the_portal_does() {
    insta::assert_snapshot!("approval", card("approval"));
}

#[test]
fn a_change_that_a_person_makes_is_no_approval() {
    let html = card("hand_over");
    assert!(html.contains("class=\"card handOver\"") && html.contains("<p class=\"kind\">Hand-over</p>"), "{html}");
}

#[test]
fn an_answer_links_each_statement_to_its_rows() {
    insta::assert_snapshot!("not_covered", card("not_covered"));
}

#[test]
fn the_page_has_landmarks_a_log_and_labels() {
    let html = web().pages.chat(&sample_page()).unwrap();
    for needed in [
        "<html lang=\"en-GB\">",
        "<main id=\"main\"",
        "<nav aria-label=",
        "role=\"log\" aria-live=\"polite\"",
        "class=\"skip\" href=\"#main\"",
        "<label class=\"unseen\" for=\"text\">",
        "<label for=\"person\">",
        "data-after=\"41\"",
        "<option value=\"p-2\" selected>Mary Okafor (approver)</option>",
    ] {
        assert!(html.contains(needed), "{needed}");
    }
}

fn sample_evidence() -> EvidenceView {
    let sign_in = |number: u64| Row::SignIn {
        id: format!("66c1f0a2-0000-4000-8000-{number:012}"),
        at: at(),
        user: if number == 0 { "Alice <b>".to_owned() } else { "Bo Lindqvist".to_owned() },
        app: "Exchange Online".into(),
        result: "blocked (53000)".into(),
    };
    let policy = Row::Policy {
        id: "1f6d0c9e-0000-4000-8000-000000000205".into(),
        name: "CA205 Require compliant device".into(),
        version: "7f31c2".into(),
        state: "On".into(),
    };
    let evidence = Evidence {
        total: 142,
        not_checked: vec!["sign-ins after 07:40".into()],
        ..Evidence::of((0..6).map(sign_in).chain([policy]))
    };
    EvidenceView {
        frame: sample_page().frame,
        statement: "142 sign-ins were blocked by Conditional Access yesterday.".into(),
        title: "142 sign-ins, Mon 23 Nov".into(),
        about: "blocked by Conditional Access".into(),
        evidence: evidence.read("9c2e41d07b55", at()).within(Some((at(), at()))),
    }
}

fn sample_entry() -> EntryView {
    EntryView {
        seq: 118,
        at: at(),
        what: "approved".into(),
        by: "Mary Okafor".into(),
        on: HOSTILE.into(),
        outcome: "a second person has to approve".into(),
        evidence: vec!["9c2e41d0".into()],
        raw: format!("{{\"action\": \"approval.granted\", \"hash\": \"9c2e41d0\", \"subject\": {HOSTILE:?}}}"),
    }
}

fn sample_requests() -> Vec<RequestView> {
    let address = "/v1.0/identity/conditionalAccess/policies".to_owned();
    let get = RequestView { at: at(), method: "GET".into(), address, status: 200, body: None };
    let body = "{\n  \"state\": \"enabledForReportingButNotEnforced\"\n}".to_owned();
    let post = RequestView { method: "POST".into(), status: 201, body: Some(body), ..get.clone() };
    vec![post, get.clone(), get]
}

#[test]
fn a_citation_opens_on_the_rows_and_says_what_was_not_checked() {
    let html = web().pages.evidence(&sample_evidence()).unwrap();
    for needed in [
        "142, the first 7 shown",
        "<h2>Sign-ins</h2>",
        "<h2>Policies</h2>",
        "Alice &lt;b&gt;",
        "sign-ins after 07:40",
        "Tue 24 Nov 2026 08:31 UTC",
        "9c2e41d07b55",
    ] {
        assert!(html.contains(needed), "{needed}");
    }
}

#[test]
fn the_log_and_the_requests_are_pages_of_their_own() {
    let pages = web().pages;
    let log = pages.log(&Frame::default(), &[sample_entry()]).unwrap();
    assert!(log.contains("id=\"entry-118\"") && !log.contains("<script>alert"));
    let (words, kept) = log.split_once("<details>").unwrap();
    assert!(words.contains("Tue 24 Nov 2026") && words.contains("a second person has to approve"), "{words}");
    assert!(!words.contains("approval.granted") && kept.contains("approval.granted") && kept.contains("9c2e41d0"));
    let requests = pages.requests(&Frame::default(), &sample_requests()).unwrap();
    assert!(requests.contains("<strong>1</strong> POST") && requests.contains("<strong>0</strong> PATCH"));
}

#[test]
fn whoever_may_not_ask_is_told_who_may() {
    let pages = web().pages;
    let who = AccessView { person: HOSTILE.into(), roles: vec!["Security Reader".into()], groups: 2 };
    let html = pages.no_access(&Frame::default(), &who).unwrap();
    assert!(
        html.contains("<li>Security Reader</li>") && html.contains("the 2 groups") && !html.contains("<script>alert")
    );
    let stranger = pages.no_access(&Frame::default(), &AccessView::default()).unwrap();
    assert!(stranger.contains("I don't know who you are") || stranger.contains("I don&#x27;t know who you are"));
}

#[test]
fn a_message_and_a_press_of_our_own_page_are_received() {
    let key = "0199b1c2-0000-7000-8000-000000000001";
    let said = receive(&request("/web/messages", |_| ()), &format!(r#"{{"key":"{key}","text":" hello "}}"#)).unwrap();
    assert_eq!(said.event, Event::Text("hello".to_owned()));
    assert_eq!(
        (said.key, said.person, said.conversation.tenant),
        (format!("c-1:{key}"), session().person, "t-1".into())
    );
    let body = format!(r#"{{"key":"{key}","press":{{"verb":"dismiss","subject":"A-1","version":2,"input":"no"}}}}"#);
    let pressed = receive(&request("/web/press", |_| ()), &body).unwrap();
    let Event::Press(press) = pressed.event else { panic!("{:?}", pressed.event) };
    assert_eq!((press.verb, press.version, press.input.as_deref()), (Verb::Dismiss, 2, Some("no")));
}

#[test]
fn a_request_from_elsewhere_is_refused() {
    let body = r#"{"key":"0199b1c2-0000-7000-8000-000000000001","text":"hello"}"#;
    let refused =
        |change: fn(&mut axum::http::HeaderMap)| receive(&request("/web/messages", change), body).unwrap_err();
    let evil = || "http://evil.example:8080".parse().unwrap();
    assert_eq!(refused(|headers| drop(headers.insert(header::HOST, "evil.example:8080".parse().unwrap()))), 421);
    assert_eq!(
        receive(&request("/web/messages", |headers| drop(headers.insert(header::ORIGIN, evil()))), body).unwrap_err(),
        403
    );
    assert_eq!(refused(|headers| drop(headers.remove(header::ORIGIN))), 403);
    assert_eq!(refused(|headers| drop(headers.remove("x-portcullis"))), 403);
    assert_eq!(refused(|headers| drop(headers.insert(header::CONTENT_TYPE, "text/plain".parse().unwrap()))), 415);
    assert_eq!(refused(|headers| drop(headers.remove(header::COOKIE))), 401);
}

#[test]
fn a_cookie_that_was_changed_or_signed_by_another_key_is_no_session() {
    let other = Sessions::new(&[8; 32], vec![ORIGIN.to_owned()]).cookie(&session()).unwrap();
    let own = web().sessions.cookie(&session()).unwrap();
    assert!(own.contains("HttpOnly") && own.contains("SameSite=Strict"));
    let changed = own.replacen("portcullis_session=e", "portcullis_session=f", 1);
    for (cookie, known) in [(&own, true), (&other, false), (&changed, false)] {
        let value = cookie.split(';').next().unwrap().parse().unwrap();
        let parts = request("/", |headers| drop(headers.insert(header::COOKIE, value)));
        assert_eq!(web().sessions.read(&parts).is_some(), known, "{cookie}");
    }
}

#[test]
fn bad_bodies_are_refused_without_repeating_them() {
    let key = "0199b1c2-0000-7000-8000-000000000001";
    for body in ["", "{}", "secret", &format!(r#"{{"key":"{key}","text":"  "}}"#), r#"{"key":"x","text":"secret"}"#] {
        let rejected = web().parse(&request("/web/messages", |_| ()), &Bytes::from(body.to_owned())).unwrap_err();
        assert_eq!(rejected.status, 400, "{body}");
        assert!(!rejected.reason.contains("secret"), "{rejected}");
    }
}

#[test]
fn the_script_stays_short_and_pages_load_only_our_own_files() {
    let (kind, script) = assets("chat.js").unwrap();
    assert_eq!(kind, "text/javascript; charset=utf-8");
    assert!(std::str::from_utf8(script).unwrap().lines().count() < 200);
    assert!(assets("../Cargo.toml").is_none() && assets("layout.hbs").is_none());
    let page = web().pages.chat(&sample_page()).unwrap();
    let loaded = page
        .split(" src=\"")
        .skip(1)
        .chain(page.split("<link rel").skip(1).filter_map(|link| link.split_once("href=\"").map(|(_, url)| url)));
    assert!(loaded.into_iter().all(|url| url.starts_with("/assets/")));
}

/// Writes the pages with every sample for a person to look at, where tests record.
#[test]
#[expect(clippy::disallowed_methods, reason = "where tests record is named by the environment")]
fn the_pages_of_all_samples_can_be_looked_at() {
    let (pages, view) = (web().pages, sample_page());
    let html = pages.chat(&view).unwrap();
    assert_eq!(html.matches("<section class=\"card ").count(), samples().len());
    let Ok(folder) = std::env::var("PORTCULLIS_RECORD") else { return };
    let written = [
        ("samples", html),
        ("evidence", pages.evidence(&sample_evidence()).unwrap()),
        ("log", pages.log(&view.frame, &[sample_entry()]).unwrap()),
        ("no_access", pages.no_access(&view.frame, &AccessView::default()).unwrap()),
        ("requests", pages.requests(&view.frame, &sample_requests()).unwrap()),
    ];
    for (name, html) in written {
        std::fs::write(std::path::Path::new(&folder).join(format!("web-{name}.html")), html).unwrap();
    }
}
