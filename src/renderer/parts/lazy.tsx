import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ErrorCard, Skeleton, ViewHead } from './basics.tsx';

type View<P> = (props: P) => VNode | null;

/**
 * A view that is loaded when somebody goes there. Its title is there at once; a part that cannot be loaded (the
 * program was updated meanwhile) says so and offers to reload the page.
 */
export function lazyView<P extends object>(title: string, load: () => Promise<View<P>>): View<P> {
  const useLoaded = loadOnce(load);
  return (props) => {
    const { known: Known, error } = useLoaded();
    useFocusOnceThere(Known !== null);
    if (Known !== null) return <Known {...props} />;
    return (
      <div class="view">
        <ViewHead title={title} />
        {error === null ? <Skeleton rows={8} tall /> : <ErrorCard error={error} />}
      </div>
    );
  };
}

/** The same for a part of a view that is heavier than the rest of it. */
export function lazyPart<P extends object>(load: () => Promise<View<P>>): View<P> {
  const useLoaded = loadOnce(load);
  return (props) => {
    const { known: Known, error } = useLoaded();
    if (Known !== null) return <Known {...props} />;
    return error === null ? <Skeleton rows={4} /> : <ErrorCard error={error} />;
  };
}

type Loaded<P> = { readonly known: View<P> | null; readonly error: unknown };

function loadOnce<P extends object>(load: () => Promise<View<P>>): () => Loaded<P> {
  let known: View<P> | null = null;
  return () => {
    const [, setLoaded] = useState(known !== null);
    const [error, setError] = useState<unknown>(null);
    useEffect(() => {
      if (known !== null) return;
      load().then((view) => {
        known = view;
        setLoaded(true);
      }, setError);
    }, []);
    return { known, error };
  };
}

/** The title of the loaded view takes the focus from the one that stood in for it. */
function useFocusOnceThere(there: boolean): void {
  useEffect(() => {
    if (there && document.activeElement === document.body) document.querySelector<HTMLElement>('main h1')?.focus();
  }, [there]);
}
