//! What stands beside the policies: named locations, strengths, contexts, security defaults, users at risk.

use serde_json::Value;

use super::{Deposit, Reader, absent, complete};
use crate::graph::GraphError;
use crate::graph::endpoints::{CONTEXTS, NAMED_LOCATIONS, RISKY_USERS, SECURITY_DEFAULTS, STRENGTHS};
use crate::tenant::read::{read_context, read_named_location, read_risky_user, read_strength};
use crate::tenant::{Kind, SnapshotBuilder};

pub(super) async fn read(reader: Reader<'_>) -> Result<Vec<Deposit<'_>>, GraphError> {
    Ok(vec![
        reader.all(Kind::NamedLocations, NAMED_LOCATIONS, read_named_location, SnapshotBuilder::location).await?,
        reader.all(Kind::AuthenticationStrengthPolicies, STRENGTHS, read_strength, SnapshotBuilder::strength).await?,
        reader.all(Kind::AuthenticationContextClassReferences, CONTEXTS, read_context, add_context).await?,
        reader.all(Kind::RiskyUsers, RISKY_USERS, read_risky_user, add_risky_user).await?,
        security_defaults(reader).await?,
    ])
}

fn add_context(builder: &mut SnapshotBuilder, published: Option<(String, String)>) {
    builder.snapshot.contexts.extend(published);
}

fn add_risky_user(builder: &mut SnapshotBuilder, at_risk: Option<(String, String)>) {
    builder.snapshot.directory.risky_users.extend(at_risk);
}

async fn security_defaults(reader: Reader<'_>) -> Result<Deposit<'static>, GraphError> {
    const KIND: Kind = Kind::IdentitySecurityDefaultsEnforcementPolicy;
    if reader.progress.cancelled() {
        return Err(GraphError::Cancelled);
    }
    let enabled = reader.client.get(SECURITY_DEFAULTS).await.and_then(|policy| {
        let wrong = || GraphError::Malformed { cause: "security defaults are neither on nor off".to_owned() };
        policy.get("isEnabled").and_then(Value::as_bool).ok_or_else(wrong)
    });
    Ok(match enabled {
        Ok(enabled) => Box::new(move |builder| {
            builder.reading(KIND, complete(1));
            builder.snapshot.security_defaults = Some(enabled);
        }),
        Err(error) => absent(KIND, &error),
    })
}
