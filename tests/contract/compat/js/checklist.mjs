// Collects a client's checks, runs them one by one and prints what came of each; imported by every check file.

export const BASE_URL = process.env.COMPAT_BASE_URL;
export const KEY = process.env.COMPAT_KEY;
const CLIENT = process.env.COMPAT_CLIENT;
const ONLY = process.env.COMPAT_ONLY ?? "";
const CONTROL = `${process.env.COMPAT_SIMULATOR_URL}/_simulator`;
// times, numbers and keys differ from run to run, and the length of a body is told by its digest
const UNTOLD = ["number", "request_id", "received_at", "finished_at", "disconnected_at", "key_fingerprint", "output_tokens"];

const checks = new Map();
let current = "";
let asked = 0;

/** Register a check; what it returns is compared. */
export function check(name, run) {
  if (checks.has(name)) throw new Error(`two checks are called ${name}`);
  checks.set(name, run);
}

/** Make a prompt that no cache has seen, and that is the same in every run of this client. */
export function ask(text) {
  asked += 1;
  return `${text} (${CLIENT}, ${current}, ${asked})`;
}

export function assert(holds, message) {
  if (!holds) throw new Error(message);
}

/** Return what the call raises. */
export async function raised(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was raised");
}

/** Return what the call returns, or raises. */
export async function either(call) {
  try {
    return await call();
  } catch (error) {
    return error;
  }
}

export async function collect(items) {
  const collected = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/** Say what the next requests get: `{status: 529, times: 2}`. */
export async function script(order) {
  await control("/script", { method: "POST", body: JSON.stringify(order) });
}

export async function run() {
  for (const [name, one] of checks) {
    if (!name.includes(ONLY)) continue;
    [current, asked] = [name, 0];
    const log = await control("/log");
    const since = log.length ? log.at(-1).number + 1 : 1;
    const outcome = await outcomeOf(one);
    console.log(JSON.stringify({ check: name, ...outcome, received: await received(since) }));
    await control("/script", { method: "DELETE" });
  }
}

async function outcomeOf(one) {
  try {
    return { outcome: plain(await one()) ?? null };
  } catch (error) {
    console.error(error);
    return { failed: `${error?.constructor?.name}: ${error?.message}` };
  }
}

async function received(since) {
  const deadline = Date.now() + 10_000;
  let entries = await control(`/log?since=${since}`);
  while (entries.some((entry) => entry.finished_at === null) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20)); // the log can be awaited for one entry, not for several
    entries = await control(`/log?since=${since}`);
  }
  return entries.map((entry) => {
    const told = Object.fromEntries(Object.entries(entry).filter(([name]) => !UNTOLD.includes(name)));
    const { "content-length": _, ...headers } = entry.headers;
    return { ...told, headers, client_left: entry.disconnected_at !== null };
  });
}

async function control(path, options) {
  const answer = await fetch(CONTROL + path, options);
  if (!answer.ok) throw new Error(`the simulator's control API answered ${answer.status}`);
  return answer.json();
}

/** Return values as JSON can hold them: headers, errors, bytes. */
export function plain(value) {
  if (value instanceof Headers) return Object.fromEntries(value);
  if (value instanceof Error) return plainError(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  if (Array.isArray(value)) return value.map((item) => plain(item) ?? null);
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined && typeof item !== "function");
    return Object.fromEntries(entries.map(([name, item]) => [name, plain(item)]));
  }
  return value;
}

const TOLD = ["status", "code", "param", "type", "error", "requestID", "statusCode", "responseBody", "isRetryable", "reason", "data"];

/** Return everything about an error that code can tell apart. */
function plainError(error) {
  const told = { class: error.constructor.name, message: error.message };
  for (const name of TOLD) if (error[name] !== undefined) told[name] = plain(error[name]);
  const headers = error.headers ?? error.responseHeaders;
  if (headers) told.headers = plain(headers);
  if (error.lastError) told.last = plain(error.lastError);
  if (error.cause instanceof Error) told.cause = error.cause.constructor.name;
  return told;
}
