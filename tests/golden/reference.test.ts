/** The share of other parsers' answers that we give too, by data set: floors that were measured, so that no change reads less. */
import { describe, expect, test } from "vitest";
import { sharedSet } from "../../packages/normalise/src/shared_sets.test.data.ts";
import { type Agreement, crowdsec, elasticPackage, fail2ban, panther, slurm, slurmStates, wazuh } from "./reference.ts";

/** Agreed and asked, exactly as measured; VEDETTE_SHOW=1 prints what differs. */
function hold(agreement: Agreement, agreed: number, asked: number): void {
  if (process.env["VEDETTE_SHOW"] === "1") for (const one of agreement.disagreements) process.stderr.write(`${one}\n`);
  expect({ asked: agreement.asked, agreed: agreement.agreed }, agreement.disagreements.slice(0, 5).join("\n")).toEqual({ asked, agreed });
}

/** The services whose formats we have; other products' logs in the set are nobody's promise here. */
const services =
  /sshd|\bsu-|sudo|pam|auditd|nginx-|nginx_|apache|haproxy|iptables|k8s|cloudtrail|postfix|dovecot|pgsql|postgres|suricata|cef|named|bind9|proftpd|vsftpd|pureftpd|proxmox-logs/;
/** Nginx Proxy Manager and the site-made formats of one case are no nginx formats; NetWitness-like forwarders neither. */
const others = /proxy-manager|catch-npm/;

describe.skipIf(sharedSet("elastic-package") === undefined)("Elastic's pipelines", () => {
  const wanted: readonly (readonly [name: string, agreed: number, asked: number])[] = [
    ["system/auth", 79, 82],
    ["system/security", 84, 85],
    ["nginx/access", 44, 44],
    ["nginx_multiple_services/access", 94, 94],
    ["nginx_multiple_services/error", 20, 20],
    ["apache/access", 184, 184],
    ["apache/error", 45, 45],
    ["system/syslog", 1_851, 1_887],
    ["cisco_asa/log", 1_314, 1_349],
  ];
  test.each(wanted)("%s", async (name, agreed, asked) => hold((await elasticPackage([name])).get(name)!, agreed, asked));
});

test.skipIf(sharedSet("crowdsec-hub") === undefined)("CrowdSec's asserted addresses and users", async () => {
  hold(await crowdsec((name) => services.test(name) && !others.test(name)), 246, 246);
});

test.skipIf(sharedSet("fail2ban") === undefined)("fail2ban's hosts, and lines that must not be taken for a failed login", async () => {
  const filters =
    "sshd sshd-journal pam-generic selinux-ssh postfix dovecot nginx-http-auth nginx-botsearch nginx-limit-req nginx-bad-request nginx-forbidden apache-auth apache-botsearch apache-noscript apache-overflows apache-modsecurity apache-badbots apache-nohome haproxy-http-auth named-refused proftpd vsftpd";
  const { hosts, asked, wrong } = await fail2ban(new Set(filters.split(" ")));
  hold(hosts, 252, 254);
  // An audit record says itself that the login failed; fail2ban leaves it to the record beside it.
  expect([asked, wrong.map((line) => line.split(":")[0])]).toEqual([52, ["selinux-ssh"]]);
});

test.skipIf(sharedSet("wazuh-ruleset") === undefined)("Wazuh's logins", async () => hold(await wazuh(), 18, 24));

test.skipIf(sharedSet("panther-analysis") === undefined)("Panther's samples are recognised by their log type", async () => {
  const shares = Object.fromEntries([...(await panther())].map(([type, { agreed, asked }]) => [type, `${agreed}/${asked}`]));
  expect(shares).toEqual({
    "AWS.CloudTrail": "207/207",
    "AWS.VPCFlow": "6/6",
    "Amazon.EKS.Audit": "20/20",
    "Azure.Audit": "22/22",
    "Azure.MonitorActivity": "103/103",
    // Two samples hold nothing but a producer, one an action that no audit log writes, one no workload.
    "GCP.AuditLog": "77/79",
    "GSuite.ActivityEvent": "49/49",
    "GitHub.Audit": "49/50",
    "Microsoft365.Audit.AzureActiveDirectory": "1/2",
    "Microsoft365.Audit.Exchange": "10/10",
    "Microsoft365.Audit.SharePoint": "5/5",
    "Okta.SystemLog": "39/39",
  });
});

describe.skipIf(sharedSet("hpc-slurm") === undefined)("Slurm's accounting", () => {
  test("XDMoD's reading of the same lines", async () => hold(await slurm(), 32, 32));
  test("the 4,285 jobs of a cluster", async () => {
    expect(await slurmStates()).toEqual({
      "slurm_job COMPLETED": 2_324,
      "slurm_job FAILED": 1_717,
      "slurm_job CANCELLED": 243,
      "slurm_job TIMEOUT": 1,
    });
  });
});
