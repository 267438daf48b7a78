//! The sign-in log compiled for replays: rows that tell the same story are judged once, rows that count alike are one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::net::IpAddr;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Would;
use crate::engine::past::is_of_a_person;
use crate::tenant::policy::{ClientAppType, GuestType, Platform, RiskLevel, TransferMethod};
use crate::tenant::sign_in::Known;
use crate::tenant::{PastSignIn, Text};

/// Positions of rows, one for each value that was seen.
pub(super) type Firsts = Vec<usize>;

/// Rows of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogRows {
    /// Positions in the snapshot's log, newest first; at most [`LogRows::KEPT`].
    pub newest: Vec<usize>,
    /// How many sign-ins they are; a row of a workspace may stand for several.
    pub total: u64,
}

impl LogRows {
    /// How many positions are kept, which is as many as a citation shows.
    pub const KEPT: usize = 50;

    fn take(&mut self, at: usize) {
        if self.newest.len() < Self::KEPT {
            self.newest.push(at);
        }
    }
}

/// The log as drafts are replayed over it.
#[derive(Debug, Default)]
pub(in crate::engine) struct Log {
    pub(super) rows: u64,
    pub(super) without_user: u64,
    pub(super) first_factor_failed: u64,
    pub(super) failed_anyway: u64,
    pub(super) stories: Vec<Story>,
    /// For each value that stories tell of a row that has it.
    pub(super) values: Story<Firsts>,
    /// For each user, app name and client a row that has it.
    pub(super) users: Firsts,
    pub(super) apps: Firsts,
    pub(super) clients: Firsts,
    pub(super) days: Vec<Date>,
    /// Every sign-in that got as far as Conditional Access and ended well.
    pub(super) groups: Vec<Group>,
    /// For each row the place of its group; none where it doesn't count.
    pub(super) of_row: Vec<Option<u32>>,
}

/// What decides the outcome for a row, by the place of each value in the log: rows with equal stories are judged once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Story<T = usize> {
    /// The user, as whom the log has them.
    pub(super) who: T,
    /// What was asked for, by which app.
    pub(super) target: T,
    /// Client and platform.
    pub(super) client: T,
    /// Address and country.
    pub(super) place: T,
    /// The device, as logged.
    pub(super) device: T,
    /// Risk, flow, whether MFA was done.
    pub(super) session: T,
}

/// Sign-ins that count alike: the places of their story, user, app, client and day in the log.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) story: usize,
    pub(super) user: usize,
    pub(super) app: usize,
    pub(super) client: usize,
    pub(super) day: usize,
    /// How many.
    pub(super) count: u64,
}

impl Log {
    pub(in crate::engine) fn new(rows: &[PastSignIn]) -> Self {
        let ended = ended_well(rows);
        let mut log = Self { rows: rows.iter().map(|row| row.times).sum(), ..Self::default() };
        let mut seen = Seen::default();
        for (at, row) in rows.iter().enumerate() {
            let group = if !is_of_a_person(row) {
                log.without_user += row.times;
                None
            } else if row.first_factor_failed() {
                log.first_factor_failed += row.times;
                None
            } else if row.error_code != 0 {
                let interrupted = ended.contains(&(&*row.user_id, &*row.correlation_id));
                log.failed_anyway += if interrupted { 0 } else { row.times };
                None
            } else {
                u32::try_from(log.take(&mut seen, at, row)).ok()
            };
            log.of_row.push(group);
        }
        log
    }

    /// Counts a row; gives the place of its group.
    fn take<'a>(&mut self, seen: &mut Seen<'a>, at: usize, row: &'a PastSignIn) -> usize {
        let (known, values) = (&mut seen.values, &mut self.values);
        let who = (&*row.user_id, row.guest, row.home_tenant.as_deref());
        let state = (row.compliant, row.trust_type.as_deref());
        let device = (row.device_id.as_deref(), row.device_name.as_deref(), state);
        let session = (row.risk, row.flow, row.flow_known, row.multi_factor);
        let told = Story {
            who: place(&mut known.who, &mut values.who, who, at),
            target: place(&mut known.target, &mut values.target, (&*row.resource_ids, &*row.app_id), at),
            client: place(&mut known.client, &mut values.client, (row.client_app, row.platform), at),
            place: place(&mut known.place, &mut values.place, (row.ip, row.country.as_deref()), at),
            device: place(&mut known.device, &mut values.device, device, at),
            session: place(&mut known.session, &mut values.session, session, at),
        };
        let story = place(&mut seen.stories, &mut self.stories, told, told);
        let user = place(&mut seen.users, &mut self.users, &row.user_id, at);
        let app = place(&mut seen.apps, &mut self.apps, &row.app_name, at);
        let client = place(&mut seen.clients, &mut self.clients, &row.client_app_used, at);
        let date = row.at.to_zoned(TimeZone::UTC).date();
        let day = place(&mut seen.days, &mut self.days, date, date);
        let next = self.groups.len();
        let group = *seen.groups.entry((story, app, client, day)).or_insert(next);
        match self.groups.get_mut(group) {
            Some(group) => group.count += row.times,
            None => self.groups.push(Group { story, user, app, client, day, count: row.times }),
        }
        group
    }
}

impl Log {
    /// The rows of groups that came to anything, newest first, and those of them that came to what isn't what happened.
    pub(super) fn rows_by(&self, would: impl Fn(&Group) -> Option<Would>) -> (LogRows, BTreeMap<Would, LogRows>) {
        let of: Vec<Option<Would>> = self.groups.iter().map(would).collect();
        let mut all = LogRows::default();
        let mut rows: BTreeMap<Would, LogRows> = BTreeMap::new();
        for (would, group) in of.iter().zip(&self.groups).filter_map(|(would, group)| Some(((*would)?, group))) {
            all.total += group.count;
            if is_telling(would) {
                rows.entry(would).or_default().total += group.count;
            }
        }
        for (at, group) in self.of_row.iter().enumerate().rev() {
            let group = group.and_then(|group| usize::try_from(group).ok());
            let Some(would) = group.and_then(|group| *of.get(group)?) else { continue };
            all.take(at);
            if is_telling(would) {
                rows.entry(would).or_default().take(at);
            }
        }
        (all, rows)
    }
}

/// Whether something else would have happened than did.
fn is_telling(would: Would) -> bool {
    !matches!(would, Would::NotApplied | Would::Success)
}

/// What was seen while the log is compiled, with its place.
#[derive(Default)]
struct Seen<'a> {
    values: Values<'a>,
    stories: HashMap<Story, usize>,
    users: HashMap<&'a str, usize>,
    apps: HashMap<&'a str, usize>,
    clients: HashMap<&'a str, usize>,
    days: HashMap<Date, usize>,
    groups: HashMap<(usize, usize, usize, usize), usize>,
}

/// A device as logged: id, name, compliance and how it is joined.
type Device<'a> = (Option<&'a str>, Option<&'a str>, (Option<bool>, Option<&'a str>));

/// The values that stories tell of.
#[derive(Default)]
struct Values<'a> {
    who: HashMap<(&'a str, Option<GuestType>, Option<&'a str>), usize>,
    target: HashMap<(&'a [Text], &'a str), usize>,
    client: HashMap<(Option<ClientAppType>, Known<Platform>), usize>,
    place: HashMap<(Option<IpAddr>, Option<&'a str>), usize>,
    device: HashMap<Device<'a>, usize>,
    session: HashMap<(Option<RiskLevel>, Option<TransferMethod>, bool, bool), usize>,
}

/// The place of a value, which is given its first row if it is new.
fn place<K: Eq + Hash, V>(seen: &mut HashMap<K, usize>, all: &mut Vec<V>, key: K, first: V) -> usize {
    let next = all.len();
    let at = *seen.entry(key).or_insert(next);
    if at == next {
        all.push(first);
    }
    at
}

/// Users and correlation ids of sign-ins that succeeded in the end.
fn ended_well(rows: &[PastSignIn]) -> BTreeSet<(&str, &str)> {
    let good = rows.iter().filter(|row| row.error_code == 0 && !row.correlation_id.is_empty());
    good.map(|row| (&*row.user_id, &*row.correlation_id)).collect()
}
