"""Microsoft's own Python SDK for Graph, unmodified, against the made-up tenant: lists policies, users page by page and sign-ins,
reads what changed, and creates a policy in report-only. Only the address and the source of tokens are ours."""
import asyncio
import json
import os
import subprocess
import sys

import httpx
from kiota_abstractions.authentication import AccessTokenProvider, AllowedHostsValidator, BaseBearerTokenAuthenticationProvider
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.audit_logs.sign_ins.sign_ins_request_builder import SignInsRequestBuilder
from msgraph.generated.models.conditional_access_applications import ConditionalAccessApplications
from msgraph.generated.models.conditional_access_client_app import ConditionalAccessClientApp
from msgraph.generated.models.conditional_access_condition_set import ConditionalAccessConditionSet
from msgraph.generated.models.conditional_access_grant_control import ConditionalAccessGrantControl
from msgraph.generated.models.conditional_access_grant_controls import ConditionalAccessGrantControls
from msgraph.generated.models.conditional_access_policy import ConditionalAccessPolicy
from msgraph.generated.models.conditional_access_policy_state import ConditionalAccessPolicyState
from msgraph.generated.models.conditional_access_users import ConditionalAccessUsers
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.users.users_request_builder import UsersRequestBuilder
from msgraph_core.tasks.page_iterator import PageIterator

USERS = 250


class DemoTokens(AccessTokenProvider):
    """Client credentials at the demo's token endpoint; the SDK's own provider only speaks to Microsoft's hosts."""

    def __init__(self, demo):
        self.demo = demo

    async def get_authorization_token(self, uri, additional_authentication_context=None):
        form = {"grant_type": "client_credentials", "client_id": self.demo["clientId"],
                "client_secret": self.demo["clientSecret"], "scope": "https://graph.microsoft.com/.default"}
        async with httpx.AsyncClient() as http:
            answer = await http.post(self.demo["token"], data=form)
            return answer.raise_for_status().json()["access_token"]

    def get_allowed_hosts_validator(self):
        return AllowedHostsValidator(["127.0.0.1"])


def check(condition, what):
    if not condition:
        raise SystemExit(f"python: {what}: FAILED")
    print(f"python: {what}")


def report_only():
    return ConditionalAccessPolicy(
        display_name="From the Python SDK",
        state=ConditionalAccessPolicyState.EnabledForReportingButNotEnforced,
        conditions=ConditionalAccessConditionSet(
            client_app_types=[ConditionalAccessClientApp.All],
            applications=ConditionalAccessApplications(include_applications=["All"]),
            users=ConditionalAccessUsers(include_users=["All"]),
        ),
        grant_controls=ConditionalAccessGrantControls(
            operator="OR", built_in_controls=[ConditionalAccessGrantControl.Mfa]),
    )


async def everything(first, adapter):
    """All objects of a collection, through the SDK's own iterator over pages."""
    found = []
    await PageIterator(response=first, request_adapter=adapter).iterate(lambda one: found.append(one) or True)
    return found


async def drive(demo):
    adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(DemoTokens(demo)))
    adapter.base_url = f"{demo['graph']}/v1.0"
    graph = GraphServiceClient(request_adapter=adapter)

    policies = graph.identity.conditional_access.policies
    before = (await policies.get()).value
    check(len(before) == 25 and all(policy.state for policy in before), f"{len(before)} policies, each with a state")

    query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(select=["id", "displayName", "accountEnabled"], top=40)
    first = await graph.users.get(request_configuration=RequestConfiguration(query_parameters=query))
    check(len(first.value) == 40 and first.odata_next_link, "a first page of 40 users with a link to the next")
    users = await everything(first, adapter)
    check(len({user.id for user in users}) == USERS, f"{len(users)} users, page by page")

    changed = await graph.users.delta.get()
    while changed.odata_next_link:
        changed = await graph.users.delta.with_url(changed.odata_next_link).get()
    again = await graph.users.delta.with_url(changed.odata_delta_link).get()
    check(again.value == [] and again.odata_delta_link, "a delta query ends with a link after which nothing has changed")

    query = SignInsRequestBuilder.SignInsRequestBuilderGetQueryParameters(top=50)
    signed_in = await graph.audit_logs.sign_ins.get(request_configuration=RequestConfiguration(query_parameters=query))
    rows = signed_in.value
    check(len(rows) == 50 and all(row.user_id and row.created_date_time for row in rows), "50 sign-ins with user and time")

    created = await policies.post(report_only())
    check(created.state == ConditionalAccessPolicyState.EnabledForReportingButNotEnforced, "a policy created in report-only")
    read = await policies.by_conditional_access_policy_id(created.id).get()
    check(read.display_name == "From the Python SDK" and read.conditions.users.include_users == ["All"], "read back as it was sent")

    try:
        await policies.by_conditional_access_policy_id("00000000-0000-0000-0000-000000000001").get()
        check(False, "an unknown policy is not found")
    except ODataError as error:
        check(error.response_status_code == 404 and error.error.code == "ResourceNotFound",
              "an unknown policy is an ODataError with Graph's code")


def main():
    binary = os.environ["PORTCULLIS_BIN"]
    command = [binary, "demo", "--json", "--port", "0", "--users", str(USERS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            asyncio.run(drive(json.loads(process.stdout.readline())))
        finally:
            process.terminate()


if __name__ == "__main__":
    sys.exit(main())
