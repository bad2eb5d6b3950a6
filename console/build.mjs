// Builds the console into a folder, by default where the server takes it from: the same files from the same sources.
import { build } from "esbuild";
import { cp } from "node:fs/promises";

const into = process.argv[2] ?? "../crates/roof/server/src/console/dist";

await build({
  entryPoints: { console: "src/main.jsx" },
  outdir: into,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["chrome111", "firefox114", "safari16.4"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "warning",
});
await build({ entryPoints: ["style/console.css"], outdir: into, bundle: true, minify: true, logLevel: "warning" });
for (const name of ["index.html", "icon.svg"]) await cp(name, `${into}/${name}`);
