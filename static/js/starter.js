// The starter library: "Choose all", and how many are chosen.

const form = document.querySelector(".starter");
const boxes = (root) => [...root.querySelectorAll('input[type="checkbox"]:not(:disabled)')];

function show() {
  const count = boxes(form).filter((box) => box.checked).length;
  const words = form.querySelector("[data-chosen]");
  if (words) words.textContent = count ? ` ${count} flow${count === 1 ? "" : "s"}` : "";
  for (const button of form.querySelectorAll("[data-choose-all]")) {
    const group = boxes(button.dataset.chooseAll === "form" ? form : button.closest("fieldset"));
    button.firstChild.textContent = group.every((box) => box.checked) ? "Choose none" : "Choose all";
  }
}

// What is ticked stays so when the list is searched.
document.querySelector(".starter-search").addEventListener("submit", ({ target }) => {
  for (const old of target.querySelectorAll("[type=hidden]")) old.remove();
  for (const box of boxes(form).filter((box) => box.checked)) {
    target.append(Object.assign(document.createElement("input"), { type: "hidden", name: "flow", value: box.value }));
  }
});

form.addEventListener("change", show);
form.addEventListener("click", (event) => {
  const button = event.target.closest("[data-choose-all]");
  if (!button) return;
  const group = boxes(button.dataset.chooseAll === "form" ? form : button.closest("fieldset"));
  const all = group.every((box) => box.checked);
  for (const box of group) box.checked = !all;
  show();
});
window.addEventListener("pageshow", show); // going back, the browser puts the ticks where they were
