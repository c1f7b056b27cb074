/** Senders of documents: each brings its own to some process, again until one says that it has it. Knows no process's inside. */
import type { Runtime } from "@vedette/pipeline";
import type { Input } from "./input.ts";
import type { Life } from "./life.ts";
import type { Heard } from "./process.ts";
import { ms, second, type World } from "./world.ts";

/** Where senders may turn to now. */
export type Listening = () => readonly { readonly life: Life; readonly runtime: Runtime }[];

const again = 0.7 * second;
/** As HTTP clients do: who does not hear of it asks again. */
const patience = 2 * second;

export function send(world: World, { documents }: Input, listening: Listening, { accepted }: Heard): void {
  const { chance } = world;
  for (const { number, at, body } of documents) {
    const bring = (): void => {
      const open = listening();
      if (open.length === 0) {
        world.after(again * chance.next(), bring);
        return;
      }
      const { life, runtime } = chance.pick(open);
      let answered = false;
      const hear = (ok: boolean) => {
        if (answered) return;
        answered = true;
        if (ok) accepted.add(number);
        else world.after(again * chance.next(), bring);
      };
      // a process that dies or stands still gives no answer
      world.after(patience, () => hear(false));
      life.after(2 * ms * chance.next(), () => {
        const intake = runtime.intake({ source: "api", format: "syslog" });
        intake.accept([{ position: `doc${number}`, id: `doc${number}`, body }]).then(
          () => world.after(2 * ms * chance.next(), () => hear(true)),
          () => world.after(2 * ms * chance.next(), () => hear(false)),
        );
      });
    };
    world.after(at - world.now, bring);
  }
}
