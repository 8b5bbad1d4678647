import type { VNode } from 'preact';
import { Button } from '../../parts/basics.tsx';
import { strings } from '../../strings.ts';
import { ServiceCards } from '../services/service-cards.tsx';
import type { StepProps } from './first-run.tsx';

const text = strings.firstRun;

/** Everything works without them: cards to set up now or to come back to. */
export function ServicesStep({ onNext }: StepProps): VNode {
  return (
    <div class="stack">
      <p>{text.servicesText}</p>
      <ServiceCards level={2} />
      <div class="row">
        <Button kind="primary" icon="check" onClick={onNext}>
          {text.finish}
        </Button>
      </div>
    </div>
  );
}
