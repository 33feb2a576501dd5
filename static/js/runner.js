// The runner: sends what is done in a session, keeps what could not be sent, and swaps in where the session stands then.
// Without this file every form here works as a plain one.
//
// data-act on a form: "kept" waits in this browser until it is saved, "once" is sent or not, "secret" too and is kept
// nowhere. Each kept act has an id made here, so that the server does it once, however often it is sent.

const runner = () => document.getElementById("runner");
const sessionId = runner().dataset.session;
const KEPT = `unsaved:${sessionId}`;
const DRAFTS = `draft:${sessionId}:`;
const FORGET_AFTER = 14 * 24 * 3600 * 1000;
const RETRY = 5000;
const REFUSALS = [409, 422];

let sending = false;
let retry = 0;

// Storage may be full or forbidden; then what is typed lives as long as the page.

const memory = new Map();

function stored(key) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? memory.get(key) ?? null;
  } catch {
    return memory.get(key) ?? null;
  }
}

function store(key, value) {
  memory.delete(key);
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
  } catch {
    if (value !== null) memory.set(key, value);
  }
}

function forgetOldDrafts() {
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith("draft:") && Date.now() - (stored(key)?.at ?? 0) > FORGET_AFTER) localStorage.removeItem(key);
    }
  } catch {
    // nothing is kept there, then
  }
}

// crypto.randomUUID needs a secure page, which an installation within an office may not have.
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// What is typed survives a reload.

const draftKey = (field) => `${DRAFTS}${field.dataset.draft || field.id || field.name}`;

function restoreDrafts() {
  for (const field of runner().querySelectorAll("[data-draft]")) {
    const draft = stored(draftKey(field));
    if (!draft || draft.text === field.value) continue;
    field.value = draft.text;
    const folded = field.closest("details");
    if (folded) folded.open = true;
  }
}

function clearDrafts(keys) {
  for (const key of keys) store(key, null);
}

document.addEventListener("input", ({ target }) => {
  if (!target.matches?.("#runner [data-draft]")) return;
  store(draftKey(target), target.value === target.defaultValue ? null : { text: target.value, at: Date.now() });
});

// Sending.

const token = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];

async function post(url, body) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), 20000);
  try {
    return await fetch(url, {
      method: "POST",
      body: new URLSearchParams(body),
      headers: { "HX-Request": "true", "HX-Current-URL": location.href, "X-CSRFToken": token() },
      signal: stop.signal,
    });
  } finally {
    clearTimeout(timer);
  }
}

const entriesOf = (form, submitter) =>
  [...new FormData(form, submitter).entries()].filter(([name]) => name !== "csrfmiddlewaretoken");

function wordsOf(form, submitter) {
  return submitter?.dataset.words ?? form.dataset.words ?? (submitter?.value || form.querySelector("[name=title]")?.value || "");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  const kind = form.dataset?.act;
  if (!kind || !form.closest("#runner")) return;
  event.preventDefault();
  const body = entriesOf(form, event.submitter);
  if (kind !== "kept") {
    sendOnce(form, body);
    return;
  }
  const waiting = stored(KEPT) ?? [];
  // a double click, or a further step while one is on its way: the next step is not known yet
  if ("moves" in form.dataset && waiting.some((act) => act.moves)) return;
  if (form.matches(".decide, .beside, .step-leave")) body.find(([name]) => name === "decision_id")[1] = newId();
  waiting.push({
    url: form.getAttribute("action"),
    body,
    words: wordsOf(form, event.submitter).slice(0, 80),
    moves: "moves" in form.dataset,
    drafts: [...form.querySelectorAll("[data-draft]")].map(draftKey),
    at: Date.now(),
  });
  store(KEPT, waiting);
  form.closest("dialog")?.close();
  showPending();
  flush();
});

async function sendOnce(form, body) {
  if (sending) return;
  sending = true;
  try {
    const response = await post(form.getAttribute("action"), body);
    await receive(response, "moves" in form.dataset);
  } catch {
    toast("There is no connection. Nothing was sent: try again.", "error");
  } finally {
    sending = false;
  }
}

async function flush() {
  clearTimeout(retry);
  const [act] = stored(KEPT) ?? [];
  if (sending || !act) return;
  sending = true;
  let response = null;
  const slow = setTimeout(() => showBar(), 1500);
  try {
    response = await post(act.url, act.body);
  } catch {
    // no connection: it stays
  }
  clearTimeout(slow);
  sending = false;
  const away = response?.headers.get("HX-Redirect");
  const loggedOut = away && new URL(away, location.href).pathname.startsWith("/accounts/");
  if (loggedOut) {
    location.assign(away); // what is kept is sent as soon as this page is open again
    return;
  }
  if (response && (response.ok || REFUSALS.includes(response.status))) {
    store(KEPT, (stored(KEPT) ?? []).filter((other) => !same(other, act)));
    if (response.ok) clearDrafts(act.drafts);
    await receive(response, act.moves);
    showPending();
    showBar();
    flush();
    return;
  }
  showBar(response);
  if (!response || response.status >= 500 || response.status === 429) retry = setTimeout(flush, RETRY);
}

const same = (one, other) => one.at === other.at && String(one.body) === String(other.body);

async function receive(response, moved) {
  const away = response.headers.get("HX-Redirect");
  if (away) {
    location.assign(away);
    return;
  }
  const html = await response.text();
  if (!html.includes('id="runner"')) {
    toast("Something went wrong on our side. Load the page again.", "error");
    return;
  }
  const opened = moved ? null : document.activeElement?.closest("[id]")?.id;
  htmx.swap(runner(), html, { swapStyle: "outerHTML" });
  settleRunner();
  if (moved) document.getElementById("step-title")?.focus();
  else if (opened) document.getElementById(opened)?.focus();
}

// What is not saved yet: the bar says it, and the answer that was given stays marked.

function showBar(response = null) {
  const bar = document.getElementById("unsaved");
  const waiting = stored(KEPT) ?? [];
  bar.hidden = waiting.length === 0;
  if (!waiting.length) return;
  const what = waiting.map((act) => `“${act.words || "Step"}”`).join(", ");
  const refused = response && response.status < 500 && response.status !== 429;
  bar.querySelector("p").textContent = refused
    ? `${what} could not be saved: you may no longer be allowed to, or the page is too old. Load it again.`
    : `Not saved yet: ${what}. It is kept in this browser and sent by itself as soon as the server can be reached.`;
}

function showPending() {
  const act = (stored(KEPT) ?? []).find((other) => other.moves);
  const chosen = act?.body.find(([name]) => name === "answer")?.[1];
  runner().classList.toggle("pending", Boolean(act));
  for (const button of runner().querySelectorAll("[data-moves] button")) {
    button.setAttribute("aria-disabled", String(Boolean(act)));
    button.classList.toggle("chosen", Boolean(act) && button.name === "answer" && button.value === chosen);
    if (!act) button.removeAttribute("aria-disabled");
  }
}

addEventListener("online", flush);
addEventListener("storage", (event) => {
  if (event.key !== KEPT) return;
  showPending();
  showBar();
});

// Keys 1 to 9 choose an answer, wherever the focus is but in a field or a dialog.

document.addEventListener("keydown", (event) => {
  if (!/^[1-9]$/.test(event.key) || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input, textarea, select, dialog, [contenteditable]") || document.querySelector("dialog[open]")) return;
  const option = runner().querySelector(`[data-key="${event.key}"]`);
  if (!option) return;
  event.preventDefault();
  option.click();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-send-now]")) flush();
  if (event.target.closest("[data-discard]")) {
    store(KEPT, null);
    location.reload();
  }
  const copier = event.target.closest("[data-copy-from]");
  if (copier) copyText(document.getElementById(copier.dataset.copyFrom));
  const inline = event.target.closest("[data-copy-before]");
  if (inline) copyText(inline.previousElementSibling);
  if (event.target.closest("#runner [data-dialog]")) focusInDialog();
});

function focusInDialog() {
  document.querySelector("dialog[open] :is(input:checked, textarea)")?.focus();
}

async function copyText(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    toast("Copied.", "success");
  } catch {
    getSelection().selectAllChildren(element);
    toast("It is selected: copy it with Ctrl+C or ⌘C.");
  }
}

// Commands in a step's help get a button of their own.
function addCopyButtons() {
  for (const code of runner().querySelectorAll(".step-help pre, .step-help p > code:only-child")) {
    const alone = code.matches("pre") || code.parentElement.textContent.trim() === code.textContent.trim();
    if (!alone) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button small quiet copy-code";
    button.dataset.copyBefore = "";
    button.append(iconElement("copy"), "Copy");
    code.after(button);
  }
}

// The clock goes on from what the server said.

const clockWords = (seconds) => {
  const [days, hours, minutes] = [86400, 3600, 60].map((unit) => Math.floor(seconds / unit));
  const two = (number) => String(number).padStart(2, "0");
  if (days) return `${days} d ${hours % 24} h`;
  const tail = `${two(minutes % 60)}:${two(seconds % 60)}`;
  return hours ? `${hours}:${tail}` : tail;
};

let clockFrom = 0;
function tick() {
  const clock = runner().querySelector("[data-elapsed]");
  clock.textContent = clockWords(Number(clock.dataset.elapsed) + Math.floor((performance.now() - clockFrom) / 1000));
}

// While help is wanted, an answer shows by itself.
setInterval(async () => {
  const { waiting } = runner().dataset;
  if (!waiting || document.hidden || sending) return;
  try {
    const response = await fetch(waiting, { headers: { "HX-Request": "true" } });
    if (response.status === 200 && !response.headers.get("HX-Redirect")) location.reload();
  } catch {
    // the next time
  }
}, 15000);

// A script that was filled in with a secret does not come back when the page is left and returned to.
addEventListener("pagehide", () => runner().querySelector("[data-filled]")?.replaceChildren());

function settleRunner() {
  clockFrom = performance.now();
  restoreDrafts();
  addCopyButtons();
  const { opened } = runner().dataset;
  if (opened) document.getElementById(opened === "help" ? "escalate" : opened)?.showModal();
}

forgetOldDrafts();
settleRunner();
setInterval(tick, 1000);
showPending();
showBar();
flush();
