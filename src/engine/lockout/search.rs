//! The search for a way in for one person: through every combination of conditions that policies can tell apart.

use super::candidates::{Administration, signing_in};
use crate::engine::ability::{Abilities, device_of, is_compliant, is_hybrid, protects_apps};
use crate::engine::bits::{Bits, Lane};
use crate::engine::truth::Truth;
use crate::tenant::User;
use crate::tenant::policy::{Control, GrantControls, GuestType, Operator, Platform};
use crate::tenant::sign_in::{DeviceInfo, Known, SignIn};

/// A person who wants to get in.
#[derive(Debug)]
pub(super) struct Person<'a> {
    user_id: &'a str,
    /// Of another organisation.
    external: bool,
    abilities: &'a Abilities<'a>,
}

impl<'a> Person<'a> {
    pub(super) fn new(user: &'a User, abilities: &'a Abilities<'a>) -> Self {
        let external = user.guest.is_some_and(|kind| kind != GuestType::InternalGuest);
        Self { user_id: &user.id, external, abilities }
    }
}

/// What somebody signs in with.
type Machine<'a> = (&'a Known<Platform>, &'a Known<DeviceInfo>);

/// What a search found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) can: Truth,
    /// Conditions under which they can, or might.
    pub(super) way_in: Option<SignIn>,
    /// Policies that stood in the way under every condition tried.
    always: Bits,
    /// Those that ever did.
    ever: Bits,
}

impl Found {
    /// Positions of the policies that stood in the way under every condition tried; where none did so alone, of all that ever
    /// did.
    pub(super) fn stopping(&self) -> Vec<usize> {
        match self.can {
            Truth::Yes => Vec::new(),
            _ if self.always.is_empty() => self.ever.iter().collect(),
            _ => self.always.iter().collect(),
        }
    }
}

impl Administration<'_> {
    /// Conditions under which a person gets in, or may: the first that are found.
    pub(super) fn way_in(&self, person: &Person<'_>) -> Option<SignIn> {
        self.search(person, Truth::Maybe).way_in
    }

    /// The best that a person can do, and what stands in the way.
    pub(super) fn best(&self, person: &Person<'_>) -> Found {
        self.search(person, Truth::Yes)
    }

    /// Goes through all combinations; the first that is good `enough` ends it.
    fn search(&self, person: &Person<'_>, enough: Truth) -> Found {
        let reaching = self.reaching(person.user_id);
        let own = person.abilities.knows_devices().then(|| person.abilities.devices(person.user_id));
        let candidates = self.candidates(&reaching, own, person.external);
        let length = reaching.possibly.capacity();
        let mut found = Found { can: Truth::No, way_in: None, always: Bits::all(length), ever: Bits::none(length) };
        let machines =
            candidates.clients.iter().flat_map(|client| candidates.devices.iter().map(move |device| (client, device)));
        for (client, device) in machines {
            // What is met on this machine stands in the way nowhere.
            let unmet = self.unmet(person, &reaching, (&client.sign_in.platform, &device.sign_in.device));
            let here = client.meets.and(&device.meets).and(&unmet);
            for place in &candidates.places {
                for risk in &candidates.risks {
                    let stopping = here.and(&place.meets).and(&risk.meets);
                    let can = passes(&stopping);
                    found.always.retain(&stopping.possibly);
                    found.ever.extend(&stopping.possibly);
                    if can > found.can {
                        let parts = [client, place, device, risk].map(|one| &*one.sign_in);
                        (found.can, found.way_in) = (can, Some(joined(person, parts)));
                    }
                    if found.can >= enough {
                        return found;
                    }
                }
            }
        }
        found
    }

    /// Those of the policies whose grants a person can't meet on a machine.
    fn unmet(&self, person: &Person<'_>, reaching: &Lane, machine: Machine<'_>) -> Lane {
        let mut unmet = Lane::none(reaching.possibly.capacity());
        for (at, policy) in self.policies.iter().filter(|(at, _)| reaching.possibly.has(*at)) {
            let met = policy.grant.as_ref().map_or(Truth::Yes, |grant| person.meets(grant, machine));
            unmet.note(*at, met.negate());
        }
        unmet
    }
}

/// Whether somebody gets past policies that apply and whose grants aren't met.
fn passes(stopping: &Lane) -> Truth {
    match (stopping.surely.is_empty(), stopping.possibly.is_empty()) {
        (false, _) => Truth::No,
        (true, false) => Truth::Maybe,
        (true, true) => Truth::Yes,
    }
}

fn joined(person: &Person<'_>, [client, place, device, risk]: [&SignIn; 4]) -> SignIn {
    SignIn {
        client_app: client.client_app,
        platform: client.platform,
        ip: place.ip,
        country: place.country.clone(),
        gps_country: place.gps_country.clone(),
        compliant_network: place.compliant_network,
        device: device.device.clone(),
        sign_in_risk: risk.sign_in_risk,
        user_risk: risk.user_risk,
        ..signing_in(Some(person.user_id))
    }
}

impl Person<'_> {
    fn meets(&self, grant: &GrantControls, machine: Machine<'_>) -> Truth {
        let each = grant.controls.iter().map(|control| self.meets_control(control, machine));
        match grant.operator {
            Operator::And => Truth::all(each),
            Operator::Or => Truth::any(each),
        }
    }

    fn meets_control(&self, control: &Control, (platform, used): Machine<'_>) -> Truth {
        let device = device_of(used);
        match control {
            // Who has no method yet is led to register one at sign-in.
            Control::Mfa => self.abilities.mfa(self.user_id).or(Truth::Maybe),
            Control::Strength(id) => self.abilities.strength(self.user_id, id),
            Control::CompliantDevice if device.is_some_and(is_compliant) => {
                self.abilities.device(self.user_id, is_compliant)
            }
            Control::DomainJoinedDevice if device.is_some_and(is_hybrid) => {
                self.abilities.device(self.user_id, is_hybrid)
            }
            Control::CompliantDevice | Control::DomainJoinedDevice if *used == Known::Unknown => Truth::Maybe,
            Control::Block | Control::CompliantDevice | Control::DomainJoinedDevice => Truth::No,
            Control::ApprovedApplication | Control::CompliantApplication => protects_apps(platform),
            Control::PasswordChange | Control::RiskRemediation | Control::TermsOfUse(_) => Truth::Yes,
            Control::VerifiedId | Control::Custom(_) | Control::Unknown(_) => Truth::Maybe,
        }
    }
}
