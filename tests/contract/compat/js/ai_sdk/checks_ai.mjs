// Vercel's ai with both vendors' providers; OpenAI's speaks chat completions here.

import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { generateObject, generateText, stepCountIs, streamObject, streamText, tool } from "ai";
import { z } from "zod";

import { BASE_URL, KEY, ask, assert, check, collect, either, script } from "../checklist.mjs";

const anthropic = createAnthropic({ baseURL: `${BASE_URL}/v1`, apiKey: KEY });
const openai = createOpenAI({ baseURL: `${BASE_URL}/v1`, apiKey: KEY });
const MODELS = { anthropic: anthropic("claude-haiku-4-5"), openai: openai.chat("gpt-4.1") };
const ONCE = { maxRetries: 0, maxOutputTokens: 200 };
const weather = tool({
  description: "weather of a city",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`,
});

for (const [vendor, model] of Object.entries(MODELS)) {
  check(`${vendor}_generate_text`, async () => told(await generateText({ model, prompt: ask("hi [words=7]"), ...ONCE })));

  check(`${vendor}_system_and_turns`, async () => {
    const messages = [
      { role: "user", content: ask("hello") },
      { role: "assistant", content: "Hello." },
      { role: "user", content: [{ type: "text", text: ask("and this?") }, { type: "image", image: new URL("https://example.com/a.png") }] },
    ];
    return told(await generateText({ model, system: "Be brief.", messages, ...ONCE }));
  });

  check(`${vendor}_stream_text`, async () => streamTold(streamText({ model, prompt: ask("hi [words=9]"), ...ONCE })));

  check(`${vendor}_tools`, async () => {
    const asked = { model, tools: { weather }, prompt: ask("weather? [tool]"), stopWhen: stepCountIs(1) };
    return told(await generateText({ ...asked, ...ONCE }));
  });

  check(`${vendor}_tool_round_trip`, async () => {
    const asked = { model, tools: { weather }, prompt: ask("weather? [tool]"), stopWhen: stepCountIs(2) };
    const result = await generateText({ ...asked, ...ONCE });
    assert(result.text.includes("sunny"), "the tool's result was not answered");
    return { ...told(result), steps: result.steps.map((step) => step.finishReason) };
  });

  check(`${vendor}_tools_in_a_stream`, async () => {
    const asked = { model, tools: { weather }, prompt: ask("weather? [tool]"), stopWhen: stepCountIs(1) };
    return streamTold(streamText({ ...asked, ...ONCE }));
  });

  check(`${vendor}_generate_object`, async () => {
    const asked = { model, schema: z.object({ city: z.string() }), system: ask("Answer."), prompt: '[echo]{"city":"Paris"}' };
    return (await either(() => generateObject({ ...asked, ...ONCE })).then((result) => result.object ?? result));
  });

  check(`${vendor}_stream_object`, async () => {
    const asked = { model, schema: z.object({ city: z.string() }), system: ask("Answer!"), prompt: '[echo]{"city":"Paris"}' };
    const result = streamObject({ ...asked, ...ONCE, onError: () => {} });
    return { parts: await collect(result.partialObjectStream), object: await either(() => result.object) };
  });

  for (const status of [400, 401, 402, 403, 404, 413, 422, 429, 500, 503, 529]) {
    check(`${vendor}_error_${status}`, async () =>
      errorTold(await either(() => generateText({ model, prompt: ask(`hi [status=${status}]`), ...ONCE }))));
  }

  check(`${vendor}_error_in_a_stream`, () =>
    streamTold(streamText({ model, prompt: ask("hi [status=529]"), ...ONCE, onError: () => {} })));

  check(`${vendor}_cut_stream`, async () => {
    const parts = await streamTold(streamText({ model, prompt: ask("hi [words=60] [cut=30]"), ...ONCE, onError: () => {} }));
    assert(parts.some(({ error }) => error), "a cut stream looks complete");
    return parts;
  });

  check(`${vendor}_retry_after_529`, async () => {
    await script({ status: 529, times: 1 });
    return told(await generateText({ model, prompt: ask("hi"), maxRetries: 1, maxOutputTokens: 200 }));
  });
}

function told({ text, finishReason, usage, toolCalls, toolResults, response, warnings }) {
  const { headers, body } = response;
  return { text, finishReason, usage, toolCalls: toolCalls.map(callTold), toolResults: toolResults.map(callTold), headers, body, warnings };
}

function callTold({ toolName, input, output }) {
  return { toolName, input, output };
}

async function streamTold(result) {
  const parts = [];
  try {
    for await (const part of result.fullStream) parts.push(part);
  } catch (error) {
    parts.push({ type: "raised", error });
  }
  return parts.map(({ type, text, delta, finishReason, totalUsage, error }) => ({
    type, text, delta, finishReason, totalUsage, error: error && errorTold(error),
  }));
}

function errorTold(error) {
  const { statusCode, isRetryable, responseBody, responseHeaders, data, message } = error;
  return { class: error.constructor.name, message, statusCode, isRetryable, responseBody, responseHeaders, data };
}
