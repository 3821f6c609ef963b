import type { Reporter, TestModule } from 'vitest/node';

/** Prints the numbers of passed and failed tests as the last line, for programs that read the output. */
export class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const states = modules.flatMap((module) => [...module.children.allTests()].map((test) => test.result().state));
    const broken = modules.filter((module) => module.state() === 'failed' && module.errors().length > 0).length;
    const count = (counted: string): number => states.filter((state) => state === counted).length;
    console.log(`\n${count('passed')} passed, ${count('failed') + broken} failed`);
  }
}
