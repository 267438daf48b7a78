//! One sign-in against 500 policies.

use std::cell::LazyCell;
use std::hint::black_box;
use std::net::Ipv4Addr;

use criterion::Criterion;
use portcullis::tenant::SignIn;
use portcullis::tenant::policy::{ClientAppType, Platform, RiskLevel};
use portcullis::tenant::sign_in::{Identity, Known, Target};

use crate::tenant::{ORDINARY, Random, Size, app_id, model, random, user_id};

/// Sign-ins of random people to random apps; everything about them is known.
fn sign_ins(size: Size) -> Vec<SignIn> {
    let mut random = Random::new(5);
    (0..1_000)
        .map(|_| SignIn {
            identity: Identity::User {
                id: Some(user_id(random.below(size.users))),
                guest: None,
                tenant: Known::Unknown,
                direct_connect: false,
            },
            target: Target::Apps(vec![app_id(random.below(size.apps))]),
            client_app: Known::Is(ClientAppType::Browser),
            platform: Known::Is(if random.percent(50) { Platform::Windows } else { Platform::Linux }),
            ip: Known::Is(Ipv4Addr::new(10, 0, u8::try_from(random.below(10)).unwrap(), 9).into()),
            country: Known::Absent,
            device: Known::Absent,
            sign_in_risk: Known::Is(RiskLevel::None),
            user_risk: Known::Is(RiskLevel::None),
            insider_risk: Known::Absent,
            flow: Known::Absent,
            ..SignIn::default()
        })
        .collect()
}

pub(crate) fn bench(criterion: &mut Criterion) {
    let size = Size { policies: 500, ..ORDINARY };
    let model = LazyCell::new(|| model(random(size, 3)));
    let sign_ins = sign_ins(size);
    let mut group = criterion.benchmark_group("what-if/500 policies");
    let mut asked = sign_ins.iter().cycle();
    group.bench_function("which apply", |run| {
        run.iter(|| asked.next().map(|sign_in| model.verdicts(sign_in)));
    });
    group.bench_function("with the reason of each", |run| {
        run.iter(|| asked.next().map(|sign_in| black_box(model.evaluate(sign_in))));
    });
    group.finish();
}
