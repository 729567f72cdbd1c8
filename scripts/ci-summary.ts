// The last line of CI: how many tests passed and failed, from vitest's JSON report. Called with the report's path and
// the exit code of the run; a run that ended without a readable report, or without a test, counts as a failure.
import { readFileSync } from 'node:fs'

interface Report {
  numPassedTests: number
  numFailedTests: number
  testResults: { name: string; status: string; assertionResults: { status: string }[] }[]
}

/** Counts of a report. A file that failed although each of its tests passed (it did not load, a hook broke) is one failure. */
export function countTests(report: Report, exitCode: number): { passed: number; failed: number } {
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  )
  const passed = report.numPassedTests
  const failed = report.numFailedTests + brokenFiles.length
  // Something went wrong outside any test: an unhandled rejection, a time limit, no test at all.
  if (failed === 0 && (exitCode !== 0 || passed === 0)) return { passed, failed: 1 }
  return { passed, failed }
}

function readReport(path: string): Report | undefined {
  try {
    const report: Report = JSON.parse(readFileSync(path, 'utf8'))
    return report
  } catch (error) {
    console.error(`No readable test report at ${path}:`, error)
    return undefined
  }
}

if (import.meta.main) {
  const [path = '', exitCode = '1'] = process.argv.slice(2)
  const report = readReport(path)
  const { passed, failed } = report ? countTests(report, Number(exitCode)) : { passed: 0, failed: 1 }
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}
