//! What sign-ins there are: each dimension beside the user ranges over the values that policies tell apart, and one
//! *any other* value.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use smallvec::SmallVec;

use super::requirement::{ACTIVE_SYNC, ANY_DEVICE, BROWSER, Contributor, MODERN, Mask, OTHER, UNMANAGED, flow_mask};
use super::search::Hole;
use super::{Requirement, Scope, devices, locations};
use crate::engine::bits::{Bits, Lane};
use crate::engine::condition::EVERY_CLIENT;
use crate::engine::device_rule::DeviceFilter;
use crate::engine::judge::Dimension;
use crate::engine::truth::Truth;
use crate::engine::{Model, target};
use crate::tenant::policy::{ClientAppType, InsiderRisk, Platform, Policy, RiskLevel, TransferMethod};
use crate::tenant::sign_in::{DeviceInfo, Identity, Known, SignIn, Target};
use crate::tenant::snapshot::BaselineScopes;
use crate::tenant::well_known::{APP_EXCHANGE_ONLINE, APP_INTUNE_ENROLLMENT, APP_WINDOWS_AZURE_AD};

/// One value of a dimension.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// An app by id; none is any app that nothing names.
    App(Option<Arc<str>>),
    /// A request for baseline scopes only.
    Baseline,
    /// A user action.
    Action(String),
    /// An authentication context.
    Context(String),
    /// An authentication context that an app asks for; none is any app that nothing names.
    ContextOf(Arc<str>, Option<Arc<str>>),
    Client(ClientAppType),
    /// `All` is the unknown platform.
    Platform(Platform),
    Location(locations::Location),
    Device(Known<DeviceInfo>, Mask, String),
    SignInRisk(RiskLevel),
    UserRisk(RiskLevel),
    InsiderRisk(Option<InsiderRisk>),
    Flow(Option<TransferMethod>),
    /// Risk of a workload identity, which people don't have.
    PrincipalRisk(RiskLevel),
    /// Risk of an agent identity.
    AgentRisk(RiskLevel),
}

/// One dimension: its values, and the classes of values that the contributors don't tell apart.
#[derive(Debug)]
pub(super) struct Axis {
    pub(super) values: Vec<Value>,
    /// For each value the class of an app that was compiled for all requirements.
    pub(super) indexed: Vec<Option<usize>>,
    pub(super) classes: Vec<Class>,
}

/// Whether the conditions of a few are met.
type Truths = SmallVec<[Truth; 2]>;

/// Values of a dimension that meet the conditions of the same contributors.
#[derive(Debug)]
pub(super) struct Class {
    pub(super) lane: Lane,
    /// Positions in [`Axis::values`].
    pub(super) values: Vec<usize>,
}

/// All dimensions but the user, in the order in which they are searched.
pub(super) fn axes(model: &Model, requirement: &Requirement, scope: &Scope, of: &[Contributor]) -> Vec<Axis> {
    values(model, requirement, scope, of).into_iter().map(|values| Axis::new(model, of, values)).collect()
}

/// Where targets, places, devices and risks stand among the dimensions.
pub(super) const TARGETS: usize = 0;
pub(super) const CLIENT_APPS: usize = 1;
pub(super) const PLACES: usize = 3;
pub(super) const DEVICES: usize = 4;

/// The values of each dimension but the user.
pub(super) fn values(model: &Model, requirement: &Requirement, scope: &Scope, of: &[Contributor]) -> Vec<Vec<Value>> {
    let policies: BTreeSet<usize> = of.iter().filter_map(|one| one.policy).collect();
    let browser_only = BTreeSet::from([ClientAppType::Browser]);
    // The flows are those of modern authentication, and so are user actions and the answer to a resource that asks for a
    // context: none of them can be done without asking the person.
    let modern = BTreeSet::from([ClientAppType::Browser, ClientAppType::MobileAppsAndDesktopClients]);
    let interactive = !scope.flows.is_empty() || scope.user_action.is_some() || scope.context_on_resources;
    let clients = match *requirement {
        Requirement::NoPersistentBrowser => &browser_only,
        _ if scope.client_apps.is_empty() && interactive => &modern,
        _ => &scope.client_apps,
    };
    let places = locations::values(&model.snapshot, scope, &locations::named(&model.snapshot, scope, &policies));
    let filters: Vec<&DeviceFilter> = policies.iter().filter_map(|at| model.device_filter(*at)).collect();
    vec![
        targets(model, requirement, scope, &policies),
        narrowed(clients, &EVERY_CLIENT).into_iter().map(Value::Client).collect(),
        narrowed(&scope.platforms, &platforms()).into_iter().map(Value::Platform).collect(),
        places.into_iter().map(Value::Location).collect(),
        model.directory.devices.values(&filters, devices::matter(requirement), scope),
        risks(model, &scope.sign_in_risk, &policies, true).into_iter().map(Value::SignInRisk).collect(),
        risks(model, &scope.user_risk, &policies, false).into_iter().map(Value::UserRisk).collect(),
        optional(&scope.insider_risk).into_iter().map(Value::InsiderRisk).collect(),
        optional(&scope.flows).into_iter().map(Value::Flow).collect(),
    ]
}

/// Counts sign-ins in that there are none of, where to leave them out would say that something covers them.
pub(super) fn count_unreal_in(axes: &[Axis], values: &mut [Vec<usize>]) {
    count_legacy_in(axes, values);
    count_active_sync_in(axes, values);
}

/// Legacy clients show no device: they are counted in where the hole takes in all others, on registered devices alone.
fn count_legacy_in(axes: &[Axis], values: &mut [Vec<usize>]) {
    let Some(unregistered) = axes.get(DEVICES).and_then(unregistered) else { return };
    let (Some(axis), Some(devices)) = (axes.get(CLIENT_APPS), values.get(DEVICES)) else { return };
    if devices.is_empty() || devices.contains(&unregistered) {
        return;
    }
    let Some(clients) = values.get_mut(CLIENT_APPS) else { return };
    let others = axis.values.iter().enumerate().filter(|(_, value)| !value.is_legacy()).map(|(at, _)| at);
    let others: Vec<usize> = others.collect();
    if !others.is_empty() && others.iter().all(|at| clients.contains(at)) {
        *clients = (0..axis.values.len()).collect();
    }
}

/// What is open to legacy clients is told with what is open to others, where that takes in an unregistered device: these
/// clients show no other.
pub(super) fn legacy_with_others(axes: &[Axis], holes: Vec<Hole>) -> Vec<Hole> {
    let bare = axes.get(DEVICES).and_then(|axis| axis.class_of(unregistered(axis)?));
    let (Some(bare), Some(clients)) = (bare, axes.get(CLIENT_APPS)) else { return holes };
    let legacy = |class: &usize| {
        let mut values = clients.classes.get(*class).into_iter().flat_map(|class| &class.values);
        values.all(|at| clients.values.get(*at).is_some_and(Value::is_legacy))
    };
    let chosen = |hole: &Hole, axis: usize| hole.classes.get(axis).cloned().flatten();
    let is_legacy = |hole: &Hole| chosen(hole, CLIENT_APPS).is_some_and(|all| all.iter().all(legacy));
    let (shown, mut all): (Vec<Hole>, Vec<Hole>) = holes
        .into_iter()
        .partition(|hole| is_legacy(hole) && chosen(hole, DEVICES).is_none_or(|all| all.contains(&bare)));
    let key = |hole: &Hole| {
        let besides = hole.classes.iter().enumerate().filter(|(axis, _)| ![CLIENT_APPS, DEVICES].contains(axis));
        (hole.sure, besides.map(|(_, classes)| classes.clone()).collect::<Vec<_>>())
    };
    let others = all.iter().enumerate();
    let others = others.filter(|(_, hole)| chosen(hole, DEVICES).is_none_or(|all| all.contains(&bare)));
    let alike: HashMap<_, usize> = others.map(|(at, hole)| (key(hole), at)).collect();
    for hole in shown {
        let with = alike.get(&key(&hole)).and_then(|at| all.get_mut(*at)?.classes.get_mut(CLIENT_APPS)?.as_mut());
        match with {
            Some(clients) => clients.extend(chosen(&hole, CLIENT_APPS).into_iter().flatten()),
            None => all.push(hole),
        }
    }
    all
}

/// Where an unregistered device stands among these values.
fn unregistered(devices: &Axis) -> Option<usize> {
    devices.values.iter().position(|value| matches!(value, Value::Device(Known::Absent, ..)))
}

/// The devices that legacy clients alone show: an unregistered one. None where another client is among these values, or
/// devices aren't told apart.
pub(super) fn shown_by_legacy(axes: &[Axis], values: &[Vec<usize>]) -> Option<usize> {
    let (clients, at) = (axes.get(CLIENT_APPS)?, values.get(CLIENT_APPS)?);
    let legacy = at.iter().all(|at| clients.values.get(*at).is_some_and(Value::is_legacy));
    axes.get(DEVICES).and_then(unregistered).filter(|_| legacy)
}

/// Counts Exchange `ActiveSync` in where Exchange Online isn't among the targets and the hole takes in all other clients, or
/// legacy ones which no policy tells from it: by that client there are no sign-ins at other apps, and to leave it out there
/// would say that something covers it.
fn count_active_sync_in(axes: &[Axis], values: &mut [Vec<usize>]) {
    let [targets, clients, ..] = values else { return };
    let (Some(apps), Some(axis)) = (axes.get(TARGETS), axes.get(CLIENT_APPS)) else { return };
    let place = |client| axis.values.iter().position(|value| matches!(value, Value::Client(one) if *one == client));
    let Some(at) = place(ClientAppType::ExchangeActiveSync).filter(|at| !clients.contains(at)) else { return };
    if targets.iter().filter_map(|at| apps.values.get(*at)).any(Value::is_exchange) {
        return;
    }
    let there = apps.values.iter().position(Value::is_exchange).and_then(|at| apps.lane_of(at));
    let asked = |at: usize| Some(axis.lane_of(at)?.and(there?));
    let other = place(ClientAppType::Other).filter(|other| clients.contains(other));
    let alike = other.is_some_and(|other| asked(other).is_some() && asked(other) == asked(at));
    if alike || clients.len() + 1 == axis.values.len() {
        clients.push(at);
        clients.sort_unstable();
    }
}

/// Those with a name, and the unknown one as `All`.
fn platforms() -> Vec<Platform> {
    Platform::NAMED.into_iter().chain([Platform::All]).collect()
}

fn narrowed<T: Copy + Ord>(wanted: &BTreeSet<T>, all: &[T]) -> Vec<T> {
    all.iter().copied().filter(|value| wanted.is_empty() || wanted.contains(value)).collect()
}

/// Without a narrower scope: no flow, no insider risk. No condition can ask for that, so nothing covers less elsewhere.
fn optional<T: Copy + Ord>(wanted: &BTreeSet<T>) -> Vec<Option<T>> {
    if wanted.is_empty() { vec![None] } else { wanted.iter().copied().map(Some).collect() }
}

/// Without a narrower scope: no risk; and the levels at which a policy that covers no risk covers less.
fn risks(model: &Model, wanted: &BTreeSet<RiskLevel>, policies: &BTreeSet<usize>, sign_in: bool) -> Vec<RiskLevel> {
    let all = [RiskLevel::None, RiskLevel::Low, RiskLevel::Medium, RiskLevel::High];
    let conditions = policies
        .iter()
        .filter_map(|at| model.snapshot.policies.get(*at))
        .map(|policy| if sign_in { &policy.conditions.sign_in_risk } else { &policy.conditions.user_risk });
    let with_none: Vec<_> = conditions.filter(|levels| levels.contains(&RiskLevel::None)).collect();
    let looked_at = |level: &RiskLevel| {
        let telling = *level == RiskLevel::None || with_none.iter().any(|levels| !levels.contains(level));
        wanted.contains(level) || (wanted.is_empty() && telling)
    };
    all.into_iter().filter(looked_at).collect()
}

/// Whether no cover of the enrolment of devices is meant. A device is enrolled before it can be compliant: Microsoft spares the
/// enrolment from what takes a compliant device. Where that acts as a block or limits a session in all other places, and nobody
/// leaves the enrolment out besides, it is spared from the question too.
fn enrols<'a>(requirement: &Requirement, spared: bool, mut of: impl Iterator<Item = &'a Policy>) -> bool {
    match requirement {
        Requirement::ManagedDevice | Requirement::CompliantDevice | Requirement::MfaOrManagedDevice => true,
        Requirement::Mfa | Requirement::PhishingResistantMfa | Requirement::Strength(_) => false,
        _ => spared && !of.any(|policy| policy.conditions.applications.exclude.contains(APP_INTUNE_ENROLLMENT)),
    }
}

/// Apps of the tenant and of its policies, any other app, and requests for baseline scopes where they could slip past.
pub(super) fn targets(
    model: &Model,
    requirement: &Requirement,
    scope: &Scope,
    policies: &BTreeSet<usize>,
) -> Vec<Value> {
    if let Some(urn) = &scope.user_action {
        return vec![Value::Action(urn.clone())];
    }
    if let Some(id) = &scope.authentication_context {
        if !scope.context_on_resources {
            return vec![Value::Context(id.clone())];
        }
        let context: Arc<str> = Arc::from(id.as_str());
        let apps = model.targets();
        let apps = apps.iter().cloned().map(Some).chain([None]);
        return apps.map(|app| Value::ContextOf(Arc::clone(&context), app)).collect();
    }
    if let Some(apps) = &scope.apps {
        return apps.iter().map(|app| Value::App(Some(Arc::from(app.as_str())))).collect();
    }
    let snapshot = &model.snapshot;
    let contributing = || policies.iter().filter_map(|at| snapshot.policies.get(*at));
    let spared = contributing().any(target::spares_enrolment);
    let enrols = match requirement {
        Requirement::AnyPolicy => snapshot.policies.iter().any(target::spares_enrolment),
        _ => enrols(requirement, spared, contributing()),
    };
    let wanted = |id: &&Arc<str>| !(enrols && &***id == APP_INTUNE_ENROLLMENT);
    let ids = model.targets();
    let mut values: Vec<Value> = ids.iter().filter(wanted).map(|id| Value::App(Some(Arc::clone(id)))).collect();
    // What Exchange ActiveSync reaches is an app of its own, whether or not a policy names it.
    let exchange = ids.iter().any(|id| **id == *APP_EXCHANGE_ONLINE);
    if !exchange && (scope.client_apps.is_empty() || scope.client_apps.contains(&ClientAppType::ExchangeActiveSync)) {
        values.push(Value::App(Some(Arc::from(APP_EXCHANGE_ONLINE))));
    }
    // So is the enrolment of devices where a policy for all resources doesn't reach it.
    if spared && !enrols && !ids.iter().any(|id| **id == *APP_INTUNE_ENROLLMENT) {
        values.push(Value::App(Some(Arc::from(APP_INTUNE_ENROLLMENT))));
    }
    values.push(Value::App(None));
    let slips = matches!(snapshot.settings.baseline_scopes, BaselineScopes::Legacy | BaselineScopes::Unknown);
    if slips && contributing().any(|policy| target::leaks(&policy.conditions.applications)) {
        values.push(Value::Baseline);
    }
    values
}

impl Axis {
    pub(super) fn new(model: &Model, of: &[Contributor], values: Vec<Value>) -> Self {
        // Apps that meet the same of the tenant's policies differ at most for those of a variant alone.
        let own: Vec<bool> =
            of.iter().map(|one| one.policy.is_some_and(|policy| model.at_origin(policy).is_none())).collect();
        let mut alike: HashMap<(usize, Truths), usize> = HashMap::new();
        let mut known: BTreeMap<Lane, usize> = BTreeMap::new();
        let mut classes: Vec<Class> = Vec::new();
        let indexed: Vec<Option<usize>> = values.iter().map(|value| value.indexed(model)).collect();
        for (at, (value, app)) in values.iter().zip(&indexed).enumerate() {
            let sign_in = if app.is_some() && !own.contains(&true) { SignIn::default() } else { value.sign_in() };
            let own = || of.iter().zip(&own).filter(|(_, own)| **own).map(|(one, _)| value.met(model, one, &sign_in));
            let key = app.filter(|_| !value.is_exchange()).map(|app| (app, own().collect::<Truths>()));
            let class = key.as_ref().and_then(|key| alike.get(key)).copied().unwrap_or_else(|| {
                let lane = value.lane(model, of, (*app, &sign_in));
                *known.entry(lane.clone()).or_insert_with(|| {
                    classes.push(Class { lane, values: Vec::new() });
                    classes.len() - 1
                })
            });
            if let Some(key) = key {
                alike.insert(key, class);
            }
            if let Some(class) = classes.get_mut(class) {
                class.values.push(at);
            }
        }
        Self { values, indexed, classes }
    }

    /// The contributors whose condition the value at this position meets.
    fn lane_of(&self, value: usize) -> Option<&Lane> {
        self.classes.get(self.class_of(value)?).map(|class| &class.lane)
    }

    /// The class that the value at this position is in.
    pub(super) fn class_of(&self, value: usize) -> Option<usize> {
        self.classes.iter().position(|class| class.values.contains(&value))
    }

    /// The contributors whose condition every value surely meets.
    pub(super) fn universal(&self, length: usize) -> Bits {
        self.classes.iter().fold(Bits::all(length), |all, class| all.and(&class.lane.surely))
    }

    /// The contributors whose condition some value surely meets.
    pub(super) fn somewhere(&self, length: usize) -> Bits {
        let mut some = Bits::none(length);
        self.classes.iter().for_each(|class| some.extend(&class.lane.surely));
        some
    }
}

impl Value {
    /// The sign-in that has this value and leaves everything else open.
    pub(super) fn sign_in(&self) -> SignIn {
        let mut one = SignIn {
            identity: Identity::User { id: None, guest: None, tenant: Known::Unknown, direct_connect: false },
            ..SignIn::default()
        };
        match self {
            Self::App(id) | Self::ContextOf(_, id) => {
                one.target = Target::Apps(vec![id.as_deref().unwrap_or_default().to_owned()]);
            }
            Self::Baseline => {
                one.target = Target::Apps(vec![APP_WINDOWS_AZURE_AD.into()]);
                one.scopes = Some(vec!["openid".into()]);
                one.confidential_client = Some(false);
            }
            Self::Action(urn) => one.target = Target::UserAction(urn.clone()),
            Self::Context(id) => one.target = Target::Context(id.clone()),
            Self::Client(client) => one.client_app = Known::Is(*client),
            Self::Platform(Platform::All) => one.platform = Known::Absent,
            Self::Platform(platform) => one.platform = Known::Is(*platform),
            Self::Location(location) => location.set(&mut one),
            Self::Device(device, ..) => one.device = device.clone(),
            Self::SignInRisk(level) => one.sign_in_risk = Known::Is(*level),
            Self::UserRisk(level) => one.user_risk = Known::Is(*level),
            Self::InsiderRisk(level) => one.insider_risk = level.map_or(Known::Absent, Known::Is),
            Self::Flow(flow) => one.flow = flow.map_or(Known::Absent, Known::Is),
            Self::PrincipalRisk(level) => one.service_principal_risk = Known::Is(*level),
            Self::AgentRisk(level) => one.agent_risk = Known::Is(*level),
        }
        one
    }

    pub(super) fn dimension(&self) -> Dimension {
        match self {
            Self::App(_) | Self::Baseline | Self::Action(_) | Self::Context(_) | Self::ContextOf(..) => {
                Dimension::Target
            }
            Self::Client(_) => Dimension::ClientApp,
            Self::Platform(_) => Dimension::Platform,
            Self::Location(_) => Dimension::Location,
            Self::Device(..) => Dimension::Device,
            Self::SignInRisk(_) => Dimension::SignInRisk,
            Self::UserRisk(_) => Dimension::UserRisk,
            Self::InsiderRisk(_) => Dimension::InsiderRisk,
            Self::Flow(_) => Dimension::Flow,
            Self::PrincipalRisk(_) => Dimension::ServicePrincipalRisk,
            Self::AgentRisk(_) => Dimension::AgentRisk,
        }
    }

    /// The contributors whose condition in this dimension it meets.
    pub(super) fn lane(&self, model: &Model, of: &[Contributor], (app, sign_in): (Option<usize>, &SignIn)) -> Lane {
        let indexed = app.and_then(|class| model.apps().lane(class));
        let mut lane = Lane::none(of.len());
        for (at, one) in of.iter().enumerate().filter(|(_, one)| self.is_in(one)) {
            let known = one.policy.and_then(|policy| Some(indexed?.of(model.at_origin(policy)?)));
            let policy = one.policy.and_then(|policy| model.snapshot.policies.get(policy));
            let known = known.map(|met| policy.map_or(met, |policy| met.or(self.on_top(policy))));
            lane.note(at, known.unwrap_or_else(|| self.met(model, one, sign_in)));
        }
        lane
    }

    /// The class of an app that was compiled for all requirements.
    pub(super) fn indexed(&self, model: &Model) -> Option<usize> {
        match self {
            Self::App(Some(id)) | Self::ContextOf(_, Some(id)) => model.apps().class(id),
            _ => None,
        }
    }

    /// Whether the value lies in the region where the contributor meets the requirement.
    fn is_in(&self, one: &Contributor) -> bool {
        match self {
            Self::Client(client) => one.region.clients & client_mask(*client) != 0,
            Self::Device(_, mask, _) => one.region.devices & mask != 0,
            Self::Flow(flow) => one.region.flows & flow_mask(*flow) != 0,
            _ => !(one.beside_exchange && self.is_exchange()),
        }
    }

    /// Whether it is any app that nothing names.
    pub(super) fn is_any_app(&self) -> bool {
        matches!(self, Self::App(None) | Self::ContextOf(_, None))
    }

    pub(super) fn is_exchange(&self) -> bool {
        matches!(self, Self::App(Some(id)) if **id == *APP_EXCHANGE_ONLINE)
    }

    pub(super) fn is_enrolment(&self) -> bool {
        matches!(self, Self::App(Some(id)) if **id == *APP_INTUNE_ENROLLMENT)
    }

    fn is_legacy(&self) -> bool {
        matches!(self, Self::Client(client) if client_mask(*client) & (BROWSER | MODERN) == 0)
    }

    fn met(&self, model: &Model, one: &Contributor, sign_in: &SignIn) -> Truth {
        let Some((at, policy)) = one.policy.and_then(|at| Some((at, model.snapshot.policies.get(at)?))) else {
            return Truth::Yes;
        };
        if one.blind_to_user_risk && matches!(self, Self::UserRisk(_)) {
            return policy.conditions.user_risk.contains(&RiskLevel::None).into();
        }
        if one.shows_no_device && matches!(self, Self::Device(..)) {
            let bare = SignIn { device: Known::Absent, ..SignIn::default() };
            return model.meets(at, policy, Dimension::Device, (&bare, &model.who(&bare.identity)));
        }
        self.meets(model, (at, policy), sign_in)
    }

    /// Whether it meets a policy's condition; the sign-in is the one that has it.
    pub(super) fn meets(&self, model: &Model, (at, policy): (usize, &Policy), sign_in: &SignIn) -> Truth {
        let met = model.meets(at, policy, self.dimension(), (sign_in, &model.who(&sign_in.identity)));
        // What isn't covered at a place that perhaps isn't there is open.
        let open = matches!(self, Self::Location(place) if place.is_supposed());
        met.or(self.on_top(policy)).or(if open { Truth::Maybe } else { Truth::No })
    }

    /// A context is asked for on top of a resource: policies on either apply.
    pub(super) fn on_top(&self, policy: &Policy) -> Truth {
        match self {
            Self::ContextOf(context, _) => policy.conditions.applications.contexts.contains(&**context).into(),
            _ => Truth::No,
        }
    }
}

fn client_mask(client: ClientAppType) -> Mask {
    match client {
        ClientAppType::Browser => BROWSER,
        ClientAppType::MobileAppsAndDesktopClients => MODERN,
        ClientAppType::ExchangeActiveSync | ClientAppType::EasSupported => ACTIVE_SYNC,
        ClientAppType::Other => OTHER,
        ClientAppType::All => BROWSER | MODERN | ACTIVE_SYNC | OTHER,
    }
}

/// How a device stands to what grants can ask of it.
pub(super) fn device_mask(device: &Known<DeviceInfo>) -> Mask {
    use super::requirement::{BOTH, COMPLIANT, HYBRID};
    match device {
        Known::Unknown => ANY_DEVICE,
        Known::Absent => UNMANAGED,
        Known::Is(device) => match (device.compliant == Some(true), device.trust_type.as_deref() == Some("ServerAD")) {
            (true, true) => BOTH,
            (true, false) => COMPLIANT,
            (false, true) => HYBRID,
            (false, false) => UNMANAGED,
        },
    }
}
