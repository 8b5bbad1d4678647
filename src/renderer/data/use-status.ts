import { useEffect, useState } from 'preact/hooks';
import type { AgentStatus } from '../../shared/contract.ts';
import { useApp } from '../app-context.ts';
import { type ProgressByRoot, takeProgress } from './progress.ts';
import { type Query, useQuery } from './query.ts';

const STATUS_EVENTS = ['status', 'activity', 'records', 'settings'] as const;

/** The state of the agent, kept fresh. */
export function useStatus(): Query<AgentStatus> {
  return useQuery('agent.status', {}, STATUS_EVENTS);
}

/** What is being read right now: from the status at first, then from each report. */
export function useProgress(status: AgentStatus | undefined): ProgressByRoot {
  const { client } = useApp();
  const [known, setKnown] = useState<ProgressByRoot>(new Map());
  useEffect(() => client.on('progress', (report) => setKnown((before) => takeProgress(before, report))), [client]);
  useEffect(() => {
    if (status === undefined) return;
    const running = new Set(status.progress.map((one) => one.rootId));
    setKnown((before) => {
      const kept = new Map([...before].filter(([rootId]) => running.has(rootId)));
      return status.progress.reduce<ProgressByRoot>(takeProgress, kept);
    });
  }, [status]);
  return known;
}
