import { expect, test } from 'vitest'
import { systemClock } from '../../kernel/clock.ts'
import { DeploymentReport } from './deployment-report.ts'

const counts = (requests: number) => [{ deployment: 'deployment_1', requests, errors: 1, latency: [10, requests] }]

test('tells nothing when nothing was counted', () => {
  expect(new DeploymentReport(systemClock).take()).toEqual({})
})

test('adds up what the workers counted, and tells it once', () => {
  const report = new DeploymentReport(systemClock)
  report.add(counts(2))
  report.add(counts(3))
  const { deployments } = report.take()
  expect(deployments?.counts).toEqual([{ deployment: 'deployment_1', requests: 5, errors: 2, latency: [10, 5] }])
  report.taken()
  expect(report.take()).toEqual({})
})

test('tells the very same again under the same number when it was lost, and what came later after it', () => {
  const report = new DeploymentReport(systemClock)
  report.add(counts(2))
  const first = report.take()
  report.lost()
  report.add(counts(7))
  expect(report.take()).toEqual(first)
  report.taken()
  const { deployments } = report.take()
  expect(deployments?.counts[0]?.requests).toBe(7)
  expect(deployments?.slot).toBeGreaterThan(first.deployments?.slot ?? Number.POSITIVE_INFINITY)
})
