/** The data sets that take too long for every run. */
import { goldenTests } from "./golden.ts";

goldenTests((set) => set.long === true);
