import type { Reporter, TestModule } from 'vitest/node';

/** The run in one plain line, last of all, for whatever reads the output. */
export class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const states = modules.flatMap((module) => [...module.children.allTests()].map((test) => test.result().state));
    const broken = modules.filter((module) => module.state() === 'failed' && module.errors().length > 0).length;
    const count = (wanted: string): number => states.filter((state) => state === wanted).length;
    console.log(`\n${count('passed')} passed, ${count('failed') + broken} failed`);
  }
}
