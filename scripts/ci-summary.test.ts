import { expect, test } from 'vitest'
import { countTests } from './ci-summary.ts'

const passing = { name: 'a.test.ts', status: 'passed', assertionResults: [{ status: 'passed' }] }

test('passing tests are counted as they are', () => {
  expect(countTests({ numPassedTests: 1, numFailedTests: 0, testResults: [passing] }, 0)).toEqual({
    passed: 1,
    failed: 0,
  })
})

test('a test file that does not load is a failure', () => {
  const broken = { name: 'b.test.ts', status: 'failed', assertionResults: [] }
  const report = { numPassedTests: 1, numFailedTests: 0, testResults: [passing, broken] }
  expect(countTests(report, 1)).toEqual({ passed: 1, failed: 1 })
})

test('a run that failed outside its tests is a failure', () => {
  expect(countTests({ numPassedTests: 1, numFailedTests: 0, testResults: [passing] }, 124).failed).toBe(1)
})

test('a run without a test is a failure', () => {
  expect(countTests({ numPassedTests: 0, numFailedTests: 0, testResults: [] }, 0).failed).toBe(1)
})
