// Stars, thumbs and their comments. Everything works without this, in more steps.

// Submit is there once a star is chosen. Without scripts the browser asks for one.
function allowSubmit(form) {
  form.querySelector(".button.primary").disabled = !form.checkValidity();
}

function count(field) {
  const counter = document.querySelector(`[data-counter="${field.id}"]`);
  if (!counter) return;
  const said = `${field.value.length} of ${field.maxLength}`;
  if (counter.textContent === said) return;
  counter.textContent = said;
  if (field.value.length === field.maxLength) document.querySelector("#announcer").textContent = `${said} characters`;
}

function prepare(root) {
  for (const form of root.querySelectorAll("form[data-complete]")) allowSubmit(form);
  for (const field of root.querySelectorAll(".counted textarea")) count(field);
  const asking = root.matches?.("#csat") ? root : root.querySelector("#csat");
  if (asking && !asking.open) asking.showModal();
}

document.addEventListener("input", ({ target }) => {
  const form = target.closest("form[data-complete]");
  if (form) allowSubmit(form);
  if (!target.matches("textarea")) return;
  count(target);
  // What was written must not go with a click that missed the dialog.
  target.closest("dialog#csat")?.setAttribute("closedby", "closerequest");
});

// The second click of a double click would take back what the first one gave.
document.addEventListener(
  "click",
  (event) => {
    if (event.detail > 1 && event.target.closest(".thumb")) event.preventDefault();
  },
  true,
);

// A session that was rated meanwhile is said where the stars were, in the words of the server.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.xhr.status !== 409 || !detail.target.matches(".csat-panel")) return;
  detail.shouldSwap = true;
  detail.isError = false;
});

document.addEventListener("rated", () => document.querySelector("#csat")?.close()); // HX-Trigger
document.addEventListener("htmx:load", ({ detail }) => prepare(detail.elt));
prepare(document);
