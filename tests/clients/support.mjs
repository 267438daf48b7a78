// What the clients share: the demo as a child process, its tenant asked through Graph, a browser, steps with a time-out.
//
// Each script starts its own demo and ends exactly the processes it started. PORTCULLIS_BIN names the built binary,
// OUT the folder for screenshots.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { chromium } from "playwright-core";

const started = [];
const out = process.env.OUT ?? "out";
mkdirSync(out, { recursive: true });

export const file = (name) => join(out, name);

/** Starts a program whose end is ours to see to; its words go to our standard error. */
export function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  child.stderr.on("data", (words) => process.stderr.write(words));
  started.push(child);
  return child;
}

/** Starts `portcullis demo` and gives the line of JSON that it prints first, once the tenant has been read. */
export async function startDemo(args = [], env = {}) {
  const binary = process.env.PORTCULLIS_BIN ?? "target/debug/portcullis";
  const child = start(binary, ["demo", "--json", "--port", "0", ...args], { env: { ...process.env, ...env } });
  const lines = createInterface({ input: child.stdout });
  const [line] = await within(60, "the demo's first line", () => once(lines, "line"));
  lines.on("line", (words) => process.stderr.write(`${words}\n`));
  const demo = JSON.parse(line);
  const read = async () => /reading_age_seconds \d/.test(await (await fetch(new URL("/metrics", demo.web))).text());
  await until(90, "the first scan", read);
  return demo;
}

export function person(demo, role) {
  const found = demo.people.find((person) => person.role.toLowerCase().includes(role));
  check(found, `the demo has somebody who is ${role}`);
  return found;
}

/** A port that was free a moment ago. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** All Conditional Access policies of the tenant, asked with a token of our own. */
export async function policies(demo) {
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: demo.clientId,
    client_secret: demo.clientSecret,
    scope: "https://graph.microsoft.com/.default",
  });
  const { access_token: token } = await (await fetch(demo.token, { method: "POST", body: form })).json();
  const base = demo.graph.replace(/\/$/, "").replace(/\/v1\.0$/, "");
  const found = [];
  let next = `${base}/v1.0/identity/conditionalAccess/policies`;
  while (next) {
    const page = await (await fetch(next, { headers: { authorization: `Bearer ${token}` } })).json();
    found.push(...page.value);
    next = page["@odata.nextLink"];
  }
  return found;
}

/** The one policy that is there now and wasn't before; it has to be report-only. */
export async function theNewPolicy(demo, before) {
  const known = new Set(before.map((policy) => policy.id));
  const after = await policies(demo);
  const added = after.filter((policy) => !known.has(policy.id));
  check(added.length === 1, `exactly one policy is new, not ${added.length}`);
  check(added[0].state === "enabledForReportingButNotEnforced", `its state is ${added[0].state}`);
  const changed = before.filter((policy) => !after.some((now) => JSON.stringify(now) === JSON.stringify(policy)));
  check(changed.length === 0, "no other policy was touched");
  return added[0];
}

export async function browser() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const opened = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  started.push({ kill: () => opened.close(), show: () => show(opened) });
  return opened;
}

/** What each page showed when something failed: its last words, and a picture. */
async function show(opened) {
  const pages = opened.contexts().flatMap((context) => context.pages());
  for (const [number, page] of pages.entries()) {
    console.error(`page ${number + 1} ended on: ${(await page.locator("body").innerText()).slice(-1500)}`);
    await page.screenshot({ path: file(`failed-${number + 1}.png`) });
  }
}

export function check(held, words) {
  if (!held) throw new Error(`expected: ${words}`);
}

/** Waits until `look` gives something. */
export async function until(seconds, words, look) {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited ${seconds} s for ${words}`);
}

/** One line of the report; a step that takes too long fails. */
export async function step(words, action) {
  const result = await within(60, words, action);
  console.log(`ok  ${words}`);
  return result;
}

async function within(seconds, words, action) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${words}: took longer than ${seconds} s`)), seconds * 1000);
  });
  return Promise.race([action(), late]).finally(() => clearTimeout(timer));
}

/** Runs a script and ends what it started, however it went. */
export async function run(script) {
  const stop = async () => {
    for (const child of started.reverse()) await child.kill();
  };
  try {
    await script();
    await stop();
  } catch (error) {
    console.error(`FAILED  ${error.stack}`);
    for (const child of started) await child.show?.();
    await stop();
    process.exit(1);
  }
  process.exit(0);
}
