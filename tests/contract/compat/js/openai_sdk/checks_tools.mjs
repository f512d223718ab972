// Tools in chat completions.

import { assert, check } from "../checklist.mjs";
import { MODEL, WITH_USAGE, client, request, user } from "./connect.mjs";

const SCHEMA = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const WEATHER = { type: "function", function: { name: "weather", description: "of a city", parameters: SCHEMA } };
const CLOCK = { type: "function", function: { name: "clock" } };

check("tool_call", async () => {
  const completion = await client().chat.completions.create(request("weather? [tool]", { tools: [WEATHER, CLOCK] }));
  assert(completion.choices[0].finish_reason === "tool_calls", "no tool was called");
  return completion;
});

check("tool_call_in_a_stream", () =>
  client().chat.completions.stream(request("[tool]", { tools: [WEATHER], ...WITH_USAGE })).finalChatCompletion());

check("forced_tool", () => {
  const tool_choice = { type: "function", function: { name: "clock" } };
  return client().chat.completions.create(request("?", { tools: [WEATHER, CLOCK], tool_choice }));
});

check("tool_round_trip", async () => {
  const asked = [user("weather? [tool]")];
  const first = await client().chat.completions.create({ model: MODEL, tools: [WEATHER], messages: asked });
  const { message } = first.choices[0];
  const results = message.tool_calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: "sunny" }));
  const messages = [...asked, message, ...results];
  return [first, await client().chat.completions.create({ model: MODEL, tools: [WEATHER], messages })];
});

check("tool_runner", () => {
  const run = ({ city }) => `sunny in ${city}`;
  const tool = { type: "function", function: { ...WEATHER.function, function: run, parse: JSON.parse } };
  return client().chat.completions.runTools(request("weather? [tool]", { tools: [tool] })).finalContent();
});
