import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The release that the gate upgrades from: until 0.3.0 has a tag, the first commit whose rows 0.3.0 reads. */
export const formerRelease = { version: '0.3.0', commit: 'dc32e86' } as const;

/** Unpacks the former release into a subfolder of `folder`, with this release's packages. Returns the subfolder. */
export const checkOutFormerRelease = (folder: string): string => {
  const { version, commit } = formerRelease;
  const { status } = spawnSync('git', ['cat-file', '-e', `${commit}^{commit}`], { cwd: root });
  if (status !== 0) {
    throw new Error(
      `The deploy gate upgrades from release ${version}, but this clone lacks its commit ${commit}: run git fetch --unshallow`,
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
