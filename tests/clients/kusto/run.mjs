// Microsoft's own parser of KQL reads every query under templates/kql against the columns of the two sign-in tables,
// and must find nothing to say; a query with a column that isn't there must be found out, or the check proves nothing.
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
require("@kusto/language-service-next/bridge.js");
require("@kusto/language-service-next");
const { Language } = globalThis.Kusto;
const { Symbols } = Language;

// Azure Monitor's published columns of the tables, as far as queries use them: the second holds as text what the first holds
// as dynamic values.
const common = {
  TimeGenerated: "datetime", Id: "string", CorrelationId: "string", UserId: "string", UserType: "string", HomeTenantId: "string",
  CrossTenantAccessType: "string", AppId: "string", AppDisplayName: "string", ResourceIdentity: "string", ResourceDisplayName: "string",
  ConditionalAccessAudiences: "string", ConditionalAccessStatus: "string", ClientAppUsed: "string", IPAddress: "string", Location: "string",
  RiskLevelDuringSignIn: "string", OriginalTransferMethod: "string", AuthenticationProtocol: "string", AuthenticationRequirement: "string",
  ResultType: "string", ResultDescription: "string",
};
const tables = {
  SigninLogs: { ...common, ConditionalAccessPolicies: "dynamic", DeviceDetail: "dynamic", LocationDetails: "dynamic", Status: "dynamic" },
  AADNonInteractiveUserSignInLogs: { ...common, ConditionalAccessPolicies: "string", DeviceDetail: "string", LocationDetails: "string", Status: "string" },
};

const schema = Object.entries(tables).map(([table, columns]) => {
  const list = Object.entries(columns).map(([name, type]) => `${name}: ${type}`).join(", ");
  return Symbols.TableSymbol.From(`(${list})`).WithName(table);
});
const database = new Symbols.DatabaseSymbol.$ctor1("logs", schema);
const globals = Language.GlobalState.Default.WithDatabase(database);

/** What the parser has to say about a query: severity, message and the text it is about. */
function diagnostics(text) {
  const code = Language.KustoCode.ParseAndAnalyze(text, globals);
  const found = code.GetDiagnostics();
  const all = [];
  for (let at = 0; at < found.Count; at += 1) {
    const one = found.getItem(at);
    all.push(`${one.Severity}: ${one.Message} at «${text.slice(one.Start, one.Start + one.Length)}»`);
  }
  return all;
}

const folder = new URL("../../../templates/kql/", import.meta.url);
const filled = (name) => readFileSync(new URL(name, folder), "utf8").replaceAll(/\{\{(from|to)\}\}/g, "2026-11-24T00:00:00Z");
const files = readdirSync(folder).filter((name) => name.endsWith(".kql"));
let wrong = 0;
for (const name of files) {
  for (const line of diagnostics(filled(name))) {
    console.error(`${name}: ${line}`);
    wrong += 1;
  }
}
const planted = diagnostics(filled("sign_ins.kql").replace("tostring(DeviceDetail.deviceId)", "tostring(NoSuchColumn.deviceId)"));
if (files.length === 0 || wrong > 0 || planted.length === 0) {
  console.error(`kusto: ${files.length} queries, ${wrong} complaints, planted fault ${planted.length ? "found" : "missed"}`);
  process.exit(1);
}
console.log(`kusto: ${files.length} queries fit the schema, a planted fault is found`);
