// Bundles components.js with the reference's web components, which npm does not have: `node components.mjs SOURCE OUT`.
// SOURCE is a checkout of the reference's repository; what its sources import otherwise is npm's, from package-lock.json.
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const [source, out] = process.argv.slice(2);
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

await build({
  entryPoints: [join(here, "components.js")],
  outfile: out,
  bundle: true,
  ignoreAnnotations: true, // the package says that its sources have no side effects, and they define elements
  format: "esm",
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
