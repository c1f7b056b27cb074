import type { Store } from "@vedette/store";
import { expect, test } from "vitest";
import { loadConfig } from "./config/load.ts";
import { rolesWanted, servedBy } from "./roles.ts";

const shared = {
  VEDETTE__LOG__DRIVER: "kafka",
  KAFKA_SERVER: "127.0.0.1:9092",
  VEDETTE__KAFKA__PARTITIONS: "4",
  VEDETTE__STATE__DRIVER: "postgres",
  POSTGRES_HOST: "127.0.0.1",
  VEDETTE__EVENTS__SHARED: "/mnt/events",
  REDIS_HOST: "127.0.0.1",
  SECRET_KEY: "0123456789abcdef0123456789abcdef",
};
const loaded = (environment: { readonly [name: string]: string }) => loadConfig("/dev/null", environment);

test("a process that is to share its work has all that is shared, or is told all that it lacks", () => {
  expect([...rolesWanted("analyse", loaded(shared))!]).toEqual(["analyse"]);
  expect(rolesWanted("all", loaded({}))).toBeUndefined();
  const { REDIS_HOST: _, VEDETTE__EVENTS__SHARED: __, ...less } = shared;
  expect(() => rolesWanted("all", loaded(less))).toThrow(
    /kafka\.partitions: 4.*\n {2}events\.driver: expected .*\n {2}redis\.host: expected/,
  );
});

test("where several share the work, who asks for series is told that none are kept, instead of none", async () => {
  const store = { series: { list: async () => ({ series: [], more: false }), sources: async () => [] } } as unknown as Store;
  const query = {} as Parameters<Store["series"]["list"]>[0];
  expect(await servedBy(undefined, store).series.list(query)).toEqual({ series: [], more: false });
  const several = servedBy(new Set(["serve"]), store);
  await expect(several.series.list(query)).rejects.toMatchObject({ code: "not_found", message: expect.stringContaining("one process") });
  expect(await several.series.sources("main")).toEqual([]);
});
