import { newFields } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { formatRefusal } from "@vedette/sigma";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compileEventPipelines, type Draft, Pseudonyms, parseEventPipeline, pseudonymKey, runPipelineCases } from "../index.ts";
import { knownPattern, knownPatterns, ownPattern } from "./patterns.ts";
import { masked } from "./pseudonyms.ts";

const draft = (fields: Readonly<Fields>, original = "", id = "e"): Draft => ({
  id,
  time: 0,
  fields: Object.assign(newFields(), fields),
  original,
});
const key = pseudonymKey("a secret of sixteen");
const pseudonyms = new Pseudonyms(key);
/** One pipeline of the given steps. */
function piped(steps: string, file = "p.yml") {
  const made = compileEventPipelines([{ file, text: `steps:\n${steps}` }], pseudonyms);
  expect(made.refused.map(formatRefusal)).toEqual([]);
  return made;
}

const whole = `name: tidy
description: what the load balancer asks, and secrets
steps:
  - name: health checks
    when: "url.path:/healthz and http.response.status_code:200"
    drop: {}
  - redact: { patterns: [password, email, { match: "sess=[0-9a-f]{8}", with: "sess=…" }] }
  - rename: { fields: { labels.usr: user.name, labels.noise: null } }
  - compute: { field: user.name, from: user.name, transform: lowercase }
  - compute: { field: labels.subnet, from: source.ip, transform: { cidr_mask: { v4: 16 } } }
  - compute: { field: labels.both, from: [user.name, source.ip], transform: { concat: { by: "@" } } }
  - when: "event.dataset:noisy"
    route: { class: other, tags: [noisy] }
  - pseudonymise: { fields: [user.name] }
tests:
  - name: a health check goes
    event: { url.path: /healthz, http.response.status_code: 200 }
    expect: dropped
  - name: the rest is tidied
    event: { labels.usr: Ada, labels.noise: x, source.ip: 10.1.2.3, event.dataset: noisy, url.query: "password=hunter2&sess=0123abcd", related.user: [Ada] }
    original: "Ada from 10.1.2.3 with password=hunter2"
    expect: { user.name: "pn_*", labels.usr: null, labels.noise: null, labels.subnet: 10.1.0.0/16, url.query: "password=[redacted]&sess=…", tags: [noisy] }
    expect_class: other
  - name: what is wrong is told
    event: { user.name: root }
    expect: { user.name: toor }
`;

test("a pipeline's own cases say what it does, and what differs from what they expect", () => {
  const results = runPipelineCases({ file: "tidy.yml", text: whole });
  expect(results.map(({ name, line, differences }) => [name, line, differences])).toEqual([
    ["a health check goes", 16, []],
    ["the rest is tidied", 19, []],
    ["what is wrong is told", 24, ['user.name: expected "toor", found "root"']],
  ]);
});

test.each([
  ["steps:\n  - dorp: {}\n", '1:1:… key "dorp": expected one of'],
  ["steps:\n  - drop: {}\n    sample: {keep: 0.5}\n", "step 1 with drop and sample: expected exactly one of"],
  ["steps:\n  - when: 'a:b |head 3'\n    drop: {}\n", "with a pipe: expected a filter alone"],
  ["steps:\n  - when: '(a:b'\n    drop: {}\n", "when: (a:b"],
  ["steps:\n  - sample: {keep: 2}\n", "sample.keep: expected"],
  ["steps:\n  - sample: {kep: 0.5, keep: 0.1}\n", 'sample.kep: expected one of keep, by; did you mean "keep"?'],
  ["steps:\n  - redact: {patterns: [emial]}\n", 'did you mean "email"?'],
  ["steps:\n  - redact: {patterns: [{match: '(a+'}]}\n", "redact: expected settings that can be used"],
  ["steps:\n  - redact: {patterns: [{match: 'a*'}]}\n", "it matches the empty text"],
  ["steps:\n  - redact: {patterns: [{match: 'a', with: '$1'}]}\n", "it has 0 groups; there is no $1"],
  ["steps:\n  - compute: {field: a, from: b, transform: lowercsae}\n", 'no transform "lowercsae"; did you mean "lowercase"?'],
  ["steps:\n  - rename: {fields: {a: vedette.demo}}\n", "fields below vedette. are Vedette's own"],
  ["name: Has Blanks\nsteps:\n  - drop: {}\n", "losses are counted by this name"],
  ["steps: []\n", "no steps"],
  ["steps:\n  - drop: {}\n", "drop without a condition: expected a condition, or every event would be lost"],
  ["when: 'a:b'\nsteps:\n  - drop: {}\n  - route: {tags: [x]}\n", "2 route: expected no step behind one that drops all"],
  [
    "steps:\n  - pseudonymise: {fields: [user.name]}\n  - when: 'user.name:ada'\n    drop: {}\n",
    '2 drop asks for user.name: expected a field that is still there; step "1 pseudonymise" (pseudonymise, line 2) comes before it; put it after',
  ],
  ["steps:\n  - rename: {fields: {a: b}}\n  - compute: {field: c, from: a, transform: trim}\n", "2 compute asks for a"],
  ["- drop\n", "a pipeline that is a list"],
  ["steps:\n  - route: {tags: [x]}\ntests:\n  - event: {a: {b: c}}\n    expect: dropped\n", "write nested fields with dots"],
])("%j is refused: %s", (text, message) => {
  const refused = parseEventPipeline({ file: "p.yml", text });
  expect("message" in refused ? formatRefusal(refused) : "accepted").toContain(message.replace("1:1:… ", ""));
  if ("line" in refused) expect(refused.line).toBeGreaterThan(0);
});

test("a refusal has the line of the very key", () => {
  const refused = parseEventPipeline({
    file: "x.yml",
    text: "steps:\n  - route: { tags: [a] }\n  - sample:\n      keep: 0.5\n      bye: user.name\n",
  });
  expect("message" in refused && formatRefusal(refused)).toBe(
    'x.yml:5:7: event pipeline: sample.bye: expected one of keep, by; did you mean "by"?',
  );
});

test("files take effect in the order of their names; the second of a name is refused", () => {
  const files = [
    { file: "2.yml", text: "name: b\nsteps: [{compute: {field: x, from: x, transform: {concat: {by: ''}}}}, {rename: {fields: {x: y}}}]" },
    { file: "1.yml", text: "name: a\nsteps: [{compute: {field: x, from: x, transform: uppercase}}]" },
    { file: "3.yml", text: "name: a\nsteps: [{route: {tags: [x]}}]" },
  ];
  const made = compileEventPipelines(files, undefined);
  expect(made.documents.map(({ name }) => name)).toEqual(["a", "b"]);
  expect(made.refused.map(formatRefusal)).toEqual([
    "3.yml:1:1: event pipeline: name a: expected a name that 1.yml does not have; losses are counted by it; give each pipeline its own",
  ]);
  const event = draft({ x: "v" });
  expect(made.apply(event)).toBeUndefined();
  expect({ ...event.fields }).toEqual({ y: "V" });
});

test("a sample keeps its share, the same events each time, and together what belongs together", () => {
  const { apply } = piped("  - sample: { keep: 0.25 }\n");
  const kept = (run: string) => Array.from({ length: 4_000 }, (_, i) => apply(draft({}, "", `${run}${i}`)) === undefined);
  expect(kept("a")).toEqual(kept("a"));
  const share = kept("a").filter(Boolean).length / 4_000;
  expect(share).toBeGreaterThan(0.22);
  expect(share).toBeLessThan(0.28);
  const by = piped("  - sample: { keep: 0.5, by: user.name }\n").apply;
  for (const name of ["ada", "bob", "cy", "dora"])
    expect(new Set(Array.from({ length: 20 }, (_, i) => by(draft({ "user.name": name }, "", `e${i}`)))).size).toBe(1);
  expect(apply(draft({}, "", "a0")) ?? "pipeline p: 1 sample").toBe("pipeline p: 1 sample");
});

test("pseudonyms are the same for the same text, differ for others, and come back with the key alone", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), fc.string({ maxLength: 200 }), (a, b) => {
      expect(pseudonyms.of(a) === pseudonyms.of(b)).toBe(a.toWellFormed() === b.toWellFormed());
      expect(pseudonyms.reveal(pseudonyms.of(a))).toBe(a.toWellFormed());
      expect(pseudonyms.of(pseudonyms.of(a))).toBe(pseudonyms.of(a));
      expect(new Pseudonyms(pseudonymKey("another secret 16")).reveal(pseudonyms.of(a))).toBeUndefined();
    }),
    { numRuns: 200, seed: 3 },
  );
  const token = pseudonyms.of("ada");
  expect(token).toMatch(/^pn_[\w-]{26}$/);
  for (let i = 3; i < token.length; i++) {
    const forged = token.slice(0, i) + (token[i] === "A" ? "B" : "A") + token.slice(i + 1);
    if (Buffer.from(forged.slice(3), "base64url").equals(Buffer.from(token.slice(3), "base64url"))) continue;
    expect(pseudonyms.reveal(forged)).toBeUndefined();
  }
  expect(new Pseudonyms(pseudonymKey("another secret 16")).keyId).not.toBe(pseudonyms.keyId);
  expect(pseudonyms.reveal(pseudonyms.of("x".repeat(20_000)))).toBe("x".repeat(16_384));
});

test("a pseudonym stands wherever the name stood, and an original that says it another way is not kept", () => {
  const { apply } = piped("  - pseudonymise: { fields: [user.name, process.command_line] }\n");
  const token = pseudonyms.of("ada");
  const event = draft({ "user.name": "ada", "related.user": ["ada", "root"], message: "for ada, not adam" }, "sshd: ada (adam) ada");
  apply(event);
  expect({ ...event.fields }).toEqual({ "user.name": token, "related.user": [token, "root"], message: `for ${token}, not adam` });
  expect(event.original).toBe(`sshd: ${token} (adam) ${token}`);
  const json = draft({ "process.command_line": 'sh -c "x"' }, JSON.stringify({ cmd: 'sh -c "x"' }));
  apply(json);
  expect(json.original).toBe(JSON.stringify({ cmd: json.fields["process.command_line"] }));
  const parts = draft({ "process.command_line": "sh -c secret" }, 'a0="sh" a1="-c" a2="secret"');
  apply(parts);
  expect(parts.original).toBe("");
  const system = draft({ "user.name": "Root" }, "Root");
  apply(system);
  expect([system.fields["user.name"], system.original]).toEqual(["Root", "Root"]);
});

test("without the key nothing is shown", () => {
  const made = compileEventPipelines([{ file: "p.yml", text: "steps: [{pseudonymise: {fields: [user.name]}}]" }], undefined);
  const event = draft({ "user.name": "ada" }, "ada");
  made.apply(event);
  expect([event.fields["user.name"], event.original]).toEqual([masked, masked]);
});

test.each([
  ["email", "to ada.l+x@example.org!", "to [email]!"],
  ["payment_card", "4111 1111 1111 1111 or 4111 1111 1111 1112", "[payment card] or 4111 1111 1111 1112"],
  ["iban", "DE89 3704 0044 0532 0130 00, DE88370400440532013000", "[iban], DE88370400440532013000"],
  ["password", 'x?password=a&pwd: "b c', 'x?password=[redacted]&pwd: "[redacted] c'],
  ["bearer_token", "Authorization: Bearer abcdefgh.ijk", "Authorization: Bearer [redacted]"],
  ["url_credentials", "https://u:p@host/", "https://[redacted]@host/"],
  ["aws_access_key", "AKIAIOSFODNN7EXAMPLE", "[aws key]"],
  ["private_key", "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- x", "[private key] x"],
  ["jwt", "t=eyJhbGciOiJI.eyJzdWIi.sig_-1;", "t=[jwt];"],
  ["ipv4", "from 10.0.0.1.", "from [ip]."],
])("%s finds what it is for and nothing else", (name, text, expected) => {
  expect(knownPattern(name)(text)).toBe(expected);
});

test("no pattern takes longer than in proportion to the text", () => {
  const hostile = [
    "a@",
    "eyJ-",
    "-eyJ",
    "1 ",
    "1-",
    "x.",
    "password=",
    "://a:",
    "-----BEGIN PRIVATE KEY-----",
    "Bearer ",
    "DE12 ",
    "AKIA",
    "aaaa",
  ];
  const redactors = [...Object.keys(knownPatterns).map(knownPattern), ownPattern("(a|aa)+$", "x", ""), ownPattern("(x+x+)+y", "x", "i")];
  // a pattern that backtracks takes hours for these; the test's watchdog is the bound
  for (const part of hostile) for (const redact of redactors) redact(part.repeat(65_536 / part.length));
});

test("whatever a step is given, it neither throws nor writes what is Vedette's", () => {
  const { apply } = piped(
    [
      "  - redact: { patterns: [email, password, payment_card, ipv4] }",
      "  - compute: { field: a, from: [b, c], transform: { split: { by: ',' } } }",
      "  - compute: { field: b, from: a, transform: to_number }",
      "  - compute: { field: c, from: c, transform: { cidr_mask: {} } }",
      "  - compute: { field: d, from: c, transform: basename }",
      "  - rename: { fields: { d: __proto__ } }",
      "  - pseudonymise: { fields: [c, user.name] }",
      "  - route: { tags: [t] }",
    ].join("\n"),
  );
  const scalar = fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.integer(), fc.boolean(), fc.constant(null));
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.constantFrom("a", "b", "c", "d", "user.name", "tags", "vedette.demo", "__proto__"),
        fc.oneof(scalar, fc.array(scalar)),
      ),
      fc.string(),
      (fields, original) => {
        const event = draft(fields as Fields, original);
        const before = event.fields["vedette.demo"];
        expect(apply(event)).toBeUndefined();
        expect(event.fields["vedette.demo"]).toEqual(before);
        expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
      },
    ),
    { numRuns: 500, seed: 5 },
  );
});
