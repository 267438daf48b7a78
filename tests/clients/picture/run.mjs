// Renews the README's picture: the web chat of the demo with the answer to its first question. `tests/clients/run picture`

import { fileURLToPath } from "node:url";

import { browser, person, run, startDemo, step, until } from "../support.mjs";

const picture = fileURLToPath(new URL("../../../docs/web-chat.png", import.meta.url));

run(async () => {
  const demo = await step("the demo starts", () => startDemo());
  const page = await (await browser()).newPage({ viewport: { width: 1200, height: 1010 } });
  await page.goto(demo.web);
  await page.getByLabel("Speaking as").selectOption(person(demo, "approver").id);
  await page.getByRole("button", { name: "Switch" }).click();
  const answers = page.locator("#log .message.bot");
  await step("the summary is there", () => until(50, "a summary", async () => (await answers.count()) > 0));
  await page.locator("#text").fill("who is not covered by MFA?");
  await page.keyboard.press("Enter");
  await step("the answer is there", () => answers.filter({ hasText: "No policy makes" }).waitFor({ timeout: 50_000 }));
  await step("the picture is taken", async () => {
    const top = page.locator("#log .message.person").last();
    await top.evaluate((said) => window.scrollTo(0, said.getBoundingClientRect().top + window.scrollY - 110));
    await page.waitForTimeout(500);
    await page.screenshot({ path: picture });
  });
});
