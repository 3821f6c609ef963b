import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The release that deployments run when they take this one: raised when a release is made (CONTRIBUTING.md). */
export const formerRelease = { version: '0.1.0', commit: '7d921bc' } as const;

/** A checkout of the former release in `folder`, with this one's packages; nothing in the repository itself changes. */
export const checkOutFormerRelease = (folder: string): string => {
  const { version, commit } = formerRelease;
  const { status } = spawnSync('git', ['cat-file', '-e', `${commit}^{commit}`], { cwd: root });
  if (status !== 0) {
    throw new Error(
      `The deploy gate upgrades from release ${version}, commit ${commit}, which this clone does not hold: git fetch --unshallow`,
    );
  }
  const checkout = join(folder, 'former');
  mkdirSync(checkout);
  const { stdout } = spawnSync('git', ['archive', commit], { cwd: root, maxBuffer: 64e6 });
  const unpacked = spawnSync('tar', ['-x', '-C', checkout], { input: stdout });
  if (unpacked.status !== 0) throw new Error(`Release ${version} could not be unpacked: ${unpacked.stderr}`);
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
  return checkout;
};
