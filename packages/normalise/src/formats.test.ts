/** The contract every format keeps: its examples are true, and no input makes it throw. */
import type { DecodeResult, Skip } from "@vedette/kit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { detectFormat, formats } from "./index.ts";
import { formatTime } from "./time/parse.ts";

const known = await formats();
const context = (preamble?: string) => ({
  preamble,
  received: Date.UTC(2024, 5, 1) * 1000,
  peer: undefined,
  source: "test",
  stream: "test",
});

/** A result in the form examples are written in. */
function shown(result: DecodeResult): unknown {
  if ("skip" in result) return result.samples ? measured(result) : { skip: result.skip };
  if ("code" in result) return { flaw: result.code };
  return (Array.isArray(result) ? result : [result]).map(({ time, fields }) => ({
    ...(time === undefined ? {} : { "@timestamp": formatTime(time) }),
    ...fields,
  }));
}

function measured({ samples = [], dropped = {} }: Skip): unknown {
  const lines = samples.map(({ name, labels, value, kind, time }) => {
    return `${name}{${labels.map(([label, text]) => `${label}=${JSON.stringify(text)}`).join(",")}} ${value} ${kind} ${formatTime(time)}`;
  });
  return { samples: lines, ...(Object.keys(dropped).length > 0 ? { dropped } : {}) };
}

for (const [name, format] of known) {
  describe(name, () => {
    for (const example of format.examples) {
      test(`example: ${example.title}`, () => {
        const decode = format.decoder(format.config.parse(example.config ?? {}));
        expect(shown(decode(example.input, context(example.preamble)))).toEqual(example.expect);
      });
    }

    test("any text gives a result, the same twice, and never throws", () => {
      const config = format.config.parse({});
      const decode = format.decoder(config);
      const seeds = format.examples.map((e) => e.input);
      const cut = fc.tuple(fc.constantFrom(...seeds), fc.nat(400), fc.nat(400), fc.string({ unit: "binary", maxLength: 8 }));
      const damaged = cut.map(([seed, at, length, junk]) => seed.slice(0, at) + junk + seed.slice(at + length));
      const preamble = format.examples.find((e) => e.preamble !== undefined)?.preamble;
      fc.assert(
        fc.property(fc.oneof(damaged, fc.string({ unit: "binary" }), fc.json()), fc.boolean(), (text, withPreamble) => {
          const where = context(withPreamble ? preamble : undefined);
          const result = decode(text, where);
          expect(decode(text, where)).toEqual(result);
          for (const one of "skip" in result || "code" in result ? [] : Array.isArray(result) ? result : [result]) {
            if (one.time !== undefined) expect(Number.isInteger(one.time)).toBe(true);
            for (const key of Object.keys(one.fields)) {
              const value = one.fields[key];
              for (const scalar of Array.isArray(value) ? value : [value]) {
                expect(["string", "number", "boolean", "undefined"]).toContain(typeof scalar);
                if (typeof scalar === "number") expect(Number.isFinite(scalar)).toBe(true);
              }
            }
          }
          const certainty = format.detect([text], undefined, "");
          expect(certainty).toBeGreaterThanOrEqual(0);
          expect(certainty).toBeLessThanOrEqual(1);
        }),
        { numRuns: 300 },
      );
    });
  });
}

const pieces = " from |from 1.2.3.4 port 1 ssh2 |a=b |a |=|\x1d=|\"|\\\\|[|]|], client: |{|}|\\\\x41|: |(| ; |, |,|\t|'|a0=41 |%".split(
  "|",
);
test.each([...known])(
  "%s takes linear time: a quadratic step over 100,000 characters would outlast the suite's time limit",
  (_name, format) => {
    const decode = format.decoder(format.config.parse({}));
    for (const { input, preamble } of format.examples) {
      const middle = Math.floor(input.length / 2);
      for (const piece of pieces) {
        const long = piece.repeat(Math.ceil(100_000 / Math.max(1, piece.length)));
        for (const text of [input + long, long + input, input.slice(0, middle) + long + input.slice(middle)]) {
          expect(decode(text, context(preamble))).toBeDefined();
          format.detect([text], undefined, text);
        }
      }
    }
  },
);

test("a stream of nothing known is text, a stream of JSON is decided document by document", () => {
  expect(detectFormat(known, ["what is this", "no idea"], undefined, "x")).toBe("text");
  expect(detectFormat(known, [], undefined, "x")).toBe("text");
  expect(detectFormat(known, ['{"a":1}', ' {"b":2}'], undefined, "x")).toBe("json");
});

describe("every format's own examples are taken for it, alone and among other senders' documents", () => {
  /** Formats that only the configuration chooses or Vedette itself, and the two that take what is nobody's. */
  const chosen = new Set(["csv", "text", "json", "vedette_audit"]);
  for (const [name, format] of known) {
    if (chosen.has(name)) continue;
    const own = format.examples.filter((example) => Array.isArray(example.expect) && example.config === undefined);
    test.each(own.map((example) => [example.title, example] as const))(`${name}: %s`, (_title, { input, preamble, expect: wanted }) => {
      const detected = detectFormat(known, [input], preamble, "stream");
      // An access log says nothing of its server.
      if (name === "nginx_access") expect(detected).toBe("apache_access");
      else if (input.trimStart().startsWith("{")) {
        expect(detected).toBe("json");
        const decode = known.get("json")!.decoder(known.get("json")!.config.parse({}));
        decode('{"another":"sender"}', context());
        expect(shown(decode(input, context()))).toEqual(wanted);
      } else expect(detected).toBe(name);
    });
    test(`${name}: nobody else's line is taken for its own, nor one of nobody's`, () => {
      for (const [other, { examples }] of known) {
        for (const { input, preamble, expect: wanted, config } of examples) {
          if (other === name || config !== undefined || !Array.isArray(wanted) || input.trimStart().startsWith("{") || chosen.has(other))
            continue;
          if (name.endsWith("_access") && other.endsWith("_access")) continue;
          expect([other, input, detectFormat(known, [input], preamble, "stream")]).not.toEqual([other, input, name]);
        }
      }
      expect(detectFormat(known, ["at java.lang.Thread.run(Thread.java:1)", "a = b", "hello"], undefined, "stream")).toBe("text");
    });
  }
});

const conn = "#separator \\x09\n#path\tconn\n#fields\tts\tuid\n#types\ttime\tstring";
test.each([
  ["zeek", ["1521911720.600725\tC1"], conn, "conn.log"],
  ["json", ['{"_path":"conn","ts":1}', '{"hello":"world"}'], undefined, "http"],
  ["syslog", ["Mar  5 14:07:59 h sshd[1]: x", "<13>1 2024-05-01T10:00:00Z h a - - - x"], undefined, "tcp"],
  ["syslog", ["noise that somebody sends", "\u0000", "<38>Mar  5 14:07:59 h sshd[1]: x"], undefined, "udp"],
  ["syslog", ["more noise"], undefined, "tcp 192.0.2.1"],
  ["nginx_access", ['192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 5'], undefined, "/var/log/nginx/access.log"],
  ["apache_access", ['192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 5'], undefined, "/var/log/apache2/access.log"],
  ["nginx_error", ["2016/10/25 14:49:34 [error] 54053#0: *1 x"], undefined, "x"],
  ["apache_error", ["[Tue Sep 30 14:25:44.895897 2014] [core:error] [pid 1] x"], undefined, "x"],
  ["auditd", ['type=CWD msg=audit(1364481363.243:24287): cwd="/"'], undefined, "x"],
  ["text", ["2022-04-05 14:40:34,644 1 INFO odoo: x", "at java.lang"], undefined, "x"],
  ["text", ["", "  "], undefined, "x"],
])("%s is recognised", (name, sample, preamble, stream) => expect(detectFormat(known, sample, preamble, stream)).toBe(name));
