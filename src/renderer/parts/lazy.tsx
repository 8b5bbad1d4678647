import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ErrorCard, Skeleton, ViewHead } from './basics.tsx';

type View<P> = (props: P) => VNode | null;

/**
 * A view that is loaded when somebody goes there. Its title is there at once; a part that cannot be loaded (the
 * program was updated meanwhile) says so and offers to reload the page.
 */
export function lazyView<P extends object>(title: string, load: () => Promise<View<P>>): View<P> {
  let known: View<P> | null = null;
  return (props) => {
    const [, setLoaded] = useState(known !== null);
    const [error, setError] = useState<unknown>(null);
    useEffect(() => {
      if (known !== null) return;
      load().then((view) => {
        known = view;
        setLoaded(true);
      }, setError);
    }, []);
    useFocusOnceThere(known !== null);
    if (known !== null) {
      const Known = known;
      return <Known {...props} />;
    }
    return (
      <div class="view">
        <ViewHead title={title} />
        {error === null ? <Skeleton rows={8} tall /> : <ErrorCard error={error} />}
      </div>
    );
  };
}

/** The title of the loaded view takes the focus from the one that stood in for it. */
function useFocusOnceThere(there: boolean): void {
  useEffect(() => {
    if (there && document.activeElement === document.body) document.querySelector<HTMLElement>('main h1')?.focus();
  }, [there]);
}
