//! What stands beside the policies: named locations, strengths, contexts, settings of the whole tenant, users at risk.

use serde_json::Value;

use super::{Deposit, Reader, absent, complete, deposit};
use crate::graph::endpoints::{
    CONTEXTS, CROSS_TENANT_DEFAULT, DEVICE_MANAGEMENT, NAMED_LOCATIONS, PARTNERS, RISKY_USERS, SECURITY_DEFAULTS,
    STRENGTHS, TERMS_OF_USE,
};
use crate::graph::{Client, GraphError};
use crate::tenant::read::{
    ReadError, read_agreement, read_context, read_inbound_trust, read_named_location, read_risky_user,
    read_secure_by_default, read_strength,
};
use crate::tenant::{Kind, SnapshotBuilder};

pub(super) async fn read(reader: Reader<'_>) -> Result<Vec<Deposit<'_>>, GraphError> {
    Ok(vec![
        reader.all(Kind::NamedLocations, NAMED_LOCATIONS, read_named_location, SnapshotBuilder::location).await?,
        reader.all(Kind::AuthenticationStrengthPolicies, STRENGTHS, read_strength, SnapshotBuilder::strength).await?,
        reader.all(Kind::AuthenticationContextClassReferences, CONTEXTS, read_context, add_context).await?,
        reader.all(Kind::RiskyUsers, RISKY_USERS, read_risky_user, add_risky_user).await?,
        reader.all(Kind::TermsOfUse, TERMS_OF_USE, read_agreement, add_agreement).await?,
        security_defaults(reader).await?,
        cross_tenant(reader).await?,
        secure_by_default(reader).await?,
    ])
}

fn add_context(builder: &mut SnapshotBuilder, published: Option<(String, String)>) {
    builder.snapshot.contexts.extend(published);
}

fn add_risky_user(builder: &mut SnapshotBuilder, at_risk: Option<(String, String)>) {
    builder.snapshot.directory.risky_users.extend(at_risk);
}

fn add_agreement(builder: &mut SnapshotBuilder, agreement: (String, String)) {
    builder.snapshot.terms_of_use.extend([agreement]);
}

/// The default for all organisations and the settings for single ones: both or neither.
async fn cross_tenant(reader: Reader<'_>) -> Result<Deposit<'static>, GraphError> {
    const KIND: Kind = Kind::CrossTenantAccessPolicy;
    let read = async {
        let malformed = |error: ReadError| GraphError::Malformed { cause: error.to_string() };
        let default = read_inbound_trust(&reader.client.get(CROSS_TENANT_DEFAULT).await?).map_err(malformed)?;
        let mut all = reader.collect(KIND, PARTNERS, read_inbound_trust).await?;
        all.push(default);
        Ok(all)
    };
    deposit(KIND, read.await, |builder, one| builder.snapshot.cross_tenant.add(one))
}

/// Intune's default for devices without a compliance policy; a tenant without Intune, or a reading without the
/// permission, goes by what the settings say.
async fn secure_by_default(reader: Reader<'_>) -> Result<Deposit<'static>, GraphError> {
    if reader.progress.cancelled() {
        return Err(GraphError::Cancelled);
    }
    let read = reader.client.secure_by_default().await;
    Ok(Box::new(move |builder| {
        let known = &mut builder.snapshot.settings.intune_secure_by_default;
        *known = read.or(*known);
    }))
}

impl Client {
    /// Whether Intune marks devices without a compliance policy as not compliant; none where it can't be read.
    pub async fn secure_by_default(&self) -> Option<bool> {
        let object = self.get(DEVICE_MANAGEMENT).await.ok()?;
        read_secure_by_default(&object).ok().flatten()
    }
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
