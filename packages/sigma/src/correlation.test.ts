import { expect, test } from "vitest";
import { type CorrelationFinding, Correlator } from "./correlate.ts";
import { type CorrelationSet, linkCorrelations } from "./link.ts";
import { parsePipeline } from "./pipeline.ts";
import { formatRefusal } from "./refusal.ts";
import { parseRules } from "./rule.ts";

const rule = (name: string) =>
  `title: Rule ${name}\nname: ${name}\nlogsource: {product: x}\ndetection: {s: {kind: ${name}}, condition: s}\n---\n`;
const rules = rule("a") + rule("b") + rule("c");
const correlation = (body: string, more = "") => `title: Together\nid: together\ncorrelation: {${body}}\n${more}`;

function link(text: string): CorrelationSet {
  const parsed = parseRules(rules + text, "x.yml");
  expect(parsed.refused).toEqual([]);
  const set = linkCorrelations(parsed.correlations, parsed.rules);
  expect(set.refused).toEqual([]);
  return set;
}

const second = 1_000_000;
type Fed = readonly [seconds: number, kind: string, fields?: { readonly [field: string]: string | number | readonly string[] }];

/** The final episodes as `start-end count figure`, each once. */
function episodes(set: CorrelationSet, fed: readonly Fed[]): string[] {
  const correlator = new Correlator(set);
  const found = new Map<string, string>();
  const keep = (findings: readonly CorrelationFinding[]) => {
    for (const f of findings)
      if (!f.silent)
        found.set(
          `${f.correlation.rule.id} ${f.key} ${f.start}`,
          `${f.key ? `${f.key} ` : ""}${f.start / second}-${f.end / second} ${f.count} ${f.figure}`,
        );
  };
  for (const [i, [at, kind, fields]] of fed.entries())
    keep(
      correlator.add({ id: `e${i}`, time: at * second, fields: { ...fields } }, kind === "" ? [] : kind.split("+").map((k) => `rule-${k}`)),
    );
  keep(correlator.finish());
  return [...found.values()];
}

test.each<[string, string, readonly Fed[], readonly string[], string?]>([
  [
    "event_count counts per key",
    "type: event_count, rules: [a], group-by: user, timespan: 10s, condition: {gte: 3}",
    [
      [0, "a", { user: "x" }],
      [1, "a", { user: "y" }],
      [4, "a", { user: "x" }],
      [5, "b", { user: "x" }],
      [10, "a", { user: "x" }],
      [11, "a", { user: "x" }],
    ],
    ["x 0-11 4 4 events"],
  ],
  [
    "event_count: the window's end is part of it, what is older is not",
    "type: event_count, rules: [a], timespan: 10s, condition: {gte: 2}",
    [
      [0, "a"],
      [10, "a"],
      [30, "a"],
      [41, "a"],
    ],
    ["0-10 2 2 events"],
  ],
  [
    "an episode goes on while the condition holds, and its events are used up when it lapses",
    "type: event_count, rules: [a], timespan: 10s, condition: {gte: 3}",
    [
      [0, "a"],
      [1, "a"],
      [2, "a"],
      [9, "a"],
      [17, "a"],
      [18, "a"],
      [19, "a"],
    ],
    ["0-9 4 4 events", "17-19 3 3 events"],
  ],
  [
    "a range needs both bounds",
    "type: event_count, rules: [a], timespan: 10s, condition: {gte: 2, lt: 3}",
    [
      [0, "a"],
      [1, "a"],
    ],
    ["0-10 2 2 events"],
  ],
  [
    "a bound from above is asked when the window is over: too many are too many, and the next window begins with the next event",
    "type: event_count, rules: [a], timespan: 10s, condition: {lt: 3}",
    [
      [0, "a"],
      [1, "a"],
      [10, "a"],
      [11, "a"],
      [30, "a"],
    ],
    ["11-21 1 1 events", "30-40 1 1 events"],
  ],
  [
    "exactly so many, per key, in a tumbling window",
    "type: event_count, rules: [a], group-by: user, timespan: 10s, condition: {eq: 2}",
    [
      [1, "a", { user: "x" }],
      [2, "a", { user: "y" }],
      [9, "a", { user: "x" }],
      [10, "a", { user: "x" }],
      [12, "a", { user: "y" }],
      [13, "a", { user: "y" }],
      [14, "a", { user: "y" }],
    ],
    ["x 0-10 2 2 events"],
    "vedette: {window: tumbling}\n",
  ],
  [
    "few different values in a session, which ends with silence",
    "type: value_count, rules: [a], timespan: 1h, condition: {lte: 1, field: ip}",
    [
      [0, "a", { ip: 1 }],
      [4, "a", { ip: 1 }],
      [20, "a", { ip: 1 }],
      [22, "a", { ip: 2 }],
    ],
    ["0-9 1 1 different ip"],
    "vedette: {window: session, gap: 5s}\n",
  ],
  [
    "a sum within bounds",
    "type: value_sum, rules: [a], group-by: user, timespan: 10s, condition: {gt: 1, lt: 5, field: n}",
    [
      [0, "a", { user: "x", n: 2 }],
      [5, "a", { user: "y", n: 7 }],
      [50, "b"],
    ],
    ["x 0-10 1 sum of n 2"],
  ],
  [
    "an event without the field it groups by counts nowhere; a list counts for each of its values",
    "type: event_count, rules: [a], group-by: [user, host], timespan: 10s, condition: {gte: 2}",
    [
      [0, "a", { user: "x" }],
      [1, "a", { user: ["x", "y"] as never, host: "h" }],
      [2, "a", { user: "y", host: "h" }],
    ],
    ['["y","h"] 1-2 2 2 events'],
  ],
  [
    "value_count counts different values",
    "type: value_count, rules: [a], group-by: ip, timespan: 10s, condition: {gte: 3, field: user}",
    [
      [0, "a", { ip: 1, user: "x" }],
      [1, "a", { ip: 1, user: "x" }],
      [2, "a", { ip: 1, user: "y" }],
      [3, "a", { ip: 1 }],
      [11, "a", { ip: 1, user: "z" }],
    ],
    ["1 1-11 3 3 different user"],
  ],
  [
    "value_count over several fields counts their combinations",
    "type: value_count, rules: [a], timespan: 10s, condition: {gt: 1, field: [user, host]}",
    [
      [0, "a", { user: "x", host: "h" }],
      [1, "a", { user: "x", host: "h" }],
      [2, "a", { user: "x" }],
      [3, "a", { user: "x", host: "i" }],
    ],
    ["1-3 2 2 different user with host"],
  ],
  [
    "value_sum adds what is a number",
    "type: value_sum, rules: [a], timespan: 10s, condition: {gt: 100, field: bytes}",
    [
      [0, "a", { bytes: 60 }],
      [1, "a", { bytes: "many" }],
      [2, "a", { bytes: "40.5" }],
      [20, "a", { bytes: 60 }],
    ],
    ["0-2 2 sum of bytes 100.5"],
  ],
  [
    "value_avg",
    "type: value_avg, rules: [a], timespan: 10s, condition: {gte: 5, field: n}",
    [
      [0, "a", { n: 1 }],
      [1, "a", { n: 8 }],
      [2, "a", { n: 6 }],
    ],
    ["0-2 3 average of n 5"],
  ],
  [
    "value_median",
    "type: value_median, rules: [a], timespan: 10s, condition: {gt: 4, field: n}",
    [
      [0, "a", { n: 1 }],
      [1, "a", { n: 2 }],
      [2, "a", { n: 7 }],
      [3, "a", { n: 9 }],
    ],
    ["0-3 4 median of n 4.5"],
  ],
  [
    "value_percentile",
    "type: value_percentile, rules: [a], timespan: 10s, condition: {gte: 40, field: n, percentile: 75}",
    [
      [0, "a", { n: 10 }],
      [1, "a", { n: 20 }],
      [2, "a", { n: 30 }],
      [3, "a", { n: 40 }],
      [4, "a", { n: 50 }],
    ],
    ["0-4 5 percentile 75 of n 40"],
  ],
  [
    "temporal needs every rule, in any order",
    "type: temporal, rules: [a, b], group-by: host, timespan: 10s",
    [
      [0, "b", { host: "h" }],
      [1, "a", { host: "i" }],
      [9, "a", { host: "h" }],
      [30, "a", { host: "i" }],
      [41, "b", { host: "i" }],
    ],
    ["h 0-9 2 a, b"],
  ],
  ["one event may be what two rules need", "type: temporal, rules: [a, b], timespan: 10s", [[3, "a+b"]], ["3-3 1 a, b"]],
  [
    "temporal with a number needs so many of the rules",
    "type: temporal, rules: [a, b, c], timespan: 10s, condition: {gte: 2}",
    [
      [0, "a"],
      [1, "a"],
      [2, "c"],
    ],
    ["1-2 2 a, c"],
  ],
  [
    "temporal with a boolean condition",
    "type: temporal, rules: [a, b, c], timespan: 10s, condition: a and (b or not c)",
    [
      [0, "c"],
      [1, "a"],
      [5, "b"],
      [30, "a"],
    ],
    ["1-5 2 a, b", "30-30 1 a"],
  ],
  [
    "the rules of a boolean condition need no list",
    "type: temporal, timespan: 10s, condition: a and not b",
    [
      [0, "b"],
      [1, "a"],
      [12, "a"],
    ],
    ["12-12 1 a"],
  ],
  [
    "temporal_ordered needs them in order; the latest beginning counts",
    "type: temporal_ordered, rules: [a, b, c], timespan: 10s",
    [
      [0, "b"],
      [1, "a"],
      [2, "c"],
      [8, "a"],
      [9, "b"],
      [12, "c"],
    ],
    ["8-12 3 a, then b, then c"],
  ],
  [
    "temporal_ordered: the same rule twice needs two events",
    "type: temporal_ordered, rules: [a, a, b], timespan: 10s",
    [
      [0, "a"],
      [1, "b"],
      [2, "a"],
      [3, "b"],
    ],
    ["0-3 3 a, then a, then b"],
  ],
  [
    "temporal_ordered with a boolean condition keeps the order of what it needs",
    "type: temporal_ordered, rules: [a, b, c], timespan: 10s, condition: (a or b) and c",
    [
      [0, "c"],
      [1, "b"],
      [2, "c"],
    ],
    ["1-2 2 b, then c"],
  ],
])("%s", (_name, body, fed, expected, more) => {
  expect(episodes(link(correlation(body, more)), fed)).toEqual(expected);
});

const count = "type: event_count, rules: [a], timespan: 10s, condition: {gte: 2}";
test.each<[string, readonly Fed[], readonly string[]]>([
  [
    "type: event_count, rules: [a], timespan: 10s, condition: {gte: 3}",
    [
      [0, "a"],
      [1, "a"],
      [20, "a"],
    ],
    ["1 events < at least 3", "2 events < at least 3", "1 events < at least 3"],
  ],
  [
    "type: event_count, rules: [a], timespan: 10s, condition: {gt: 1, lt: 3}",
    [
      [0, "a"],
      [1, "a"],
      [2, "a"],
    ],
    ["1 events < more than 1", "2 events < ", "3 events < less than 3"],
  ],
  [
    "type: value_count, rules: [a], timespan: 10s, condition: {gte: 2, field: ip}",
    [
      [0, "a", { ip: "1" }],
      [1, "a", { ip: "1" }],
      [2, "a", { ip: "2" }],
    ],
    ["1 different ip < at least 2", "1 different ip < at least 2", "2 different ip < "],
  ],
  [
    "type: value_sum, rules: [a], timespan: 10s, condition: {gte: 5, field: n}",
    [
      [0, "a", { n: 3 }],
      [1, "a", { n: 4 }],
    ],
    ["sum of n 3 < at least 5", "sum of n 7 < "],
  ],
  [
    "type: temporal, rules: [a, b, c], timespan: 10s",
    [
      [0, "b"],
      [1, "a"],
      [2, "c"],
    ],
    ["b < a, c", "a, b < c", "a, b, c < "],
  ],
  [
    "type: temporal, timespan: 10s, condition: a and not c",
    [
      [0, "c"],
      [1, "a"],
    ],
    [" < a, no c", "a < no c"],
  ],
  [
    "type: temporal_ordered, rules: [a, b, c], timespan: 10s",
    [
      [0, "b"],
      [1, "a"],
      [2, "b"],
      [3, "c"],
    ],
    [" < a, then b, then c", "a < b, then c", "a, then b < c", "a, then b, then c < "],
  ],
])("a key tells how far it has come: %s", (body, fed, expected) => {
  const told: string[] = [];
  const correlator = new Correlator(link(correlation(body)), { watch: (_c, _k, { figure, wants }) => told.push(`${figure} < ${wants}`) });
  for (const [i, [at, kind, fields]] of fed.entries())
    correlator.add({ id: `e${i}`, time: at * second, fields: { ...fields } }, [`rule-${kind}`]);
  expect(told).toEqual(expected);
});

test("tumbling windows begin at multiples of the timespan", () => {
  const set = link(correlation(count, "vedette: {window: tumbling}\n"));
  expect(
    episodes(set, [
      [8, "a"],
      [11, "a"],
      [12, "a"],
      [19, "a"],
      [20, "a"],
      [21, "a"],
    ]),
  ).toEqual(["10-19 3 3 events", "20-21 2 2 events"]);
});

test("sessions end with silence, or when they are as long as the timespan", () => {
  const set = link(correlation(count, "vedette: {window: session, gap: 3s}\n"));
  expect(
    episodes(set, [
      [0, "a"],
      [4, "a"],
      [7, "a"],
      [10, "a"],
      [13, "a"],
      [16, "a"],
      [19, "a"],
    ]),
  ).toEqual(["4-13 4 4 events", "16-19 2 2 events"]);
});

test("aliases give one name to what the rules call differently", () => {
  const set = link(correlation("type: temporal, rules: [a, b], group-by: [ip], aliases: {ip: {a: src, b: dst}}, timespan: 10s"));
  expect(
    episodes(set, [
      [0, "a", { src: "1", dst: "2" }],
      [1, "b", { src: "1", dst: "9" }],
      [2, "b", { src: "3", dst: "1" }],
    ]),
  ).toEqual(["1 0-2 2 a, b"]);
});

test("fields are mapped as the rules that are correlated are", () => {
  const parsed = parseRules(
    rules + correlation("type: value_count, rules: [a, b], group-by: User, timespan: 10s, condition: {gte: 2, field: Ip}"),
    "x.yml",
  );
  const pipeline = parsePipeline(
    "name: p\ntransformations: [{type: field_name_mapping, mapping: {User: [user.name, user.id], Ip: source.ip}}, {type: add_condition, conditions: {x: 1}}]\n",
    "p.yml",
  );
  const set = linkCorrelations(parsed.correlations, parsed.rules, { pipelines: [pipeline] });
  expect(set.correlations[0]!.fields).toEqual(["user.name", "user.id", "source.ip"]);
  const found = episodes(set, [
    [0, "a", { "user.id": "7", "source.ip": "1" }],
    [1, "b", { "user.name": "7", "user.id": "8", "source.ip": "2" }],
  ]);
  expect(found).toEqual(["7 0-1 2 2 different Ip"]);
});

test("correlations take correlations; only what nobody takes, or what is generated, raises findings", () => {
  const set = link(
    `${correlation("type: temporal_ordered, rules: [guessing, b], group-by: user, timespan: 1m")}---\n` +
      "title: Guessing\nname: guessing\nid: g\ncorrelation: {type: event_count, rules: [a], group-by: [user, ip], timespan: 10s, condition: {gte: 3}}\n",
  );
  const fed = (user: string, at: number): Fed[] => [0, 1, 2].map((n) => [at + n, "a", { user, ip: "1" }]);
  expect([...set.silent].sort()).toEqual(["g", "rule-a", "rule-b"]);
  expect(set.correlations.map((c) => c.rule.id)).toEqual(["g", "together"]);
  expect(episodes(set, [...fed("x", 0), [4, "b", { user: "y" }], [5, "b", { user: "x" }], ...fed("z", 6)])).toEqual([
    "x 2-5 2 guessing, then b",
  ]);
});

test("a rule that one correlation generates raises findings of its own", () => {
  const more = correlation(count)
    .replaceAll("together", "two")
    .replace("gte", "generate: true, condition: {gte")
    .replace("condition: {generate", "generate");
  expect(more).toContain("generate: true");
  const parsed = parseRules(
    `${rules}${correlation(count)}---\n${correlation(`${count}, generate: true`).replace("together", "two")}`,
    "x.yml",
  );
  expect([...linkCorrelations(parsed.correlations, parsed.rules).silent]).toEqual([]);
});

test("an event of the same id counts once", () => {
  const correlator = new Correlator(link(correlation(count)));
  const event = { id: "e", time: 0, fields: {} };
  expect([correlator.add(event, ["rule-a"]), correlator.add({ ...event, time: 1 }, ["rule-a"])]).toEqual([[], []]);
  expect(correlator.add({ ...event, id: "f", time: 2 }, ["rule-a"])).toHaveLength(1);
});

test("keys are bounded, and what is forgotten is counted", () => {
  const set = link(correlation(`${count}, group-by: user`));
  const correlator = new Correlator(set, { maxKeys: 10 });
  for (let i = 0; i < 100; i++) correlator.add({ id: `e${i}`, time: i * second, fields: { user: `u${i}` } }, ["rule-a"]);
  // the windows of the older ones had passed
  expect(correlator.forgotten).toBe(90 - 0);
  expect(correlator.add({ id: "last", time: 100 * second, fields: { user: "u99" } }, ["rule-a"])).toHaveLength(1);
});

test("a key's memory is bounded under a flood, and what it says then is marked as rounded", () => {
  for (const [body, wanted] of [
    ["type: event_count, rules: [a], timespan: 1h, condition: {gte: 5000}", /^about 5000 events/],
    ["type: value_sum, rules: [a], timespan: 1h, condition: {gte: 5000, field: n}", /^sum of n about 5000/],
    ["type: value_count, rules: [a], timespan: 1h, condition: {gte: 2000, field: user}", /^2000 different user/],
    ["type: value_median, rules: [a], timespan: 1h, condition: {gte: 0, lt: 0.5, field: n}", /./],
    ["type: temporal_ordered, rules: [a, b], timespan: 1h", /^a, then b/],
  ] as const) {
    const [one] = link(correlation(body)).correlations;
    let state: Parameters<NonNullable<typeof one>["fold"]>[1];
    let first: string | undefined;
    for (let i = 0; i < 5_000; i++) {
      const rules = i === 4_999 && body.includes("ordered") ? [1] : [0];
      const values = body.includes("field") ? (body.includes("user") ? [`u${i}`] : [1]) : [];
      const step = one!.fold({ time: i * 1_000, event: `event number ${i}`, rules, values }, state);
      state = step.state;
      first ??= step.episode?.figure;
    }
    expect(JSON.stringify(state).length, body).toBeLessThan(400_000);
    if (!body.includes("median")) expect(first).toMatch(wanted);
  }
});

test.each<[string, string, RegExp]>([
  ["no type", "title: T\ncorrelation: {rules: [a]}\n", /2:14: T: .*a type/],
  ["an unknown type", "title: T\ncorrelation: {type: event_cont, rules: [a]}\n", /2:21: .*did you mean event_count\?/],
  ["an unknown key", "title: T\ncorrelation: {type: temporal, rules: [a], timespn: 5m}\n", /2:43: .*did you mean timespan\?/],
  ["no rules", "title: T\ncorrelation: {type: temporal, timespan: 5m}\n", /2:14: .*rules/],
  ["no timespan", "title: T\ncorrelation: {type: temporal, rules: [a]}\n", /timespan: : .*write timespan: 5m/],
  ["a timespan that is none", "title: T\ncorrelation: {type: temporal, rules: [a], timespan: 5 min}\n", /2:53: .*s, m, h/],
  ["no condition", "title: T\ncorrelation: {type: event_count, rules: [a], timespan: 5m}\n", /gte: 10/],
  [
    "a condition without a bound",
    "title: T\ncorrelation: {type: event_count, rules: [a], timespan: 5m, condition: {}}\n",
    /one of gt, gte/,
  ],
  [
    "a bound that is none",
    "title: T\ncorrelation: {type: event_count, rules: [a], timespan: 5m, condition: {gte: many}}\n",
    /2:77: .*a number/,
  ],
  [
    "an empty range",
    "title: T\ncorrelation: {type: event_count, rules: [a], timespan: 5m, condition: {gt: 5, lt: 5}}\n",
    /gt: 5 with lt: 5/,
  ],
  [
    "a count without its field",
    "title: T\ncorrelation: {type: value_count, rules: [a], timespan: 5m, condition: {gte: 1}}\n",
    /field: one or several/,
  ],
  [
    "a sum of two fields",
    "title: T\ncorrelation: {type: value_sum, rules: [a], timespan: 5m, condition: {gte: 1, field: [x, y]}}\n",
    /field: one;/,
  ],
  [
    "a percentile without its rank",
    "title: T\ncorrelation: {type: value_percentile, rules: [a], timespan: 5m, condition: {gte: 1, field: x}}\n",
    /percentile: 95/,
  ],
  [
    "an expression over counts",
    "title: T\ncorrelation: {type: event_count, rules: [a], timespan: 5m, condition: a and b}\n",
    /a map such as/,
  ],
  [
    "an expression that names no rule",
    "title: T\ncorrelation: {type: temporal, rules: [a], timespan: 5m, condition: a and q}\n",
    /2:74: .*selection/,
  ],
  [
    "a rule that the expression leaves out",
    "title: T\ncorrelation: {type: temporal, rules: [a, b], timespan: 5m, condition: a}\n",
    /rule b/,
  ],
  ["an expression of absences", "title: T\ncorrelation: {type: temporal, timespan: 5m, condition: not a}\n", /absences alone/],
  ["an expression that never holds", "title: T\ncorrelation: {type: temporal, timespan: 5m, condition: a and not a}\n", /never holds/],
  [
    "an expression of too many ways",
    `title: T\ncorrelation: {type: temporal, timespan: 5m, condition: '${Array.from({ length: 8 }, (_, i) => `(x${i} or y${i})`).join(" and ")}'}\n`,
    /ways to hold/,
  ],
  [
    "an alias nobody uses",
    "title: T\ncorrelation: {type: temporal, rules: [a], timespan: 5m, aliases: {ip: {a: src}}}\n",
    /2:67: .*group-by/,
  ],
  [
    "an alias of a strange rule",
    "title: T\ncorrelation: {type: temporal, rules: [a], group-by: ip, timespan: 5m, aliases: {ip: {b: src}}}\n",
    /aliases.ip.b.*one of a/,
  ],
  [
    "an unknown window",
    "title: T\ncorrelation: {type: temporal, rules: [a], timespan: 5m}\nvedette: {window: slidin}\n",
    /3:19: .*did you mean sliding\?/,
  ],
  [
    "a session without a gap",
    "title: T\ncorrelation: {type: temporal, rules: [a], timespan: 5m}\nvedette: {window: session}\n",
    /3:19: .*gap/,
  ],
  ["a gap without a session", "title: T\ncorrelation: {type: temporal, rules: [a], timespan: 5m}\nvedette: {gap: 5m}\n", /3:16: .*session/],
])("%s is refused with its place", (_name, text, message) => {
  const { correlations, refused } = parseRules(text, "x.yml");
  expect(correlations).toEqual([]);
  expect(refused.map(formatRefusal).join()).toMatch(message);
});

test.each<[string, string, readonly RegExp[]]>([
  ["an unknown rule", correlation("type: temporal, rules: [a, bb], timespan: 5m"), [/^x.yml:18:42: Together: rule bb: .*did you mean b\?/]],
  [
    "a circle",
    `${correlation("type: temporal, rules: [two], timespan: 5m")}---\n${correlation("type: temporal, rules: [together], timespan: 5m").replace("together\ncor", "two\ncor").replace("Together", "Two")}`,
    [/Together → Two → Together.*circle/, /rule two.*not refused itself/],
  ],
  ["itself", correlation("type: temporal, rules: [together], timespan: 5m"), [/Together → Together/]],
  [
    "an id used twice",
    correlation("type: temporal, rules: [a], timespan: 5m").replace("together", "rule-a"),
    [/^x.yml:16:1: .*x.yml:1 has it already/],
  ],
  [
    "a field that the inner correlation does not tell",
    `${correlation("type: temporal, rules: [inner], group-by: host, timespan: 5m")}---\ntitle: Inner\nname: inner\ncorrelation: {type: temporal, rules: [a], group-by: user, timespan: 5m}\n`,
    [/group-by host: expected a field that Inner groups by too; group by one of user/],
  ],
])("%s is refused when correlations are linked", (_name, text, messages) => {
  const parsed = parseRules(rules + text, "x.yml");
  expect(parsed.refused).toEqual([]);
  const { refused } = linkCorrelations(parsed.correlations, parsed.rules);
  expect(refused).toHaveLength(messages.length);
  for (const [i, r] of refused.entries()) expect(formatRefusal(r)).toMatch(messages[i]!);
});

test("a correlation that is called like a detector is refused", () => {
  const parsed = parseRules(rules + correlation("type: temporal, rules: [a], timespan: 5m"), "x.yml");
  const { correlations, refused } = linkCorrelations(parsed.correlations, parsed.rules, { detectors: ["detector.together"] });
  expect(correlations).toEqual([]);
  expect(refused.map(formatRefusal)).toEqual([expect.stringMatching(/^x.yml:16:1: .*a detector has this name/)]);
});

test("a rule that no pipeline places leaves no correlation silent", () => {
  const parsed = parseRules(rules + correlation("type: temporal, rules: [a], timespan: 5m"), "x.yml");
  const pipeline = parsePipeline("name: p\ntransformations: []\n", "p.yml");
  const { correlations, refused } = linkCorrelations(parsed.correlations, parsed.rules, { pipelines: [pipeline] });
  expect(correlations).toEqual([]);
  expect(refused.map(formatRefusal).join()).toMatch(/rule a: expected a rule that is not refused itself; repair x.yml:1/);
});
