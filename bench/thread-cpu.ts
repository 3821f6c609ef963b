import { readdirSync, readFileSync } from 'node:fs';

/** Seconds of CPU time by the name of the thread or process that used them. */
export type CpuSeconds = Record<string, number>;

/** Clock ticks in a second, the unit of the CPU times in /proc: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
const TICKS_A_SECOND = 100;

/** Returns the name and the CPU seconds of a thread or process, or null if it has ended. */
const readStat = (path: string): { name: string; seconds: number } | null => {
  try {
    const text = readFileSync(path, 'utf8');
    const end = text.lastIndexOf(')');
    const fields = text.slice(end + 2).split(' ');
    const seconds = (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
    return { name: text.slice(text.indexOf('(') + 1, end), seconds };
  } catch {
    return null;
  }
};

/** The room of a thread's name in /proc; a longer name is cut. */
const NAME_LENGTH = 15;

/**
 * Returns the CPU seconds of this process's threads and of its child processes since each began. Threads with one of the
 * `functionNames` are environments of that function. Needs Linux; elsewhere the result is empty.
 */
export const cpuByThread = (functionNames: readonly string[]): CpuSeconds => {
  if (process.platform !== 'linux') return {};
  const nameOf = (name: string): string => {
    const functionName = functionNames.find((each) => each.slice(0, NAME_LENGTH) === name);
    if (functionName) return `function ${functionName}`;
    if (name === 'MainThread') return 'main thread of the local stack';
    return /^(V8Worker|DelayedTaskSche|libuv-worker|SignalInspector)$/.test(name) ? `helper threads of Node.js` : name;
  };
  const tasks = readdirSync('/proc/self/task');
  const children = tasks.flatMap((task) => {
    try {
      return readFileSync(`/proc/self/task/${task}/children`, 'utf8').trim().split(' ');
    } catch {
      return [];
    }
  });
  const seconds: CpuSeconds = {};
  const count = (path: string, toName: (name: string) => string): void => {
    const stat = readStat(path);
    if (stat) seconds[toName(stat.name)] = (seconds[toName(stat.name)] ?? 0) + stat.seconds;
  };
  for (const task of tasks) count(`/proc/self/task/${task}/stat`, nameOf);
  for (const child of children.filter((each) => each !== '')) {
    count(`/proc/${child}/stat`, (name) => (name === 'dynoxide' ? 'DynamoDB engine' : `process ${name}`));
  }
  return seconds;
};
