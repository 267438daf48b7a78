//! One sign-in × all policies → applies, doesn't apply, or depends on something not stated.

use std::collections::BTreeSet;

use crate::tenant::policy::Operator;

/// What all policies say about one sign-in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Every policy that is On or report-only, in the snapshot's order.
    pub policies: Vec<PolicyOutcome>,
    /// What the policies that are On come to together.
    pub decision: Decision,
}

/// What one policy says about one sign-in.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyOutcome {
    /// Object id of the policy.
    pub policy_id: String,
    /// It is report-only: logged, never enforced.
    pub report_only: bool,
    /// Whether it applies.
    pub applies: Applies,
}

/// Three-valued: a condition whose value isn't known is never guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applies {
    /// Every condition is met.
    Yes,
    /// The first unmet kind, in Microsoft's order (identity, target, conditions).
    No(UnmetKind),
    /// Applies if these, which aren't known, turn out to meet it; named as people read them.
    DependsOn(BTreeSet<String>),
    /// The policy has a condition or control that can't be judged (JSON pointers).
    NotDecided(BTreeSet<String>),
}

/// The first unmet kind of condition, in the words of What If (`analysisReasons`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are Graph's own analysisReasons")]
pub enum UnmetKind {
    Users,
    WorkloadIdentities,
    Application,
    UserActions,
    AuthenticationContext,
    DevicePlatform,
    Devices,
    ClientApps,
    Location,
    SignInRisk,
    UserRisk,
    ServicePrincipalRisk,
    InsiderRisk,
    AuthenticationFlow,
    AgentIdRisk,
    AgentIdentities,
    EmptyPolicy,
    PolicyNotEnabled,
}

/// What the policies that are On come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Decision {
    /// No policy asks for anything.
    #[default]
    Allow,
    /// At least one blocks.
    Block {
        /// Object ids of the policies that block.
        by: Vec<String>,
    },
    /// Every one of these must be met.
    Require(Vec<Demand>),
    /// Something that isn't known decides; what is sure is in the demands.
    DependsOn {
        /// What isn't known.
        on: BTreeSet<String>,
        /// What is required whatever it turns out to be.
        surely: Vec<Demand>,
    },
}

/// What one policy demands.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// Object id of the policy.
    pub policy_id: String,
    /// How it joins its controls.
    pub operator: Operator,
    /// Its controls, as Graph writes them (`mfa`, `compliantDevice`, a strength's id …).
    pub controls: Vec<String>,
}
