// Bundles what of the reference npm does not have: `node components.mjs SOURCE NAME`. SOURCE is a checkout of the
// reference's repository, NAME what to write into build/. What its sources import otherwise is npm's, as locked here.
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const [source, name] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const packages = resolve(source, "packages");
const { version } = JSON.parse(await readFile(join(packages, "web-components/package.json"), "utf8"));

// The repository is built by Vite, where `?raw` and `?inline` after a file's name ask for its text.
const textOfFiles = {
  name: "text-of-files",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\?(raw|inline)$/ }, ({ path, resolveDir }) => ({
      path: resolve(resolveDir, path.replace(/\?.*$/, "")),
      namespace: "text",
    }));
    onLoad({ filter: /.*/, namespace: "text" }, async ({ path }) => ({
      contents: await readFile(path, "utf8"),
      loader: "text",
    }));
  },
};

const BUNDLES = {
  "components.js": { entryPoints: [join(here, "components.js")], format: "esm" },
  "newest.js": { entryPoints: [join(here, "page.js")], format: "esm" },
  "browser.umd.js": {
    entryPoints: [join(packages, "main/src/browser-entry.ts")],
    format: "iife",
    globalName: "SignalWire",
  },
};

await build({
  ...BUNDLES[name],
  outfile: join(here, "build", name),
  bundle: true,
  ignoreAnnotations: true, // the package says that its sources have no side effects, and they define elements
  target: "chrome120",
  nodePaths: [join(here, "node_modules")],
  alias: {
    "@signalwire/web-components": join(packages, "web-components/src/index.ts"),
    "@signalwire/js": join(packages, "main/src/browser-entry.ts"),
  },
  define: { __VERSION__: JSON.stringify(version) },
  loader: { ".webp": "dataurl" },
  plugins: [textOfFiles],
  logLevel: "warning",
});
