// The web chat in headless Chromium: a reader is refused, an approver creates, the activity log shows it, keys suffice.

import { readFileSync } from "node:fs";

import { browser, check, file, person, policies, run, startDemo, step, theNewPolicy, until } from "../support.mjs";

const messages = (page) => page.locator("#log .message.bot");

/** Becomes another of the demo's people through the picker, by its two controls. */
async function speakAs(page, who) {
  await page.getByLabel("Speaking as").selectOption(who.id);
  await page.getByRole("button", { name: "Switch" }).click();
  await page.waitForLoadState("load");
  await page.locator("#text").waitFor();
}

/** Says something and gives the message that answers; by keys alone, as everything below. */
async function ask(page, words) {
  const before = await messages(page).count();
  await page.locator("#text").focus();
  await page.keyboard.type(words);
  await page.keyboard.press("Enter");
  await until(30, `an answer to "${words}"`, async () => (await messages(page).count()) > before);
  return messages(page).last();
}

const createButton = (page) => messages(page).last().getByRole("button", { name: "Create in report-only" });

async function approvalCard(page, wanted) {
  const list = wanted ?? (await (await ask(page, "show suggestions")).innerText());
  const numbers = [...new Set(list.match(/S-\d+/g) ?? [])];
  check(numbers.length > 0, `suggestions are numbered: ${list}`);
  for (const number of numbers) {
    await ask(page, `propose ${number}`);
    if ((await createButton(page).count()) > 0) return number;
  }
  return undefined;
}

/** Walks with the Tab key until `target` has the focus, then presses Enter. */
async function pressByKeys(page, target) {
  await page.locator("#text").focus();
  for (let steps = 0; steps < 120; steps += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return page.keyboard.press("Enter");
    await page.keyboard.press("Shift+Tab");
  }
  throw new Error("the Tab key doesn't reach the button");
}

/** Whether the list of people is wide enough for the longest of them, with its arrow. */
const showsEverybody = (page) =>
  page.locator("#person").evaluate((select) => {
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = getComputedStyle(select).font;
    const longest = Math.max(...[...select.options].map((option) => pen.measureText(option.text).width));
    return select.clientWidth >= longest + 30;
  });

run(async () => {
  const demo = await step("the demo starts", () => startDemo());
  const before = await policies(demo);
  const chromium = await browser();
  const page = await chromium.newPage({ viewport: { width: 1280, height: 1000 } });
  const faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (line) => line.type() === "error" && faults.push(line.text()));

  await step("the page opens", async () => {
    const answer = await page.goto(demo.web);
    check(answer.status() === 200, `the page answers 200, not ${answer.status()}`);
    check(/default-src|script-src/.test(answer.headers()["content-security-policy"] ?? ""), "it has a content security policy");
    await page.locator("#text").waitFor();
  });
  await page.screenshot({ path: file("web-start.png") });

  await speakAs(page, person(demo, "approver"));
  await step("the first summary arrives", () => until(50, "a summary", async () => (await messages(page).count()) > 0));
  await page.screenshot({ path: file("web-summary.png") });
  await step("a phone opens at the top, and nobody's role is cut", async () => {
    const phone = await chromium.newPage({ viewport: { width: 390, height: 844 } });
    await phone.goto(demo.web);
    await messages(phone).first().waitFor();
    await phone.waitForTimeout(300);
    await phone.screenshot({ path: file("web-phone.png") });
    check((await phone.evaluate(() => scrollY)) === 0, "the page isn't scrolled past its head");
    check((await showsEverybody(phone)) && (await showsEverybody(page)), "the picker shows whole names and roles");
    await phone.close();
  });
  await step("an answer with citations that open", async () => {
    const answer = await ask(page, "who is not covered by MFA?");
    check(/\d/.test(await answer.innerText()), "the answer has numbers");
    await page.screenshot({ path: file("web-answer.png") });
    await answer.locator("[data-evidence]").first().focus();
    await page.keyboard.press("Enter");
    await page.locator("#evidence[open] .panel-body").getByRole("table").first().waitFor();
    await page.screenshot({ path: file("web-evidence.png") });
    const cut = await page.locator("#evidence .scroll").evaluateAll((all) => all.filter((box) => box.scrollWidth > box.clientWidth).length);
    check(cut === 0, "no column of the evidence is cut");
    await page.keyboard.press("Escape");
    await page.locator("#evidence[open]").waitFor({ state: "detached" });
  });
  await step("the whole list as CSV, for those who may ask", async () => {
    const link = messages(page).last().getByRole("link", { name: /^CSV/ });
    const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
    const lines = readFileSync(await download.path(), "utf8").trim().split("\r\n");
    check(download.suggestedFilename() === "without-mfa.csv", `the file is called ${download.suggestedFilename()}`);
    const promised = Number((await link.innerText()).match(/[\d,]+/)[0].replace(",", ""));
    check(lines.length === promised + 1, `${promised} lines and the headings, not ${lines.length}`);
    const address = new URL(await link.getAttribute("href"), demo.web).href;
    const stranger = await (await chromium.newContext()).newPage();
    check((await stranger.request.get(address)).status() === 403, "nobody without a session gets it");
  });
  await step("two who fit are told apart, and the one meant is explained", async () => {
    const asked = await ask(page, "why was alice blocked yesterday?");
    check(/2 people fit/.test(await asked.innerText()), "it asks which one");
    const before = await messages(page).count();
    await asked.getByRole("button", { name: "Alice Moreau" }).press("Enter");
    await until(30, "the explanation", async () => (await messages(page).count()) > before);
    const told = await messages(page).last().innerText();
    check(/AM-iPad: not compliant/.test(told) && /They got in at/.test(told), `device and way in: ${told}`);
    await messages(page).last().screenshot({ path: file("web-blocked.png") });
  });
  const number = await step("an approval card", () => approvalCard(page));
  check(number, "one of the suggestions can be created");
  await messages(page).last().screenshot({ path: file("web-approval.png") });

  await step("the reader is refused", async () => {
    await speakAs(page, person(demo, "reader"));
    check(await approvalCard(page, number), "the reader sees the card");
    await createButton(page).click();
    await page.locator("#log .word", { hasText: "approver's role" }).waitFor();
    await page.screenshot({ path: file("web-refused.png") });
    check((await policies(demo)).length === before.length, "nothing was created for a reader");
  });

  await step("the approver creates it, with keys alone", async () => {
    await speakAs(page, person(demo, "approver"));
    check(await approvalCard(page, number), "the approver sees the button");
    await pressByKeys(page, createButton(page));
    await messages(page).last().getByRole("button", { name: "Undo" }).waitFor({ timeout: 50_000 });
    check(/In report-only/.test(await messages(page).last().innerText()), "the card says that it is in report-only");
    check((await createButton(page).count()) === 0, "and can't be pressed again");
  });
  await messages(page).last().screenshot({ path: file("web-created.png") });
  const policy = await step("the tenant has it, report-only", () => theNewPolicy(demo, before));
  console.log(`    ${policy.displayName}`);

  await step("the activity log tells it", async () => {
    await page.goto(new URL("/log", demo.web).href);
    const text = await page.locator("main").innerText();
    check(text.includes(policy.displayName) || text.includes(policy.id), "the new policy is in the log");
    check(text.includes(person(demo, "approver").name), "and who pressed");
    await page.screenshot({ path: file("web-log.png"), fullPage: true });
  });
  check(faults.length === 0, `the page has no faults: ${faults}`);
});
