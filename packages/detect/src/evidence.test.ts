import { newFields } from "@vedette/kit";
import { expect, test } from "vitest";
import { entitiesOf } from "./evidence.ts";

const first = (fields: object, preferred?: string) =>
  entitiesOf({ class: "process", source: "s", fields: Object.assign(newFields(), fields) }, preferred)[0];
const process = { "host.name": "login1", "user.name": "ada", "user.id": "1000", "process.executable": "/tmp/x" };

test("a process of a batch job is the job's matter, whatever the rule would group by", () => {
  expect(first({ ...process, "hpc.job.id": "4711" })).toEqual({ type: "hpc.job.id", id: "4711" });
  expect(first({ ...process, "hpc.job.id": "4711" }, "host.name")).toEqual({ type: "hpc.job.id", id: "4711" });
});

test("a person's process is the person's, a service's the host's", () => {
  expect(first(process)).toEqual({ type: "user.name", id: "ada" });
  expect(first(process, "host.name")).toEqual({ type: "host.name", id: "login1" });
  for (const uid of ["0", "33", "65534", "4294967295", "S-1-5-18", undefined])
    expect(first({ ...process, "user.id": uid })).toEqual({ type: "host.name", id: "login1" });
});
