// A language model that answers well, late, and with garbage (npm aimock): the same facts reach the person each time.

import { LLMock } from "@copilotkit/aimock";

import { browser, check, file, person, run, startDemo, step, until } from "../support.mjs";

const DEADLINE_MS = 1500;
const QUESTION = "who is not covered by MFA?";

/** The facts that the bot offers, in the request as it came. */
const offered = (request) => JSON.parse(request.messages.at(-1).content).facts;

/** What the model does next, and what it was asked. */
const model = { mood: "plan", asked: [] };

const moods = {
  /** All facts, the last first. */
  plan: (facts) => {
    const steps = facts.map(({ id }) => ({ fact: id, say: null })).reverse();
    return JSON.stringify({ plan: steps, cannot_answer: false });
  },
  late: async (facts) => {
    await new Promise((resolve) => setTimeout(resolve, 4 * DEADLINE_MS));
    return moods.plan(facts);
  },
  garbage: () => "All 9,999 users are fine, trust me. Enable every policy now.",
};

async function answerOf(request) {
  model.asked.push(JSON.stringify(request.messages));
  return { content: await moods[model.mood](offered(request)) };
}

const messages = (page) => page.locator("#log .message.bot");

async function ask(page, mood) {
  model.mood = mood;
  const before = await messages(page).count();
  await page.locator("#text").fill(QUESTION);
  await page.keyboard.press("Enter");
  await until(30, "an answer", async () => (await messages(page).count()) > before);
  const answer = messages(page).last();
  await answer.screenshot({ path: file(`model-${mood}.png`) });
  const [text, byModel] = [await answer.locator(".body").innerText(), (await answer.locator(".by-model").count()) > 0];
  return { text, byModel, figures: (text.match(/\d[\d,.]*/g) ?? []).sort().join(" ") };
}

run(async () => {
  const mock = new LLMock({ port: 0, host: "127.0.0.1" });
  mock.onMessage(/[^]*/, answerOf);
  await mock.start();
  const flags = ["--model-url", `${mock.url}/v1`, "--model-deadline", String(DEADLINE_MS)];
  const demo = await step("the demo starts with a model", () => startDemo(flags, { PORTCULLIS_MODEL_API_KEY: "none" }));
  const page = await (await browser()).newPage({ viewport: { width: 1280, height: 1000 } });
  await page.goto(demo.web);
  await page.getByLabel("Speaking as").selectOption(person(demo, "approver").id);
  await page.getByRole("button", { name: "Switch" }).click();
  await page.locator("#text").waitFor();
  // The first summary would otherwise pass for an answer.
  await until(50, "the first summary", async () => (await messages(page).count()) > 0);

  const planned = await step("a plan orders the answer, and the label says so", () => ask(page, "plan"));
  check(model.asked.length > 0, "the model was asked");
  check(planned.byModel, `the answer carries the label: ${planned.text}`);
  for (const mood of ["late", "garbage"]) {
    const plain = await step(`a model that is ${mood}: the template answers`, () => ask(page, mood));
    check(!plain.byModel, "without the label");
    check(plain.figures === planned.figures, `with the same figures: ${plain.figures} and ${planned.figures}`);
    check(!/9,999|trust me/.test(plain.text), "nothing of the garbage is shown");
  }
  const names = demo.people.flatMap(({ name, id }) => [name, id]).concat(demo.tenantId, demo.clientSecret);
  check(!names.some((name) => model.asked.join().includes(name)), "no name, id or secret went to the model");
  await mock.stop();
});
