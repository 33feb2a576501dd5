// What goes to a ticket: while its fields are asked for anew, nothing that somebody enters meanwhile may be lost.

const entered = (fields) => {
  const within = [...fields.querySelectorAll("input, textarea, select")];
  return JSON.stringify(within.map((field) => (field.type === "checkbox" ? field.checked : field.value)));
};

let asked = "";
document.addEventListener("htmx:beforeRequest", ({ target }) => {
  if (target.matches?.("[data-looks]")) asked = entered(target);
});

// An answer to what was entered before is no answer any more; the change that made it so asks again.
document.addEventListener("htmx:beforeSwap", (event) => {
  const fields = event.detail.target;
  if (fields.matches?.("[data-looks]") && entered(fields) !== asked) event.detail.shouldSwap = false;
});

let unfolded = false;
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target.matches?.("[data-looks]")) unfolded = document.getElementById("push-text")?.open ?? false;
});
document.addEventListener("htmx:afterSettle", () => {
  if (unfolded) document.getElementById("push-text")?.setAttribute("open", "");
  unfolded = false;
});
