import { hash } from "node:crypto";
import { expect, test } from "vitest";
import { format } from "./rulebytes.ts";
import { RuleCache } from "./rulecache.ts";

const rule = (name: string, detection: string, more = "") =>
  `title: ${name}\nid: ${name}\nlogsource: {product: p, category: c}\nlevel: high\ntags: [attack.t1059.001]\ndetection:\n${detection}\n${more}`;
const texts = {
  "a.yml": rule("a", "  s:\n    Image|endswith: '\\\\cmd.exe'\n    CommandLine|contains|all: [a, ' /c']\n  condition: s"),
  "b.yml": rule("b", "  s: {x|re: 'fo+$', n|gte: 3, ip|cidr: 10.0.0.0/8, z: null}\n  k: [word, 'w*d']\n  condition: 1 of them"),
  "c.yml": rule("c", "  s: {u|wide|base64offset|contains: ab, v|windash|contains: ' -x', w|cased: Q, y|expand: '%y%'}\n  condition: not s"),
  "d.yml": rule("d", "  s: {a: b}\n  condition: s", "vedette: {tests: [{name: x, expect: match, events: [{a: b, __proto__: c}]}]}\n"),
  "e.yml": rule("e", "  s: {a: b}\n  condition: nothing"),
  "f.yml": rule("f", "  s: {a: b}\n  condition: s").replace("category: c", "category: other"),
  "g.yml":
    "title: g\nid: g\ncorrelation: {type: temporal, rules: [a, b], group-by: ip, aliases: {ip: {a: src}}, timespan: 5m, condition: a and not b}\n",
  "h.yml": "title: h\nid: h\nlogsource: {product: p}\nfilter: {rules: [a], s: {u: v}, condition: not s}\n",
};
const pipelineText = `name: p
priority: 3
transformations:
  - {type: field_name_mapping, mapping: {Image: [process.executable, image]}}
  - {type: add_condition, conditions: {kind: k}, rule_conditions: [{type: logsource, category: c}]}
`;
const placeholders = { y: ["one", "two"] };
const event = {
  fields: {
    kind: "k",
    image: "C:\\CMD.exe",
    CommandLine: "a /C",
    x: "xfoo",
    n: 4,
    ip: "10.1.1.1",
    u: "AGEAYg",
    v: " /x",
    w: "Q",
    y: "two",
    a: "b",
  },
};

function load(cache: RuleCache, pipeline = pipelineText) {
  const parsed = Object.entries(texts).map(([file, text]) => cache.parseRules(text, file, { placeholders }));
  const rules = parsed.flatMap((p) => p.rules);
  const set = cache.compileRules(rules, { pipelines: [cache.parsePipeline(pipeline, "p.yml")] });
  const out: number[] = [];
  set.match(event, out);
  return {
    parsed,
    refused: set.refused,
    hash: set.hash,
    matched: out.map((i) => set.rules[i]!.id),
    why: out.map((i) => set.explain(i, event)),
  };
}

test("what comes of the cache is what the rules' texts give", () => {
  const first = new RuleCache();
  const cold = load(first);
  const bytes = first.changed()!;
  expect(first.changed()).toBeUndefined();
  const second = new RuleCache(bytes);
  expect(load(second)).toEqual(cold);
  expect(second.changed()).toBeUndefined();
  expect(cold.matched).toEqual(["a", "b", "d"]);
  expect(cold.refused).toHaveLength(1);
  expect(cold.parsed[4]!.refused).toHaveLength(1);
  const events = (load(second).parsed[3]!.rules[0]!.vedette!.tests as { events: object[] }[])[0]!.events;
  expect(Object.getPrototypeOf(events[0])).toBeNull();
});

test("a file is read only where its stamp is another, and what it says is looked at then", () => {
  let reads = 0;
  const read = (text: string) => () => {
    reads++;
    return text;
  };
  const first = new RuleCache();
  const [rule] = first.parseFile("a.yml", "1", read(texts["a.yml"])).rules;
  expect(first.parseFile("a.yml", "1", read("never")).rules[0]).toBe(rule);
  const again = new RuleCache(first.changed());
  expect(again.parseFile("a.yml", "1", read("never")).rules).toEqual([rule]);
  expect([again.changed(), reads]).toEqual([undefined, 1]);
  expect(again.parseFile("a.yml", "2", read(texts["a.yml"])).rules).toEqual([rule]);
  expect(again.parseFile("a.yml", "3", read(texts["d.yml"])).rules[0]!.id).toBe("d");
  expect(again.parseFile("a.yml", "3", read(texts["e.yml"]), { placeholders }).refused).toHaveLength(1);
  expect(reads).toBe(4);
  const third = new RuleCache(again.changed());
  expect(third.parseFile("a.yml", "3", read(texts["d.yml"])).rules[0]!.id).toBe("d");
  expect(reads).toBe(5);
});

test("another text, file, placeholder or pipeline is read anew", () => {
  const first = new RuleCache();
  load(first);
  const cache = new RuleCache(first.changed());
  const changed = cache.parseRules(texts["a.yml"].replace("cmd", "sh"), "a.yml");
  expect(JSON.stringify(changed.rules[0]!.condition)).toContain("sh.exe");
  expect(cache.parseRules(texts["a.yml"], "moved.yml").rules[0]!.file).toBe("moved.yml");
  const other = cache.parseRules(texts["c.yml"], "c.yml", { placeholders: { y: ["three"] } });
  expect(JSON.stringify(other.rules[0]!.condition)).toContain("three");
  expect(load(cache, pipelineText.replace("kind: k", "kind: j")).matched).toEqual([]);
  expect(load(cache).matched).toEqual(["a", "b", "d"]);
});

test("a damaged, cut or foreign cache is ignored", () => {
  const first = new RuleCache();
  const cold = load(first);
  const bytes = first.changed()!;
  const broken = [
    new Uint8Array(0),
    Buffer.from("vedette sigma\n"),
    Buffer.from("{}"),
    bytes.subarray(0, 100),
    bytes.subarray(0, bytes.length - 1),
  ];
  for (let at = 0; at < bytes.length; at += 97) {
    const copy = Uint8Array.from(bytes);
    copy[at]! ^= 1;
    broken.push(copy);
  }
  for (const one of broken) {
    const cache = new RuleCache(one);
    cache.parseRules(texts["a.yml"], "a.yml");
    expect(cache.changed()).toBeDefined();
  }
  expect(load(new RuleCache(broken.at(-1)))).toEqual(cold);
});

test("another build's cache is ignored", () => {
  const first = new RuleCache(undefined, "monday");
  load(first);
  const bytes = first.changed()!;
  const [same, other] = [new RuleCache(bytes, "monday"), new RuleCache(bytes, "tuesday")];
  load(same);
  load(other);
  expect([same.changed() === undefined, other.changed() === undefined]).toEqual([true, false]);
});

test("when reading or mapping gives something else, the cache's format is another", () => {
  const cache = new RuleCache();
  const { parsed, why } = load(cache);
  const rules = parsed.flatMap((p) => p.rules);
  const shape = [Object.keys(parsed[0]!), Object.keys(rules[0]!), rules.map(({ hash: of, condition }) => [of, condition]), why];
  const digest = hash("sha256", JSON.stringify(shape), "base64url").slice(0, 12);
  expect([format, digest], "raise `format` in rulebytes.ts and write the new digest here: old caches hold other answers").toEqual([
    7,
    "PC07zPcMfCvZ",
  ]);
});
