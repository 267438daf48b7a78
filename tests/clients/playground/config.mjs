// The configuration of an Agents Playground in which one of the demo's people speaks; it wants exactly five others.

const user = ({ id, name }) => ({
  id: `29:${id}`,
  name,
  userPrincipleName: `${id}@nordwerk.example`,
  aadObjectId: id,
  givenName: name.split(" ")[0],
  surname: name.split(" ").at(-1),
  email: `${id}@nordwerk.example`,
});

const extra = (number) => ({ id: `dddddddd-0000-0000-0000-00000000000${number}`, name: `Person ${number}` });

/** JSON is YAML too, so the file needs no library. */
export function configuration(demo, speaker) {
  const known = demo.people.filter((person) => person.id !== speaker.id);
  const others = [...known, ...[0, 1, 2, 3, 4].map(extra)].slice(0, 5);
  return JSON.stringify({
    version: "0.1.1",
    tenantId: demo.tenantId,
    bot: { id: `28:${demo.appId}`, name: "Portcullis" },
    currentUser: user(speaker),
    users: others.map(user),
    personalChat: { id: `a:personal-${speaker.id}` },
    groupChat: { id: "19:group@thread.v2", name: "Group" },
    team: {
      id: "19:team@thread.tacv2",
      name: "Identity",
      aadGroupId: "cccccccc-0000-0000-0000-000000000003",
      channels: [{ id: "19:access@thread.tacv2", name: "Conditional Access" }],
    },
  });
}
