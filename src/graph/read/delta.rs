//! What changed since the last reading, by Graph's delta queries.
//!
//! A mark is taken before a kind is read whole, so nothing that changes meanwhile is missed. Later readings ask which
//! objects changed since the mark and read those whole again: a delta shows only some of their properties. A mark that
//! Graph no longer knows (410), and a round with more changes than a whole reading has pages, start over.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Extent, Reader};
use crate::graph::GraphError;
use crate::graph::client::Ask;
use crate::graph::endpoints::OBJECT_UNITS;
use crate::graph::pages::Watch;
use crate::tenant::read::{ReadError, read_group};
use crate::tenant::text::Compact;
use crate::tenant::{Kind, Reading, Snapshot};

/// Delta queries don't tell when somebody signs in or a custom security attribute changes; so often all is read again.
const WHOLE_AGAIN: SignedDuration = SignedDuration::from_hours(7 * 24);
/// So long a reading that looks into a change takes over what takes longest and changes slowly.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// A whole reading has up to 500 objects on a page, a batch reads 20: above this share the former needs fewer requests.
const TOO_MANY: u64 = 25;

/// Where a reading left off: for each kind the link to what changes from then on. It holds no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks(BTreeMap<Kind, Mark>);

impl Marks {
    /// With one more.
    pub(super) fn and(mut self, kind: Kind, mark: Mark) -> Self {
        self.0.insert(kind, mark);
        self
    }

    /// These marks, as far as there are any.
    pub(super) fn of(marks: impl IntoIterator<Item = (Kind, Option<Mark>)>) -> Self {
        Self(marks.into_iter().filter_map(|(kind, mark)| Some((kind, mark?))).collect())
    }
}

/// Where the reading of one kind left off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    link: String,
    /// When the kind was last read whole.
    whole: Timestamp,
}

/// A kind that Graph tracks.
pub(super) struct Tracked<T> {
    pub(super) kind: Kind,
    /// Gives the first mark.
    pub(super) latest: Ask<'static>,
    /// Ways to read all of them.
    pub(super) ways: &'static [Ask<'static>],
    pub(super) read: fn(&Value) -> Result<T, ReadError>,
}

/// Whether the previous reading of a kind without delta queries is good enough, and its mark: a change of a policy or a
/// group changes nothing about who registered what or which devices there are.
pub(super) fn kept(reader: Reader<'_>, kind: Kind) -> Option<(&Snapshot, Mark)> {
    let previous = reader.previous.filter(|previous| reader.extent == Extent::Change && previous.snapshot.has(kind))?;
    let mark = previous.marks?.0.get(&kind)?;
    let is_young = reader.client.clock().now().duration_since(mark.whole) < KEPT;
    is_young.then(|| (previous.snapshot, mark.clone()))
}

/// The mark of a kind that is read whole now and has no delta query.
pub(super) fn read_now(reader: Reader<'_>) -> Mark {
    Mark { link: String::new(), whole: reader.client.clock().now() }
}

/// What a reading brought.
pub(super) enum Told<T> {
    /// All there are.
    Whole(Vec<T>),
    /// Only what became different.
    Changed(Changed<T>),
}

/// What became different since the last reading.
pub(super) struct Changed<T> {
    /// New and changed objects, read whole.
    pub(super) objects: Vec<T>,
    /// Ids of those objects and of the ones that are gone: what was known of them holds no longer.
    pub(super) replaced: BTreeSet<String>,
    /// Members that came or went, by group.
    pub(super) moves: BTreeMap<String, Moves>,
}

/// Members of one group that came or went.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Moves {
    pub(super) nested: BTreeSet<String>,
    pub(super) added: BTreeSet<String>,
    pub(super) removed: BTreeSet<String>,
}

/// Reads a tracked kind, by its changes where that is possible. The mark is none where the next reading must be whole.
pub(super) async fn tracked<T: Compact>(
    reader: Reader<'_>,
    tracked: &Tracked<T>,
) -> Result<(Told<T>, Option<Mark>), GraphError> {
    if let Some(mark) = usable(reader, tracked.kind) {
        match since(reader, tracked, mark).await {
            Ok(Some((changed, link))) => {
                return Ok((Told::Changed(changed), Some(Mark { link, whole: mark.whole })));
            }
            Ok(None) => tracing::info!(kind = ?tracked.kind, "too much has changed; reading all of it"),
            Err(error) if error.is_refusal() || matches!(error, GraphError::BrokeOff { .. }) => {
                tracing::info!(kind = ?tracked.kind, %error, "the delta query starts over");
            }
            Err(error) => return Err(error),
        }
    }
    let watch = Watch { kind: tracked.kind, progress: reader.progress };
    let whole = reader.client.clock().now();
    let link = match reader.client.collect_round(tracked.latest, watch, |_| Ok(())).await {
        Err(GraphError::Cancelled) => return Err(GraphError::Cancelled),
        latest => latest.ok().and_then(|(_, link)| link),
    };
    let all = reader.first_that_works(tracked.kind, tracked.ways, tracked.read).await?;
    Ok((Told::Whole(all), link.map(|link| Mark { link, whole })))
}

/// The mark of a kind that was read completely and not too long ago, from where Graph is now.
fn usable(reader: Reader<'_>, kind: Kind) -> Option<&Mark> {
    let previous = reader.previous.filter(|previous| previous.snapshot.has(kind))?;
    let young = |mark: &&Mark| reader.client.clock().now().duration_since(mark.whole) < WHOLE_AGAIN;
    let here = |mark: &&Mark| reader.client.address(&mark.link).is_ok();
    previous.marks?.0.get(&kind).filter(young).filter(here)
}

/// What changed since the mark, and the next mark's link; none when it is so much that all is read with less.
async fn since<T>(
    reader: Reader<'_>,
    tracked: &Tracked<T>,
    mark: &Mark,
) -> Result<Option<(Changed<T>, String)>, GraphError> {
    let watch = Watch { kind: tracked.kind, progress: reader.progress };
    let ask = Ask { path: &mark.link, ..tracked.latest };
    let (rows, link) = reader.client.collect_round(ask, watch, row).await?;
    let link = link.ok_or_else(|| GraphError::Malformed { cause: "a delta query ends without a link".to_owned() })?;
    let (mut there, mut replaced, mut moves) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
    for row in rows {
        if row.removed {
            there.remove(&row.id);
        } else {
            there.insert(row.id.clone());
        }
        follow(moves.entry(row.id.clone()).or_default(), row.members);
        replaced.insert(row.id);
    }
    if u64::try_from(there.len()).unwrap_or(u64::MAX).saturating_mul(TOO_MANY) > known(reader, tracked.kind) {
        return Ok(None);
    }
    let objects = objects(reader, tracked, &there.into_iter().collect::<Vec<_>>()).await?;
    Ok(Some((Changed { objects, replaced, moves }, link)))
}

/// How many objects the previous reading had; a handful changes are never too many.
fn known(reader: Reader<'_>, kind: Kind) -> u64 {
    let reading = reader.previous.and_then(|previous| previous.snapshot.readings.get(&kind));
    let count = if let Some(Reading::Complete { count }) = reading { *count } else { 0 };
    count.max(20 * TOO_MANY)
}

/// These objects as they stand now, in the best way that Graph allows. One that isn't there is refused like a mark that
/// isn't known: it may be deleted meanwhile, or be so new that this replica doesn't show it yet.
async fn objects<T>(reader: Reader<'_>, tracked: &Tracked<T>, ids: &[String]) -> Result<Vec<T>, GraphError> {
    let mut refusal = GraphError::not_found(format!("{:?}", tracked.kind));
    for way in tracked.ways {
        match objects_by(reader, (tracked, *way), ids).await {
            Err(error) if error.is_refusal() => refusal = error,
            settled => return settled,
        }
    }
    Err(refusal)
}

async fn objects_by<T>(
    reader: Reader<'_>,
    (tracked, way): (&Tracked<T>, Ask<'_>),
    ids: &[String],
) -> Result<Vec<T>, GraphError> {
    let mut objects = Vec::new();
    for some in ids.chunks(20) {
        if reader.progress.cancelled() {
            return Err(GraphError::Cancelled);
        }
        let paths: Vec<String> = some.iter().map(|id| object_path(way.path, id)).collect();
        for outcome in reader.client.get_many(&paths, Ask { units: OBJECT_UNITS, ..way }).await {
            let wrong = |error: ReadError| GraphError::Malformed { cause: error.to_string() };
            objects.push((tracked.read)(&outcome?).map_err(wrong)?);
        }
        reader.progress.page(tracked.kind, u64::try_from(objects.len()).unwrap_or(u64::MAX));
    }
    reader.progress.done(tracked.kind);
    Ok(objects)
}

/// One object of a collection, with the properties that are asked of all of them, as a batch names it.
fn object_path(collection: &str, id: &str) -> String {
    let (path, query) = collection.split_once('?').unwrap_or((collection, ""));
    let query = query.split("&$top").next().unwrap_or_default();
    format!("{}/{id}?{query}", path.trim_start_matches("v1.0"))
}

impl Compact for Row {}
impl Compact for Member {}

/// A row of a delta query.
struct Row {
    id: String,
    removed: bool,
    members: Vec<(Member, bool)>,
}

/// A member of a group.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) is_group: bool,
}

pub(super) fn read_member(value: &Value) -> Result<Member, ReadError> {
    let kind = value.get("@odata.type").and_then(Value::as_str).unwrap_or_default();
    Ok(Member { id: id(value)?, is_group: kind == "#microsoft.graph.group" })
}

fn row(value: &Value) -> Result<Row, ReadError> {
    let members = value.get("members@delta").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let member = |value: &Value| Ok((read_member(value)?, removed(value)));
    Ok(Row { id: id(value)?, removed: removed(value), members: members.iter().map(member).collect::<Result<_, _>>()? })
}

fn removed(value: &Value) -> bool {
    value.get("@removed").is_some_and(|removed| !removed.is_null())
}

/// The id, in the form in which all ids are kept.
fn id(value: &Value) -> Result<String, ReadError> {
    let id = value.get("id").cloned().unwrap_or_default();
    Ok(read_group(&serde_json::json!({"id": id}))?.group.id)
}

/// Takes over what became of members, later words over earlier ones.
fn follow(moves: &mut Moves, members: Vec<(Member, bool)>) {
    for (member, removed) in members {
        if removed {
            moves.added.remove(&member.id);
            moves.nested.remove(&member.id);
            moves.removed.insert(member.id);
        } else {
            moves.removed.remove(&member.id);
            let to = if member.is_group { &mut moves.nested } else { &mut moves.added };
            to.insert(member.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_object_is_asked_for_like_all_of_them() {
        assert_eq!(object_path("v1.0/users?$select=id,displayName&$top=500", "u1"), "/users/u1?$select=id,displayName");
    }

    #[test]
    fn the_last_word_about_a_member_holds() {
        let member = |id: &str| Member { id: id.into(), is_group: false };
        let mut moves = Moves::default();
        follow(&mut moves, vec![(member("a"), true), (member("b"), false), (member("a"), false), (member("b"), true)]);
        assert_eq!((moves.added, moves.removed), (["a".to_owned()].into(), ["b".to_owned()].into()));
    }
}
