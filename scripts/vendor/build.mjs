// Makes everything in static/vendor from the packages pinned in package-lock.json. See README.md.
import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { parse } from "acorn";
import { simple } from "acorn-walk";
import esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const packages = join(here, "node_modules");
const vendor = process.argv[2] ?? join(here, "../../static/vendor");
const licences = join(vendor, "LICENSES");

const readJson = async (path) => JSON.parse(await readFile(path, "utf8"));
const packageJson = (name) => readJson(join(packages, name, "package.json"));

// The reference texts of Plotly's attributes are a tenth of the bundle and nothing reads them in a browser. And colour
// bars empty a style attribute, which a policy without 'unsafe-inline' refuses; removing it does the same.
const mendedSources = {
  name: "mended-sources",
  setup(build) {
    const isText = (node) =>
      ["Literal", "TemplateLiteral", "BinaryExpression"].includes(node.type) ||
      (node.type === "CallExpression" && node.callee.property?.name === "join");
    build.onLoad({ filter: /plotly\.js\/src\/.*\.js$/ }, async ({ path }) => {
      let source = await readFile(path, "utf8");
      const texts = [];
      simple(parse(source, { ecmaVersion: "latest" }), {
        Property(node) {
          if (!node.computed && node.key.name === "description" && isText(node.value)) texts.push(node.value);
        },
      });
      for (const { start, end } of texts.sort((a, b) => b.start - a.start)) {
        source = `${source.slice(0, start)}""${source.slice(end)}`;
      }
      return { contents: source.replaceAll(".attr('style', '')", ".attr('style', null)") };
    });
  },
};

// Controls inside a plot that our pages offer as forms instead, and the style rules that are a file here.
const withoutUnusedParts = {
  name: "without-unused-parts",
  setup(build) {
    const unused = /components\/(annotations3d|images|rangeselector|rangeslider|sliders|updatemenus)$|build\/plotcss$/;
    build.onResolve({ filter: unused }, ({ path, importer }) =>
      importer.endsWith("plotly.js/src/core.js") ? { path, namespace: "unused" } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: "unused" }, ({ path }) => ({
      contents: `module.exports = { moduleType: "component", name: "${basename(path)}" };`,
    }));
  },
};

async function bundlePlotly(version) {
  const result = await esbuild.build({
    absWorkingDir: here,
    banner: { js: `/*! plotly.js ${version}, a bundle of our own: see README.md; licences of its parts: LICENSES/ */` },
    bundle: true,
    define: { global: "window" },
    entryPoints: ["plotly-entry.cjs"],
    format: "iife",
    globalName: "Plotly",
    legalComments: "none", // the full texts are in LICENSES/
    loader: { ".css": "empty" }, // maplibre's, for maps
    metafile: true,
    minify: true,
    plugins: [mendedSources, withoutUnusedParts],
    target: "es2020",
    write: false,
  });
  const script = result.outputFiles[0].text;
  const evaluates = script.match(/\beval\(|\bFunction\(/);
  if (evaluates) throw new Error(`plotly.min.js would need 'unsafe-eval': ${script.substr(evaluates.index, 80)}`);
  if (/attr\("style",""\)/.test(script)) throw new Error("plotly.min.js would need 'unsafe-inline' for styles");
  await writeFile(join(vendor, "plotly.min.js"), script);
  const [output] = Object.values(result.metafile.outputs);
  const folders = Object.entries(output.inputs)
    .filter(([path, { bytesInOutput }]) => bytesInOutput > 0 && !path.endsWith(".css"))
    .map(([path]) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0])
    .filter(Boolean);
  return [...new Set(folders)].sort();
}

// Plotly adds each rule at the head of its sheet, so the last one comes first.
async function writePlotlyStyles(version) {
  const rules = [];
  const source = await readFile(join(packages, "plotly.js/build/plotcss.js"), "utf8");
  const addStyleRule = (selector, body) => rules.unshift(`${selector} { ${body} }`);
  new Function("require", source)(() => ({ addStyleRule }));
  const head = `/* The rules of plotly.js ${version} (build/plotcss.js) as a file, for a policy without 'unsafe-inline'. */`;
  await writeFile(join(vendor, "plotly.css"), [head, ...rules, ""].join("\n"));
}

// A few packages name MIT in package.json and ship no text.
function mitText(author) {
  const holder = typeof author === "string" ? author : `${author.name} <${author.email}>`;
  return `The MIT License (MIT)

Copyright (c) ${holder}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation
the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and
to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of
the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO
THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF
CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS
IN THE SOFTWARE.
`;
}

async function writeLicence(folder) {
  const { name, version, license, author } = await readJson(join(here, folder, "package.json"));
  const file = (await readdir(join(here, folder))).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file && license !== "MIT") throw new Error(`${name} ${version} (${license}) ships no licence text`);
  const text = file ? await readFile(join(here, folder, file), "utf8") : mitText(author);
  const target = `${name.replace("@", "").replace("/", "-")}-${version}.txt`;
  await writeFile(join(licences, target), text);
  return { name, version, license, target };
}

async function writeReadme(files, parts) {
  const rows = await Promise.all(
    files.map(async ({ file, name, version, license, what }) => {
      const sha256 = createHash("sha256").update(await readFile(join(vendor, file))).digest("hex");
      return `| \`${file}\` | ${name} ${version} | ${what} | ${license} | \`${sha256}\` |`;
    }),
  );
  const partRows = parts.map(
    ({ name, version, license, target }) => `| ${name} | ${version} | ${license} | [text](LICENSES/${target}) |`,
  );
  const text = `# Files of others

\`scripts/vendor/build.mjs\` writes this folder, this page included; change nothing here by hand.
Each source is the npm package of that name.

| file | package | what it is | licence | sha256 |
| --- | --- | --- | --- | --- |
${rows.join("\n")}

The trace types in the Plotly bundle are listed in \`scripts/vendor/plotly-entry.cjs\`. The bundle adds no style rules
to the page, which the content security policy would refuse: \`plotly.css\` holds them, and every page with a chart
loads it, as \`<link id="plotly.js-style-global" class="no-inline-styles" rel="stylesheet" …>\` (a bundle of Plotly's
own would look for that id).

## Licences

htmx.org, and every package with code in \`plotly.min.js\`:

| package | version | licence | |
| --- | --- | --- | --- |
${partRows.join("\n")}
`;
  await writeFile(join(vendor, "README.md"), text);
}

const htmx = await packageJson("htmx.org");
const plotly = await packageJson("plotly.js");
await rm(licences, { recursive: true, force: true });
await mkdir(licences, { recursive: true });
await copyFile(join(packages, "htmx.org/dist/htmx.min.js"), join(vendor, "htmx.min.js"));
await writePlotlyStyles(plotly.version);
const folders = await bundlePlotly(plotly.version);
const parts = await Promise.all(["node_modules/htmx.org", ...folders].map(writeLicence));
await writeReadme(
  [
    { file: "htmx.min.js", what: "the package's `dist/htmx.min.js`, unchanged", ...htmx },
    { file: "plotly.min.js", what: "a bundle of the trace types in use, minified", ...plotly },
    { file: "plotly.css", what: "the style rules that the script would add", ...plotly },
  ],
  parts,
);
