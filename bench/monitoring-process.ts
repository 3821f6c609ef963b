import { log } from '../lambdas/runtime/log.ts';
import { written } from '../lambdas/runtime/metric-names.ts';
import { type Figures, publishMetrics } from '../lambdas/runtime/metrics.ts';
import { withoutMonitoring } from './log-share.ts';

// This process measures its own CPU time. It writes the log lines of a run again, alternately with and without
// monitoring.

type Fields = Readonly<Record<string, unknown>>;
type Write = () => void | Promise<void>;

const ROUNDS = 20;

const parse = (line: string): Fields[] => {
  try {
    return [JSON.parse(line) as Fields];
  } catch {
    return [];
  }
};

const writeLine = ({ level, name, ...fields }: Fields): Write => {
  return () => log(level as 'info', String(name), fields);
};

const writeMetrics = (fields: Fields): Write => {
  const figures: Figures = Object.fromEntries(
    Object.entries(written).flatMap(([measure, [name]]) => (name in fields ? [[measure, fields[name]]] : [])),
  );
  return () => publishMetrics(figures);
};

const cpuOf = async (writes: readonly Write[]): Promise<number> => {
  const before = process.cpuUsage();
  for (const write of writes) await write();
  const { user, system } = process.cpuUsage(before);
  return user + system;
};

const measure = async (lines: readonly string[]): Promise<void> => {
  const all = lines.flatMap(parse);
  const complete = all.map((fields) => ('_aws' in fields ? writeMetrics(fields) : writeLine(fields)));
  const reduced = all.map(withoutMonitoring).flatMap((fields) => (fields ? [writeLine(fields)] : []));
  let wholeMicros = 0;
  let withoutMicros = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const both = [await cpuOf(complete), await cpuOf(reduced)] as const;
    // Leaves the first half of the measuring rounds out of the sums, because the code is compiled in these rounds.
    if (round < ROUNDS / 2) continue;
    wholeMicros += both[0];
    withoutMicros += both[1];
  }
  const countedRounds = ROUNDS / 2;
  process.send?.({ wholeMicros: wholeMicros / countedRounds, withoutMicros: withoutMicros / countedRounds });
};

process.once('message', (lines: readonly string[]) => measure(lines));
process.on('disconnect', () => process.exit(0));
