/** Hostile documents stay within bounds; mixed streams decode document by document. */
import { type Decoded, type JsonObject, newFields } from "@vedette/kit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formats } from "../index.ts";
import { claimantOf } from "./claimant.ts";
import { flatten, maxFields, Paths } from "./flatten.ts";
import { deeperThan, isFlaw, looksLikeObject, parseObject } from "./parse.ts";
import { path, valueAt } from "./path.ts";

const known = await formats();
const json = known.get("json")!;
const decode = json.decoder(json.config.parse({}));
const context = { preamble: undefined, received: 0, peer: undefined, source: "http", stream: "events" };
const flat = (text: string) => {
  const fields = newFields();
  flatten(JSON.parse(text), fields);
  return { ...fields };
};

describe("parse", () => {
  test("depth is counted as brackets outside strings nest", () => {
    const naive = (text: string) => {
      let depth = 0;
      let most = 0;
      for (const c of text.replace(/"(?:\\.|[^"\\])*"/g, "")) {
        if (c === "{" || c === "[") most = Math.max(most, ++depth);
        else if (c === "}" || c === "]") depth--;
      }
      return most;
    };
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), fc.integer({ min: 0, max: 8 }), (text, limit) => {
        expect(deeperThan(text, limit)).toBe(naive(text) > limit);
      }),
    );
  });
  test("a million brackets are refused without being parsed", () => {
    const deep = `{"a":${"[".repeat(1_000_000)}`;
    expect(decode(deep, context)).toMatchObject({ code: "too_deep" });
    expect(decode(`{"a":"${"[".repeat(100)}"}`, context)).toMatchObject({ fields: { a: "[".repeat(100) } });
  });
  test("a document with the keys of a flaw is a document", () => {
    const parsed = parseObject('{"code":"bad_json","expected":"x"}');
    expect(isFlaw(parsed)).toBe(false);
  });
  test.each(["[1]", "1", "null", '"x"', "{", '{"a":1}}', "{a:1}"])("%s is a flaw", (text) => {
    expect(decode(text, context)).toMatchObject({ code: "bad_json" });
  });
  test.each([
    ['{"a":1}', true],
    ["  {}", true],
    ["{ not json", false],
    ["[1]", false],
    ["", false],
  ])("looks like an object: %j %j", (text, expected) => expect(looksLikeObject(text)).toBe(expected));
});

describe("flatten", () => {
  test("paths, arrays of scalars, arrays of objects, nulls", () => {
    expect(flat('{"a":{"b":{"c":1}},"d.e":true,"f":[1,"x",null],"g":[{"h":1,"i":[2,3]},{"h":4}],"j":null,"k":{},"l":[]}')).toEqual({
      "a.b.c": 1,
      "d.e": true,
      f: [1, "x"],
      "g.h": [1, 4],
      "g.i": [2, 3],
      l: [],
    });
  });
  test("keys of prototypes are data", () => {
    const fields = flat('{"__proto__":{"polluted":1},"constructor":{"prototype":2},"toString":3}');
    expect(Object.keys(fields).sort()).toEqual(["__proto__.polluted", "constructor.prototype", "toString"]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    const top = newFields();
    flatten(JSON.parse('{"__proto__":5}') as JsonObject, top);
    expect(Object.keys(top)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(Object.getPrototypeOf(top) ?? {})).toBeNull();
  });
  test("of a key that comes twice the last counts", () => expect(flat('{"a":1,"a":2}')).toEqual({ a: 2 }));
  test("what only Vedette may say becomes a label", () => {
    expect(flat('{"vedette":{"demo":true,"source":"x"},"vedette.late":1,"vedettes":2}')).toEqual({
      "labels.vedette_demo": true,
      "labels.vedette_source": "x",
      "labels.vedette_late": 1,
      vedettes: 2,
    });
  });
  test("too many fields are counted, not lost in silence", () => {
    const wide = Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`k${i}`, i]));
    const fields = flat(JSON.stringify(wide));
    expect(Object.keys(fields)).toHaveLength(maxFields + 1);
    expect(fields["vedette.fields_dropped"]).toBe(88);
  });
  test("beyond sixteen levels the rest is kept as text", () => {
    const fields = flat(`${'{"a":'.repeat(20)}1${"}".repeat(20)}`);
    expect(Object.values(fields)).toEqual(['{"a":{"a":{"a":{"a":1}}}}']);
  });
  test("any document gives scalars and arrays of scalars within the bounds", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 20 })), (object) => {
        const fields = newFields();
        flatten(JSON.parse(JSON.stringify(object)) as JsonObject, fields);
        expect(Object.keys(fields).length).toBeLessThanOrEqual(maxFields + 1);
        for (const value of Object.values(fields)) {
          for (const one of Array.isArray(value) ? value : [value]) expect(typeof one).not.toBe("object");
        }
      }),
    );
  });
  test("a number beyond all bounds becomes text", () =>
    expect(flat('{"a":1e999,"b":[-1e999]}')).toEqual({ a: "Infinity", b: ["-Infinity"] }));
});

describe("mixed streams", () => {
  const documents = [
    '{"_path":"dns","ts":1521911720.6,"uid":"C1","id.orig_h":"10.0.0.5","id.orig_p":5353,"id.resp_h":"10.0.0.1","id.resp_p":53,"query":"example.com"}',
    '{"@timestamp":"2024-05-01T10:00:00Z","winlog":{"channel":"Security","event_id":"4625","provider_name":"Microsoft-Windows-Security-Auditing","event_data":{"TargetUserName":"bob"}}}',
    '{"eventVersion":"1.08","eventTime":"2024-05-01T10:00:00Z","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","awsRegion":"us-east-1","userIdentity":{"type":"IAMUser"},"eventID":"x"}',
    '{"hello":"world"}',
  ];
  const dataset = (text: string) => (decode(text, context) as Decoded).fields["event.dataset"];
  test("each document goes to its own format, whatever came before it", () => {
    const alone = documents.map((one) => json.decoder(json.config.parse({}))(one, context));
    expect(dataset(documents[0]!)).toBe("zeek.dns");
    expect(dataset(documents[3]!)).toBe("json");
    expect(new Set(documents.map(dataset)).size).toBe(documents.length);
    fc.assert(
      fc.property(fc.array(fc.nat(documents.length - 1), { maxLength: 20 }), (order) => {
        const one = json.decoder(json.config.parse({}));
        for (const i of order) expect(one(documents[i]!, context)).toEqual(alone[i]);
      }),
    );
  });
  test("a document in a syslog line goes there too, with the relay's host and stamp where it has none of its own", () => {
    const syslog = known.get("syslog")!.decoder(known.get("syslog")!.config.parse({}));
    const line = `<14>1 2024-05-01T10:00:00Z sensor1 zeek - - - ${documents[0]}`;
    expect(syslog(line, context)).toMatchObject({
      time: 1_521_911_720_600_000,
      fields: { "event.dataset": "zeek.dns", "observer.name": "sensor1", "source.ip": "10.0.0.5" },
    });
    expect(
      syslog('May  1 10:00:00 app1 shop[1]: @cee: {"hello":"world"}', { ...context, received: Date.UTC(2024, 5, 1) * 1000 }),
    ).toMatchObject({
      time: Date.UTC(2024, 4, 1, 10) * 1000,
      fields: { "event.dataset": "json", hello: "world", "host.name": "app1" },
    });
  });
});

test("a long name over many values is cut, and its values kept as text", () => {
  const inner = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, i]));
  const fields = flat(JSON.stringify({ ["n".repeat(500_000)]: inner }));
  expect(Object.keys(fields)).toEqual(["n".repeat(256)]);
  expect(fields["n".repeat(256)]).toBe(JSON.stringify(inner));
});

describe("paths", () => {
  const key = fc.constantFrom("a", "b", "c");
  const { object } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.integer(),
      fc.constant(null),
      fc.string({ maxLength: 3 }),
      fc.array(tie("value"), { maxLength: 3 }),
      tie("object"),
    ),
    object: fc.dictionary(key, tie("value"), { maxKeys: 3 }),
  })) as { object: fc.Arbitrary<JsonObject> };
  const asked = ["a", "b", "a.b", "a.b.c", "a.0.b", "b.1", "c.a", "c.0.0.a", "a.a.a.a"];

  test("what is asked for is what going through the document finds, objects aside", () => {
    const paths = new Paths("p.", ["a.b"]);
    const answers = asked.map((one) => paths.ask(one));
    fc.assert(
      fc.property(object, (document) => {
        const fields = newFields();
        paths.flatten(document, fields);
        expect(fields["p.a.b"]).toBeUndefined();
        for (const [i, one] of asked.entries()) {
          const value = valueAt(document, path(one));
          expect(answers[i]!()).toEqual(typeof value === "object" && !Array.isArray(value) ? undefined : value);
        }
      }),
      { examples: [[{ b: [{}, {}] }]] },
    );
  });
  test("paths that are remembered change nothing, and are forgotten when senders make up too many", () => {
    const paths = new Paths("p.");
    const seen = paths.ask("list.0.a");
    for (let i = 0; i < 300; i++) {
      const document = {
        list: [{ a: i }, { a: 2 }],
        ...Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`${"k".repeat(200)}${i}.${n}`, n])),
      };
      const [first, again] = [newFields(), newFields()];
      paths.flatten(document, first);
      new Paths("p.").flatten(document, again);
      expect(first).toEqual(again);
      expect([Object.keys(first).length, seen()]).toEqual([31, i]);
    }
  });
  test("of a document with too many names few are learnt, and what is asked for is found all the same", () => {
    const paths = new Paths("p.");
    const seen = paths.ask("z.last");
    const empty = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`e${n}`, {}]));
    const fields = newFields();
    expect(paths.flatten({ ...empty, late: 1, z: { last: 7 } }, fields)).toBe(1);
    expect([seen(), { ...fields }]).toEqual([7, { "p.z.last": 7, "vedette.fields_dropped": 1 }]);
    const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`f${n}`, [{ a: n }]]));
    const second = newFields();
    expect([paths.flatten({ ...many, z: { last: 8 } }, second), seen(), Object.keys(second).length]).toEqual([19_489, 8, maxFields + 1]);
  });
  test("one member of one document may be left out", () => {
    const paths = new Paths();
    const [first, second] = [newFields(), newFields()];
    paths.flatten({ log: "x", a: 1 }, first, "log");
    paths.flatten({ log: "x", a: 1 }, second);
    expect([{ ...first }, { ...second }]).toEqual([{ a: 1 }, { log: "x", a: 1 }]);
  });
});

describe("who is asked about a document", () => {
  const kinds = [...known.values()].flatMap(({ name, json, examples }) =>
    json?.anyOf === undefined
      ? []
      : [{ name, json, telling: json.anyOf, documents: examples.map(({ input }) => parseObject(input)).filter((one) => !isFlaw(one)) }],
  );
  test.each(kinds)("$name claims no document without the names it tells", ({ json, telling, documents }) => {
    for (const one of documents as JsonObject[]) {
      const rest = Object.fromEntries(
        Object.entries(one).filter(([key]) => !telling.some((name) => key.toLowerCase() === name.toLowerCase())),
      );
      expect(json.claims(rest, context)).toBe(0);
    }
  });
  test("whoever is asked gives the answer that asking all of them gives", () => {
    const all = [...known.values()].flatMap(({ json }) => (json === undefined ? [] : [json]));
    for (const { documents } of kinds) {
      for (const one of documents as JsonObject[]) {
        const claims = all.map((kind) => kind.claims(one, context));
        const most = Math.max(...claims);
        expect(claimantOf(one, context)).toBe(most >= 0.5 ? all[claims.indexOf(most)] : undefined);
      }
    }
  });
  test("names may come written small", () => {
    const record = { operation: "UserLoggedIn", workload: "AzureActiveDirectory", userid: "ada" };
    expect(claimantOf(record, context)).toBe(known.get("m365_audit")!.json);
  });
});
