/** Zeek logs, TSV and JSON: both writers' twins of a log become the same events. */
import { defineFormat, z } from "@vedette/kit";
import { share } from "../detect.ts";
import { isFlaw, looksLikeObject, parseObject } from "../json/parse.ts";
import { zeekJson } from "../zeek/json.ts";
import { tsvDecoder } from "../zeek/tsv.ts";

const header = [
  "#separator \\x09",
  "#set_separator\t,",
  "#empty_field\t(empty)",
  "#unset_field\t-",
  "#path\tconn",
  "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\ttunnel_parents",
  "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tset[string]",
].join("\n");
const connection = {
  "@timestamp": "2018-03-24T17:15:20.600725Z",
  "event.kind": "event",
  "event.category": "network",
  "event.type": "connection",
  "event.dataset": "zeek.conn",
  "event.module": "zeek",
  "zeek.uid": "CHhAvVGS1DHFjwGM9",
  "source.ip": "10.0.0.5",
  "source.port": 49152,
  "destination.ip": "192.0.2.7",
  "destination.port": 443,
  "network.transport": "tcp",
  "network.protocol": "ssl",
  "event.duration": 1_528_000,
  "source.bytes": 4020,
  "destination.bytes": 1681,
  "zeek.conn.conn_state": "SF",
  "zeek.conn.tunnel_parents": [],
};

export default defineFormat({
  name: "zeek",
  summary: "Zeek logs, tab-separated with their header or as JSON documents.",
  description:
    "Columns with an ECS home go there; every other column is zeek.<log>.<column> in Zeek's own spelling. Unset columns are absent, an empty set is an empty array. " +
    "Numbers have at most six decimals and times are RFC 3339, so that TSV and JSON twins are equal. The log's name comes from #path or _path, else from the " +
    "stream's name, else from columns that only one log has. Rows with another number of columns than #fields are flaws.",
  stability: "beta",
  config: z.strictObject({}),
  detect(sample, preamble, stream) {
    if (preamble !== undefined && /^\s*#(separator|fields|path)\b/m.test(preamble)) return 0.99;
    if (sample.some((line) => line.startsWith("#fields\t") || line.startsWith("#separator "))) return 0.95;
    const context = { preamble, stream, received: 0, peer: undefined, source: "" };
    return share(sample, (line) => {
      if (!looksLikeObject(line)) return false;
      const parsed = parseObject(line);
      return !isFlaw(parsed) && zeekJson.claims(parsed, context) >= 0.5;
    });
  },
  decoder() {
    const row = tsvDecoder();
    return (text, context) => {
      const line = text.charCodeAt(text.length - 1) === 0x0d ? text.slice(0, -1) : text;
      const first = line.charCodeAt(0);
      if (first === 0x7b && context.preamble === undefined) {
        const parsed = parseObject(line);
        return isFlaw(parsed) ? parsed : zeekJson.decode(parsed, line, context);
      }
      if (first === 0x23 || line.trimStart().startsWith("#")) return { skip: "comment" };
      return line.trim() === "" ? { skip: "blank" } : row(line, context);
    };
  },
  json: zeekJson,
  examples: [
    {
      title: "a TSV row",
      preamble: header,
      input: "1521911720.600725\tCHhAvVGS1DHFjwGM9\t10.0.0.5\t49152\t192.0.2.7\t443\ttcp\tssl\t0.001528\t4020\t1681\tSF\t(empty)",
      expect: [connection],
    },
    {
      title: "its JSON twin",
      input:
        '{"_path":"conn","ts":1521911720.600725,"uid":"CHhAvVGS1DHFjwGM9","id.orig_h":"10.0.0.5","id.orig_p":49152,"id.resp_h":"192.0.2.7","id.resp_p":443,' +
        '"proto":"tcp","service":"ssl","duration":0.001528024673461914,"orig_bytes":4020,"resp_bytes":1681,"conn_state":"SF","tunnel_parents":[]}',
      expect: [connection],
    },
    {
      title: "the same under its log's name, as to Kafka",
      input:
        '{"conn":{"ts":1521911720.600725,"uid":"CHhAvVGS1DHFjwGM9","id.orig_h":"10.0.0.5","id.orig_p":49152,"id.resp_h":"192.0.2.7","id.resp_p":443,' +
        '"proto":"tcp","service":"ssl","duration":0.001528,"orig_bytes":4020,"resp_bytes":1681,"conn_state":"SF","tunnel_parents":[]}}',
      expect: [connection],
    },
    { title: "the end of a file", preamble: header, input: "#close\t2018-03-24-18-00-00", expect: { skip: "comment" } },
    { title: "a truncated row", preamble: header, input: "1521911720.600725\tCHhAvVGS1DHFjwGM9\t10.0", expect: { flaw: "bad_columns" } },
    { title: "a row whose header is missing", input: "1521911720.600725\tCHhAvVGS1DHFjwGM9\t10.0.0.5", expect: { flaw: "no_header" } },
  ],
});
