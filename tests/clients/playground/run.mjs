// Microsoft 365 Agents Playground, driven by its own page: a question, an approval card, a press, a policy in the tenant.

import { mkdtempSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { browser, check, file, freePort, person, policies, run, start, startDemo, step, theNewPolicy, until } from "../support.mjs";
import { configuration } from "./config.mjs";

const installed = createRequire(import.meta.url).resolve("@microsoft/m365agentsplayground/package.json");

/** A Playground of its own for one person; gives its page. */
async function playground(demo, speaker, chromium) {
  const folder = mkdtempSync(join(tmpdir(), "playground-"));
  writeFileSync(join(folder, ".m365agentsplayground.yml"), configuration(demo, speaker));
  const port = await freePort();
  const options = ["start", "-e", demo.teams, "-c", "msteams", "-p", String(port), "--dt"];
  const child = start(process.execPath, [join(dirname(installed), "cli.js"), ...options], {
    cwd: folder,
    env: { ...process.env, BROWSER: "none" },
  });
  child.stdout.resume();
  const address = `http://127.0.0.1:${port}/`;
  await until(30, "the Playground", () => fetch(address).then((answer) => answer.ok, () => false));
  const page = await chromium.newPage({ viewport: { width: 1400, height: 1400 } });
  await page.goto(address);
  await page.locator("div[role=textbox]").first().waitFor();
  return page;
}

async function say(page, words) {
  await page.locator("div[role=textbox]").first().click();
  await page.keyboard.type(words);
  await page.keyboard.press("Enter");
}

const cards = (page) => page.locator(".ac-adaptiveCard");

/** Says something and gives the text of the card that answers. */
async function ask(page, words) {
  const before = await cards(page).count();
  await say(page, words);
  await until(30, `an answer to "${words}"`, async () => (await cards(page).count()) > before);
  return cards(page).last().innerText();
}

const createButton = (page) => cards(page).last().getByRole("button", { name: "Create in report-only" });

/** The numbers of the suggestions that are named first. */
async function suggestions(page) {
  const list = await ask(page, "show suggestions");
  const numbers = [...new Set(list.match(/S-\d+/g) ?? [])];
  check(numbers.length > 0, `suggestions are numbered: ${list}`);
  return numbers;
}

/** Asks for suggestions until one has a card that can be approved; gives its number. */
async function approvalCard(page) {
  const numbers = await suggestions(page);
  for (const number of numbers) {
    await ask(page, `propose ${number}`);
    if ((await createButton(page).count()) > 0) return number;
  }
  throw new Error(`none of ${numbers} can be created`);
}

run(async () => {
  const demo = await step("the demo starts", () => startDemo(["--playground"]));
  const chromium = await browser();
  const before = await policies(demo);

  const approver = await step("an approver opens Teams", () => playground(demo, person(demo, "approver"), chromium));
  const answer = await step("asks who is not covered by MFA", () => ask(approver, "who is not covered by MFA?"));
  check(/\d/.test(answer) && /MFA/.test(answer), `the answer has numbers: ${answer}`);
  check(/\[1\]/.test(answer), "and a citation");
  await approver.screenshot({ path: file("teams-answer.png") });

  await step("opens a citation on its rows", async () => {
    const before = await cards(approver).count();
    await cards(approver).last().getByRole("button", { name: "Show the rows behind [1]" }).click();
    await until(30, "the rows behind [1]", async () => (await cards(approver).count()) > before);
    await approver.screenshot({ path: file("teams-rows.png") });
    const rows = await cards(approver).last().innerText();
    check(/\d+ rows?\b/.test(rows) && /\(reading [0-9a-f]{12}\)/.test(rows), `rows of a reading: ${rows}`);
  });

  const number = await step("asks for an approval card", () => approvalCard(approver));
  await cards(approver).last().screenshot({ path: file("teams-approval.png") });

  const reader = await step("a reader opens Teams", () => playground(demo, person(demo, "reader"), chromium));
  await step("the reader's press is refused", async () => {
    await ask(reader, `propose ${number}`);
    await createButton(reader).click();
    await reader.getByText(/needs an approver's role/).waitFor();
    await reader.screenshot({ path: file("teams-refused.png") });
    check((await policies(demo)).length === before.length, "nothing was created for a reader");
  });

  await step("the approver's press creates the policy", async () => {
    await createButton(approver).click();
    await cards(approver).last().getByRole("button", { name: "Undo" }).waitFor({ timeout: 50_000 });
    check(/In report-only/.test(await cards(approver).last().innerText()), "the card says that it is in report-only");
    check((await createButton(approver).count()) === 0, "and can't be pressed again");
  });
  await approver.screenshot({ path: file("teams-created.png") });
  await step("puts another off with a choice on the card", async () => {
    for (const other of await suggestions(approver)) {
      if (other === number) continue;
      await ask(approver, `propose ${other}`);
      const card = cards(approver).last();
      await card.getByRole("button", { name: "Snooze…" }).click();
      await card.getByRole("combobox").first().click();
      await approver.getByRole("option", { name: "for 30 days" }).click();
      await card.getByRole("button", { name: "Snooze", exact: true }).click();
      await cards(approver).last().getByText(/Put off by/).waitFor();
      return;
    }
    throw new Error("there is no other suggestion");
  });
  await step("says what is wrong with an answer", async () => {
    await ask(approver, "who is not covered by MFA?");
    await approver.getByRole("button", { name: "Dislike" }).last().click();
    const form = approver.getByRole("dialog");
    await form.locator("textarea").fill("not our tenant's rule");
    await form.getByRole("button", { name: "Submit" }).click();
    await form.getByText("Thank you!").waitFor();
  });
  const policy = await step("the tenant has it, report-only", () => theNewPolicy(demo, before));
  console.log(`    ${policy.displayName}`);
});
