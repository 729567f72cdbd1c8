import { expect, test } from 'vitest'
import { findMissingEntries, readLockfile, readPlatform } from './complete-lockfile.ts'

test('the lockfile has the binaries of every platform, or `npm ci` would refuse it', () => {
  expect([...findMissingEntries(readLockfile()).keys()]).toEqual([])
})

test('a platform is read from the name of a package of binaries', () => {
  expect(readPlatform('@oxlint/binding-linux-x64-musl')).toEqual({ os: ['linux'], cpu: ['x64'], libc: ['musl'] })
  expect(readPlatform('@oxlint/binding-linux-arm-gnueabihf')).toEqual({ os: ['linux'], cpu: ['arm'], libc: ['glibc'] })
  expect(readPlatform('@oxlint-tsgolint/darwin-arm64')).toEqual({ os: ['darwin'], cpu: ['arm64'] })
  expect(readPlatform('fsevents')).toBeUndefined()
})

test('a missing entry gets the version that is asked for', () => {
  const packages = { 'node_modules/a': { dev: true, optionalDependencies: { '@a/win32-x64': '1.2.3' } } }
  expect([...findMissingEntries({ packages })]).toEqual([
    ['node_modules/@a/win32-x64', { version: '1.2.3', dev: true, optional: true, os: ['win32'], cpu: ['x64'] }],
  ])
})
