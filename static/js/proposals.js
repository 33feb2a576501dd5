// Keys of the review: through the list, and from one proposal to the next. Without this file links do the same.

// A refused act leaves the page at the act's own address, which cannot be reloaded.
const address = document.querySelector("main").dataset.address;
if (address && new URL(address, location).pathname !== location.pathname) history.replaceState(null, "", address);

const typing = (target) => target.closest("input:not([type='checkbox'], [type='radio']), textarea, select, [contenteditable]");

function inList(key, rows) {
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[key];
  if (!step) return false;
  const at = rows.indexOf(document.activeElement);
  const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + step))];
  next?.focus();
  next?.closest("tr").scrollIntoView({ block: "nearest" });
  return Boolean(next);
}

function onPage(key, target) {
  const arrow = key.startsWith("Arrow");
  if (arrow && target.closest(".map, .paths, .table-scroll, [role='group'], summary, label")) return false; // these scroll by arrows
  const link = {
    j: "a[rel='next']", ArrowRight: "a[rel='next']",
    k: "a[rel='prev']", ArrowLeft: "a[rel='prev']",
    u: ".breadcrumb a",
  }[key];
  if ("aerd".includes(key)) return toAct(key);
  const found = link && document.querySelector(link);
  found?.click();
  return Boolean(found);
}

// To a decision, never through it: Enter or a click takes it. What asks for words opens, and they can be typed.
function toAct(key) {
  const act = document.querySelector(`[data-act="${key}"]`);
  const details = act?.closest("details");
  if (details) details.open = true;
  (details?.querySelector("textarea") ?? act)?.focus();
  return Boolean(act);
}

function close(details) {
  details.open = false;
  details.querySelector("summary").focus();
}

document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && event.target.closest(".proposal-acts details[open]");
  if (open) close(open);
});

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  const list = document.querySelector("[data-rows]");
  const done = list ? inList(event.key, [...list.querySelectorAll("[data-row]")]) : onPage(event.key, event.target);
  if (done) event.preventDefault();
});
