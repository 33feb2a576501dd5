// The runner: sends what is done in a session, keeps what could not be sent, and swaps in where the session stands then.
// Without this file every form here works as a plain one.
//
// data-act on a form: "kept" waits in this browser until it is saved, "once" is sent or not, "secret" too and is kept
// nowhere. Each kept act has an id made here, so that the server does it once, however often it is sent. data-moves: it
// leads to another step, so no further one can be taken before it is saved; data-adds: it adds a step beside the flow,
// of which any number may wait; data-ends: it ends the session; data-then: what has the focus afterwards.

const runner = () => document.getElementById("runner");
const sessionId = runner().dataset.session;
const KEPT = `unsaved:${sessionId}`;
const DRAFTS = `draft:${sessionId}:`;
const FORGET_AFTER = 14 * 24 * 3600 * 1000;
const RETRY = 5000;
const REFUSALS = [409, 422];

let sending = null; // the act or the form that is on its way
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
    for (let fold = field.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
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

// What the server says, whole. Something between it and here may answer 200 in its place, a network that wants a login
// first for example: that is no answer, so it counts as no connection.
async function post(url, body) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), 20000);
  try {
    const response = await fetch(url, {
      method: "POST",
      body: new URLSearchParams(body),
      headers: { "HX-Request": "true", "HX-Current-URL": location.href, "X-CSRFToken": token() },
      signal: stop.signal,
    });
    const { ok, status } = response;
    const away = response.headers.get("HX-Redirect");
    const html = await response.text();
    if (ok && !away && !html.includes('id="runner"')) throw new Error("not an answer of the runner");
    return { ok, status, away, html };
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
  if ("moves" in form.dataset && waiting.some((act) => act.moves || act.adds || act.ends)) return;
  if ("ends" in form.dataset && sending?.ends) return;
  if ("adds" in form.dataset) {
    if ("added" in form.dataset) return;
    keepOpenResult();
  }
  if (form.matches(".decide, .step-leave, [data-adds]")) body.find(([name]) => name === "decision_id")[1] = newId();
  keepForm(form, body, event.submitter);
  if ("adds" in form.dataset) readyForNext(form);
  form.closest("dialog")?.close();
  showPending();
  flush();
});

function keepForm(form, body, submitter) {
  keep(stored(KEPT) ?? [], {
    url: form.getAttribute("action"),
    body,
    words: wordsOf(form, submitter).slice(0, 80),
    moves: "moves" in form.dataset,
    adds: "adds" in form.dataset,
    ends: "ends" in form.dataset,
    drafts: "adds" in form.dataset ? [] : [...form.querySelectorAll("[data-draft]")].map(draftKey), // readyForNext
    at: Date.now(),
  });
}

// What was typed of the last step's result goes with it when the next one is recorded.
function keepOpenResult() {
  const form = runner().querySelector(".open-step");
  if (form?.elements["open-answer"].value.trim()) keepForm(form, entriesOf(form));
}

// The step is kept, so the form is free for the next one, whether the server answers or not.
function readyForNext(form) {
  const fields = form.querySelectorAll("[data-draft]");
  if (!fields.length) form.dataset.added = "";
  for (const field of fields) {
    field.value = "";
    store(draftKey(field), null);
  }
  focusFirst([...nextStep(), fields.length ? form.dataset.then : "step-title"]);
  narrow();
}

// Where the next step is written, the focus waits for it; a finger would only call up the keyboard over the known steps.
const nextStep = () => (matchMedia("(pointer: fine)").matches ? ["beside-title"] : []);

// The known steps are those with what stands in the title.
function narrow() {
  const steps = document.getElementById("known-steps");
  if (steps) htmx.trigger(steps, "narrow");
}

// The end goes last, for nothing can be done behind it, and the newest end is what is meant.
function keep(waiting, act) {
  const end = act.ends ? act : waiting.find((other) => other.ends);
  const before = [...waiting, act].filter((other) => !other.ends);
  store(KEPT, end ? [...before, end] : before);
}

async function sendOnce(form, body) {
  if (sending) {
    if (sending !== form) toast("Something else is still being sent. Try again in a moment.");
    return;
  }
  sending = form;
  try {
    receive(await post(form.getAttribute("action"), body), "moves" in form.dataset);
  } catch {
    toast("There is no connection. Nothing was sent: try again.", "error");
  } finally {
    sending = null;
  }
}

async function flush() {
  clearTimeout(retry);
  const [act] = stored(KEPT) ?? [];
  if (sending || !act) return;
  sending = act;
  let answer = null;
  const slow = setTimeout(() => showBar(), 1500);
  try {
    answer = await post(act.url, act.body);
  } catch {
    // no connection: it stays
  }
  clearTimeout(slow);
  sending = null;
  if (answer?.away && new URL(answer.away, location.href).pathname.startsWith("/accounts/")) {
    location.assign(answer.away); // what is kept is sent as soon as this page is open again
    return;
  }
  if (answer && (answer.ok || REFUSALS.includes(answer.status))) {
    const rest = (stored(KEPT) ?? []).filter((other) => !same(other, act));
    store(KEPT, rest.length ? rest : null);
    if (answer.ok) clearDrafts(act.drafts);
    // Another page may not know what is still kept here: first the rest is sent.
    if (!answer.away || !rest.length) receive(answer, act.moves);
    showPending();
    showBar();
    flush();
    return;
  }
  showBar(answer);
  if (!answer || answer.status >= 500 || answer.status === 429) retry = setTimeout(flush, RETRY);
}

const same = (one, other) => one.at === other.at && String(one.body) === String(other.body);

function receive({ status, away, html }, moved) {
  if (away) {
    location.assign(away);
    return;
  }
  if (!html.includes('id="runner"')) {
    toast("Something went wrong on our side. Load the page again.", "error");
    return;
  }
  // What is being chosen in a dialog must not go with the swap: it waits for the dialog.
  const dialog = runner().querySelector("dialog[open]");
  if (dialog) dialog.addEventListener("close", () => show(status, html, moved), { once: true });
  else show(status, html, moved);
}

function show(status, html, moved) {
  const active = document.activeElement;
  const places = [active?.id, active?.closest("[data-then]")?.dataset.then, active?.closest("#runner [id]")?.id];
  const { id, selectionStart, selectionEnd } = active ?? {};
  const unfolded = document.getElementById("so-far-earlier")?.open;
  htmx.swap(runner(), html, { swapStyle: "outerHTML" });
  if (unfolded) document.getElementById("so-far-earlier")?.setAttribute("open", "");
  settleRunner();
  const faulty = status === 422 && runner().querySelector("[aria-invalid=true]");
  if (faulty) faulty.focus();
  else focusFirst(moved ? [...nextStep(), "step-title"] : places);
  const field = document.activeElement;
  if (id && field.id === id && Number.isInteger(selectionStart)) field.setSelectionRange(selectionStart, selectionEnd);
  if (document.getElementById("beside-title")?.value) narrow();
}

// Of these ids the first that takes the focus: a button that is gone, or folded away, does not.
function focusFirst(ids) {
  for (const id of ids) {
    document.getElementById(id)?.focus();
    if (document.activeElement !== document.body) return;
  }
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
  const act = (stored(KEPT) ?? []).find((other) => other.moves || other.adds || other.ends);
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

// Keys 1 to 9 choose an answer or a known step, wherever the focus is but in a dialog or a field: what is tried may begin
// with a digit.

document.addEventListener("keydown", (event) => {
  if (!/^[1-9]$/.test(event.key) || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input, textarea, select, dialog, [contenteditable]")) return;
  if (document.querySelector("dialog[open]")) return;
  const option = runner().querySelector(`[data-key="${event.key}"]`);
  if (!option) return;
  event.preventDefault();
  option.click();
});

// Beside the flow the first letter begins the next step, Escape leaves its field for the keys above, and the arrows lead
// from it to the known steps and back.

document.addEventListener("keydown", (event) => {
  const title = document.getElementById("beside-title");
  if (!title || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
  const known = [...runner().querySelectorAll(".known .option")];
  const place = known.indexOf(event.target);
  if (event.key === "Escape" && event.target.closest(".beside, .open-step")) document.getElementById("step-title").focus();
  else if (event.target === title && event.key === "ArrowDown") known[0]?.focus();
  else if (place >= 0 && event.key === "ArrowDown") known[place + 1]?.focus();
  else if (place >= 0 && event.key === "ArrowUp") (known[place - 1] ?? title).focus();
  else {
    const idle = !event.target.closest("input, textarea, select, [contenteditable]");
    if (idle && /^\p{L}$/u.test(event.key)) title.focus(); // where the letter then goes
    return;
  }
  event.preventDefault();
});

// Without a connection the list stays as it is; the bar says enough.
for (const name of ["htmx:beforeRequest", "htmx:sendError"]) {
  document.addEventListener(
    name,
    (event) => {
      if (event.target.id !== "known-steps" || (name === "htmx:beforeRequest" && navigator.onLine)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );
}

// By the second of two quick clicks the list may be another one, whose first step nobody has chosen.
document.addEventListener(
  "click",
  (event) => {
    if (event.detail > 1 && event.target.closest("#runner .known button")) event.preventDefault();
  },
  true,
);

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-send-now]")) flush();
  if (event.target.closest("[data-discard]")) {
    store(KEPT, null);
    showPending();
    showBar();
  }
  const copier = event.target.closest("[data-copy-from]");
  if (copier) copyText(document.getElementById(copier.dataset.copyFrom));
  const inline = event.target.closest("[data-copy-before]");
  if (inline) copyText(inline.previousElementSibling);
  if (event.target.closest("#runner [data-dialog]")) focusInDialog();
});

function focusInDialog() {
  const looks = document.querySelector("dialog[open] [data-looks]");
  if (looks) htmx.trigger(looks, "opened");
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
  if (!waiting || document.hidden || sending || document.querySelector("dialog[open]")) return;
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
document.addEventListener("DOMContentLoaded", () => {
  if (document.getElementById("beside-title")?.value) narrow(); // what was typed before the page was left
  if (document.activeElement === document.body) focusFirst(nextStep());
});
setInterval(tick, 1000);
showPending();
showBar();
flush();
