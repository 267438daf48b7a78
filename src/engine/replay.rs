//! The impact of a policy on past sign-ins: what would have happened if it had been On.
//!
//! Rows that tell the same story are judged once. Outcomes have the portal's words for report-only results. Source:
//! Microsoft Learn, Conditional Access: Report-only mode.

mod agreement;
mod log;
#[cfg(test)]
mod tests;
mod verdicts;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use self::log::Group;
use self::verdicts::Verdicts;
use super::ability::{Abilities, Lack, device_of, is_compliant, is_hybrid};
use super::evaluate::Applies;
use super::past::{LIMITS, NO_REQUESTS, sign_in_of};
use super::{Model, Truth, target};
use crate::tenant::PastSignIn;
use crate::tenant::policy::{ClientAppType, Control, GrantControls, Operator, Platform, Policy};
use crate::tenant::sign_in::{DeviceInfo, Known, SignIn};
use crate::tenant::well_known::STRENGTH_MFA;

pub use agreement::Agreement;
pub(super) use log::Log;
pub use log::LogRows;

/// What a policy would have done to one sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Would {
    /// Not applied: its conditions weren't met.
    NotApplied,
    /// Success: what it asks for was met already.
    Success,
    /// User action required: the person would have been prompted.
    ActionRequired,
    /// Failure: the sign-in would have been blocked.
    Failure,
    /// The log doesn't tell.
    Unknown,
}

/// How many sign-ins came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// Not applied.
    pub not_applied: u64,
    /// Success.
    pub success: u64,
    /// User action required.
    pub action_required: u64,
    /// Failure.
    pub failure: u64,
    /// The log doesn't tell.
    pub unknown: u64,
}

impl Tally {
    fn add(&mut self, would: Would, count: u64) {
        *match would {
            Would::NotApplied => &mut self.not_applied,
            Would::Success => &mut self.success,
            Would::ActionRequired => &mut self.action_required,
            Would::Failure => &mut self.failure,
            Would::Unknown => &mut self.unknown,
        } += count;
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            not_applied: self.not_applied + other.not_applied,
            success: self.success + other.success,
            action_required: self.action_required + other.action_required,
            failure: self.failure + other.failure,
            unknown: self.unknown + other.unknown,
        }
    }

    /// How many came to this.
    #[must_use]
    pub fn of(&self, would: Would) -> u64 {
        match would {
            Would::NotApplied => self.not_applied,
            Would::Success => self.success,
            Would::ActionRequired => self.action_required,
            Would::Failure => self.failure,
            Would::Unknown => self.unknown,
        }
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.not_applied + self.success + self.action_required + self.failure + self.unknown
    }

    /// Sign-ins that would have gone as they did.
    #[must_use]
    pub fn unchanged(&self) -> u64 {
        self.not_applied + self.success
    }
}

/// The impact of one policy on the sign-ins of the log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Impact {
    /// Rows of the log.
    pub rows: u64,
    /// Rows left out because they are of service principals: no user signed in.
    #[serde(default)]
    pub without_user: u64,
    /// Rows left out because the first factor failed: Conditional Access was never reached.
    pub first_factor_failed: u64,
    /// Rows left out because the sign-in failed or was given up anyway; interrupts that ended well count once, as that.
    pub failed_anyway: u64,
    /// What would have happened to the rest.
    pub total: Tally,
    /// By user id, for those to whom it would have applied, or might have.
    pub users: BTreeMap<String, Tally>,
    /// By name of the client app, likewise.
    pub apps: BTreeMap<String, Tally>,
    /// By kind of client as the log words it, likewise.
    pub clients: BTreeMap<String, Tally>,
    /// By day (UTC), likewise.
    pub days: BTreeMap<Date, Tally>,
    /// Users who would have been prompted or blocked and lack what it takes: user id to what they lack.
    pub unable: BTreeMap<String, BTreeSet<Lack>>,
    /// What the log doesn't tell, with the number of sign-ins that hang on it.
    pub unknown_because: BTreeMap<String, u64>,
    /// What holds for every figure here.
    pub limits: Vec<String>,
    /// The very rows behind the figures, by what they came to, where that isn't what happened.
    #[serde(skip)]
    pub rows_of: BTreeMap<Would, LogRows>,
    /// All rows that were looked at.
    #[serde(skip)]
    pub looked_at: LogRows,
}

impl Impact {
    /// How many users would have been blocked at least once.
    #[must_use]
    pub fn blocked_users(&self) -> usize {
        self.users.values().filter(|tally| tally.failure > 0).count()
    }

    /// How many users would have been prompted at least once.
    #[must_use]
    pub fn prompted_users(&self) -> usize {
        self.users.values().filter(|tally| tally.action_required > 0).count()
    }
}

impl Model {
    /// What `draft` would have done to the sign-ins of the log, were it On.
    #[must_use]
    pub fn impact(&self, draft: &Policy) -> Impact {
        self.replayed(draft, None)
    }

    /// The same of the sign-ins alone to which `before`, were it On in its place, would have done something else.
    #[must_use]
    pub fn more_impact(&self, draft: &Policy, before: &Policy) -> Impact {
        let alone = self.with_draft_alone(before);
        let replay = Replay { model: &alone, abilities: self.abilities() };
        self.replayed(draft, Some(&replay.verdicts(&self.snapshot.sign_ins, self.log())))
    }

    fn replayed(&self, draft: &Policy, before: Option<&Verdicts>) -> Impact {
        let (rows, log) = (&self.snapshot.sign_ins, self.log());
        let replay = Replay { model: &self.with_draft_alone(draft), abilities: self.abilities() };
        let verdicts = replay.verdicts(rows, log);
        let told = |group: &Group| {
            let verdict = verdicts.on(group.story)?;
            let had = before.and_then(|before| before.on(group.story));
            (had.is_none_or(|had| had.would != verdict.would)).then_some(verdict)
        };
        let mut counts = Counts::new(log);
        for group in &log.groups {
            if let Some(verdict) = told(group) {
                counts.add(group, verdict);
            }
        }
        let mut impact = counts.impact(log, rows);
        (impact.looked_at, impact.rows_of) = log.rows_by(|group| told(group).map(|verdict| verdict.would));
        let affected = impact.users.iter().filter(|(_, tally)| tally.action_required + tally.failure > 0);
        impact.unable = affected.filter_map(|(user, _)| Some((user.clone(), replay.unable(user)?))).collect();
        impact.limits = limits(draft, log.without_user);
        impact.limits.extend(self.snapshot.missing_sign_ins().map(str::to_owned));
        impact
    }
}

fn limits(draft: &Policy, without_user: u64) -> Vec<String> {
    let frequency = draft.session.as_ref().is_some_and(|session| session.sign_in_frequency.is_some());
    let asked_again = frequency.then_some("prompts by sign-in frequency are not counted");
    let requests = target::is_about_requests(&draft.conditions.applications).then_some(NO_REQUESTS);
    let principals = (without_user > 0).then(|| format!("{without_user} sign-ins of service principals are left out"));
    LIMITS.iter().copied().chain(asked_again).chain(requests).map(str::to_owned).chain(principals).collect()
}

/// What becomes of a story, and what it hangs on.
#[derive(Clone, Debug)]
struct Verdict {
    would: Would,
    because: BTreeSet<String>,
}

struct Replay<'m> {
    model: &'m Model,
    abilities: Abilities<'m>,
}

impl Replay<'_> {
    fn judge(&self, row: &PastSignIn) -> Verdict {
        let sign_in = sign_in_of(&self.model.snapshot, row);
        let Some(policy) = self.model.snapshot.policies.first() else {
            return Verdict::NOT_APPLIED;
        };
        match self.model.judge(0, policy, &sign_in) {
            Applies::No(_) => Verdict::NOT_APPLIED,
            Applies::DependsOn(because) | Applies::NotDecided(because) => Verdict { would: Would::Unknown, because },
            Applies::Yes => {
                let would = policy.grant.as_ref().map_or(Would::Success, |grant| self.controls(grant, row, &sign_in));
                let open = (would == Would::Unknown).then(|| "which method or app was used".to_owned());
                Verdict { would, because: open.into_iter().collect() }
            }
        }
    }

    fn controls(&self, grant: &GrantControls, row: &PastSignIn, sign_in: &SignIn) -> Would {
        let each = grant.controls.iter().map(|control| self.control(control, row, sign_in)).collect::<Vec<_>>();
        let any = |would| each.contains(&would);
        // One failure decides where all are required, one success where one is enough.
        let order = match grant.operator {
            Operator::And => [Would::Failure, Would::Unknown, Would::ActionRequired, Would::Success],
            Operator::Or => [Would::Success, Would::ActionRequired, Would::Unknown, Would::Failure],
        };
        order.into_iter().find(|would| any(*would)).unwrap_or(Would::Success)
    }

    fn control(&self, control: &Control, row: &PastSignIn, sign_in: &SignIn) -> Would {
        let legacy = matches!(
            row.client_app,
            Some(ClientAppType::ExchangeActiveSync | ClientAppType::EasSupported | ClientAppType::Other)
        );
        match control {
            Control::Block => Would::Failure,
            Control::Mfa if row.multi_factor => Would::Success,
            Control::Strength(id) if row.multi_factor => self.strength(id, row),
            // Legacy clients can do nothing that a policy asks for.
            _ if legacy => Would::Failure,
            Control::CompliantDevice => on_device(&sign_in.device, |device| device.compliant.is_none(), is_compliant),
            Control::DomainJoinedDevice => on_device(&sign_in.device, |device| device.trust_type.is_none(), is_hybrid),
            Control::ApprovedApplication | Control::CompliantApplication => match row.platform {
                Known::Is(Platform::Android | Platform::Ios) | Known::Unknown => Would::Unknown,
                Known::Is(_) | Known::Absent => Would::Failure,
            },
            // Which client it was isn't told, and a legacy one would have been blocked.
            _ if row.client_app.is_none() => Would::Unknown,
            Control::Mfa
            | Control::Strength(_)
            | Control::PasswordChange
            | Control::RiskRemediation
            | Control::TermsOfUse(_) => Would::ActionRequired,
            Control::VerifiedId | Control::Custom(_) | Control::Unknown(_) => Would::Unknown,
        }
    }

    /// The log says that MFA was done, not by which method.
    fn strength(&self, id: &str, row: &PastSignIn) -> Would {
        match self.abilities.strength(&row.user_id, id) {
            _ if id == STRENGTH_MFA => Would::Success,
            Truth::No => Would::ActionRequired,
            Truth::Maybe | Truth::Yes => Would::Unknown,
        }
    }

    /// What somebody who would have been prompted or blocked lacks.
    fn unable(&self, user: &str) -> Option<BTreeSet<Lack>> {
        let grant = self.model.snapshot.policies.first()?.grant.as_ref()?;
        Some(self.abilities.lacks(user, grant)).filter(|lacks| !lacks.is_empty())
    }
}

fn on_device(device: &Known<DeviceInfo>, unknown: fn(&DeviceInfo) -> bool, wanted: fn(&DeviceInfo) -> bool) -> Would {
    match device_of(device) {
        Some(device) if wanted(device) => Would::Success,
        Some(device) if unknown(device) => Would::Unknown,
        _ => Would::Failure,
    }
}

/// Sign-ins being counted, by places in the log.
struct Counts<'v> {
    total: Tally,
    users: Vec<Tally>,
    apps: Vec<Tally>,
    clients: Vec<Tally>,
    days: Vec<Tally>,
    because: BTreeMap<&'v str, u64>,
}

impl<'v> Counts<'v> {
    fn new(log: &Log) -> Self {
        let none = |length: usize| vec![Tally::default(); length];
        Self {
            total: Tally::default(),
            users: none(log.users.len()),
            apps: none(log.apps.len()),
            clients: none(log.clients.len()),
            days: none(log.days.len()),
            because: BTreeMap::new(),
        }
    }

    fn add(&mut self, group: &Group, verdict: &'v Verdict) {
        self.total.add(verdict.would, group.count);
        if verdict.would == Would::NotApplied {
            return;
        }
        let parts = [
            self.users.get_mut(group.user),
            self.apps.get_mut(group.app),
            self.clients.get_mut(group.client),
            self.days.get_mut(group.day),
        ];
        parts.into_iter().flatten().for_each(|tally| tally.add(verdict.would, group.count));
        for because in &verdict.because {
            *self.because.entry(because).or_default() += group.count;
        }
    }

    fn impact(self, log: &Log, rows: &[PastSignIn]) -> Impact {
        let named = |tallies: Vec<Tally>, firsts: &[usize], name: fn(&PastSignIn) -> &str| {
            let rows = firsts.iter().filter_map(|at| rows.get(*at));
            let counted = rows.zip(tallies).filter(|(_, tally)| tally.total() > 0);
            counted.map(|(row, tally)| (name(row).to_owned(), tally)).collect()
        };
        let days = log.days.iter().copied().zip(self.days).filter(|(_, tally)| tally.total() > 0);
        Impact {
            rows: log.rows,
            without_user: log.without_user,
            first_factor_failed: log.first_factor_failed,
            failed_anyway: log.failed_anyway,
            total: self.total,
            users: named(self.users, &log.users, |row| &row.user_id),
            apps: named(self.apps, &log.apps, |row| &row.app_name),
            clients: named(self.clients, &log.clients, |row| &row.client_app_used),
            days: days.collect(),
            unable: BTreeMap::new(),
            unknown_because: self.because.into_iter().map(|(because, count)| (because.to_owned(), count)).collect(),
            limits: Vec::new(),
            rows_of: BTreeMap::new(),
            looked_at: LogRows::default(),
        }
    }
}
