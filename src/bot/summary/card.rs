//! The summary as a card: what needs you, coverage, what changed, report-only, break-glass, blocks, what was not checked.
//!
//! Nothing new since the last one makes one line of it.

use std::cmp::Reverse;

use crate::app::App;
use crate::approval::State;
use crate::bot::analysis::Analysis;
use crate::bot::answer::{Answer, Part, ask};
use crate::bot::answers::list_suggestions::{one_of_each, sheet_of, weight};
use crate::bot::approval_card::creates;
use crate::bot::approve::Case;
use crate::bot::buttons;
use crate::bot::learn::Taste;
use crate::bot::progress::kind_word;
use crate::bot::reconcile::{Body, found_by, state};
use crate::bot::sheet::Sheet;
use crate::chat::card::{Action, Kind};
use crate::checks::Severity;
use crate::facts::{Evidence, Fact, Term};
use crate::log::Head;
use crate::store::suggestions::Row;
use crate::tenant::policy::PolicyState;
use crate::tenant::{Policy, Reading};

use super::measures::{self, Measure, Worse};
use super::since::Since;
use super::{Remembered, lines};

/// How many things that need somebody are named.
const NEEDS_YOU: usize = 3;

/// A summary with what the next one compares itself with.
pub(super) struct Said {
    /// The card.
    pub(super) answer: Answer,
    /// For the next one.
    pub(super) remember: Remembered,
}

/// An analysis, and the newest entry of the activity log, which the summary carries out of the database.
type Read<'a> = (&'a Analysis, &'a Head);

/// What a summary is made of.
struct Parts<'a> {
    app: &'a App,
    analysis: &'a Analysis,
    before: Option<Remembered>,
    measures: Vec<Measure>,
    since: Since,
    head: &'a Head,
    open: Vec<Waiting>,
    blocked: lines::Blocked,
}

/// A suggestion that waits for somebody, with its approval where one is asked for.
struct Waiting {
    row: Row,
    body: Body,
    case: Option<Case>,
    /// A press of its card creates a policy; otherwise a person makes the change, and nobody approves.
    creates: bool,
}

/// The summary that is due: one line when nothing happened since the last one.
///
/// # Errors
/// When the store fails.
pub(super) async fn due(app: &App, read: Read<'_>, before: Option<Remembered>) -> anyhow::Result<Said> {
    let parts = Parts::gather(app, read, before).await?;
    let answer = if parts.is_quiet() { parts.one_line() } else { parts.card() };
    Ok(Said { answer, remember: parts.remember() })
}

/// The summary at length.
///
/// # Errors
/// When the store fails.
pub(super) async fn whole(app: &App, read: Read<'_>, before: Option<Remembered>) -> anyhow::Result<Said> {
    let parts = Parts::gather(app, read, before).await?;
    Ok(Said { answer: parts.card(), remember: parts.remember() })
}

impl<'a> Parts<'a> {
    async fn gather(app: &'a App, (analysis, head): Read<'a>, before: Option<Remembered>) -> anyhow::Result<Self> {
        let since = Since::of(app, analysis, before.as_ref()).await;
        let blocked = lines::blocked(analysis, app.clock.now(), &app.config.schedule.zone);
        let (measures, open) = (measures::of(analysis), waiting(app).await?);
        Ok(Self { app, analysis, before, measures, since, head, open, blocked })
    }

    fn remember(&self) -> Remembered {
        Remembered {
            at: self.app.clock.now(),
            snapshot: self.analysis.hash.clone(),
            covered: self.measures.iter().map(Measure::remembered).collect(),
            needs: self.open.iter().map(|waiting| waiting.row.number).collect(),
        }
    }

    /// Nothing changed, nothing new waits, nothing is unusual: the last summary still says it all.
    fn is_quiet(&self) -> bool {
        let Some(before) = &self.before else { return false };
        let emergency = lines::emergency_sign_ins(self.analysis).any(|row| row.at >= before.at);
        let known = |waiting: &Waiting| before.needs.contains(&waiting.row.number) && !waiting.is_under_way();
        let same = self.since.is_nothing() && self.measures.iter().all(|measure| measure.is_unchanged(before));
        let unusual = self.blocked.unusual && !self.is_same_day(before);
        same && !emergency && !unusual && self.open.iter().all(known)
    }

    /// Whether the last summary told of the same yesterday.
    fn is_same_day(&self, before: &Remembered) -> bool {
        let day = |at: jiff::Timestamp| at.to_zoned(self.app.config.schedule.zone.clone()).date();
        day(before.at) == day(self.app.clock.now())
    }

    fn one_line(&self) -> Answer {
        let mfa = self.measures.iter().find(|measure| measure.check == "mfa-all-users");
        let share = mfa.map_or_else(|| Term::Word(String::new()), |measure| Term::Percent(measure.percent()));
        let line = said("summary.one_line")
            .with("tenant", Term::Name(self.app.config.tenant.name.clone()))
            .with("mfa", share)
            .with("waiting", self.report_only())
            .with("open", self.open.len())
            .with("at", self.analysis.snapshot().read_at);
        let line = self.with_head(line);
        Answer { kind: Kind::Summary, ..Answer::sentences(vec![line]) }
            .action(ask("Whole summary", "how do we look today?"))
            .action(ask("Open suggestions", "show open suggestions"))
    }

    fn card(&self) -> Answer {
        let now = self.app.clock.now();
        let zone = &self.app.config.schedule.zone;
        let before = self.before.as_ref();
        let when = now.to_zoned(zone.clone()).strftime("%a %-d %b %H:%M").to_string();
        let bars = self.measures.iter().map(|measure| measure.bar(before)).collect();
        let waiting = lines::report_only(self.analysis, now).into_iter();
        let changed = vec![(self.changed_label(), vec![self.since.fact(self.analysis)])];
        let safety = vec![
            ("Break-glass".to_owned(), vec![lines::break_glass(self.analysis, now)]),
            ("Blocked yesterday".to_owned(), vec![self.blocked.fact.clone()]),
        ];
        let answer = Answer {
            kind: Kind::Summary,
            title: Some(format!("Conditional Access · {}", self.app.config.tenant.name)),
            subtitle: Some(when),
            ..Answer::default()
        };
        let (needs_you, lost) = self.needs_you();
        let answer = Answer { sheets: lost, ..answer };
        let answer = answer
            .part(Part::Heading(self.needs_heading()))
            .part(needs_you)
            .part(Part::Heading(self.coverage_heading()))
            .part(Part::Bars(bars))
            .part(Part::Sentences(self.apart().into_iter().collect()))
            .part(Part::Rows(changed));
        let answer = match self.report_only() {
            0 => answer,
            count => answer
                .part(Part::Heading(format!("Report-only ({count})")))
                .part(Part::List { ordered: false, items: waiting.map(|fact| (fact, Vec::new())).collect() }),
        };
        let open = match self.open.len() {
            0 => "Open suggestions".to_owned(),
            count => format!("Open suggestions ({count})"),
        };
        answer
            .part(Part::Rows(safety))
            .part(Part::Limits(self.limits()))
            .action(ask(&open, "show open suggestions"))
            .action(ask("Report-only", "which policies are in report-only?"))
            .sheet(sheet_of(self.open.iter().map(|waiting| (&waiting.row, &waiting.body))))
            .action(ask("What changed?", "what changed since yesterday?"))
            .action(ask("Change this post", "when do you post the summary?"))
    }

    /// How many policies are in report-only.
    fn report_only(&self) -> usize {
        let policies = &self.analysis.snapshot().policies;
        policies.iter().filter(|policy| policy.state == PolicyState::ReportOnly).count()
    }

    fn changed_label(&self) -> String {
        let zone = self.app.config.schedule.zone.clone();
        match &self.before {
            Some(before) => format!("Changed since {}", before.at.to_zoned(zone).strftime("%a %H:%M")),
            None => "Changed in 24 hours".to_owned(),
        }
    }

    /// How many accounts the bars are of: the largest number that one of them counts.
    fn coverage_heading(&self) -> String {
        let of = self.measures.iter().map(|measure| measure.of).max().unwrap_or_default();
        format!("Coverage ({} enabled accounts)", crate::facts::grouped(i64::try_from(of).unwrap_or_default()))
    }

    /// Whom the bars don't count.
    fn apart(&self) -> Option<Fact> {
        let accounts = crate::checks::accounts::emergency_access(self.analysis.snapshot());
        let rows = crate::checks::rows::users(&accounts, self.analysis.snapshot(), None);
        let fact = Fact::new("summary.apart", self.analysis.evidence(rows)).with("count", accounts.len());
        (!accounts.is_empty()).then_some(fact)
    }

    fn needs_heading(&self) -> String {
        let worse = self.measures.iter().filter(|measure| measure.is_worse(self.before.as_ref())).count();
        match self.open.iter().filter(|waiting| waiting.needs_somebody()).count() + worse {
            0 => "Needs you".to_owned(),
            more if more > NEEDS_YOU => format!("Needs you · {NEEDS_YOU} of {more}"),
            few => format!("Needs you · {few}"),
        }
    }

    /// What got worse, then what waits for somebody, most pressing first; never more than three. With the lists of those who
    /// lost cover.
    fn needs_you(&self) -> (Part, Vec<Sheet>) {
        let mut lost = Vec::new();
        let worse = self.measures.iter().filter_map(|measure| {
            let worse = measure.worse(self.before.as_ref(), (&self.since, self.analysis))?;
            let (who, sheet) = worse.names(self.analysis);
            lost.extend(sheet);
            let mut buttons = vec![ask("Before/after", self.changes_question()), who];
            buttons.extend(self.fix(measure, &worse));
            Some((worse.fact, buttons))
        });
        let needs = self.open.iter().filter(|waiting| waiting.needs_somebody()).collect();
        let fault = |waiting: &&Waiting| (!waiting.is_asked_for()).then(|| waiting.row.check_id.clone());
        let needs = one_of_each(needs, NEEDS_YOU, fault);
        let items: Vec<(Fact, Vec<Action>)> =
            worse.chain(needs.into_iter().map(|waiting| waiting.item(self.analysis))).take(NEEDS_YOU).collect();
        if items.is_empty() {
            return (Part::Sentences(vec![said("summary.nothing").with("open", self.open.len())]), lost);
        }
        (Part::List { ordered: true, items }, lost)
    }

    /// Asks for the changes since the last summary, before and after.
    fn changes_question(&self) -> String {
        let hours = (self.app.clock.now().as_second() - self.since.from.as_second()) / 3600;
        if hours < 24 {
            "what changed since yesterday?".to_owned()
        } else {
            format!("what changed in the last {} days?", hours / 24 + 1)
        }
    }

    /// What takes the very change back, or else the suggestions about the policy that was changed; where no policy's change
    /// did it, the open suggestion that would cover them again.
    fn fix(&self, measure: &Measure, worse: &Worse) -> Option<Action> {
        let changed: Vec<&Policy> = self.since.earlier.iter().filter(|policy| worse.did.contains(&policy.id)).collect();
        if let Some(old) = changed.first() {
            let now = self.analysis.snapshot().policy(&old.id)?;
            let name = &now.display_name;
            let off = now.state != PolicyState::Enabled;
            let question = if off {
                format!("how do I turn \"{name}\" on again?")
            } else {
                format!("propose an edit of \"{name}\"")
            };
            return Some(ask("Suggest fix", question));
        }
        let cure = self.open.iter().find(|waiting| found_by(&waiting.row, measure.check))?;
        Some(ask("Suggest fix", format!("propose S-{}", cure.row.number)))
    }

    /// With the newest entry of the activity log: who rewrites the database can't rewrite what was posted.
    fn with_head(&self, fact: Fact) -> Fact {
        let hash = self.head.hash.chars().take(12).collect();
        fact.with("entry", u64::try_from(self.head.seq).unwrap_or_default()).with("hash", Term::Word(hash))
    }

    fn limits(&self) -> Vec<Fact> {
        let snapshot = self.analysis.snapshot();
        let absent = snapshot.readings.iter().filter_map(|(kind, reading)| match reading {
            Reading::Absent { reason } => Some(format!("{} ({})", kind_word(*kind), first_sentence(reason))),
            Reading::Complete { .. } => None,
        });
        let always = [Some("partner (GDAP) technicians"), Some("Intune grace periods"), snapshot.missing_sign_ins()];
        let limits: Vec<String> = absent.chain(always.into_iter().flatten().map(str::to_owned)).collect();
        let newest = snapshot.sign_ins.last().map(|row| said("summary.sign_ins_up_to").with("at", row.at));
        let not_checked = said("common.limits").with("what", limits);
        let read = said("common.read_at").with("at", snapshot.read_at);
        [not_checked].into_iter().chain(newest).chain([read, self.with_head(said("summary.log_head"))]).collect()
    }
}

/// A suggestion that is open.
pub(super) struct Open {
    /// Its number.
    pub(super) number: i64,
    /// Its title; untrusted text.
    pub(super) title: String,
    /// What that rests on.
    pub(super) evidence: Evidence,
}

/// The open suggestions, most pressing first.
///
/// # Errors
/// When the store fails.
pub(super) async fn open(app: &App) -> anyhow::Result<Vec<Open>> {
    let waiting = waiting(app).await?.into_iter();
    let open =
        |Waiting { row, body, .. }| Open { number: row.number, title: row.title, evidence: body.proposal.evidence() };
    Ok(waiting.map(open).collect())
}

/// What waits for somebody, most pressing first: what only a person can settle, approvals under way, what a person asked
/// for, then by severity.
async fn waiting(app: &App) -> anyhow::Result<Vec<Waiting>> {
    let wanted = [state::OPEN, state::OUT_OF_DATE, state::NEEDS_PERSON];
    let mut open = Vec::new();
    for row in app.store.suggestions(app.tenant()).await? {
        if !wanted.contains(&row.state.as_str()) {
            continue;
        }
        let newest = app.store.approvals_of(app.tenant(), row.number).await?.pop();
        let case = match newest {
            Some(kept) => Some(Case::load(app, kept).await?),
            None => None,
        };
        let creates = case.as_ref().is_some_and(|case| creates(app, case));
        open.push(Waiting { body: Body::of(&row)?, row, case, creates });
    }
    let taste = Taste::of(app).await?;
    open.sort_by_key(|waiting| {
        let settle = waiting.row.state != state::OPEN;
        let weight = weight(&taste, &waiting.row, &waiting.body);
        (Reverse(settle), Reverse(waiting.is_under_way()), Reverse(waiting.is_asked_for()), weight)
    });
    Ok(open)
}

impl Waiting {
    /// Whether somebody has to do something about it: settle it, decide what was asked for, or repair what is severe. The
    /// rest is there to read.
    fn needs_somebody(&self) -> bool {
        let open = self.case.as_ref().is_some_and(|case| matches!(case.state, State::Open { .. }));
        self.row.state != state::OPEN || open || self.body.proposal.severity >= Severity::High
    }

    /// Whether a person asked for it, or only a person can settle it.
    fn is_asked_for(&self) -> bool {
        let open = self.case.as_ref().filter(|case| matches!(case.state, State::Open { .. }));
        self.row.state != state::OPEN || open.is_some_and(|case| case.terms.asker.is_some())
    }

    /// Somebody approved it, and it waits for a second person.
    fn is_under_way(&self) -> bool {
        matches!(self.case.as_ref().map(|case| &case.state), Some(State::Open { granted, .. }) if !granted.is_empty())
    }

    fn item(&self, analysis: &Analysis) -> (Fact, Vec<Action>) {
        let number = format!("S-{}", self.row.number);
        let shown = self.body.proposal.evidence();
        let evidence = if shown.rows.is_empty() { analysis.evidence([]) } else { shown };
        let fact = Fact::new("summary.suggestion", evidence)
            .with("number", Term::Word(number.clone()))
            .with("title", Term::Name(self.row.title.clone()))
            .with(
                "state",
                Term::Word(if self.row.state == state::OPEN { String::new() } else { self.row.state.clone() }),
            );
        (self.approval(fact), vec![buttons::open("Open", &number)])
    }

    /// How far its approval is, where one is asked for, or what it waits for instead.
    fn approval(&self, fact: Fact) -> Fact {
        let open = self.case.as_ref().filter(|case| matches!(case.state, State::Open { .. }));
        let handed =
            open.filter(|_| !self.creates).map_or("", |case| if case.draft().is_none() { "edit" } else { "new" });
        let fact = fact.with("edit", u64::from(handed == "edit")).with("new", u64::from(handed == "new")).with(
            "tried",
            u64::from(open.is_some_and(|case| matches!(&case.state, State::Open { tried: Some(_), .. }))),
        );
        match self.case.as_ref().map(|case| (&case.state, &case.terms)) {
            Some((State::Open { granted, .. }, terms)) if self.creates => fact
                .with("needed", u64::from(terms.needed))
                .with("granted", granted.len())
                .with("expires", terms.expires),
            _ => fact.with("needed", 0_u64).with("granted", 0_u64).with("expires", Term::Word(String::new())),
        }
    }
}

/// What is refused and the remedy, without Graph's own words, which the doctor has at length.
fn first_sentence(reason: &str) -> &str {
    let whole = reason.split(" (").next().unwrap_or(reason);
    whole.split(". ").next().unwrap_or(whole).trim_end_matches('.')
}

fn said(key: &str) -> Fact {
    Fact::new(key, Evidence::default()).must_show()
}
