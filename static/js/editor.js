// The flow editor: saves while one types, sends each act with the whole form, and keeps the requests in a row, for each
// one has to name the state that the one before it led to. Without this script the same forms are sent by their buttons.

const editor = document.getElementById("editor");
const byId = (id) => document.getElementById(id);
const PAUSE = 700; // milliseconds without a key until a text is saved
const AGAIN = 4000; // until a save that did not get through is tried once more
const MAC = /mac|iphone|ipad/i.test(navigator.platform);

let edits = 0; // changes of fields since the page was loaded
let kept = 0; // how many of them the server has
let sent = 0; // how many of them are in the request that is on its way
let timer;
let row = Promise.resolve();
let showing = byId("step")?.dataset.showing ?? "";

const dirty = () => edits > kept;
const unsaved = () => byId("step")?.hasAttribute("data-unsaved") ?? false; // refused, or in a colleague's way: it is here alone
const say = (words, tone = "") => {
  const place = byId("save-state");
  if (place.textContent === words) return;
  place.textContent = words;
  place.className = `save-state ${tone}`;
};

// One request at a time

function inRow(work) {
  row = row.then(work, work);
  return row;
}

async function ask(verb, address, source, values = {}) {
  let xhr = null;
  const note = ({ detail }) => {
    if (detail.elt === source) xhr ??= detail.xhr;
  };
  document.addEventListener("htmx:beforeRequest", note);
  try {
    await htmx.ajax(verb, address, { source, target: "#step", swap: "outerHTML", values });
  } catch {
    // told below, by the status
  }
  document.removeEventListener("htmx:beforeRequest", note);
  return xhr?.status ?? 0;
}

function save() {
  clearTimeout(timer);
  return inRow(async () => {
    if (!dirty() || !byId("step-form")) return;
    await send(byId("step-form"), "");
  });
}

function act(form, name) {
  clearTimeout(timer);
  freeze(form, true);
  return inRow(() => send(form.id ? byId(form.id) : form, name));
}

async function send(form, name) {
  if (!form?.isConnected) return typeAhead(); // what the request before put in its place knows nothing of this one
  const upTo = (sent = edits);
  say("Saving…");
  const status = await ask("POST", form.getAttribute("action"), form, { act: name, step: form.elements.step?.value || showing });
  if (leaving) return;
  const saved = status >= 200 && status < 300;
  const held = (status === 409 || status === 422) && edits > upTo; // see beforeSwap
  if (saved) {
    kept = Math.max(kept, upTo);
    byId("step").removeAttribute("data-unsaved");
    if (!name) byId("refusal")?.remove();
  }
  if (name) freeze(form, false);
  if (held) later();
  else if (saved) say(dirty() ? "Not saved yet" : "All changes saved", dirty() ? "" : "good");
  else if (status === 409) say("Not saved: choose below", "watch");
  else if (status === 422) say(unsaved() ? "Not saved" : "All changes saved", unsaved() ? "bad" : "good");
  else if (status === 0 || status >= 500) {
    say("Not saved. It is tried again.", "bad");
    timer = setTimeout(save, AGAIN);
  } else say("Not saved", "bad");
  if (!held && (status === 409 || status === 422)) kept = edits;
  if (saved && dirty()) later();
  settled();
  typeAhead();
}

// While an act is on its way the form is about to be replaced: its fields rest, and what is typed goes into the new one.
let ahead = null;

function freeze(form, frozen) {
  for (const field of form.querySelectorAll("input:not([type=hidden]), textarea")) field.readOnly = frozen;
  if (frozen) ahead = "";
}

document.addEventListener("keydown", (event) => {
  if (ahead === null || event.key.length !== 1 || event.ctrlKey || event.altKey || event.metaKey) return;
  if (!inText(event.target)) return;
  event.preventDefault();
  ahead += event.key;
});

function typeAhead() {
  const field = document.activeElement;
  if (ahead && inText(field) && !field.readOnly) {
    field.setRangeText(ahead, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
  ahead = null;
}

// Who is signed out meanwhile finds the way back here; what could not be saved waits in this tab until then.

const WAITING = `editor:${editor.dataset.author}:${editor.dataset.change}`;

function keepHere(form) {
  const values = {};
  for (const [name, value] of new FormData(form)) (values[name] ??= []).push(value);
  delete values.csrfmiddlewaretoken;
  try {
    sessionStorage.setItem(WAITING, JSON.stringify({ ...values, act: "keep" }));
  } catch {
    // no storage, as some browsers are set up
  }
}

async function takeUp() {
  let values = null;
  try {
    values = JSON.parse(sessionStorage.getItem(WAITING));
    sessionStorage.removeItem(WAITING);
  } catch {
    return;
  }
  if (!values) return;
  const status = await inRow(() => ask("POST", editor.dataset.change, editor, values));
  settled();
  if (status >= 200 && status < 300) say("What you wrote before is saved", "good");
  else say(status === 409 ? "Not saved: choose below" : "Not saved", status === 409 ? "watch" : "bad");
}

// Whether what stands in the panel may go. A conflict that comes of this very save is shown first.
async function mayLeave() {
  const known = unsaved();
  await save();
  if (dirty()) await save(); // what was typed meanwhile
  if (unsaved() && !known) return false;
  return !(unsaved() || (dirty() && byId("step-form"))) || confirm("What you wrote here is not saved. Leave it behind?");
}

async function leave(address) {
  const known = unsaved();
  await save();
  if (known || !unsaved()) location.assign(address); // the browser asks where something is not saved
}

async function open(address) {
  if (!(await mayLeave())) return;
  return inRow(async () => {
    await ask("GET", address, editor);
    kept = sent = edits;
    settled();
  });
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(save, PAUSE);
}

// After each answer: where one is, in the outline and with the cursor

function settled() {
  const panel = byId("step");
  if (panel.dataset.showing) showing = panel.dataset.showing;
  for (const link of editor.querySelectorAll("#outline [aria-current]")) link.removeAttribute("aria-current");
  const current = editor.querySelector(`#outline [data-step="${CSS.escape(showing)}"]`);
  current?.setAttribute("aria-current", "true");
  const list = byId("outline");
  if (current && list.scrollHeight > list.clientHeight) {
    const [box, frame] = [current.getBoundingClientRect(), list.getBoundingClientRect()];
    if (box.top < frame.top || box.bottom > frame.bottom) list.scrollTop += box.top - frame.top - frame.height / 3;
  }
  const wanted = panel.dataset.cursor;
  delete panel.dataset.cursor;
  if (wanted) byId(wanted)?.focus();
  else if (document.activeElement === document.body) byId("step-heading")?.focus({ preventScroll: true });
}

editor.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.id !== "step-form" && form.id !== "undo-form" && !form.hasAttribute("data-act")) return;
  event.preventDefault();
  const button = event.submitter;
  if (form.id === "undo-form") mayLeave().then((leaves) => leaves && act(form, ""));
  else if (form.action.endsWith("/merge/")) inRow(() => merge(form, button));
  else if (button?.value) act(form, button.value);
  else save();
});

// A double click is one act; only moving up and down is meant as often as it is clicked.
editor.addEventListener("click", (event) => {
  const act = event.target.closest('#step [name="act"]')?.value;
  if (act && event.detail > 1 && act !== "up" && act !== "down") event.preventDefault();
});

async function merge(form, button) {
  const status = await ask("POST", form.getAttribute("action"), form, button?.name ? { [button.name]: button.value } : {});
  if (status >= 200 && status < 300) kept = edits;
  settled();
}

editor.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-step], a[data-panel], a[data-flush]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  if (link.closest(".form-actions")) byId("step").removeAttribute("data-unsaved"); // Cancel
  if (link.matches("[data-flush]")) leave(link.href);
  else if (link.dataset.step === "") open(withStep(link.href));
  else open(link.getAttribute("href"));
});

function withStep(address) {
  const url = new URL(address, location.href);
  if (showing) url.searchParams.set("step", showing);
  return url.pathname + url.search;
}

// Fields

editor.addEventListener("input", (event) => {
  const panel = event.target.closest("#step");
  if (panel && inText(event.target) && !event.target.closest("#step-form")) panel.dataset.unsaved = ""; // a note, a name
  if (!event.target.closest("#step-form") || event.target.matches("select")) return;
  edits += 1;
  say("Not saved yet");
  later();
});

editor.addEventListener("change", (event) => {
  const form = event.target.closest("#step-form");
  if (!form || !event.target.matches("select")) return;
  edits += 1;
  say("Not saved yet");
  clearTimeout(timer);
  timer = setTimeout(() => act(form, "keep"), PAUSE / 2); // the arrow keys pass by many before they stop
});

// A list of hundreds of steps is only filled when somebody wants to see it.
function fill(select) {
  if (!select.matches?.("select[data-steps]")) return;
  select.removeAttribute("data-steps");
  const there = new Set([...select.options].map((option) => option.value));
  const more = document.createDocumentFragment();
  for (const link of editor.querySelectorAll("#outline a")) {
    if (there.has(link.dataset.step)) continue;
    const [number, title] = [link.querySelector(".n"), link.querySelector(".t")];
    more.append(new Option(`${number.textContent} · ${title.textContent}`, link.dataset.step));
  }
  select.append(more);
}
for (const type of ["pointerdown", "focusin"]) editor.addEventListener(type, (event) => fill(event.target));

// Keys

const inText = (element) => element.matches("textarea, input:not([type=checkbox], [type=radio])") || element.isContentEditable;
const button = (value) => byId("step-form")?.querySelector(`[name="act"][value="${value}"]:not(:disabled)`);
const KEYS = {
  ArrowUp: () => button("up"),
  ArrowDown: () => button("down"),
  KeyC: () => button("duplicate"),
  KeyN: () => button("option-add"),
  KeyA: () => button("add:action"),
  KeyQ: () => button("add:question"),
  KeyO: () => button("add:outcome"),
  KeyK: () => byId("step-before"),
  KeyJ: () => byId("step-after"),
  Backspace: () => byId("step")?.querySelector("[data-delete]"),
};

document.addEventListener("keydown", (event) => {
  const { target } = event;
  const command = event.ctrlKey || event.metaKey;
  if (command && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "s") {
    event.preventDefault();
    save().then(() => dirty() || say("All changes saved", "good"));
  } else if (command && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "z" && !inText(target)) {
    event.preventDefault();
    byId("undo").click();
  } else if (event.altKey && !command && !event.shiftKey && KEYS[event.code]) {
    if (MAC && inText(target)) return; // there it types a letter, or moves by words
    const wanted = KEYS[event.code]();
    if (!wanted && !byId("step-form")) return;
    event.preventDefault();
    wanted?.click();
  } else if (event.key === "Enter" && target.matches?.('[name="option-label"]') && !event.isComposing) {
    event.preventDefault();
    const labels = [...editor.querySelectorAll('[name="option-label"]')];
    const next = labels[labels.indexOf(target) + 1];
    if (next) next.focus();
    else button("option-add")?.click();
  }
});

// htmx

document.addEventListener("htmx:configRequest", ({ detail }) => {
  const mark = byId("undo-form")?.elements.mark.value;
  if (mark) detail.headers["Editor-Mark"] = mark;
});
let leaving = false;
document.addEventListener("htmx:beforeOnLoad", ({ detail }) => {
  const away = detail.xhr.getResponseHeader("HX-Redirect");
  if (!away) return;
  leaving = true; // saved, or to sign in
  if (away.startsWith(editor.dataset.signIn) && dirty() && byId("step-form")) keepHere(byId("step-form"));
});
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const { status } = detail.xhr;
  if (status === 409) detail.isError = false;
  const typing = detail.elt.id === "step-form" && edits > sent;
  if (status === 409 || status === 422) detail.shouldSwap = !typing; // what is typed meanwhile is sent first
});
// A save that is tried again by itself says so beside the flow's name.
for (const type of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  editor.addEventListener(type, (event) => {
    const lasting = type === "htmx:responseError" && event.detail.xhr.status < 500;
    if (event.detail.requestConfig.verb === "post" && event.detail.elt.id === "step-form" && !lasting) event.stopPropagation();
  });
}

addEventListener("beforeunload", (event) => {
  if (!leaving && (dirty() || byId("step")?.hasAttribute("data-unsaved"))) event.preventDefault();
});
document.addEventListener("visibilitychange", () => document.hidden && save());

settled();
takeUp();
