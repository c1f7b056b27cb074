/** The headers that daemons, relays, devices and supervisors write before one and the same message. */
import { expect, test } from "vitest";
import { parseHeader } from "./header.ts";

const received = Date.UTC(2024, 5, 1) * 1_000;
const told = "sshd[77]: Invalid user x from 192.0.2.7";

test.each([
  ["RFC 3164", `<38>Mar  5 14:07:59 login1 ${told}`, "2024-03-05T14:07:59.000Z", "login1", false],
  ["no host", `<38>Mar  5 14:07:59 ${told}`, "2024-03-05T14:07:59.000Z", undefined, false],
  ["a year before the time of day", `<38>Mar  5 2023 14:07:59 login1 ${told}`, "2023-03-05T14:07:59.000Z", "login1", false],
  ["a year behind it", `<38>Mar  5 14:07:59 2023 login1 ${told}`, "2023-03-05T14:07:59.000Z", "login1", false],
  ["a zone's name", `<38>Mar  5 14:07:59 CET login1 ${told}`, "2024-03-05T13:07:59.000Z", "login1", true],
  ["a host that might be a zone", `<38>Mar  5 14:07:59 MAIL ${told}`, "2024-03-05T14:07:59.000Z", "MAIL", false],
  ["an offset", `<38>Mar  5 14:07:59.5 -05:30 login1 ${told}`, "2024-03-05T19:37:59.500Z", "login1", true],
  ["an offset without a colon", `Mar  5 14:07:59 +0200 login1 ${told}`, "2024-03-05T12:07:59.000Z", "login1", true],
  ["Cisco's sequence number and clock mark", `<38>29: *Mar  5 14:07:59.123 UTC: ${told}`, "2024-03-05T14:07:59.123Z", undefined, true],
  ["seconds of Unix", `1709647679 login1 ${told}`, "2024-03-05T14:07:59.000Z", "login1", true],
  ["seconds of Unix with a fraction", `<38>1709647679.25 login1 ${told}`, "2024-03-05T14:07:59.250Z", "login1", true],
  ["Meraki's half of RFC 5424", `<38>1 1709647679.25 login1 ${told}`, "2024-03-05T14:07:59.250Z", "login1", true],
  ["RFC 5424", "<38>1 2024-03-05T14:07:59Z login1 sshd 77 - - Invalid user x from 192.0.2.7", "2024-03-05T14:07:59.000Z", "login1", true],
  ["TAI64N of multilog", `@400000004c91b044077a9e94 ${told}`, "2010-09-16T05:50:50.125Z", undefined, true],
])("%s", (_, line, time, host, zoned) => {
  const header = parseHeader(line, received)!;
  expect({ ...header, time: new Date(header.time! / 1_000).toISOString() }).toMatchObject({
    time,
    host,
    zoned,
    program: "sshd",
    pid: 77,
    message: "Invalid user x from 192.0.2.7",
  });
});

test.each([
  ["Squid's access log", "1286536309.586    921 192.0.2.7 TCP_MISS/200 507 POST http://example.org/ - DIRECT/192.0.2.1 -"],
  ["a program's own epoch", "1709647679 started"],
  ["a TAI64N stamp beyond the year 9999", "@4fffffffffffffff00000000 started"],
])("%s is no syslog line", (_, line) => expect(parseHeader(line, received)).toBeUndefined());

test("words of capitals that are no zone stay the host", () => {
  expect(parseHeader("Mar  5 14:07:59 UTCX sshd[1]: x", received)).toMatchObject({ host: "UTCX", zoned: false });
});
