import { readdirSync, readFileSync } from 'node:fs';

/** Seconds of CPU time by the name of the thread or process that used them. */
export type CpuSeconds = Record<string, number>;

/** Clock ticks in a second, the unit of the CPU times in /proc: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
const TICKS_A_SECOND = 100;

/** Returns the text of a file in /proc; empty if its thread or process has ended. */
const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** Returns the name and the CPU seconds of a thread or process, or null if it has ended. */
const readStat = (path: string): { name: string; seconds: number } | null => {
  const text = readText(path);
  if (text === '') return null;
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  const seconds = (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
  return { name: text.slice(text.indexOf('(') + 1, end), seconds };
};

/** The room of a thread's name in /proc; a longer name is cut. */
const NAME_LENGTH = 15;

/** The process id of the DynamoDB engine that this process started, or undefined. */
const engineOf = (tasks: readonly string[]): string | undefined =>
  tasks
    .flatMap((task) => readText(`/proc/self/task/${task}/children`).trim().split(' '))
    .find((child) => child !== '' && readStat(`/proc/${child}/stat`)?.name === 'dynoxide');

/**
 * Returns the CPU seconds of this process's threads and of the DynamoDB engine since each began. Threads with one of the
 * `functionNames` are environments of that function. Needs Linux; elsewhere the result is empty.
 */
export const cpuByThread = (functionNames: readonly string[]): CpuSeconds => {
  if (process.platform !== 'linux') return {};
  const nameOf = (name: string): string => {
    const functionName = functionNames.find((each) => each.slice(0, NAME_LENGTH) === name);
    if (functionName) return `function ${functionName}`;
    if (name === 'MainThread') return 'main thread of the local stack';
    return /^(V8Worker|DelayedTaskSche|libuv-worker|SignalInspector)$/.test(name) ? 'helper threads of Node.js' : name;
  };
  const tasks = readdirSync('/proc/self/task');
  const engine = engineOf(tasks);
  const stats = tasks.map((task) => readStat(`/proc/self/task/${task}/stat`));
  const named = stats.flatMap((stat) => (stat ? [{ ...stat, name: nameOf(stat.name) }] : []));
  const engineStat = engine === undefined ? null : readStat(`/proc/${engine}/stat`);
  const seconds: CpuSeconds = engineStat ? { 'DynamoDB engine': engineStat.seconds } : {};
  for (const stat of named) seconds[stat.name] = (seconds[stat.name] ?? 0) + stat.seconds;
  return seconds;
};

/**
 * Returns the memory of this process and of the DynamoDB engine, in MiB. A page that several processes share counts once
 * (PSS): https://man7.org/linux/man-pages/man5/proc_pid_smaps.5.html. Needs Linux; elsewhere the result is that of this
 * process alone.
 */
export const memoryMib = (): number => {
  if (process.platform !== 'linux') return process.memoryUsage.rss() / 2 ** 20;
  const processes = ['self', engineOf(readdirSync('/proc/self/task'))].filter((id) => id !== undefined);
  const kib = processes.map((id) => Number(/^Pss:\s+(\d+)/m.exec(readText(`/proc/${id}/smaps_rollup`))?.[1] ?? 0));
  return kib.reduce((sum, each) => sum + each, 0) / 1024;
};
