/*
 * Draws the figures that the server wrote into the page, in the colours of the reader's theme.
 *
 *   <div class="chart-plot" data-figure="figure-NAME-json" role="img" aria-label="…"></div>
 *   <script type="application/json" id="figure-NAME-json">{"data": […], "layout": {…}}</script>
 *
 * A string "var(--token)" anywhere in a figure stands for the colour of that token. A point whose customdata is an
 * address of this site, or begins with one, opens it when clicked. Nothing here moves by itself, so there is nothing
 * to hold still for readers who prefer less motion.
 */
(() => {
  "use strict";

  const TOKEN = /^var\(--[\w-]+\)$/;
  const CONFIG = { displayModeBar: false, doubleClick: false, showTips: false, locale: "en" };
  const drawn = new WeakMap(); // plot → { width, tapped }

  const plots = () => document.querySelectorAll(".chart-plot");
  const drawNew = () => plots().forEach((plot) => drawn.has(plot) || draw(plot));
  const drawAgain = () => plots().forEach((plot) => drawn.has(plot) && show(plot));

  /* ---- drawing ---- */

  function draw(plot) {
    drawn.set(plot, { width: plot.clientWidth, tapped: null });
    if (!window.Plotly) return apologise(plot);
    show(plot).then((shown) => {
      if (!shown || !drawn.has(plot)) return; // failed, or removed in the meantime
      plot.on("plotly_click", (event) => open(plot, event));
      plot.on("plotly_hover", ({ points }) => plot.classList.toggle("opens-link", points.some(addressOf)));
      plot.on("plotly_unhover", () => plot.classList.remove("opens-link"));
      sizes.observe(plot);
    });
  }

  async function show(plot) {
    try {
      const { data, layout } = figureOf(plot);
      await Plotly.react(plot, data, { autosize: true, uirevision: true, ...layout }, CONFIG);
      return true;
    } catch (error) {
      console.error(error);
      apologise(plot);
      return false;
    }
  }

  // On paper and in pictures everything is on white, whatever the reader's theme.
  function figureOf(plot, scheme = "") {
    const colour = colours(plot, scheme);
    const source = document.getElementById(plot.dataset.figure).textContent;
    const figure = JSON.parse(source, (key, value) => (TOKEN.test(value) ? colour(value) : value));
    return { data: figure.data, layout: { template: theme(plot, colour), ...figure.layout } };
  }

  function apologise(plot) {
    const note = document.createElement("p");
    note.className = "chart-note";
    note.textContent = "This chart could not be drawn. “Show data” has its figures as a table.";
    plot.removeAttribute("role"); // what is inside an image is not read out
    plot.replaceChildren(note);
  }

  function forget(plot) {
    if (!drawn.delete(plot)) return;
    sizes.unobserve(plot);
    if (window.Plotly) Plotly.purge(plot);
    plot.replaceChildren();
  }

  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const state = drawn.get(target);
      if (!state || !target.clientWidth || state.width === target.clientWidth) continue;
      state.width = target.clientWidth;
      Plotly.Plots.resize(target);
    }
  });

  /* ---- theme ---- */

  // The browser itself works out what a token means where the plot stands; Plotly knows no custom properties.
  function colours(plot, scheme) {
    const known = new Map();
    return (value) => {
      if (!known.has(value)) {
        const probe = document.createElement("span");
        probe.style.colorScheme = scheme;
        probe.style.color = value;
        plot.append(probe);
        known.set(value, getComputedStyle(probe).color);
        probe.remove();
      }
      return known.get(value);
    };
  }

  // A Plotly template: what the figure itself says goes before it.
  function theme(plot, colour) {
    const token = (name) => colour(`var(--${name})`);
    const family = getComputedStyle(plot).fontFamily;
    const axis = {
      automargin: true,
      color: token("ink-3"),
      fixedrange: true,
      gridcolor: token("line"),
      linecolor: token("line-strong"),
      tickcolor: token("line-strong"),
      zeroline: false,
    };
    const scale = [[0, token("sunken")], [1, token("accent")]];
    const separate = { marker: { line: { color: token("surface"), width: 1 } } };
    return {
      layout: {
        colorway: ["accent", "c-resolved", "c-workaround", "c-escalated", "c-unresolved"].map(token),
        dragmode: false,
        font: { family, size: 12, color: token("ink-2") },
        hoverlabel: {
          align: "left",
          bgcolor: token("raised"),
          bordercolor: token("line-strong"),
          font: { family, size: 12, color: token("ink") },
        },
        legend: { orientation: "h", x: 0, xanchor: "left", y: 1.04, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)" },
        margin: { l: 8, r: 24, t: 8, b: 8 },
        paper_bgcolor: token("surface"),
        plot_bgcolor: token("surface"),
        xaxis: {
          ...axis,
          showgrid: false,
          showline: true,
          spikecolor: token("ink-3"),
          spikedash: "solid",
          spikethickness: 1,
          ticks: "outside",
        },
        yaxis: axis,
      },
      data: {
        bar: [separate],
        funnel: [{ connector: { fillcolor: token("sunken"), line: { color: token("line") } } }],
        heatmap: [{ colorbar: { outlinewidth: 0, thickness: 12 }, colorscale: scale, xgap: 2, ygap: 2 }],
        pie: [separate],
        sankey: [{ arrangement: "fixed", link: { color: token("line") }, node: { line: { width: 0 } } }],
      },
    };
  }

  /* ---- links ---- */

  function addressOf({ customdata }) {
    const address = Array.isArray(customdata) ? customdata[0] : customdata;
    if (typeof address !== "string" || !address.startsWith("/")) return null;
    return new URL(address, location.href).origin === location.origin ? address : null; // not "//elsewhere"
  }

  // A unified hover names one point of every trace: the one meant is that whose area or line is next above the pointer.
  // Areas without a session on that day end at the same height as the one below them, so the lowest of these is meant.
  function pointed({ points, yPixel }) {
    const fromBelow = [...points].sort((a, b) => b.yPixel - a.yPixel || a.curveNumber - b.curveNumber);
    return fromBelow.find((point) => point.yPixel <= yPixel) ?? fromBelow.at(-1);
  }

  function open(plot, event) {
    if (event.event.type === "touchstart") return; // the browser follows it up with a click of the mouse
    const address = addressOf(pointed(event));
    if (!address) return;
    const state = drawn.get(plot);
    if (matchMedia("(hover: none)").matches && state.tapped !== address) {
      state.tapped = address; // the first tap of a finger shows the numbers, the second opens
    } else if (event.event.ctrlKey || event.event.metaKey) {
      window.open(address, "_blank", "noopener");
    } else {
      location.assign(address);
    }
  }

  /* ---- paper and pictures ---- */

  const PAPER = 660; // pixels: what is left of A4 and Letter beside the margins of app.css
  const PICTURE = { format: "png", width: 1000, height: 480, scale: 2 };

  function toPaper() {
    for (const plot of plots()) {
      if (!drawn.has(plot) || !window.Plotly) continue;
      const { data, layout } = figureOf(plot, "light");
      Plotly.react(plot, data, { ...layout, width: PAPER }, CONFIG);
    }
  }

  // A server cannot draw, so the picture is made here; its file is named by the server.
  async function picture({ dataset }) {
    const chart = document.getElementById(dataset.picture);
    const plot = chart.querySelector(".chart-plot");
    try {
      const { data, layout } = figureOf(plot, "light");
      const words = { text: plain(chart.querySelector("h2")), subtitle: { text: wrapped(plain(chart.querySelector("figcaption p"))) } };
      const title = { ...words, x: 0, xref: "paper", y: 1, yref: "container", yanchor: "top", pad: { t: 24 } };
      const whole = { ...layout, title, margin: { l: 24, r: 32, t: 140, b: 24 } };
      const address = await Plotly.toImage({ data, layout: whole, config: CONFIG }, PICTURE);
      save(new Blob([bytes(address)], { type: "image/png" }), dataset.file);
    } catch (error) {
      console.error(error);
      document.dispatchEvent(new CustomEvent("toast", { detail: { level: "error", text: "The picture could not be made. CSV and Excel have its figures." } }));
    }
  }

  // Plotly reads tags in a title; here they are only text.
  const plain = (element) => element.textContent.trim().replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const wrapped = (text) => text.replaceAll(/(.{110,}?) /g, "$1<br>");
  const bytes = (address) => Uint8Array.from(atob(address.slice(address.indexOf(",") + 1)), (letter) => letter.charCodeAt(0));

  function save(file, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  /* ---- when ---- */

  // Listened to as events, so that it does not matter in which order the deferred scripts come, or whether one fails.
  document.addEventListener("DOMContentLoaded", drawNew);
  document.addEventListener("htmx:load", drawNew); // what htmx.onLoad listens to
  document.addEventListener("htmx:beforeCleanupElement", ({ target }) => forget(target));
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-picture]");
    if (!button) return;
    button.closest("details").open = false;
    picture(button);
  });
  addEventListener("beforeprint", toPaper);
  addEventListener("afterprint", drawAgain);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAgain);
  new MutationObserver(drawAgain).observe(document.documentElement, { attributeFilter: ["data-theme"] });
})();
