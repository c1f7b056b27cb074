/** Catches what a page throws while it is drawn, says so, and leaves the rest of the console usable. */
import { Button } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { Empty } from "./states.tsx";

interface BoundaryProps {
  /** Another page is another try. */
  readonly page: string;
  readonly children: ReactNode;
}

interface BoundaryState {
  readonly error: Error | undefined;
  readonly page: string;
}

export class Boundary extends Component<BoundaryProps, BoundaryState> {
  override state: BoundaryState = { error: undefined, page: this.props.page };

  static getDerivedStateFromError(error: Error): Partial<BoundaryState> {
    return { error };
  }

  static getDerivedStateFromProps(props: BoundaryProps, state: BoundaryState): BoundaryState | null {
    return props.page === state.page ? null : { error: undefined, page: props.page };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <div role="alert">
        <Empty icon="warning" title="This page failed">
          <p>
            {error.name}: {error.message}
          </p>
          <Button size="xs" variant="default" onClick={() => window.location.reload()}>
            Load again
          </Button>
        </Empty>
      </div>
    );
  }
}
