// Tools and structured output.

import { betaZodTool } from "@anthropic-ai/sdk/helpers/beta/zod";
import { z } from "zod";

import { assert, check } from "../checklist.mjs";
import { MODEL, client, request, user } from "./connect.mjs";

const SCHEMA = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const WEATHER = { name: "weather", description: "weather of a city", input_schema: SCHEMA };
const CLOCK = { name: "clock", description: "time in a city", input_schema: { type: "object", properties: {} } };

check("tool_call", async () => {
  const message = await client().messages.create(request("weather? [tool]", { tools: [WEATHER, CLOCK] }));
  assert(message.stop_reason === "tool_use", "no tool was called");
  return message;
});

check("tool_call_in_a_stream", async () => {
  const stream = client().messages.stream(request("weather? [tool]", { tools: [WEATHER] }));
  const pieces = [];
  stream.on("inputJson", (piece) => pieces.push(piece));
  return { pieces, message: await stream.finalMessage() };
});

check("forced_tool", () =>
  client().messages.create(
    request("what?", { tools: [WEATHER, CLOCK], tool_choice: { type: "tool", name: "clock" } }),
  ));

check("tool_round_trip", async () => {
  const asked = [user("weather? [tool]")];
  const first = await client().messages.create({ model: MODEL, max_tokens: 64, tools: [WEATHER], messages: asked });
  const results = first.content
    .filter((block) => block.type === "tool_use")
    .map((block) => ({ type: "tool_result", tool_use_id: block.id, content: "sunny, 21 degrees" }));
  const messages = [...asked, { role: "assistant", content: first.content }, { role: "user", content: results }];
  return [first, await client().messages.create({ model: MODEL, max_tokens: 64, tools: [WEATHER], messages })];
});

check("tool_runner", () => {
  const run = ({ city }) => `sunny in ${city}`;
  const tool = betaZodTool({ name: "weather", description: "of a city", inputSchema: z.object({ city: z.string() }), run });
  // without a thread, which is state that the simulator does not keep
  return client().beta.messages.toolRunner({ ...request("weather? [tool]", { tools: [tool] }), thread: false });
});
