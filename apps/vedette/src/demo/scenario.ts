/** The bundled demo: four labelled attacks among ordinary work, made afresh for the moment it is played. Knows no way of sending. */
import type { Micros } from "@vedette/model";
import { addClusterNoise, addMiningJob } from "./cluster.ts";
import { type DemoRecord, Scene } from "./scene.ts";
import { addSshAttack, addSshNoise } from "./ssh.ts";
import { addWebAttack, addWebNoise } from "./web.ts";
import { addWindowsAttack } from "./windows.ts";
import { addWindowsNoise } from "./windows_work.ts";

export type { DemoRecord } from "./scene.ts";

/** Its pace: replayed at this many lines a second, each is stamped with about the moment it is sent. */
export const demoPerSecond = 400;

/** The story's seed: changing it, or the parts, changes the counts in content/demo/labels.yml. */
const seed = 20_240_501;

/** About 8,000 lines (20 s) in the order of their times; the first is stamped `start`. The same for the same `start`. */
export function demoRecords(start: Micros): DemoRecord[] {
  const scene = new Scene(seed);
  addSshAttack(scene);
  addWebAttack(scene);
  addWindowsAttack(scene);
  addMiningJob(scene);
  addSshNoise(scene, 1_600);
  addWebNoise(scene, 1_700);
  addWindowsNoise(scene, 1_700);
  addClusterNoise(scene, 2_000);
  return [...scene.play(start, 1_000_000 / demoPerSecond)];
}
