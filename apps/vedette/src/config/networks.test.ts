/** Zones that the site calls its own are inside for detectors too. */
import { detectors } from "@vedette/detect";
import { expect, test } from "vitest";
import { configuredDetectors } from "./networks.ts";

const zones = {
  campus: { networks: ["192.0.2.0/24", "2001:db8::/32"] },
  partner: { networks: ["198.51.100.0/24"], internal: false },
};
const enrich = { network_zones: { zones } };

test("detectors that tell inside from outside take the internal zones beside the private ranges, and are as their specifications want them", async () => {
  const settings = await configuredDetectors({ enrich, detectors: { horizontal_scan: { window_s: 600 } } });
  for (const name of ["horizontal_scan", "vertical_scan", "border_scan", "beacon", "exfiltration", "brute_force"]) {
    expect(settings[name], name).toMatchObject({
      internal: expect.arrayContaining(["10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"]) as unknown,
    });
    expect((settings[name] as { internal: string[] }).internal).not.toContain("198.51.100.0/24");
  }
  expect(settings["horizontal_scan"]).toMatchObject({ window_s: 600 });
  for (const [name, spec] of await detectors()) if (settings[name] !== undefined) spec.config.parse(settings[name]);
});

test("what a detector is told itself holds, and one that is off stays off", async () => {
  const told = { horizontal_scan: { internal: ["10.0.0.0/8"] }, beacon: false };
  const settings = await configuredDetectors({ enrich, detectors: told });
  expect(settings["horizontal_scan"]).toEqual(told.horizontal_scan);
  expect(settings["beacon"]).toBe(false);
});

test("without zones the settings are as they were written", async () => {
  const told = { beacon: {} };
  expect(await configuredDetectors({ enrich: {}, detectors: told })).toBe(told);
  expect(await configuredDetectors({ enrich: { network_zones: false }, detectors: told })).toBe(told);
});
