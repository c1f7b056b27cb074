/** What DHCP servers and dnsmasq write, as their sources word it; clients choose their names. */
import { newFields } from "@vedette/kit";
import { expect, test } from "vitest";
import { readMessage } from "./programs.ts";

const read = (program: string, message: string) => {
  const fields = newFields();
  readMessage(program, message, fields);
  return Object.fromEntries(Object.entries(fields).filter(([name]) => /^(?:dhcp|client|dns|source)\.|^event\.action/.test(name)));
};
const mac = { "client.mac": "00:16:3e:aa:bb:cc", "source.mac": "00:16:3e:aa:bb:cc" };
const leased = { "event.action": "dhcp_ack", "client.ip": "10.0.2.15", ...mac, "dhcp.assigned_ip": "10.0.2.15" };
const named = { ...leased, "dhcp.hostname": "john-pc" };

test.each([
  ["dhcpd", "DHCPACK on 10.0.2.15 to 00:16:3E:aa:bb:cc (john-pc) via eth0", named],
  [
    "dhcpd",
    "DHCPACK on 10.0.2.15 to 00:16:3e:aa:bb:cc (john-pc) via eth0 relay eth0 lease-duration 600 (RENEW) uid 01:00",
    { ...named, "dhcp.lease_time": 600 },
  ],
  ["dhcpd", "DHCPACK to 10.0.2.15 (00:16:3e:aa:bb:cc) via eth0", leased],
  [
    "dhcpd",
    "DHCPREQUEST for 10.0.2.15 (10.0.2.1) from 00:16:3e:aa:bb:cc (john-pc) via eth0",
    { "event.action": "dhcp_request", "client.ip": "10.0.2.15", ...mac, "dhcp.hostname": "john-pc" },
  ],
  [
    "dhcpd",
    "DHCPDISCOVER from 00:16:3e:aa:bb:cc via eth0: network 10.0.2.0/24: no free leases",
    { "event.action": "dhcp_discover", ...mac },
  ],
  [
    "dhcpd",
    "DHCPACK on 10.0.2.15 to 00:16:3e:aa:bb:cc (x) on 10.0.2.99 to 00:00:00:00:00:01 (evil pc) via eth0",
    { ...leased, "dhcp.hostname": "x" },
  ],
  ["dnsmasq-dhcp", "DHCPACK(eth0) 10.0.2.15 00:16:3e:aa:bb:cc john-pc", named],
  ["dnsmasq-dhcp", "3523417562 DHCPACK(br0) 10.0.2.15 00:16:3e:aa:bb:cc", leased],
  ["dnsmasq-dhcp", "DHCPDISCOVER(eth0) 00:16:3e:aa:bb:cc", { "event.action": "dhcp_discover", ...mac }],
  [
    "kea-dhcp4",
    "INFO  [kea-dhcp4.leases.0x7f1] DHCP4_LEASE_ALLOC [hwtype=1 00:16:3e:aa:bb:cc], cid=[01:00:16:3e:aa:bb:cc], tid=0xc288f9: lease 10.0.2.15 has been allocated for 4000 seconds",
    { ...leased, "dhcp.lease_time": 4_000 },
  ],
  [
    "kea-dhcp6",
    "INFO DHCP6_LEASE_ALLOC duid=[00:03:00:01], [hwtype=1 00:16:3e:aa:bb:cc], tid=0x1: lease for address 2001:db8::15 and iaid=1 has been allocated for 300 seconds",
    { "event.action": "dhcp_ack", "client.ip": "2001:db8::15", ...mac, "dhcp.assigned_ip": "2001:db8::15", "dhcp.lease_time": 300 },
  ],
  [
    "dnsmasq",
    "query[AAAA] www.example.com from 10.0.2.15",
    {
      "event.action": "dns_query",
      "dns.type": "query",
      "dns.question.name": "www.example.com",
      "dns.question.type": "AAAA",
      "source.ip": "10.0.2.15",
    },
  ],
  [
    "dnsmasq",
    "42 10.0.2.15/40123 reply www.example.com is 192.0.2.80",
    {
      "event.action": "dns_answer",
      "dns.type": "answer",
      "dns.question.name": "www.example.com",
      "dns.answers.data": ["192.0.2.80"],
      "dns.resolved_ip": ["192.0.2.80"],
      "source.ip": "10.0.2.15",
      "source.port": 40_123,
    },
  ],
  [
    "dnsmasq",
    "/etc/hosts login1.example is 10.0.0.4",
    {
      "event.action": "dns_answer",
      "dns.type": "answer",
      "dns.question.name": "login1.example",
      "dns.answers.data": ["10.0.0.4"],
      "dns.resolved_ip": ["10.0.0.4"],
    },
  ],
  [
    "dnsmasq",
    "reply a.example is NXDOMAIN",
    { "event.action": "dns_answer", "dns.type": "answer", "dns.question.name": "a.example", "dns.answers.data": ["NXDOMAIN"] },
  ],
  ["dnsmasq", "read /etc/hosts - 7 names", {}],
])("%s: %s", (program, message, expected) => expect(read(program, message)).toEqual(expected));
