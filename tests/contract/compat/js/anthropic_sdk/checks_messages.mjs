// Messages, whole and streamed, and what they are made of.

import { assert, check, collect, either, plain } from "../checklist.mjs";
import { MODEL, client, request, user } from "./connect.mjs";

const ODD = 'U+2028 \u2028 NUL \x00 BOM \ufeff "quotes" \\back\\ \r\n tab\t 👩‍👩‍👧 e\u0301 \u202eעברית 漢字 \x7f \x85';
const GIF = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

check("create", async () => {
  const message = await client().messages.create(request("hello [words=7]"));
  assert(message.content[0].text.split(" ").length === 7, "not seven words");
  return message;
});

check("raw_response", async () => {
  const { data, response, request_id } = await client().messages.create(request("hello")).withResponse();
  return { data, status: response.status, headers: response.headers, request_id };
});

check("request_id_is_on_the_message", async () => {
  const message = await client().messages.create(request("hello"));
  assert(message._request_id, "the SDK found no request-id header");
  return message._request_id;
});

check("a_bearer_token_and_a_key", async () => {
  const { apiKey } = client();
  const clients = [client({ apiKey: null, authToken: apiKey }), client({ defaultHeaders: { "x-api-key": apiKey } })];
  // one after the other: what was received is compared in order
  return [await clients[0].messages.create(request("hello")), await clients[1].messages.create(request("hello"))];
});

check("both_versions_and_an_unknown_one", async () => {
  const outcomes = [];
  for (const version of ["2023-06-01", "2026-10-21", "1999-01-01"]) {
    const one = client({ defaultHeaders: { "anthropic-version": version } });
    outcomes.push(await either(() => one.messages.create(request("hello", { temperature: 0.5 }))));
  }
  return outcomes;
});

check("system_blocks_metadata_and_cache_control", () => {
  const system = [{ type: "text", text: "Be brief. ".repeat(300), cache_control: { type: "ephemeral", ttl: "1h" } }];
  const fields = { system, metadata: { user_id: "user-7" }, service_tier: "standard_only", stop_sequences: ["END"] };
  return client().messages.create(request("hello [usage=in:100,out:50,read:20,write:5]", fields));
});

check("unknown_fields_headers_and_query_reach_the_provider", () => {
  const options = { headers: { "anthropic-beta": "not-invented-yet-2027-01-01" }, query: { beta: "true" } };
  return client().messages.create(request("hello", { not_invented_yet: { deep: [1, 2.5, null] } }), options);
});

check("beta_namespace", () => client().beta.messages.create(request("hello", { betas: ["files-api-2025-04-14"] })));

check("unusual_text_comes_back_unharmed", () => client().messages.create(request(`[echo] ${ODD}`)));

check("pictures_and_documents", () => {
  const content = [
    { type: "image", source: { type: "base64", media_type: "image/gif", data: GIF } },
    { type: "image", source: { type: "url", url: "https://example.com/a%20b.png?x=1&y=2" } },
    { type: "document", source: { type: "base64", media_type: "application/pdf", data: "JVBERi0xLjQK" } },
    { type: "text", text: user("what is this?").content },
  ];
  return client().messages.create({ model: MODEL, max_tokens: 64, messages: [{ role: "user", content }] });
});

check("stream_of_raw_events", async () => {
  const events = await collect(await client().messages.create(request("hello [words=9]", { stream: true })));
  assert(events.at(-1).type === "message_stop", "no final event");
  return events;
});

check("stream_helper", async () => {
  const stream = client().messages.stream(request("hello [words=9]"));
  const pieces = [];
  stream.on("text", (text) => pieces.push(text));
  const message = await stream.finalMessage();
  return { pieces, message, text: await stream.finalText() };
});

check("stream_helper_events", async () => {
  const stream = client().messages.stream(request("hello [words=9]"));
  return (await collect(stream)).map((event) => event.type);
});

check("stream_headers", async () => {
  const { data, response } = await client().messages.create(request("hello", { stream: true })).withResponse();
  await collect(data);
  return plain(response.headers);
});

check("stream_as_bytes", async () => {
  const response = await client().messages.create(request("hello", { stream: true })).asResponse();
  return response.text();
});

check("stream_of_unusual_text", () => client().messages.stream(request(`[echo] data: x\n\n ${ODD}`)).finalMessage());

check("stream_with_a_pause_between_events", () =>
  client().messages.stream(request("hello [words=9] [pace=0.01]")).finalMessage());

check("stream_of_many_events", async () => {
  const asked = { ...request("hello [words=3000]"), max_tokens: 4000 };
  const message = await client().messages.stream(asked).finalMessage();
  assert(message.usage.output_tokens === 3000, "not 3000 words");
  return message;
});

check("closing_a_stream_early", async () => {
  const asked = { ...request("go on [words=500] [pace=0.01]", { stream: true }), max_tokens: 600 };
  const seen = [];
  for await (const event of await client().messages.create(asked)) {
    seen.push(event.type);
    if (seen.length === 8) break;
  }
  return { seen, after: await client().messages.create(request("and now [words=3]")) };
});

check("aborting_a_stream", async () => {
  const stream = client().messages.stream({ ...request("go on [words=500] [pace=0.01]"), max_tokens: 600 });
  stream.once("text", () => stream.abort());
  return either(() => stream.finalMessage());
});
