/** Makes or restores a backup of the made-up installation and stops for good at a given step, for its parent to kill it there. */
import { Repository, Restore, writeBackup } from "../index.ts";
import { captured, installation, keys, own } from "./made.ts";

const [work, to, target, stopAt] = process.argv.slice(2) as [string, string, string, string];
let steps = 0;
/** Nothing runs on after the last step: the parent kills exactly there. */
const onProgress = (): void => {
  if (++steps < Number(stopAt)) return;
  process.stdout.write("now\n");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
};

if (work === "backup")
  await writeBackup(await Repository.openToWrite(to, keys, own), captured(installation), { version: "test", onProgress });
else {
  const repository = await Repository.open(to, keys);
  const manifest = await repository.newest(undefined, () => {});
  const restore = new Restore(repository, manifest!, target, true);
  await restore.first({ onProgress });
  await restore.rest({ onProgress });
}
process.stdout.write(`done after ${steps}\n`);
