import { expect, test } from "vitest";
import { isDetectorCases, type Site } from "../../config/site.ts";
import { received, runCases } from "./cases.ts";
import { Collection } from "./collection.ts";
import { runDetectorCases } from "./detector_cases.ts";

const site: Site = { placeholders: {}, detectors: { password_spraying: { users: 4 } } };
const failure = (user: string) => `{ event.category: authentication, event.outcome: failure, source.ip: 203.0.113.9, user.name: ${user} }`;
const line = (n: number, user: string) =>
  `        Nov 21 10:0${n}:00 web1 sshd[1234]: Failed password for ${user} from 203.0.113.9 port 4022 ssh2\n`;
const four = ["ada", "bob", "cyd", "dan"];

/** What the file's checks came to: name and message. */
async function run(text: string) {
  const outcomes = await runDetectorCases([{ file: "d.yml", text }], site, received);
  return outcomes.map(({ line, name, message }) => `${line} ${name}: ${message}`);
}

test("a detector's cases run through decoder and both passes, by the site's settings and the file's over them", async () => {
  const cases = `vedette:
  tests:
    - name: lines
      expect: match
      format: syslog
      raw: |-
${four.map((user, n) => line(n, user)).join("")}    - { name: three, expect: none, events: [${four.slice(1).map(failure).join(", ")}] }
    - { name: wrong, expect: match, events: [${failure("ada")}] }
`;
  expect(await run(`# ours\ndetector: password_spraying\n${cases}`)).toEqual([
    "5 lines: ",
    "13 three: ",
    "14 wrong: expected a finding; there was none",
  ]);
  expect(await run(`detector: password_spraying\nconfig: { users: 3 }\n${cases}`)).toContainEqual(
    expect.stringMatching(/^13 three: expected none; found: 203\.0\.113\.9 failed to log in to 3 accounts/),
  );
});

test.each([
  ["a detector that is none", "detector: password_sprayin\nvedette: { tests: [] }\n", /^1 .*did you mean password_spraying\?/],
  ["settings that are none", "detector: password_spraying\nconfig: { usrs: 3 }\nvedette: { tests: [] }\n", /^2 .*config.*usrs/],
  ["another key", "detector: password_spraying\nvedete: {}\n", /^1 .*/],
  ["broken YAML", "detector: [\n", /^1 /],
])("%s is told of with its place", async (_name, text, message) => {
  expect((await run(text))[0]).toMatch(message);
});

test("a detector needs a case of each kind, and decoding that fails is told", async () => {
  const text = "detector: password_spraying\nvedette: { tests: [{ name: n, expect: none, format: auditd, raw: nonsense }] }\n";
  expect(await run(text)).toEqual([
    "2 has a case that expects match: add one under vedette.tests",
    expect.stringMatching(/^2 n: line does not decode as auditd/),
  ]);
});

test("a correlation's cases see what the detectors find that it takes", async () => {
  const correlation = `title: Sprayed
id: 00000000-0000-4000-8000-000000000001
correlation: { type: event_count, rules: [detector.password_spraying], group-by: [source.ip], timespan: 1h, condition: { gte: 1 } }
level: high
vedette:
  tests:
    - { name: four, expect: match, events: [${four.map(failure).join(", ")}] }
    - { name: one, expect: none, events: [${failure("ada")}] }
`;
  const outcomes = await runCases(new Collection([{ file: "c.yml", text: correlation }], site));
  expect(outcomes.map(({ name, message }) => [name, message])).toEqual([
    ["four", ""],
    ["one", ""],
  ]);
});

test("rules that name a detector anywhere else are rules", () => {
  const of = (text: string) => isDetectorCases({ file: "x.yml", text });
  expect([
    of("detector: a\n"),
    of("title: x\ndetection:\n  s:\n    a: |\n      b\ndetector: y\n"),
    of("title: x\n  detector: y\n"),
  ]).toEqual([true, false, false]);
});
