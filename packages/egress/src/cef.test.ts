import { newFields } from "@vedette/kit";
import { expect, test } from "vitest";
import { toCef } from "./cef.ts";
import { alertOf, now, sendable } from "./receiver.fixture.ts";
import { alertParcel } from "./record/ecs.ts";
import { outgoing } from "./record/outgoing.ts";

test("an alert in CEF", () => {
  const line = toCef(outgoing(alertParcel(alertOf()), "ecs", "1"), "0.1.0");
  expect(line).toBe(
    `CEF:0|Vedette|Vedette|0.1.0|brute_force|SSH brute force|8|rt=${now / 1000 - 0.456} externalId=alert-1.${now} src=192.0.2.7 act=create dvchost=login1 cat=vedette.alert msg=37 failed log-ins cs1Label=ruleId cs1=brute_force cs2Label=attack cs2=T1110.001, T1078 cs3Label=state cs3=open cs5Label=alertId cs5=alert-1`,
  );
});

test("hostile content stays in its value", () => {
  const hostile = 'a=b|c\\d\r\nCEF:0|evil|x|\u0000\u001b[31m\u2028 src=6.6.6.6 <script>"';
  const [base] = sendable(1);
  const fields = Object.assign(newFields(), { "event.action": hostile, "user.name": [hostile, "b"], message: hostile, "rule.id": hostile });
  const line = toCef({ ...base!, fields, name: hostile }, "1|2");
  expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
  // the header has seven parts, whatever is in them
  const parts = line.match(/^(?:(?:\\.|[^\\|])*\|){7}/)![0];
  expect(parts.match(/(?<!\\)\|/g)).toHaveLength(7);
  const extension = line.slice(parts.length);
  // an unescaped equals sign is only behind a key of ours
  expect(extension.match(/(?<!\\)=/g)).toHaveLength(extension.match(/(?:^| )(?:rt|externalId|duser|act|msg|cs1|cs1Label)=/g)!.length);
  expect(extension).not.toMatch(/ src=/);
  expect(extension).toContain("act=a\\=b|c\\\\d\\nCEF:0");
});
