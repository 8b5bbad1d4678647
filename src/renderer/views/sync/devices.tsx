import type { VNode } from 'preact';
import type { Device } from '../../../shared/contract-sync.ts';
import { displayText } from '../../../shared/display.ts';
import { useQuery } from '../../data/query.ts';
import { Badge, ErrorCard, Fix, Skeleton, When } from '../../parts/basics.tsx';
import { formatCount } from '../../strings.ts';
import { syncText } from '../../strings-sync.ts';

const text = syncText.deviceView;

/** The devices of one project: when each was last seen, and what it still has to send. */
export function Devices(): VNode {
  const { data, error, reload } = useQuery('devices.list', {}, ['sync']);
  if (data === undefined)
    return error === null ? <Skeleton rows={4} tall /> : <ErrorCard error={error} onRetry={reload} />;
  return (
    <section class="card">
      <p class="muted">{data.devices.length > 1 ? text.lead : text.alone}</p>
      {data.problem === null ? null : (
        <div class="remote-reason offline">
          <p class="wrap">{displayText(data.problem.message)}</p>
          <Fix text={data.problem.fix} />
        </div>
      )}
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{text.name}</th>
            <th scope="col">{text.seen}</th>
            <th scope="col">{text.unsent}</th>
            <th scope="col">{text.version}</th>
          </tr>
        </thead>
        <tbody>
          {data.devices.map((device) => (
            <DeviceRow key={device.deviceId} device={device} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function DeviceRow({ device }: { device: Device }): VNode {
  return (
    <tr>
      <th scope="row">
        <span class="row tight">
          <strong class="wrap">{displayText(device.name)}</strong>
          {device.isThis ? <Badge tone="accent">{text.thisOne}</Badge> : null}
          {device.isLeader ? (
            <Badge tone="info" icon="link">
              {text.talks}
            </Badge>
          ) : null}
        </span>
      </th>
      <td>{device.lastSeenAtMs === null ? text.unknown : <When timeMs={device.lastSeenAtMs} ago />}</td>
      <td class="numbers">
        {device.unsent === null ? (
          text.unknown
        ) : device.unsent > 0 ? (
          <Badge tone="warn" icon="clock">
            {formatCount(device.unsent)}
          </Badge>
        ) : (
          formatCount(0)
        )}
      </td>
      <td class="muted">{device.version ?? text.unknown}</td>
    </tr>
  );
}
