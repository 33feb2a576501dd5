// The map of a flow: zoom, pan, and one step's details beside it. Without this file map and outline stand as they are.

const ZOOMS = [0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1, 1.25, 1.5, 2];
const READABLE = 0.8; // the first view is not smaller: what is cut off can be scrolled to
const LOWEST = 320; // pixels: a step's details have room beside the smallest map

function setUp(tree) {
  tree.dataset.ready = "";
  const map = tree.querySelector(".map");
  const sheet = tree.querySelector(".map-sheet");
  const panel = tree.querySelector(".map-step");
  const level = tree.querySelector("[data-zoom='full']");
  const width = sheet.viewBox.baseVal.width;
  const height = sheet.viewBox.baseVal.height;
  const nodes = [...sheet.querySelectorAll(".node")];
  const links = nodes.map((node) => node.querySelector(".card-link"));
  let zoom = 1;
  map.style.maxHeight = `${Math.max(LOWEST, height + 24)}px`; // no empty ground below a small map

  // Which of the two is shown: the person's choice, else what suits the width, as the stylesheet has it.
  const views = [...tree.querySelectorAll("[name='tree-view']")];
  const view = () => views.find((radio) => radio.checked)?.value;
  const show = (value) => {
    for (const radio of views) radio.checked = radio.value === value;
    if (value === "map") firstView();
  };
  let seen = false;
  function firstView() {
    if (seen || !map.clientWidth) return;
    seen = true;
    zoomTo(Math.min(1, Math.max(READABLE, (map.clientWidth - 8) / width)));
    map.scrollTo(0, 0);
    const first = nodes.find((node) => node.dataset.step === tree.dataset.opensAt);
    if (first) begin(first);
  }
  tree.addEventListener("change", (event) => {
    if (event.target.name === "tree-view" && event.target.value === "map") firstView();
  });

  // Zoom keeps the place under the pointer, or the middle.
  function zoomTo(next, x = map.clientWidth / 2, y = map.clientHeight / 2) {
    const [left, top] = [(map.scrollLeft + x) / zoom, (map.scrollTop + y) / zoom];
    zoom = Math.min(2, Math.max(0.05, next));
    sheet.setAttribute("width", Math.round(width * zoom));
    sheet.setAttribute("height", Math.round(height * zoom));
    map.scrollTo(left * zoom - x, top * zoom - y);
    level.textContent = `${Math.round(zoom * 100)} %`;
  }
  const steps = {
    in: () => zoomTo(ZOOMS.find((one) => one > zoom + 0.01) ?? 2),
    out: () => zoomTo(ZOOMS.findLast((one) => one < zoom - 0.01) ?? 0.1),
    full: () => zoomTo(1),
    fit: () => {
      const [across, down] = [(map.clientWidth - 8) / width, (map.clientHeight - 8) / height];
      zoomTo(Math.min(1, across, down));
      map.scrollTo(0, 0);
    },
  };
  tree.querySelector(".tree-zoom").addEventListener("click", (event) => {
    const button = event.target.closest("[data-zoom]");
    if (button) steps[button.dataset.zoom]();
  });
  map.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const box = map.getBoundingClientRect();
      zoomTo(zoom * Math.exp(-event.deltaY / 300), event.clientX - box.left, event.clientY - box.top);
    },
    { passive: false },
  );

  // Dragging the ground pans; a finger does so by itself.
  let drag = null;
  map.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch") return;
    drag = { x: event.clientX, y: event.clientY, left: map.scrollLeft, top: map.scrollTop, moved: false };
  });
  addEventListener("pointermove", (event) => {
    if (!drag) return;
    const [x, y] = [event.clientX - drag.x, event.clientY - drag.y];
    if (!drag.moved && Math.hypot(x, y) < 5) return;
    drag.moved = true;
    map.classList.add("dragging");
    map.scrollTo(drag.left - x, drag.top - y);
  });
  addEventListener("pointerup", () => {
    map.classList.remove("dragging");
    if (drag?.moved) setTimeout(() => (drag = null));
    else drag = null;
  });
  map.addEventListener("dragstart", (event) => event.preventDefault());

  // One step is chosen: its details beside the map, its ways in and out in colour.
  function choose(number, { focus = false, push = true } = {}) {
    const node = nodes.find((one) => one.dataset.step === String(number));
    const item = tree.querySelector(`.outline-step[data-step="${CSS.escape(String(number))}"]`);
    if (!node || !item) return;
    clear();
    node.classList.add("chosen");
    for (const edge of sheet.querySelectorAll(".edge")) {
      edge.classList.toggle("near", [edge.dataset.from, edge.dataset.to].includes(String(number)));
    }
    for (const way of sheet.querySelectorAll(".way")) {
      const to = way.querySelector("a")?.hash;
      way.classList.toggle("near", to === `#step-${number}` || way.closest(".node") === node);
    }
    const close = document.createElement("button");
    close.type = "button";
    close.className = "button quiet icon-only";
    close.dataset.closeStep = "";
    close.setAttribute("aria-label", "Close");
    close.append(closeIcon());
    panel.className = `map-step ${item.className.replace("outline-step", "")}`;
    panel.replaceChildren(close, ...[...item.cloneNode(true).childNodes]);
    for (const more of panel.querySelectorAll("details")) more.open = true;
    panel.hidden = false;
    panel.scrollTop = 0;
    panel.setAttribute("aria-label", `Step ${number}`);
    roam(links[nodes.indexOf(node)], focus);
    reveal(node);
    if (push) history.replaceState(null, "", `#step-${number}`);
  }
  function clear() {
    panel.hidden = true;
    for (const one of sheet.querySelectorAll(".chosen, .near")) one.classList.remove("chosen", "near");
  }
  function closeIcon() {
    const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", `${document.body.dataset.icons}#close`);
    icon.setAttribute("class", "icon");
    icon.setAttribute("aria-hidden", "true");
    icon.append(use);
    return icon;
  }
  // Where it matters: the step near the top left, as what it leads to stands to the right of it and below.
  function begin(node) {
    const { e: x, f: y } = node.transform.baseVal.consolidate().matrix;
    map.scrollTo(x * zoom - map.clientWidth / 5, y * zoom - map.clientHeight / 6);
  }
  // Into sight, left of the panel.
  function reveal(node) {
    const [frame, box] = [map.getBoundingClientRect(), node.querySelector(".box").getBoundingClientRect()];
    const right = panel.hidden || panel.offsetWidth > frame.width * 0.7 ? 0 : panel.offsetWidth + 24;
    const bottom = right || panel.hidden ? 0 : panel.offsetHeight;
    const [left, top] = [box.left - frame.left, box.top - frame.top];
    const [roomX, roomY] = [frame.width - right, frame.height - bottom];
    if (left < 16 || left + box.width > roomX - 16) map.scrollLeft += left - Math.max(16, (roomX - box.width) / 2);
    if (top < 16 || top + Math.min(box.height, roomY - 32) > roomY - 16) map.scrollTop += top - Math.max(16, (roomY - box.height) / 3);
  }
  sheet.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (drag?.moved) return event.preventDefault();
    if (!link) return clear();
    event.preventDefault();
    choose(link.getAttribute("href").replace("#step-", ""), { focus: true });
  });
  panel.addEventListener("click", (event) => {
    if (event.target.closest("[data-close-step]")) {
      const chosen = sheet.querySelector(".chosen .card-link");
      clear();
      chosen?.focus({ preventScroll: true });
      history.replaceState(null, "", location.pathname + location.search);
      return;
    }
    const link = event.target.closest("a[href^='#step-']");
    if (!link) return;
    event.preventDefault();
    choose(link.hash.replace("#step-", ""), { focus: true });
  });
  tree.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !panel.hidden) panel.querySelector("[data-close-step]").click();
  });

  // One stop for Tab; the arrows go from step to step as they stand on the map.
  for (const link of sheet.querySelectorAll("a")) link.setAttribute("tabindex", "-1");
  links[0]?.setAttribute("tabindex", "0");
  function roam(link, focus = true) {
    for (const one of links) one.setAttribute("tabindex", one === link ? "0" : "-1");
    if (focus) link.focus({ preventScroll: true });
  }
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  sheet.addEventListener("keydown", (event) => {
    const link = event.target.closest(".card-link");
    const arrow = ARROWS[event.key];
    if (!link || !arrow || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const next = neighbour(link.closest(".node"), ...arrow);
    if (!next) return;
    roam(next.querySelector(".card-link"));
    if (panel.hidden) reveal(next);
    else choose(next.dataset.step, { focus: true });
  });
  function neighbour(from, dx, dy) {
    const here = from.querySelector(".box").getBoundingClientRect();
    let best = null;
    let shortest = Infinity;
    for (const node of nodes) {
      const box = node.querySelector(".box").getBoundingClientRect();
      const [x, y] = [box.left - here.left, box.top - here.top];
      if (dx ? x * dx < 1 : y * dy < 1 || Math.abs(x) > 1) continue;
      const distance = dx ? Math.abs(x) * 20 + Math.abs(y) : Math.abs(y);
      if (distance < shortest) [best, shortest] = [node, distance];
    }
    return best;
  }

  // An address that names a step opens it: on the map, or where the outline is shown there.
  const wanted = () => location.hash.match(/^#step-(\d+)$/)?.[1];
  show(view() ?? (matchMedia("(max-width: 640px)").matches ? "outline" : "map"));
  function open(focus = true) {
    if (!wanted()) return;
    if (view() !== "map") return tree.querySelector(`#step-${wanted()}`)?.scrollIntoView();
    map.scrollIntoView({ block: "nearest" });
    choose(wanted(), { push: false, focus });
  }
  addEventListener("hashchange", () => open());
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#step-']");
    if (link && !tree.contains(link) && link.hash === location.hash) open(); // the address stays, so it tells nobody
  });
  open(false);
}

for (const tree of document.querySelectorAll("[data-tree]")) setUp(tree);
document.addEventListener("htmx:afterSettle", (event) => {
  for (const tree of event.detail.elt.querySelectorAll?.("[data-tree]") ?? []) if (!tree.dataset.ready) setUp(tree);
});
