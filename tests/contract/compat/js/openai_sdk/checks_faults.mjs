// What goes wrong: every status, retries, cut and stalled answers, time-outs; and what is neither chat nor stream.

import { check, collect, either, raised, script } from "../checklist.mjs";
import { WITH_USAGE, client, request } from "./connect.mjs";

const STATUSES = [400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529];

for (const status of STATUSES) {
  check(`error_${status}`, async () => ({
    whole: await raised(() => client().chat.completions.create(request(`hello [status=${status}]`))),
    streamed: await raised(() => client().chat.completions.create(request(`hello [status=${status}]`, WITH_USAGE))),
  }));
}

for (const status of [409, 429, 529]) {
  check(`retry_after_${status}`, async () => {
    await script({ status, times: 1 });
    return client({ maxRetries: 2 }).chat.completions.create(request("hello"));
  });
}

for (const status of [400, 401, 402, 403, 413]) {
  check(`no_retry_after_${status}`, async () => {
    await script({ status, times: 1 });
    return either(() => client({ maxRetries: 2 }).chat.completions.create(request("hello")));
  });
}

check("retries_run_out", async () => {
  await script({ status: 500, times: 3 });
  return either(() => client({ maxRetries: 2 }).chat.completions.create(request("hello")));
});

check("cut_answer", () => either(() => client().chat.completions.create(request("hello [words=60] [cut=30]"))));

check("cut_stream", () => streamed("hello [words=60] [cut=30]"));

check("stalled_answer", () => either(() => client({ timeout: 700 }).chat.completions.create(request("hello [stall=5]"))));

check("timeout_of_a_whole_answer", () =>
  either(() => client({ timeout: 500 }).chat.completions.create(request("hello [delay=20]"))));

check("error_of_a_missing_field", () => raised(() => client().post("/chat/completions", { body: { model: "gpt-6-luna" } })));

check("error_of_an_unknown_path", async () => {
  const error = await raised(() => client().post("/no/such/path", { body: {} }));
  return { class: error.constructor.name, status: error.status };
});

check("models_list", async () => {
  const page = await client().models.list();
  return { page: Object.keys(page.body ?? {}).sort(), fields: fieldsOf(page.data) };
});

check("model_by_its_id", async () => {
  const [first] = (await client().models.list()).data;
  const found = await client().models.retrieve(first.id);
  return { same: found.id === first.id, fields: fieldsOf([found]) };
});

check("a_model_that_there_is_not", async () => {
  const error = await raised(() => client().models.retrieve("no-such-model"));
  return { class: error.constructor.name, code: error.code };
});

async function streamed(text) {
  const seen = [];
  try {
    for await (const event of await client().chat.completions.create(request(text, WITH_USAGE))) seen.push(event.object);
  } catch (error) {
    return { seen, error };
  }
  return { seen, error: null };
}

function fieldsOf(models) {
  return ["id", "object", "created", "owned_by"].map((name) => typeof models[0][name]); // more may be told
}
