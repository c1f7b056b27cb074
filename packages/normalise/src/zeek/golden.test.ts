/** Zeek on the real sets: twins are equal, every variant of the header is read, truncated files keep their good rows. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { DecodeResult } from "@vedette/kit";
import { afterAll, describe, expect, test } from "vitest";
import zeek from "../formats/zeek.ts";

const shared = process.env["VEDETTE_SHARED"] ?? fileURLToPath(new URL("../../../../../shared", import.meta.url));
const data = join(shared, "data");

const read = (file: string) => {
  const bytes = readFileSync(file);
  return (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
};
const lines = (text: string) => text.split("\n").filter((line) => line !== "");

/** Decodes a whole file as a source would hand it on: leading comment lines are the preamble. */
function decodeFile(file: string, stream = file): DecodeResult[] {
  const all = lines(read(file));
  let end = 0;
  while (end < all.length && all[end]!.trimStart().startsWith("#")) end++;
  const preamble = end > 0 ? all.slice(0, end).join("\n") : undefined;
  const decode = zeek.decoder({});
  return all.slice(end).map((line) => decode(line, { preamble, received: 0, peer: undefined, source: "test", stream }));
}

function tally(results: readonly DecodeResult[]): { good: number; flaws: { [code: string]: number }; skipped: number } {
  const out = { good: 0, flaws: {} as { [code: string]: number }, skipped: 0 };
  for (const result of results) {
    if ("skip" in result) out.skipped++;
    else if ("code" in result) out.flaws[result.code] = (out.flaws[result.code] ?? 0) + 1;
    else out.good++;
  }
  return out;
}

/** Events in a form that can be compared as sets. */
const canonical = (results: readonly DecodeResult[]) =>
  results
    .filter((result) => "fields" in result)
    .map(({ time, fields }) =>
      JSON.stringify([
        time,
        ...Object.keys(fields)
          .sort()
          .map((key) => [key, fields[key]]),
      ]),
    )
    .sort();

function filesUnder(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesUnder(path) : [path];
  });
}

describe.skipIf(!existsSync(join(data, "zeek-wrccdc")))("zeek-wrccdc", () => {
  const folder = join(data, "zeek-wrccdc");
  for (const file of existsSync(folder) ? readdirSync(join(folder, "zeek-default")) : []) {
    test(`${file} and its JSON twin give the same events`, () => {
      const tsv = decodeFile(join(folder, "zeek-default", file));
      const json = decodeFile(join(folder, "zeek-json", file.replace(".log.gz", ".json.gz")));
      expect(tally(tsv).flaws).toEqual({});
      expect(tally(json).flaws).toEqual({});
      const [a, b] = [canonical(tsv), canonical(json)];
      expect(a.length).toBeGreaterThan(0);
      // The first difference tells more than a diff of fifty thousand lines.
      expect(a.find((one, i) => one !== b[i])).toBeUndefined();
      expect(a.length).toBe(b.length);
    });
  }
  test("what is known to be in it is found", () => {
    const notices = decodeFile(join(folder, "zeek-default", "notice.log.gz"));
    const names = notices.map((one) => ("fields" in one ? one.fields["rule.name"] : undefined));
    expect(names.filter((name) => name === "SSL::Invalid_Server_Cert")).toHaveLength(207);
    const rdp = decodeFile(join(folder, "zeek-json", "rdp.json.gz"));
    const pair = rdp.filter(
      (one) => "fields" in one && one.fields["source.ip"] === "10.164.94.120" && one.fields["destination.ip"] === "10.47.8.208",
    );
    expect(pair).toHaveLength(838);
  });
});

describe.skipIf(!existsSync(join(data, "zeek-btest")))("zeek-btest", () => {
  const folder = mkdtempSync(join(tmpdir(), "zeek-btest-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  test("every header variant is read; of 5,607 rows none is lost", () => {
    execFileSync("tar", ["xJf", join(data, "zeek-btest/baseline-logs.tar.xz"), "-C", folder]);
    const files = filesUnder(folder).filter((file) => file.endsWith(".log"));
    const total = { good: 0, flaws: {} as { [code: string]: number }, skipped: 0 };
    for (const file of files) {
      const one = tally(decodeFile(file));
      total.good += one.good;
      total.skipped += one.skipped;
      for (const code in one.flaws) total.flaws[`${code} ${file.slice(folder.length)}`] = one.flaws[code]!;
    }
    expect(files).toHaveLength(431);
    expect(total).toMatchInlineSnapshot(`
      {
        "flaws": {},
        "good": 5604,
        "skipped": 538,
      }
    `);
  });
});

const others = ["zeek-rita", "zeek-slips", "zeek-stratosphere-labelled", "zeek-apt29"];
describe.skipIf(!existsSync(join(data, "zeek-rita")))("the other sets", () => {
  test("rows, flaws and datasets per file", () => {
    const out: { [file: string]: string } = {};
    for (const set of others) {
      for (const file of filesUnder(join(data, set))) {
        if (!/\.(log|labeled)(\.gz)?$/.test(file)) continue;
        const results = decodeFile(file);
        const { good, flaws } = tally(results);
        const datasets = new Set(results.map((one) => ("fields" in one ? one.fields["event.dataset"] : undefined)));
        const untimed = results.filter((one) => "fields" in one && one.time === undefined).length;
        out[file.slice(data.length + 1)] =
          `${good} ${[...datasets].filter(Boolean).sort().join(" ")}${untimed > 0 ? ` untimed ${untimed}` : ""}${Object.keys(flaws).length > 0 ? ` ${JSON.stringify(flaws)}` : ""}`;
      }
    }
    expect(out).toMatchInlineSnapshot(`
      {
        "zeek-apt29/day1/combined_zeek.log.gz": "2140 zeek.conn zeek.dce_rpc zeek.dns zeek.dpd zeek.files zeek.http zeek.kerberos zeek.notice zeek.pe zeek.smb_files zeek.smb_mapping zeek.ssl zeek.weird zeek.x509",
        "zeek-apt29/day1/individual_zeek_logs/NASHUA_conn.log.gz": "479 zeek.conn",
        "zeek-apt29/day1/individual_zeek_logs/NASHUA_dce_rpc.log.gz": "57 zeek.dce_rpc",
        "zeek-apt29/day1/individual_zeek_logs/NASHUA_dns.log.gz": "21 zeek.dns",
        "zeek-apt29/day1/individual_zeek_logs/NASHUA_dpd.log.gz": "6 zeek.dpd",
        "zeek-apt29/day1/individual_zeek_logs/NASHUA_files.log.gz": "379 zeek.files",
        "zeek-apt29/day1/individual_zeek_logs/NASHUA_kerberos.log.gz": "13 zeek.kerberos",
        "zeek-apt29/day1/individual_zeek_logs/NASHUA_notice.log.gz": "1 zeek.notice",
        "zeek-apt29/day1/individual_zeek_logs/NASHUA_smb_files.log.gz": "6 zeek.smb_files",
        "zeek-apt29/day1/individual_zeek_logs/NASHUA_smb_mapping.log.gz": "5 zeek.smb_mapping",
        "zeek-apt29/day1/individual_zeek_logs/NASHUA_ssl.log.gz": "376 zeek.ssl",
        "zeek-apt29/day1/individual_zeek_logs/NASHUA_weird.log.gz": "6 zeek.weird",
        "zeek-apt29/day1/individual_zeek_logs/NASHUA_x509.log.gz": "376 zeek.x509",
        "zeek-apt29/day1/individual_zeek_logs/SCRANTON_conn.log.gz": "134 zeek.conn",
        "zeek-apt29/day1/individual_zeek_logs/SCRANTON_dce_rpc.log.gz": "66 zeek.dce_rpc",
        "zeek-apt29/day1/individual_zeek_logs/SCRANTON_dns.log.gz": "32 zeek.dns",
        "zeek-apt29/day1/individual_zeek_logs/SCRANTON_dpd.log.gz": "6 zeek.dpd",
        "zeek-apt29/day1/individual_zeek_logs/SCRANTON_files.log.gz": "69 zeek.files",
        "zeek-apt29/day1/individual_zeek_logs/SCRANTON_http.log.gz": "62 zeek.http",
        "zeek-apt29/day1/individual_zeek_logs/SCRANTON_kerberos.log.gz": "22 zeek.kerberos",
        "zeek-apt29/day1/individual_zeek_logs/SCRANTON_notice.log.gz": "1 zeek.notice",
        "zeek-apt29/day1/individual_zeek_logs/SCRANTON_pe.log.gz": "1 zeek.pe",
        "zeek-apt29/day1/individual_zeek_logs/SCRANTON_smb_files.log.gz": "6 zeek.smb_files",
        "zeek-apt29/day1/individual_zeek_logs/SCRANTON_smb_mapping.log.gz": "6 zeek.smb_mapping",
        "zeek-apt29/day1/individual_zeek_logs/SCRANTON_ssl.log.gz": "2 zeek.ssl",
        "zeek-apt29/day1/individual_zeek_logs/SCRANTON_weird.log.gz": "6 zeek.weird",
        "zeek-apt29/day1/individual_zeek_logs/SCRANTON_x509.log.gz": "2 zeek.x509",
        "zeek-rita/has_unknown_field/http.log": "4 zeek.http {"bad_columns":1}",
        "zeek-rita/json_with_all_fields/ORIGINALdns.log": "34 zeek.dns",
        "zeek-rita/json_with_all_fields/conn.log": "29 zeek.conn",
        "zeek-rita/json_with_all_fields/dns.log": "34 zeek.dns",
        "zeek-rita/json_with_all_fields/http.log": "10 zeek.http",
        "zeek-rita/json_with_all_fields/open_conn.log.gz": "59 zeek.conn",
        "zeek-rita/json_with_all_fields/open_http.log": "20 zeek.http",
        "zeek-rita/json_with_all_fields/open_ssl.log": "20 zeek.ssl",
        "zeek-rita/json_with_all_fields/ssl.log": "10 zeek.ssl",
        "zeek-rita/open_conns/closed/conn.log": "59 zeek.conn",
        "zeek-rita/open_conns/closed/http.log": "20 zeek.http",
        "zeek-rita/open_conns/closed/ssl.log": "20 zeek.ssl",
        "zeek-rita/open_conns/open/conn.log": "29 zeek.conn",
        "zeek-rita/open_conns/open/dns.log": "34 zeek.dns",
        "zeek-rita/open_conns/open/http.log": "10 zeek.http",
        "zeek-rita/open_conns/open/open_conn.log": "59 zeek.conn",
        "zeek-rita/open_conns/open/open_http.log": "20 zeek.http",
        "zeek-rita/open_conns/open/open_ssl.log": "20 zeek.ssl",
        "zeek-rita/open_conns/open/ssl.log": "10 zeek.ssl",
        "zeek-rita/proxy_rolling/capture_loss.15:00:00-16:00:00.log.gz": "4 zeek.capture_loss",
        "zeek-rita/proxy_rolling/capture_loss.16:00:00-17:00:00.log.gz": "4 zeek.capture_loss",
        "zeek-rita/proxy_rolling/conn.15:00:00-16:00:00.log.gz": "290 zeek.conn",
        "zeek-rita/proxy_rolling/conn.16:00:00-17:00:00.log.gz": "7260 zeek.conn",
        "zeek-rita/proxy_rolling/dns.15:00:00-16:00:00.log.gz": "20 zeek.dns",
        "zeek-rita/proxy_rolling/dns.16:00:00-17:00:00.log.gz": "3189 zeek.dns",
        "zeek-rita/proxy_rolling/http.15:00:00-16:00:00.log.gz": "43 zeek.http",
        "zeek-rita/proxy_rolling/http.16:00:00-17:00:00.log.gz": "2325 zeek.http",
        "zeek-rita/proxy_rolling/known_certs.16:02:19-17:00:00.log.gz": "112 zeek.known_certs",
        "zeek-rita/proxy_rolling/ssl.15:00:00-16:00:00.log.gz": "2 zeek.ssl",
        "zeek-rita/proxy_rolling/ssl.16:00:00-17:00:00.log.gz": "2734 zeek.ssl",
        "zeek-rita/proxy_rolling/stats.15:00:00-16:00:00.log.gz": "36 zeek.stats",
        "zeek-rita/proxy_rolling/stats.16:00:00-17:00:00.log.gz": "36 zeek.stats",
        "zeek-rita/proxy_rolling/x509.15:00:00-16:00:00.log.gz": "1 zeek.x509",
        "zeek-rita/proxy_rolling/x509.16:00:00-17:00:00.log.gz": "113 zeek.x509",
        "zeek-rita/text_file/conn.log": "0  {"no_header":5}",
        "zeek-rita/truncated/conn.log": "58 zeek.conn {"bad_columns":1}",
        "zeek-rita/truncated/conn_json.log": "3 zeek.conn {"bad_json":1}",
        "zeek-rita/truncated/conn_top.log": "0  {"no_header":59}",
        "zeek-slips/port-scans/horizontal/conn.log": "41 zeek.conn",
        "zeek-slips/test10-mixed-zeek-dir/capture_loss.log": "1 zeek.capture_loss",
        "zeek-slips/test10-mixed-zeek-dir/conn.log": "141 zeek.conn",
        "zeek-slips/test10-mixed-zeek-dir/dns.log.gz": "93 zeek.dns",
        "zeek-slips/test10-mixed-zeek-dir/files.log": "6 zeek.files",
        "zeek-slips/test10-mixed-zeek-dir/notice.log": "12 zeek.notice {"bad_columns":1}",
        "zeek-slips/test10-mixed-zeek-dir/packet_filter.log": "1 zeek.packet_filter",
        "zeek-slips/test10-mixed-zeek-dir/reporter.log": "2 zeek.reporter",
        "zeek-slips/test10-mixed-zeek-dir/ssl.log": "13 zeek.ssl",
        "zeek-slips/test10-mixed-zeek-dir/weird.log": "2 zeek.weird",
        "zeek-slips/test10-mixed-zeek-dir/x509.log": "2 zeek.x509",
        "zeek-slips/test13-malicious-dhcpscan-zeek-dir/conn.log": "2 zeek.conn",
        "zeek-slips/test13-malicious-dhcpscan-zeek-dir/dhcp.log": "10 zeek.dhcp",
        "zeek-slips/test9-mixed-zeek-dir/arp.log": "2 zeek.arp",
        "zeek-slips/test9-mixed-zeek-dir/conn.log.gz": "576 zeek.conn",
        "zeek-slips/test9-mixed-zeek-dir/dhcp.log": "5 zeek.dhcp",
        "zeek-slips/test9-mixed-zeek-dir/dns.log.gz": "239 zeek.dns",
        "zeek-slips/test9-mixed-zeek-dir/files.log.gz": "936 zeek.files",
        "zeek-slips/test9-mixed-zeek-dir/http.log.gz": "516 zeek.http",
        "zeek-slips/test9-mixed-zeek-dir/notice.log": "18 zeek.notice",
        "zeek-slips/test9-mixed-zeek-dir/packet_filter.log": "1 zeek.packet_filter",
        "zeek-slips/test9-mixed-zeek-dir/pe.log": "1 zeek.pe",
        "zeek-slips/test9-mixed-zeek-dir/smtp.log": "5 zeek.smtp",
        "zeek-slips/test9-mixed-zeek-dir/software.log": "3 zeek.software",
        "zeek-slips/test9-mixed-zeek-dir/ssl.log.gz": "205 zeek.ssl",
        "zeek-slips/test9-mixed-zeek-dir/x509.log.gz": "154 zeek.x509",
        "zeek-stratosphere-labelled/001-zeek-scenario-malicious/conn.log.gz": "992 zeek.conn",
        "zeek-stratosphere-labelled/001-zeek-scenario-malicious/labeled-conn.log.gz": "992 zeek.conn",
        "zeek-stratosphere-labelled/002-zeek-scenario-port-scanning/conn.log.gz": "4504 zeek.conn",
        "zeek-stratosphere-labelled/004-zeek-scenario-ssh/ssh.log.gz": "396 zeek.ssh",
        "zeek-stratosphere-labelled/006-zeek-scenario-ssh/conn.log": "18 zeek.conn",
        "zeek-stratosphere-labelled/006-zeek-scenario-ssh/ssh.log": "10 zeek.ssh",
        "zeek-stratosphere-labelled/008-zeek-mixed/data/conn.log.labeled.gz": "5663 zeek.conn",
        "zeek-stratosphere-labelled/008-zeek-mixed/data/http.log.labeled.gz": "342 zeek.http",
        "zeek-stratosphere-labelled/008-zeek-mixed/data/notice.log.labeled": "16 zeek.notice",
        "zeek-stratosphere-labelled/008-zeek-mixed/data/sip.log.labeled": "33 zeek.sip",
        "zeek-stratosphere-labelled/008-zeek-mixed/data/ssl.log.labeled.gz": "545 zeek.ssl",
        "zeek-stratosphere-labelled/008-zeek-mixed/data/tunnel.log.labeled": "6 zeek.tunnel",
        "zeek-stratosphere-labelled/008-zeek-mixed/data/weird.log.labeled": "56 zeek.weird",
        "zeek-stratosphere-labelled/012-zeek-mixed/data/conn.log.labeled.gz": "4740 zeek.conn",
        "zeek-stratosphere-labelled/012-zeek-mixed/data/dns.log.labeled": "12 zeek.dns",
        "zeek-stratosphere-labelled/012-zeek-mixed/data/files.log.labeled": "0 ",
        "zeek-stratosphere-labelled/012-zeek-mixed/data/http.log.labeled.gz": "119 zeek.http",
        "zeek-stratosphere-labelled/012-zeek-mixed/data/known_hosts.log.labeled": "0 ",
        "zeek-stratosphere-labelled/012-zeek-mixed/data/notice.log.labeled.gz": "284 zeek.notice",
        "zeek-stratosphere-labelled/012-zeek-mixed/data/sip.log.labeled": "55 zeek.sip",
        "zeek-stratosphere-labelled/012-zeek-mixed/data/software.log.labeled": "0 ",
        "zeek-stratosphere-labelled/012-zeek-mixed/data/ssl.log.labeled.gz": "812 zeek.ssl",
        "zeek-stratosphere-labelled/012-zeek-mixed/data/tunnel.log.labeled": "4 zeek.tunnel",
        "zeek-stratosphere-labelled/012-zeek-mixed/data/weird.log.labeled.gz": "288 zeek.weird",
        "zeek-stratosphere-labelled/012-zeek-mixed/data/x509.log.labeled": "0 ",
      }
    `);
  });
});
