//! Five hundred seeded writes with lost answers, deaths and read lag, through the real effects and the real Graph client:
//! never two policies for one approval, exactly one where the lag stays below W, and otherwise a person is asked.
//!
//! Time is virtual, so no machine is too slow for it, and the production intervals can be lived through as well.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a helper of a test may fail it")]

mod at_demo;
mod conforms;
#[path = "conforms/requests.rs"]
mod requests;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use portcullis::app::App;
use portcullis::approval::{Click, Event, Person, Phase, State, Terms, step};
use portcullis::bot::approve::Case;
use portcullis::bot::effects::{self, Done};
use portcullis::bot::reconcile::Body;
use portcullis::checks::{CureAction, Severity};
use portcullis::clock::Clock;
use portcullis::config::Config;
use portcullis::demo::{Options, Seed, Service, Tenant};
use portcullis::store::Store;
use portcullis::store::approvals::{Approval, Stored};
use portcullis::store::suggestions::Row;
use portcullis::suggestions::Proposal;
use portcullis::tenant::Policy;
use portcullis::tenant::policy::{Control, GrantControls, Operator};
use serde_json::{Value, json};
use tokio::time::Instant;

/// Tenants, and writes in each: Graph takes no more than 240 policies.
const TENANTS: u64 = 10;
const WRITES: u64 = 50;

/// A tenant whose clock follows virtual time, and the bot beside it.
struct World {
    service: Service,
    app: App,
    start: Timestamp,
    zero: Instant,
}

/// What happens to one write.
#[derive(Clone, Copy, Debug)]
struct Fate {
    /// The answer to the request gets lost.
    lost: bool,
    /// The process dies after the request, before it notes the answer.
    dies: bool,
    /// How long readers don't see the new policy.
    lag: Duration,
    /// How long they see it and then don't, after that.
    flap: Duration,
    /// Decides which readings miss it.
    seed: u64,
}

impl World {
    async fn new(seed: u64, intervals: Option<(Duration, Duration)>) -> Self {
        let start: Timestamp = "2026-11-24T08:30:00Z".parse().unwrap();
        let zero = Instant::now();
        let tenant = Tenant::generate(&Seed { users: 50, seed, today: start });
        let clock = Arc::new(move || start + SignedDuration::try_from(zero.elapsed()).unwrap());
        let service = Service::start(Options {
            tenant,
            port: 0,
            record_dir: std::env::var_os("PORTCULLIS_RECORD").map(Into::into),
            clock,
        })
        .await
        .unwrap();
        let mut config = at_demo::config(&service);
        if let Some((read_back, lag_bound)) = intervals {
            (config.graph.read_back, config.graph.lag_bound) = (read_back, lag_bound);
        }
        let store = Store::in_memory().await.unwrap();
        let app = App::new(config, Clock::fixed(start), store).unwrap().with_graph().unwrap();
        Self { service, app, start, zero }
    }

    fn now(&self) -> Timestamp {
        let now = self.start + SignedDuration::try_from(self.zero.elapsed()).unwrap();
        self.app.clock.set(now);
        self.app.clock.now()
    }

    fn lag_bound(&self) -> Duration {
        self.app.config.graph.lag_bound
    }

    /// An approval that passed its checks.
    fn case(&self, marker: &str) -> Case {
        let mut policy = Policy { display_name: format!("Require MFA {marker}"), ..Policy::default() };
        policy.conditions.users.include.all = true;
        policy.conditions.users.exclude.groups.insert(self.service.emergency_group.clone());
        policy.conditions.applications.all = true;
        policy.grant = Some(GrantControls { operator: Operator::Or, controls: [Control::Mfa].into() });
        let at = self.now();
        let granted = vec![Click { by: Person { id: "a".into(), name: "A".into() }, at }];
        let terms = Terms {
            asker: None,
            needed: 1,
            expires: at + SignedDuration::from_hours(240),
            lag_bound: SignedDuration::try_from(self.lag_bound()).unwrap(),
            marker: format!("[{marker}]"),
            ticket: None,
            rests_on: Vec::new(),
        };
        let proposal = Proposal {
            fingerprint: marker.into(),
            check: "mfa-all-users".into(),
            checks: Vec::new(),
            subject: String::new(),
            severity: Severity::High,
            title: "Require MFA".into(),
            action: CureAction::Draft(Box::new(policy)),
            facts: Vec::new(),
            why: Vec::new(),
            partly: std::collections::BTreeSet::new(),
            not_checked: Vec::new(),
            leaving: None,
        };
        let kept = Approval {
            id: marker.into(),
            tenant: self.service.tenant_id.clone(),
            number: 1,
            suggestion: 1,
            conversation: String::new(),
            terms: Value::Null,
            draft: Value::Null,
            state: Stored { name: String::new(), body: Value::Null, due: None, decided: 1 },
            version: 1,
            created: at,
            changed: at,
        };
        let suggestion = Row {
            tenant: self.service.tenant_id.clone(),
            number: 1,
            fingerprint: marker.into(),
            check_id: "mfa-all-users".into(),
            state: "creating".into(),
            title: String::new(),
            body: String::new(),
            reason: None,
            until: None,
            version: 1,
            created: at,
            changed: at,
        };
        let state = State::Creating { granted, phase: Phase::Checking };
        let action = proposal.action.clone();
        Case { kept, terms, state, suggestion, body: Body { proposal, snapshot: String::new() }, action }
    }

    /// Carries an approval on to its rest, as the job does, without its commits.
    async fn carry_out(&self, case: &mut Case, fate: Fate) {
        let faults = json!({"loseResponses": u32::from(fate.lost), "readLagMs": fate.lag.as_millis(),
            "flapMs": fate.flap.as_millis(), "flapRate": 0.4, "seed": fate.seed});
        *self.service.state().faults() = serde_json::from_value(faults).unwrap();
        let mut event = Event::ChecksPassed;
        loop {
            let at = self.now();
            let Ok(moved) = step(&case.terms, &case.state, &event) else { return };
            let posts = matches!(moved.state, State::Creating { phase: Phase::Posting { .. }, .. });
            case.state = moved.state;
            event = match effects::run(&self.app, case, &moved.effects).await {
                Ok(Done::Next(_)) if posts && fate.dies => Event::Resumed { at },
                // The bot's clock stood still while it read back.
                Ok(Done::Next(Event::LagBoundPassed { .. })) => Event::LagBoundPassed { at: self.now() },
                Ok(Done::Next(event)) => event,
                Ok(Done::Nothing) => return,
                Ok(Done::Later(until)) => {
                    let wait = Duration::try_from(until.duration_since(self.now())).unwrap_or_default();
                    tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
                    Event::Resumed { at: self.now() }
                }
                // A person is asked: that they couldn't be told is for another try, not for another look.
                Err(_) if matches!(case.state, State::NeedsPerson { .. }) => return,
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Event::Resumed { at: self.now() }
                }
            };
        }
    }

    fn policies_with(&self, marker: &str) -> usize {
        let ends = format!("[{marker}]");
        let tenant = self.service.state().tenant();
        tenant.policies.iter().filter(|policy| policy["displayName"].as_str().unwrap().ends_with(&ends)).count()
    }

    /// Requests to create it, among the newest thousand.
    fn posts_of(&self, marker: &str) -> usize {
        let ends = format!("[{marker}]");
        let is_post = |request: &&Value| {
            let name = request["body"]["displayName"].as_str().unwrap_or_default();
            request["method"] == "POST" && name.ends_with(&ends)
        };
        let sent: Vec<Value> = self.service.state().requests().iter().filter(is_post).cloned().collect();
        // Each body is held against Graph's schema on the way.
        requests::writes(&sent)
    }

    /// One write under a fate; whether it came to rest as it must.
    async fn write(&self, marker: &str, fate: Fate) {
        let mut case = self.case(marker);
        self.carry_out(&mut case, fate).await;
        assert_eq!(self.policies_with(marker), 1, "{fate:?}: {:?}", case.state);
        assert_eq!(self.posts_of(marker), 1, "{fate:?}: {:?}", case.state);
        let shown = fate.lag + fate.flap < self.lag_bound();
        match &case.state {
            State::Created(_) => assert!(shown, "{fate:?}: said to be created, though nobody could see it"),
            State::NeedsPerson { .. } => assert!(!shown, "{fate:?}: a person is asked without need"),
            other => panic!("{fate:?}: {other:?}"),
        }
    }
}

/// A number from a seed (splitmix64).
fn roll(seed: u64) -> u64 {
    let mixed = (seed.wrapping_add(0x9E37_79B9_7F4A_7C15) ^ (seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 33
}

fn fate(seed: u64, bound: Duration) -> Fate {
    let lag = match roll(seed * 3) % 4 {
        0 => Duration::ZERO,
        1 => bound / 8,
        2 => bound / 2,
        _ => bound * 3,
    };
    Fate {
        lost: roll(seed * 3 + 1).is_multiple_of(2),
        dies: roll(seed * 3 + 2).is_multiple_of(3),
        lag,
        flap: Duration::ZERO,
        seed,
    }
}

#[tokio::test]
async fn five_hundred_writes_make_five_hundred_policies_and_never_two() {
    let intervals = Some((Duration::from_millis(200), Duration::from_secs(2)));
    let mut worlds = Vec::new();
    for seed in 0..TENANTS {
        worlds.push(World::new(seed, intervals).await);
    }
    tokio::time::pause();
    let (mut lost, mut died, mut late) = (0, 0, 0);
    for (tenant, world) in (0..).zip(&worlds) {
        for number in 0..WRITES {
            let fate = fate(tenant * WRITES + number, world.lag_bound());
            (lost, died) = (lost + u64::from(fate.lost), died + u64::from(fate.dies));
            late += u64::from(fate.lag > world.lag_bound());
            world.write(&format!("{tenant}-{number}"), fate).await;
        }
    }
    // The seeds must have tried everything.
    assert!(lost > 150 && died > 100 && late > 80, "{lost} {died} {late}");
}

/// Readings of one policy that missed it although an earlier one had seen it.
fn lost_again(requests: &[Value]) -> usize {
    let mut seen = std::collections::BTreeSet::new();
    let read =
        |request: &&Value| request["method"] == "GET" && request["path"].as_str().unwrap().contains("/policies/");
    let mut lost = 0;
    for request in requests.iter().filter(read) {
        let path = request["path"].as_str().unwrap();
        if request["status"] == 200 {
            seen.insert(path);
        } else {
            lost += usize::from(seen.contains(path));
        }
    }
    lost
}

/// Readers see the new policy and a moment later don't: neither made twice, nor taken for lost.
#[tokio::test]
async fn a_policy_that_comes_and_goes_for_a_while_is_made_once() {
    let intervals = Some((Duration::from_millis(200), Duration::from_secs(4)));
    let world = World::new(1, intervals).await;
    tokio::time::pause();
    for number in 0..WRITES {
        let coming = fate(number, Duration::from_secs(2));
        let lag = coming.lag.min(Duration::from_secs(1));
        world.write(&format!("flaps-{number}"), Fate { lag, flap: Duration::from_millis(1_200), ..coming }).await;
    }
    let lost = lost_again(&world.service.state().requests());
    assert!(lost > 20, "the fault must have struck: {lost}");
}

#[tokio::test]
async fn the_production_intervals_once() {
    let example =
        Config::parse(Config::example(), "example", &portcullis::config::Env::of(&[("PORTCULLIS_CLIENT_SECRET", "s")]))
            .unwrap();
    let intervals = (example.graph.read_back, example.graph.lag_bound);
    assert_eq!(intervals, (Duration::from_secs(5), Duration::from_mins(15)));
    let world = World::new(1, Some(intervals)).await;
    tokio::time::pause();
    let lost = Fate { lost: true, dies: false, lag: Duration::from_mins(10), flap: Duration::ZERO, seed: 0 };
    let before = world.now();
    world.write("late", lost).await;
    assert!(world.now().duration_since(before) >= SignedDuration::from_mins(10), "virtual time went by");
    world.write("too-late", Fate { lag: Duration::from_mins(20), ..lost }).await;
}
