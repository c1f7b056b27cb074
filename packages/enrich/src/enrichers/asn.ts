/** Says which network operator a public address belongs to, by a database that the user points at. Brings none along. */
import { defineEnricher, z } from "@vedette/kit";
import type { Fields, FieldValue } from "@vedette/model";
import { give, textOf } from "../give.ts";
import { at, firstNumber, firstText, lookUp, type Mmdb, type Record, readMmdb } from "../mmdb.ts";
import { tableFile } from "../table_file.ts";

interface Operator {
  readonly number: number;
  readonly name: string | undefined;
}

export default defineEnricher({
  name: "asn",
  summary: "Says which autonomous system, and so which operator, a public address belongs to.",
  description:
    "Reads a MaxMind DB file (.mmdb) with the records of GeoLite2-ASN, DB-IP, IPinfo or ip-location-db. Fills in `source.as.number` and `source.as.organization.name`, and those of destination, client and server.",
  stability: "beta",
  config: z.strictObject({ file: tableFile("The database, e.g. /var/lib/GeoIP/GeoLite2-ASN.mmdb.") }),
  table: { summary: "Addresses and their autonomous systems, as MaxMind DB.", inventory: false, read: readMmdb },
  examples: [],
  enricher(_config, table: Mmdb) {
    const operatorOf = lookUp(table, shape);
    const add = (fields: Fields, ip: FieldValue | undefined, number: string, name: string) => {
      const text = ip === undefined ? undefined : textOf(ip);
      const operator = text === undefined ? undefined : operatorOf(text);
      if (operator === undefined) return;
      give(fields, number, operator.number);
      give(fields, name, operator.name);
    };
    // names written out are read several times faster than names from a list
    return (fields: Fields) => {
      add(fields, fields["source.ip"], "source.as.number", "source.as.organization.name");
      add(fields, fields["destination.ip"], "destination.as.number", "destination.as.organization.name");
      add(fields, fields["client.ip"], "client.as.number", "client.as.organization.name");
      add(fields, fields["server.ip"], "server.as.number", "server.as.organization.name");
    };
  },
});

function shape(record: Record): Operator | undefined {
  const written = firstText(at(record, "asn"), at(record, "as_number"));
  const number = firstNumber(at(record, "autonomous_system_number"), at(record, "asn"), written?.replace(/^AS/i, ""));
  if (number === undefined || !Number.isSafeInteger(number)) return undefined;
  return { number, name: firstText(at(record, "autonomous_system_organization"), at(record, "as_name"), at(record, "name")) };
}
