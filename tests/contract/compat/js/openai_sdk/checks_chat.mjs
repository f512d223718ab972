// Chat completions, whole and streamed, and what they are made of.

import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";

import { ask, assert, check, collect, plain } from "../checklist.mjs";
import { MODEL, WITH_USAGE, client, request, user } from "./connect.mjs";

const ODD = 'U+2028 \u2028 NUL \x00 BOM \ufeff "quotes" \\back\\ \r\n tab\t 👩‍👩‍👧 e\u0301 \u202eעברית 漢字 \x7f \x85';
const GIF = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

check("create", async () => {
  const completion = await client().chat.completions.create(request("hello [words=7]"));
  assert(completion.choices[0].message.content.split(" ").length === 7, "not seven words");
  return completion;
});

check("raw_response", async () => {
  const { data, response, request_id } = await client().chat.completions.create(request("hello")).withResponse();
  return { data, status: response.status, headers: response.headers, request_id };
});

check("organization_and_project_reach_the_provider", async () => {
  const ours = client({ organization: "org-ours", project: "proj_ours" });
  return (await ours.chat.completions.create(request("hello")).withResponse()).response.headers;
});

check("several_choices_and_log_probabilities", () =>
  client().chat.completions.create(request("hello [words=4]", { n: 2, logprobs: true, top_logprobs: 2 })));

check("every_other_parameter", () => {
  const labels = { metadata: { run: "7" }, user: "ann", store: true, prompt_cache_key: "k", service_tier: "flex" };
  const sampling = { temperature: 0.5, top_p: 0.9, seed: 7, stop: ["END"], logit_bias: { 50256: -100 } };
  return client().chat.completions.create(request("hello", { ...labels, ...sampling, max_completion_tokens: 5 }));
});

check("unknown_fields_and_headers_reach_the_provider", () => {
  const options = { headers: { "OpenAI-Beta": "not-invented-yet=v9" }, query: { "api-version": "2027-01-01" } };
  return client().chat.completions.create(request("hello", { not_invented_yet: { deep: [1, 2.5, null] } }), options);
});

check("structured_output_is_parsed", async () => {
  const system = { role: "system", content: ask("Answer in JSON.") };
  const messages = [system, { role: "user", content: '[echo]{"city":"Paris"}' }];
  const response_format = zodResponseFormat(z.object({ city: z.string() }), "city");
  const completion = await client().chat.completions.parse({ model: MODEL, messages, response_format });
  assert(completion.choices[0].message.parsed.city === "Paris", "it was not parsed");
  return completion;
});

check("pictures_and_files", () => {
  const content = [
    { type: "image_url", image_url: { url: GIF, detail: "low" } },
    { type: "image_url", image_url: { url: "https://example.com/a%20b.png?x=1&y=2" } },
    { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0xLjQK" } },
    { type: "text", text: user("what is this?").content },
  ];
  return client().chat.completions.create({ model: MODEL, messages: [{ role: "user", content }] });
});

check("unusual_text_comes_back_unharmed", () => client().chat.completions.create(request(`[echo] ${ODD}`)));

check("stream_with_usage", async () => {
  const chunks = await collect(await client().chat.completions.create(request("hello [words=9]", WITH_USAGE)));
  assert(chunks.filter((chunk) => chunk.usage).length === 1, "not one usage");
  return chunks;
});

check("stream_without_usage", async () =>
  collect(await client().chat.completions.create(request("hello [words=9]", { stream: true }))));

check("stream_helper", async () => {
  const stream = client().chat.completions.stream(request("hello [words=9]", WITH_USAGE));
  const pieces = [];
  stream.on("content", (delta) => pieces.push(delta));
  return { pieces, completion: await stream.finalChatCompletion(), usage: await stream.totalUsage() };
});

check("stream_headers", async () => {
  const asked = request("hello", WITH_USAGE);
  const { data, response } = await client().chat.completions.create(asked).withResponse();
  await collect(data);
  return plain(response.headers);
});

check("stream_as_bytes", async () => {
  const response = await client().chat.completions.create(request("hello", WITH_USAGE)).asResponse();
  return response.text();
});

check("stream_of_unusual_text", async () =>
  collect(await client().chat.completions.create(request(`[echo] data: [DONE]\n\n ${ODD}`, WITH_USAGE))));

check("stream_of_many_chunks", async () => {
  const chunks = await collect(await client().chat.completions.create(request("hello [words=3000]", WITH_USAGE)));
  return chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? "").join("");
});

check("closing_a_stream_early", async () => {
  let seen = 0;
  for await (const _ of await client().chat.completions.create(request("[words=500] [pace=0.01]", WITH_USAGE))) {
    seen += 1;
    if (seen === 8) break;
  }
  return client().chat.completions.create(request("and now [words=3]"));
});
