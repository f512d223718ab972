// Clients of OpenAI's SDK, and the request that most checks begin with.

import OpenAI from "openai";

import { BASE_URL, KEY, ask } from "../checklist.mjs";

export const MODEL = "gpt-4.1";
export const WITH_USAGE = { stream: true, stream_options: { include_usage: true } };

export function client(options = {}) {
  return new OpenAI({ baseURL: `${BASE_URL}/v1`, apiKey: KEY, maxRetries: 0, ...options });
}

export function request(text, fields = {}) {
  return { model: MODEL, messages: [user(text)], ...fields };
}

export function user(text) {
  return { role: "user", content: ask(text) };
}
