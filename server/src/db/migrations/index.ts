/** All migrations, oldest first. A released one never changes; what it got wrong, the next one mends. */
import type { Migration } from '../migration.ts'
import { installation } from './0001-installation.ts'
import { controlPlane } from './0002-control-plane.ts'

export const migrations: readonly Migration[] = [installation, controlPlane]
