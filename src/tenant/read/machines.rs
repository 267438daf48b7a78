//! Reads the conditions of a policy that are about identities which aren't people: workload identities and agents.

use std::collections::BTreeSet;

use super::ReadError;
use super::node::Node;
use super::policy::{read_filter, sides};
use crate::tenant::policy::{Agents, ClientApplications, Sides};

/// Ids of identities that aren't people, with the keywords in Graph's spelling.
fn machines(node: &Node<'_>) -> Result<BTreeSet<String>, ReadError> {
    let known = ["All", "None", "ServicePrincipalsInMyTenant"];
    let spelt =
        |word: String| known.into_iter().find(|known| known.eq_ignore_ascii_case(&word)).map_or(word, str::to_owned);
    Ok(node.ids()?.into_iter().map(spelt).collect())
}

pub(super) fn read_client_applications(
    node: Node<'_>,
    undecided: &mut Vec<String>,
) -> Result<Option<ClientApplications>, ReadError> {
    let node = node.object()?;
    let known = &[
        "includeServicePrincipals",
        "excludeServicePrincipals",
        "servicePrincipalFilter",
        "includeAgentIdServicePrincipals",
        "excludeAgentIdServicePrincipals",
        "agentIdServicePrincipalFilter",
    ];
    undecided.extend(node.others(known).iter().map(Node::pointer));
    let read = ClientApplications {
        include: machines(&node.member("includeServicePrincipals"))?,
        exclude: machines(&node.member("excludeServicePrincipals"))?,
        filter: read_filter(node.member("servicePrincipalFilter"), undecided)?,
        include_agents: machines(&node.member("includeAgentIdServicePrincipals"))?,
        exclude_agents: machines(&node.member("excludeAgentIdServicePrincipals"))?,
        agent_filter: read_filter(node.member("agentIdServicePrincipalFilter"), undecided)?,
    };
    Ok((read != ClientApplications::default()).then_some(read))
}

pub(super) fn read_agents(node: Node<'_>, undecided: &mut Vec<String>) -> Result<Option<Agents>, ReadError> {
    let node = node.object()?;
    let known = &["includeAgentUsers", "excludeAgentUsers", "agentFilter"];
    undecided.extend(node.others(known).iter().map(Node::pointer));
    let read = Agents {
        include: machines(&node.member("includeAgentUsers"))?,
        exclude: machines(&node.member("excludeAgentUsers"))?,
        filter: read_filter(node.member("agentFilter"), undecided)?,
    };
    Ok((read != Agents::default()).then_some(read))
}

pub(super) fn read_agent_contexts(
    node: Node<'_>,
    undecided: &mut Vec<String>,
) -> Result<Option<Sides<String>>, ReadError> {
    let node = node.object()?;
    undecided.extend(node.others(&["includeAgentContexts", "excludeAgentContexts"]).iter().map(Node::pointer));
    let read = |name: &str| -> Result<BTreeSet<String>, ReadError> {
        Ok(node.member(name).strings()?.into_iter().map(str::to_owned).collect())
    };
    Ok(sides(read("includeAgentContexts")?, read("excludeAgentContexts")?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::read_policy;
    use crate::tenant::well_known::ALL_AGENT_USERS;

    #[test]
    fn words_for_identities_that_are_not_people_have_any_case() {
        let conditions = json!({"clientApplications": {"includeServicePrincipals": ["serviceprincipalsinmytenant"]},
            "agents": {"includeAgentUsers": ["all"]}, "users": {"includeUsers": ["allAgentIDUsers"]},
            "applications": {"includeAuthenticationContextClassReferences": ["C7"]}});
        let read = read_policy(&json!({ "state": "enabled", "conditions": conditions })).unwrap();
        assert!(read.conditions.users.include.users.contains(ALL_AGENT_USERS));
        let machines = read.conditions.client_applications.unwrap();
        assert!(machines.include.contains("ServicePrincipalsInMyTenant"));
        assert!(read.conditions.agents.unwrap().include.contains("All"));
        assert!(read.conditions.applications.contexts.contains("c7"));
    }
}
