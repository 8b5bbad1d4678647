import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useApp } from '../../app-context.ts';
import { FIRST_PAGES, FIRST_STEPS, type FirstPage, pageBeside } from '../../data/first-run.ts';
import { formatRoute } from '../../data/route.ts';
import { Button } from '../../parts/basics.tsx';
import { Mark } from '../../parts/icon.tsx';
import { strings } from '../../strings.ts';
import { CaptureStep } from './capture-step.tsx';
import { FolderStep } from './folder-step.tsx';
import { KitStep } from './kit-step.tsx';
import { ServicesStep } from './services-step.tsx';
import '../../styles/first-run.css';

const text = strings.firstRun;

const PAGES: Readonly<Record<FirstPage, (props: StepProps) => VNode>> = {
  folder: FolderStep,
  capture: CaptureStep,
  kit: KitStep,
  services: ServicesStep,
};

export type StepProps = {
  /** Goes on; the step is done or was skipped. */
  readonly onNext: () => void;
};

/** One decision a screen, from nothing to the first file that is safe. Leaving is possible at every moment. */
export function FirstRunView({ onLeave }: { onLeave: () => void }): VNode {
  const { go } = useApp();
  const [page, setPage] = useState<FirstPage>('folder');
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), [page]);
  const leave = (): void => {
    onLeave();
    go(formatRoute('overview'));
  };
  const move = (by: 1 | -1): void => {
    const next = pageBeside(page, by);
    if (next === null) leave();
    else setPage(next);
  };
  const at = FIRST_PAGES.indexOf(page);
  const Page = PAGES[page];
  return (
    <main class="first-run" id="content">
      <div class="first-run-head">
        <p class="brand">
          <Mark size={28} />
          {strings.product}
        </p>
        <Button kind="quiet" onClick={leave}>
          {text.skipAll}
        </Button>
      </div>
      <section class="card first-run-card" aria-labelledby="first-run-title">
        <ol class="first-run-steps" aria-label={text.steps}>
          {FIRST_STEPS.map((name, index) => (
            <li key={name} class={index <= at ? 'is-done' : undefined} aria-current={index === at ? 'step' : undefined}>
              <span class="visually-hidden">{text.step(index + 1, FIRST_STEPS.length, text.titles[name])}</span>
            </li>
          ))}
        </ol>
        <h1 id="first-run-title" tabIndex={-1} ref={title}>
          {text.titles[page]}
        </h1>
        <Page key={page} onNext={() => move(1)} />
        <div class="row between first-run-foot">
          {at > 0 ? (
            <Button kind="quiet" onClick={() => move(-1)}>
              {text.back}
            </Button>
          ) : (
            <span />
          )}
          {page === 'services' ? null : (
            <Button kind="quiet" onClick={() => move(1)}>
              {text.skip}
            </Button>
          )}
        </div>
      </section>
    </main>
  );
}
