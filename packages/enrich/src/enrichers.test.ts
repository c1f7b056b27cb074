import { newFields, z } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { enrichers, prepareEnrichers } from "./index.ts";
import { makeMmdb } from "./mmdb.fixture.ts";
import { readMmdb } from "./mmdb.ts";

const fieldsOf = (plain: Readonly<Fields>): Fields => Object.assign(newFields(), plain);
const all = await enrichers();

for (const [name, spec] of all) {
  describe(name, () => {
    test("is documented and its configuration strict", () => {
      expect(spec.summary).toMatch(/^[A-Z].*\.$/);
      const schema = z.toJSONSchema(spec.config, { io: "input" }) as {
        properties?: { [key: string]: { description?: string } };
        additionalProperties?: unknown;
      };
      expect(schema.additionalProperties).toBe(false);
      for (const [key, property] of Object.entries(schema.properties ?? {})) expect(property.description, key).toBeTruthy();
      for (const before of spec.after ?? []) expect(all.has(before)).toBe(true);
    });
    for (const { title, config, table, fields, adds } of spec.examples) {
      test(title, async () => {
        const stage = await prepareEnrichers({ [name]: config ?? {} }, () => (table === undefined ? undefined : Buffer.from(table)));
        const event = fieldsOf(fields);
        stage.enrich(event);
        expect({ ...event }).toEqual({ ...fields, ...adds });
        stage.enrich(event);
        expect({ ...event }, "a second time changes nothing").toEqual({ ...fields, ...adds });
      });
    }
  });
}

const city = {
  country: { iso_code: "DE", names: { en: "Germany" } },
  continent: { code: "EU" },
  city: { names: { en: "Berlin" } },
  location: { latitude: 52.52, longitude: 13.4, time_zone: "Europe/Berlin" },
};
const geo = makeMmdb({ "203.0.113.0/24": city, "2001:db8::/32": { country_code: "NL", latitude: "52.1", longitude: "4.3" } }, "Test-City");
const systems = makeMmdb({
  "203.0.113.0/24": { autonomous_system_number: 64496, autonomous_system_organization: "Example Net" },
  "198.51.100.0/24": { asn: "AS64500", as_name: "Other" },
});

test("places and operators come from the databases pointed at, in either shape, by IPv4, IPv6 and IPv4 in IPv6", async () => {
  const stage = await prepareEnrichers({ geoip: {}, asn: {} }, (name) => (name === "geoip" ? geo : systems));
  expect(stage.names).toEqual(["asn", "geoip"]);
  const event = fieldsOf({
    "source.ip": "::ffff:203.0.113.9",
    "destination.ip": "2001:db8::1",
    "client.ip": "198.51.100.3",
    "server.ip": "10.0.0.1",
  });
  stage.enrich(event);
  expect(event).toMatchObject({
    "source.geo.country_iso_code": "DE",
    "source.geo.city_name": "Berlin",
    "source.geo.location.lat": 52.52,
    "source.geo.location.lon": 13.4,
    "source.as.number": 64496,
    "source.as.organization.name": "Example Net",
    "destination.geo.country_iso_code": "NL",
    "destination.geo.location.lat": 52.1,
    "client.as.number": 64500,
  });
  expect(Object.keys(event).filter((name) => name.startsWith("server."))).toEqual(["server.ip"]);
});

test("a table that is no table is named, and the other enrichers go on", async () => {
  const stage = await prepareEnrichers({ geoip: {}, assets: {}, user_agent: {} }, (name) =>
    name === "geoip" ? Buffer.from("not a database") : Buffer.from("hosts,owner\na,b\n"),
  );
  expect(stage.names).toEqual(["user_agent"]);
  expect(stage.broken.map(({ name, why }) => `${name}: ${why}`)).toEqual([
    'assets: line 1: expected a header line with a column host or ip; is "hosts" meant to be "host"?',
    expect.stringMatching(/^geoip: it is no MaxMind DB file: /),
  ]);
});

test("a damaged database neither throws nor hangs", () => {
  for (let i = 0; i < geo.length; i++) {
    const damaged = Buffer.from(geo);
    damaged[i] = damaged[i]! ^ 0xff;
    try {
      readMmdb(damaged).value.find("203.0.113.9");
    } catch (e) {
      expect(e).toMatchObject({ code: "bad_table" });
    }
  }
});

test.each([
  ["assets", "host,ip\nx,10.0.0.256\n", 'line 2: "10.0.0.256" is no address and no network, e.g. 10.1.0.0/16'],
  ["assets", "host,criticality\nx,hihg\n", 'line 2: criticality "hihg": expected low, medium, high, critical; did you mean "high"?'],
  ["assets", "host,ovner\nx,y\n", 'line 1: column "ovner"; did you mean "owner"?'],
  ["assets", 'host,owner\n"a\nb",x\ny,z,1\n', "line 4: 3 cells under 2 columns"],
  ["assets", '[{"host":"a"},{"owner":"b"}]', "object 2: expected host or ip"],
  ["assets", "[{", "it begins like JSON but is none"],
  ["identities", "user,privileged\nx,perhaps\n", 'line 2: expected true or false, found "perhaps"'],
  ["identities", "", "it is empty; expected a header line, for example user,department"],
])("%s %j is refused: %s", (name, text, message) => {
  expect(() => all.get(name)!.table!.read(Buffer.from(text))).toThrow(message);
});

test("JSON and CSV of one inventory say the same", async () => {
  const csv = 'host,ip,owner,rack\n"a;b",10.0.0.0/8,"x, y",7\n';
  const json = JSON.stringify([{ host: ["a", "b"], ip: "10.0.0.0/8", owner: "x, y", rack: "7" }]);
  const told = [];
  for (const text of [csv, json]) {
    const stage = await prepareEnrichers({ assets: {} }, () => Buffer.from(text));
    const event = fieldsOf({ "host.name": "B.example.org", "source.ip": "10.1.2.3" });
    stage.enrich(event);
    told.push({ ...event });
  }
  expect(told[0]).toMatchObject({ "host.asset.owner": "x, y", "source.asset.rack": "7", "related.hosts": ["a", "b"] });
  expect(told[1]).toEqual(told[0]);
});

test("whatever an event holds, nothing of it is removed or changed and nothing throws", async () => {
  const tables: { readonly [name: string]: Buffer } = {
    geoip: geo,
    asn: systems,
    assets: Buffer.from("host,ip,owner\nh,0.0.0.0/0;::/0,o\n"),
    identities: Buffer.from("user,department\nu,d\n"),
  };
  const stage = await prepareEnrichers(Object.fromEntries([...all.keys()].map((name) => [name, {}])), (name) => tables[name]);
  expect(stage.names).toHaveLength(all.size);
  const names = [
    "source.ip",
    "destination.ip",
    "host.name",
    "user.name",
    "dns.question.name",
    "url.domain",
    "user_agent.original",
    "process.cgroup",
  ];
  const made = [
    "network.direction",
    "source.geo.city_name",
    "user_agent.name",
    "source.asset.owner",
    "container.id",
    "vedette.source.zone",
  ];
  const scalar = fc.oneof(
    fc.string(),
    fc.ipV4(),
    fc.ipV6(),
    fc.domain(),
    fc.constantFrom("u", "h", "__proto__"),
    fc.integer(),
    fc.constant(null),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names, ...made), fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }))), (plain) => {
      const event = fieldsOf(plain as Fields);
      stage.enrich(event);
      for (const [name, value] of Object.entries(plain)) if (value !== null) expect(event[name]).toEqual(value);
    }),
    { numRuns: 500, seed: 7 },
  );
});
