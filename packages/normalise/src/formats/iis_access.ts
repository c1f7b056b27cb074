/** W3C extended log files, as IIS writes them: the columns are those of the last #Fields line. Knows no site. */
import { defineFormat, newFields, z } from "@vedette/kit";
import type { Fields, Flaw, Micros } from "@vedette/model";
import { share } from "../detect.ts";
import { compileMapping } from "../ecs/mapping.ts";
import { relate } from "../ecs/related.ts";
import { parseAnyTime } from "../time/parse.ts";
import { setUrl } from "../web/url.ts";

const noHeader: Flaw = { code: "no_header", expected: "a #Fields: line before the first row; read the file from its start" };
const notRow: Flaw = { code: "bad_w3c_log", expected: "a row with as many values as the #Fields line names, blanks between them" };

const map = compileMapping({
  "source.ip": "c-ip",
  "source.port": "c-port",
  "destination.ip": "s-ip",
  "destination.port": "s-port",
  "user.name": "cs-username",
  "http.request.method": "cs-method",
  "http.version": "cs-version",
  "http.request.bytes": "cs-bytes",
  "http.response.bytes": "sc-bytes",
  "http.response.status_code": "sc-status",
  "url.domain": ["cs-host", "cs(host)"],
  "user_agent.original": "cs(user-agent)",
  "http.request.referrer": "cs(referer)",
  "http.request.cookie": "cs(cookie)",
  "host.name": "s-computername",
});

/** What stands elsewhere in ECS under the same meaning, or is the time. */
const told = new Set(
  "date time c-ip c-port s-ip s-port cs-username cs-method cs-version cs-bytes sc-bytes sc-status cs-uri-stem cs-uri-query cs-host cs(host) cs(user-agent) cs(referer) cs(cookie)".split(
    " ",
  ),
);
/** IIS writes these with a plus sign for each blank. */
const plussed = new Set(["cs(user-agent)", "cs(referer)", "cs(cookie)"]);
/** IIS itself has 25, and as many of one's own may be added. */
const maxColumns = 128;

type Row = { [column: string]: string };

/** The columns that the last #Fields line names. */
function columnsOf(preamble: string | undefined): readonly string[] | undefined {
  const at = preamble === undefined ? -1 : preamble.lastIndexOf("#Fields:");
  if (at < 0) return undefined;
  const end = preamble!.indexOf("\n", at);
  const names = preamble!
    .slice(at + 8, end < 0 ? undefined : end)
    .trim()
    .toLowerCase()
    .split(/[ \t]+/, maxColumns);
  return names[0] === "" ? undefined : names;
}

function rowOf(line: string, columns: readonly string[]): Row | undefined {
  const values = line.split(line.includes("\t") ? "\t" : " ", maxColumns + 1);
  if (values.length !== columns.length) return undefined;
  const row: Row = Object.create(null) as Row;
  columns.forEach((name, i) => {
    const value = values[i]!;
    if (value !== "-" && value !== "") row[name] = plussed.has(name) ? value.replaceAll("+", " ") : value;
  });
  return row;
}

function eventOf(row: Row): { time: Micros | undefined; fields: Fields } {
  const fields = newFields();
  fields["event.kind"] = "event";
  fields["event.category"] = "web";
  fields["event.type"] = "access";
  fields["event.module"] = "iis";
  fields["event.dataset"] = "iis.access";
  for (const name in row) if (!told.has(name)) fields[`iis.access.${name.replaceAll("-", "_")}`] = row[name];
  map(row, fields);
  const path = row["cs-uri-stem"];
  const query = row["cs-uri-query"];
  if (path !== undefined) setUrl(fields, query === undefined ? path : `${path}?${query}`);
  const status = Number(row["sc-status"]);
  if (status >= 100) fields["event.outcome"] = status < 400 ? "success" : "failure";
  const took_ms = Number(row["time-taken"]);
  if (took_ms >= 0) fields["event.duration"] = took_ms * 1_000_000;
  const date = row["date"];
  relate(fields);
  return { time: date === undefined || row["time"] === undefined ? undefined : parseAnyTime(`${date}T${row["time"]}Z`), fields };
}

export default defineFormat({
  name: "iis_access",
  summary: "Access logs of IIS, in the W3C extended log file format.",
  description:
    "Columns are found by the #Fields line, which IIS writes at each start, so a file must be read from its start. Stamps are UTC. What ECS has no name for is iis.access.<column>.",
  stability: "beta",
  config: z.strictObject({}),
  detect(sample, preamble) {
    const columns = columnsOf(preamble);
    if (columns === undefined || !columns.some((name) => name === "cs-method" || name === "cs-uri-stem")) return 0;
    return 0.95 * share(sample, (line) => rowOf(line.trimEnd(), columns) !== undefined);
  },
  decoder() {
    let known: { readonly preamble: string | undefined; readonly columns: readonly string[] | undefined } | undefined;
    return (text, { preamble }) => {
      const line = text.trimEnd();
      if (line === "") return { skip: "blank" };
      if (line.startsWith("#")) return { skip: "comment" };
      if (known === undefined || known.preamble !== preamble) known = { preamble, columns: columnsOf(preamble) };
      if (known.columns === undefined) return noHeader;
      const row = rowOf(line, known.columns);
      return row === undefined ? notRow : eventOf(row);
    };
  },
  examples: [
    {
      title: "a request",
      preamble:
        "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2024-05-01 10:00:00\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus time-taken",
      input: "2024-05-01 10:00:00 10.0.0.5 POST /owa/auth.aspx x=../web.config 443 CORP\\ada 203.0.113.9 Mozilla/5.0+(X11) - 401 1 15",
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.000000Z",
          "event.kind": "event",
          "event.category": "web",
          "event.type": "access",
          "event.module": "iis",
          "event.dataset": "iis.access",
          "event.outcome": "failure",
          "event.duration": 15_000_000,
          "source.ip": "203.0.113.9",
          "destination.ip": "10.0.0.5",
          "destination.port": 443,
          "user.name": "CORP\\ada",
          "http.request.method": "POST",
          "http.response.status_code": 401,
          "url.path": "/owa/auth.aspx",
          "url.query": "x=../web.config",
          "url.original": "/owa/auth.aspx?x=../web.config",
          "user_agent.original": "Mozilla/5.0 (X11)",
          "iis.access.sc_substatus": "1",
          "iis.access.time_taken": "15",
          "related.ip": ["203.0.113.9", "10.0.0.5"],
          "related.user": ["CORP\\ada"],
        },
      ],
    },
    { title: "without the header", input: "2024-05-01 10:00:00 10.0.0.5 GET / - 80", expect: { flaw: "no_header" } },
    { title: "another row", preamble: "#Fields: date time cs-method cs-uri-stem", input: "one two", expect: { flaw: "bad_w3c_log" } },
  ],
});
