// `run.mjs <folder>`: runs the checks of every file in a folder beside this one; started by the suite for each client.

import { readdir } from "node:fs/promises";

import { run } from "./checklist.mjs";

const folder = new URL(`./${process.argv[2]}/`, import.meta.url);
const files = (await readdir(folder)).filter((name) => name.startsWith("checks_"));
for (const file of files.sort()) await import(new URL(file, folder));
await run();
