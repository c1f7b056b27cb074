/** Shown for an address no page has. */
import { InnerLink } from "./link.tsx";
import { Empty } from "./states.tsx";

export function NotFound() {
  return (
    <Empty icon="search" title="There is no such page">
      <p>
        <InnerLink to="/">Go to Now</InnerLink>
      </p>
    </Empty>
  );
}
