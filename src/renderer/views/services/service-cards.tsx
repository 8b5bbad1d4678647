import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { MethodOutput } from '../../../shared/contract.ts';
import { useQuery } from '../../data/query.ts';
import { isSetUp, knownFields, SERVICES, type Service } from '../../data/services.ts';
import { Badge, Button, ErrorCard, Skeleton } from '../../parts/basics.tsx';
import { servicesText as text } from '../../strings-services.ts';
import { KeyPlace } from './key-place.tsx';
import { ServiceForm } from './service-form.tsx';
import '../../styles/services.css';

/** Supabase, Notion and GitHub, each as a card that opens to be set up. `level`: of the headings around. */
export function ServiceCards({ level }: { level: 2 | 3 }): VNode {
  const { data, error, reload } = useQuery('settings.show', {}, ['settings']);
  if (data === undefined)
    return error === null ? <Skeleton rows={3} tall /> : <ErrorCard error={error} onRetry={reload} />;
  return (
    <>
      <KeyPlace level={level} />
      <ul class="service-cards">
        {SERVICES.map((service) => (
          <ServiceCard
            key={service.id}
            service={service}
            level={level}
            environment={data.environment}
            onChanged={reload}
          />
        ))}
      </ul>
    </>
  );
}

type CardProps = {
  readonly service: Service;
  readonly level: 2 | 3;
  readonly environment: MethodOutput<'settings.show'>['environment'];
  readonly onChanged: () => void;
};

function ServiceCard({ service, level, environment, onChanged }: CardProps): VNode {
  const [open, setOpen] = useState(false);
  const words = text.services[service.id];
  const isReady = isSetUp(knownFields(service, environment));
  const Heading = level === 2 ? 'h2' : 'h3';
  const id = `service-${service.id}`;
  return (
    <li class="service-card" aria-labelledby={id}>
      <div class="service-head">
        <div class="grow">
          <div class="row tight">
            <Heading id={id}>{words.name}</Heading>
            <Badge tone={isReady ? 'ok' : 'neutral'} icon={isReady ? 'check' : 'off'}>
              {isReady ? text.states.set : text.states.later}
            </Badge>
          </div>
          <p class="muted">{words.what}</p>
        </div>
        <Button
          label={open ? `${text.close} ${words.name}` : isReady ? text.change(words.name) : text.setUp(words.name)}
          onClick={() => setOpen(!open)}
        >
          {open ? text.close : isReady ? text.changeShort : text.setUpShort}
        </Button>
      </div>
      {open ? <ServiceForm service={service} environment={environment} onChanged={onChanged} /> : null}
    </li>
  );
}
