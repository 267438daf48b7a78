// The page's own script: it sends what people write and press, shows what the server streams, and opens citations.
// It decides nothing: every press is decided again on the server. Reading works without it.
"use strict";

const find = (selector, root = document) => root.querySelector(selector);
document.documentElement.classList.add("live");

const [log, note, working, newer, scan] = ["#log", "#note", "#working", "#newer", "#scan"].map((id) => find(id));

/** Posts JSON as our own page; gives the answer's JSON (or null) and throws words for people. */
async function post(path, body) {
  const headers = { "content-type": "application/json", "x-portcullis": "1" };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) }).catch(() => null);
  if (!answer) throw new Error("Portcullis can't be reached. Try again.");
  const said = await answer.text().then((text) => (text.startsWith("{") ? JSON.parse(text) : null));
  if (answer.status === 401) throw new Error("The session has ended. Reload the page.");
  if (!answer.ok) throw new Error(said?.word ?? `That was not accepted (${answer.status}). Try again, or reload the page.`);
  return said;
}

const element = (html) =>
  Object.assign(document.createElement("template"), { innerHTML: html.trim() }).content.firstElementChild;
const nearEnd = () => innerHeight + scrollY > document.documentElement.scrollHeight - 160;

/** To the end of the conversation; a long answer is read from its start, and the first one from the top of the page. */
function reveal(message, behavior = "auto") {
  newer.hidden = true;
  if (message && message === log.firstElementChild) scrollTo({ top: 0, behavior });
  else if (message?.offsetHeight > innerHeight - 240) message.scrollIntoView({ block: "start", behavior });
  else scrollTo({ top: document.documentElement.scrollHeight, behavior });
}

// ---- The stream: a message is new, or replaces the one that it updates.

function show({ id, html, replaces }) {
  const follow = nearEnd() || !working.hidden;
  const message = element(html);
  const old = document.getElementById(`m-${replaces ?? id}`) ?? document.getElementById(`m-${id}`);
  const open = [...(old?.querySelectorAll("details") ?? [])].map((details) => details.open);
  const focused = old?.contains(document.activeElement) && document.activeElement;
  find(".hello")?.remove();
  old ? old.replaceWith(message) : log.append(message);
  message.querySelectorAll("details").forEach((details, index) => (details.open = open[index] ?? false));
  if (focused) focused.matches("p") ? attend(message) : message.focus({ preventScroll: true });
  if (message.classList.contains("bot")) working.hidden = true;
  if (old) return;
  follow || message.classList.contains("person") ? reveal(message) : (newer.hidden = false);
}

function stream() {
  const events = new EventSource(`/web/stream?after=${encodeURIComponent(log.dataset.after)}`);
  events.addEventListener("message", (event) => show(JSON.parse(event.data)));
  events.addEventListener("progress", (event) => scanning(JSON.parse(event.data)));
  events.addEventListener("open", () => (note.textContent = ""));
  events.addEventListener("error", () => {
    const over = events.readyState === EventSource.CLOSED;
    note.textContent = over ? "The connection is closed. Reload the page." : "Connection lost, trying again…";
  });
}

/** How far a scan is; nothing while none is under way. */
function scanning(far) {
  scan.hidden = !far;
  find("span", scan).textContent = far?.words ?? "";
  const bar = find("progress", scan);
  Number.isInteger(far?.percent) ? (bar.value = far.percent) : bar.removeAttribute("value");
}

// ---- Writing. One key a submission: sending it twice is one event.

let pending = null;

async function say(text) {
  if (pending?.text !== text) pending = { key: crypto.randomUUID(), text };
  note.textContent = "";
  working.hidden = false;
  reveal();
  await post("/web/messages", pending);
  pending = null;
}

async function submit(event) {
  event.preventDefault();
  const [field, text] = [find("#text"), find("#text").value.trim()];
  if (!text) return;
  field.value = "";
  await say(text).catch((error) => ((field.value ||= text), failed(error)));
}

const failed = (error) => ((working.hidden = true), (note.textContent = error.message));

// ---- Pressing. The buttons of a card rest while one of them is under way.

async function press(button) {
  const input = button.dataset.input ? await askFor(button.textContent, JSON.parse(button.dataset.input)) : null;
  if (input === undefined) return;
  const message = button.closest(".message");
  const buttons = message.querySelectorAll("button[data-press]");
  const carried = { ...JSON.parse(button.dataset.press), input, message: message.id.slice(2) };
  button.dataset.key ||= crypto.randomUUID();
  find(".word", message)?.remove();
  buttons.forEach((other) => (other.disabled = true)), button.setAttribute("aria-busy", "true");
  try {
    const reply = await post("/web/press", { key: button.dataset.key, press: carried });
    if (reply?.html) find(".card", message).replaceWith(element(reply.html)), attend(message);
    else answer(message, reply?.word ?? "Recorded, checking.");
    delete button.dataset.key;
  } catch (error) {
    answer(message, error.message);
  }
  buttons.forEach((other) => (other.disabled = false));
  button.removeAttribute("aria-busy");
}

/** To the line of a card that says what came of a press: the button may be far below it. */
function attend(message) {
  const line = find("p.attention", message) ?? [...message.querySelectorAll("p.warning")].at(-1) ?? message;
  (line.tabIndex = -1), line.focus({ preventScroll: true });
  line.scrollIntoView({ block: "nearest", behavior: "instant" });
}

/** A word to this person alone, under the card. */
function answer(message, word) {
  const line = Object.assign(document.createElement("p"), { className: "word", textContent: word });
  line.setAttribute("role", "status"), message.append(line);
  line.scrollIntoView({ block: "center", behavior: "instant" });
}

/** What the person enters; undefined when they turn back. */
function askFor(label, input) {
  const [dialog, field] = [find("#ask"), find("#ask-field")];
  find("#ask-title").textContent = label.replace(/…$/, "");
  field.replaceChildren(input.input === "text" ? line(input) : choices(input));
  dialog.returnValue = "";
  dialog.showModal();
  const given = (form) => (dialog.returnValue === "ok" ? form.get("day") || form.get("value") : undefined);
  return new Promise((resolve) => (dialog.onclose = () => resolve(given(new FormData(find("form", dialog))))));
}

function line({ label, required }) {
  const field = element('<label><span></span><input name="value" maxlength="500" autocomplete="off"></label>');
  (find("span", field).textContent = label), (find("input", field).required = required);
  return field;
}

/** One of the choices; where a day of the calendar can be given instead, it counts before them. */
function choices({ label, choices, input }) {
  const group = element("<fieldset><legend></legend></fieldset>");
  find("legend", group).textContent = label;
  for (const [value, words] of choices) {
    const choice = element('<label class="choice"><input type="radio" name="value" required> <span></span></label>');
    Object.assign(find("input", choice), { value, checked: input === "day" && !find("input", group) });
    find("span", choice).textContent = words;
    group.append(choice);
  }
  if (input === "day") group.append(element('<label class="choice">or until <input type="date" name="day"></label>'));
  return group;
}

// ---- Citations open beside the conversation; without this script they are links.

async function openEvidence(link) {
  const [panel, body] = [find("#evidence"), find("#evidence .panel-body")];
  body.textContent = "Opening…";
  if (!panel.open) panel.showModal();
  try {
    const answer = await fetch(link.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = find("main", page);
    body.replaceChildren(...(answer.ok && main ? main.childNodes : ["This evidence can't be opened."]));
  } catch {
    body.textContent = "Portcullis can't be reached.";
  }
}

const copy = (button) =>
  navigator.clipboard.writeText(find("code", button.closest("figure")).textContent).then(() => (button.textContent = "Copied"));

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-ask], [data-press], [data-copy], [data-close], [data-evidence], dialog");
  if (!target || event.ctrlKey || event.metaKey) return;
  if (target.matches("[data-evidence]")) event.preventDefault(), openEvidence(target);
  else if (target.matches("[data-ask]")) say(target.dataset.ask).catch(failed);
  else if (target.matches("[data-press]")) press(target);
  else if (target.matches("[data-copy]")) copy(target);
  else if (target.matches("[data-close]") || target === event.target) target.closest("dialog").close();
});

if (log) {
  find("#composer").addEventListener("submit", submit);
  find("#text").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault(), find("#composer").requestSubmit();
  });
  newer.addEventListener("click", () => reveal());
  find("#composer .primary").disabled = false;
  location.hash || reveal(log.lastElementChild, "instant");
  stream();
}
