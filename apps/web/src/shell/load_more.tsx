/** The way to the next page of a list. */
import { Button } from "@mantine/core";

export function LoadMore({ loading, onClick }: { readonly loading: boolean; readonly onClick: () => void }) {
  return (
    <div className="more">
      <Button size="xs" variant="default" loading={loading} onClick={onClick}>
        Load more
      </Button>
    </div>
  );
}
