// Clients of Anthropic's SDK, and the request that most checks begin with.

import Anthropic from "@anthropic-ai/sdk";

import { BASE_URL, KEY, ask } from "../checklist.mjs";

export const MODEL = "claude-haiku-4-5";

export function client(options = {}) {
  return new Anthropic({ baseURL: BASE_URL, apiKey: KEY, maxRetries: 0, ...options });
}

export function request(text, fields = {}) {
  return { model: MODEL, max_tokens: 64, messages: [user(text)], ...fields };
}

export function user(text) {
  return { role: "user", content: ask(text) };
}
