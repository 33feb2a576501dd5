// The small parts that HTML cannot do alone. Everything listens on the document, so swapped panels need no set-up.

const find = (selector, root = document) => root.querySelector(selector);

// Theme: "system", "light" or "dark"; theme.js applies it before the first paint.

function storedTheme() {
  try {
    return localStorage.getItem("theme") ?? "system";
  } catch {
    return document.documentElement.dataset.theme ?? "system";
  }
}

function showTheme(theme) {
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === theme));
  }
}

function chooseTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch {
    // the choice holds for this page only
  }
  showTheme(theme);
}

// Toasts: those of the server stand in the page, others are made here in the same shape.

function iconElement(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${document.body.dataset.icons}#${name}`);
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

function toast(text, level = "info", action = null) {
  const place = find("#toasts");
  const box = document.createElement("div");
  box.className = `toast ${level}`;
  box.dataset.level = level;
  if (level === "error") box.setAttribute("role", "alert");
  const words = document.createElement("p");
  words.textContent = text;
  const dismiss = document.createElement("button");
  dismiss.type = "button";
  dismiss.className = "button quiet icon-only";
  dismiss.dataset.dismiss = "";
  dismiss.setAttribute("aria-label", "Dismiss");
  dismiss.append(iconElement("close"));
  box.append(iconElement({ success: "check", error: "warning", warning: "warning" }[level] ?? "info"), words);
  if (action) box.append(action);
  box.append(dismiss);
  place.append(box);
  expire(box);
  return box;
}

// Good news leaves by itself, but not while it is being read; trouble stays until it is dismissed.
function expire(box) {
  if (!["success", "info", "debug"].includes(box.dataset.level)) return;
  const timer = setInterval(() => {
    if (box.matches(":hover, :focus-within")) return;
    clearInterval(timer);
    box.remove();
  }, 7000);
}

// Copying needs a secure page; elsewhere the text is selected, ready for Ctrl+C.
async function copy(field) {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    toast("Copied.", "success");
  } catch {
    field.closest("details")?.setAttribute("open", "");
    field.select();
    toast("It is selected: copy it with Ctrl+C or ⌘C.");
  }
}

// Menus are <details>: one is open at a time; Esc and a click elsewhere close it.

const openMenus = () => document.querySelectorAll("details.menu[open]");

document.addEventListener("click", (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
  const choice = event.target.closest(".export a"); // a download leaves the page as it is
  if (choice) choice.closest("details").open = false;

  const theme = event.target.closest("[data-theme-choice]");
  if (theme) chooseTheme(theme.dataset.themeChoice);
  if (event.target.closest("[data-print]")) print();
  event.target.closest("[data-dismiss]")?.closest(".toast, .notice")?.remove();
  const opener = event.target.closest("[data-dialog]");
  if (opener) {
    event.preventDefault(); // a link opens the same form as a page where there is no script
    document.getElementById(opener.dataset.dialog)?.showModal();
  }
  const copier = event.target.closest("[data-copy]");
  if (copier) copy(document.getElementById(copier.dataset.copy));
  event.target.closest("[data-close]")?.closest("dialog")?.close();
  // Browsers that do not know closedby yet: a click on the dialog itself is one on its backdrop.
  if (event.target.matches('dialog[open][closedby="any"]')) {
    const box = event.target.getBoundingClientRect();
    const inside =
      event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside) event.target.close();
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    const hadFocus = menu.contains(document.activeElement);
    menu.open = false;
    if (hadFocus) menu.querySelector("summary").focus();
    if (hadFocus) event.preventDefault(); // the drawer around it stays open
  }
  for (const tip of document.querySelectorAll(".tip:hover, .tip:focus-within")) tip.classList.add("dismissed");
});
for (const type of ["pointerout", "focusout"]) {
  document.addEventListener(type, (event) => event.target.closest?.(".tip")?.classList.remove("dismissed"));
}

document.addEventListener("focusout", (event) => {
  const menu = event.target.closest?.("details.menu[open]");
  if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
});

// A search within another form: Enter searches and does not send the form.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("[data-own-enter]")) return;
  event.preventDefault();
  htmx.trigger(event.target, "search");
});

document.addEventListener("change", (event) => {
  if (event.target.matches("select[data-autosubmit]")) event.target.form.requestSubmit();
});

// A GET form marked data-sparse leaves its empty fields out of the address, with htmx and without.
const sparse = (form) => form?.matches?.("form[data-sparse]") ?? false;

document.addEventListener("submit", (event) => {
  if (!sparse(event.target)) return;
  for (const field of event.target.elements) if (field.name && field.value === "") field.disabled = true;
  setTimeout(() => {
    for (const field of event.target.elements) field.disabled = false;
  });
});

// What is only known once a panel stands: which tables scroll, and where an error wants the focus.

function settle(root) {
  for (const area of root.querySelectorAll(".table-scroll")) {
    if (area.scrollWidth > area.clientWidth) area.tabIndex = 0;
    else if (area !== document.activeElement) area.removeAttribute("tabindex");
  }
  find("[data-focus]", root)?.focus();
  showTheme(storedTheme());
}

let resizing;
addEventListener("resize", () => {
  clearTimeout(resizing);
  resizing = setTimeout(() => settle(document), 150);
});
document.addEventListener("toggle", (event) => event.target.matches?.(".chart-data") && settle(event.target), true);

// htmx: a panel that loads says so, one that fails keeps what it shows and offers another try.

const MESSAGES = {
  offline: "The server cannot be reached. Check your connection.",
  timeout: "That took too long.",
  403: "You do not have access to this.",
  404: "This no longer exists.",
  429: "Too many requests. Wait a moment and try again.",
  503: "The service is taking a short break.",
};

const LASTING = [403, 404]; // another try would end the same

function failed(event, reason) {
  const { requestConfig, target, elt } = event.detail;
  const words = MESSAGES[reason] ?? "Something went wrong on our side.";
  clearFailure(target);
  for (const filters of document.querySelectorAll(".filters")) delete filters.asked;
  if (requestConfig.verb !== "get") {
    const dialog = elt.closest("dialog[open]"); // a toast would lie below it
    if (dialog) failures.set(target, inPlace(elt.closest("form") ?? dialog, `${words} Nothing was saved.`));
    else toast(`${words} Nothing was saved.`, "error");
    return;
  }
  const again = LASTING.includes(reason) ? null : document.createElement("button");
  if (again) {
    again.type = "button";
    again.className = "button small";
    again.textContent = "Try again";
    again.addEventListener("click", () => {
      clearFailure(target);
      htmx.ajax("GET", requestConfig.path, { source: elt.isConnected ? elt : target, target, values: requestConfig.parameters });
    });
  }
  const place = find(".skeleton", target) ? target : null; // a panel that never had anything to show says it itself
  const notice = place ? inPlace(place, words, again) : toast(`${words} What you see is unchanged.`, "error", again);
  failures.set(target, notice);
}

function inPlace(panel, text, action = null) {
  const box = document.createElement("div");
  box.className = "notice bad";
  box.setAttribute("role", "alert");
  const words = document.createElement("p");
  words.textContent = text;
  box.append(iconElement("warning"), words);
  if (action) box.append(action);
  panel.prepend(box);
  return box;
}

const failures = new Map();

function clearFailure(target) {
  failures.get(target)?.remove();
  failures.delete(target);
}

// The bar at the top appears for what takes longer than a moment (app.css).
let pending = 0;
function waiting(step) {
  pending = Math.max(0, pending + step);
  find("#progress").classList.toggle("on", pending > 0);
}

// Two filters changed in quick succession: the second request takes the place of the first (hx-sync) and asks for both,
// for what it was made from does not know yet of the first choice.
function joinWithPending(filters, detail) {
  const url = new URL(detail.path, location.href);
  for (const [name, value] of detail.formData.entries()) url.searchParams.append(name, value);
  const shown = new URLSearchParams(filters.dataset.shown);
  const { asked } = filters;
  for (const name of new Set(asked ? [...asked.keys(), ...shown.keys()] : [])) {
    const [before, earlier, now] = [shown, asked, url.searchParams].map((query) => query.getAll(name));
    if (String(earlier) === String(before) || String(now) !== String(before)) continue;
    url.searchParams.delete(name);
    for (const value of earlier) url.searchParams.append(name, value);
  }
  filters.asked = new URLSearchParams(url.searchParams);
  for (const name of new Set(detail.formData.keys())) detail.formData.delete(name);
  detail.path = url.pathname + url.search;
}

document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (sparse(detail.elt)) for (const [name, value] of [...detail.formData.entries()]) if (value === "") detail.formData.delete(name);
  const filters = detail.elt.closest?.(".filters");
  if (filters) joinWithPending(filters, detail);
});
document.addEventListener("htmx:beforeRequest", ({ detail: { target, xhr } }) => {
  waiting(1);
  target?.setAttribute("aria-busy", "true");
  // htmx does not tell of a request whose element was swapped out meanwhile; the request itself does.
  xhr.addEventListener("loadend", () => {
    waiting(-1);
    target?.removeAttribute("aria-busy");
  });
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.shouldSwap) clearFailure(event.detail.target);
});
document.addEventListener("htmx:afterSettle", (event) => {
  settle(document);
  const said = event.detail.elt.dataset?.announce ?? find("[data-announce]", event.detail.elt)?.dataset.announce;
  if (said) find("#announcer").textContent = said;
});
document.addEventListener("htmx:responseError", (event) => failed(event, event.detail.xhr.status));
document.addEventListener("htmx:sendError", (event) => failed(event, "offline"));
document.addEventListener("htmx:timeout", (event) => failed(event, "timeout"));
document.addEventListener("toast", (event) => toast(event.detail.text, event.detail.level)); // HX-Trigger

// What was opened before htmx listened has said so to nobody.
document.addEventListener("htmx:load", ({ detail: { elt } }) => {
  for (const details of elt.querySelectorAll('details[open][hx-trigger^="toggle"]')) htmx.trigger(details, "toggle");
});

for (const box of document.querySelectorAll(".toast")) expire(box);
settle(document);
find(".settings-pages [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" }); // on a phone they are one long line
